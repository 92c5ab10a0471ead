/** Runs as a simulator would tell them: a shop whose relay publishes orders, and what went wrong with them. */
import type { CommandId, StreamName } from '@everfold/core'
import type { Request, Run, Step } from '../../src/simulation/run.ts'

const START_MS = 1_767_225_600_000

const placing = (client: number, order: string, afterMs: number): Request => ({
  client: `client ${client}`,
  id: `01KDVDNM0${client}0000000000000000` as CommandId,
  aggregate: 'order',
  stream: `order/${order}` as StreamName,
  command: { _tag: 'PlaceOrder', sku: 'sku-1', units: 2 },
  afterMs,
})

/** `[after, lane, service, operation, subject, what was answered, what deviated]` */
type Line = readonly [
  number,
  string,
  string | undefined,
  string,
  string,
  (string | undefined)?,
  (string | undefined)?,
]

const stepsOf = (lines: ReadonlyArray<Line>): ReadonlyArray<Step> => {
  const attempts = new Map<string, number>()
  return lines.map(([afterMs, lane, to, operation, subject, answer, deviation], at) => {
    const asked = `${lane}: ${to === undefined ? '' : `${to}.`}${operation} ${subject}`
    const attempt = (attempts.get(asked) ?? 0) + 1
    attempts.set(asked, attempt)
    return {
      number: at + 1,
      timeMs: START_MS + afterMs,
      lane,
      ...(to === undefined ? {} : { to }),
      operation,
      subject,
      key: `${asked} #${attempt}`,
      ...(answer === undefined ? {} : { answer }),
      ...(deviation === undefined ? {} : { deviation }),
    }
  })
}

const runOf = (
  lines: ReadonlyArray<Line>,
  rest: Pick<Run, 'requests'> & Pick<Required<Run>, 'violation'>,
): Run => {
  const steps = stepsOf(lines)
  const deviations = new Map(
    steps.flatMap(({ key, deviation }) => (deviation === undefined ? [] : [[key, deviation] as const])),
  )
  return {
    plan: { seed: '42', deviations },
    steps,
    operations: steps.length,
    hash: 'f00d',
    startMs: START_MS,
    ...rest,
  }
}

/** The relay sends a message again whose answer it never had, under a new id; the warehouse picks twice. */
export const lostResponse = runOf(
  [
    [0, 'client 1', 'api', 'order', 'order/7'],
    [1, 'orders-api 1', 'store', 'read', 'order/7', '0 commits'],
    [2, 'orders-api 1', 'store', 'append', 'order/7@1', 'stored'],
    [3, 'client 1', undefined, 'has its answer', 'order/7', 'accepted'],
    [40, 'client 2', 'api', 'order', 'order/12'],
    [41, 'orders-api 2', 'store', 'read', 'order/12', '0 commits'],
    [42, 'orders-api 2', 'store', 'append', 'order/12@1', 'stored'],
    [250, 'relay 1', 'queue', 'send', 'order/7@1', undefined, 'response lost'],
    [1250, 'relay 1', 'queue', 'send', 'order/7@1', 'stored'],
    [1300, 'warehouse 1', 'store', 'append', 'picking/7@1', 'stored'],
    [1350, 'relay 2', 'queue', 'send', 'order/12@1', 'stored'],
    [1400, 'warehouse 1', 'store', 'append', 'picking/7@2', 'stored'],
  ],
  {
    requests: [placing(1, '7', 0), placing(2, '12', 40)],
    violation: {
      invariant: 'S3',
      message: 'a command id has one effect, and order/7 was picked by picking/7@1 and by picking/7@2',
      step: 12,
      stack: [
        'Error: judged here',
        '    at judge (/srv/shop/node_modules/@everfold/runtime-memory/dist/simulation/oracle/judge.js:10:5)',
        '    at async Promise.all (index 0)',
        '    at node:internal/process/task_queues:104:5',
        '    at pickedOnce (file:///srv/shop/test/shop.simulation.ts:41:7)',
      ].join('\n'),
    },
  },
)

/** The function dies between its append and its publishing, and nobody publishes afterwards. */
export const crash = runOf(
  [
    [0, 'client 1', 'api', 'order', 'order/7'],
    [1, 'orders-api 1', 'store', 'append', 'order/7@1', 'stored', 'crash after'],
    [29_000, 'client 1', 'api', 'order', 'order/7'],
    [29_001, 'orders-api 2', 'store', 'read', 'order/7', '1 commits'],
    [29_002, 'client 1', undefined, 'has its answer', 'order/7', 'accepted'],
  ],
  {
    requests: [placing(1, '7', 0)],
    violation: {
      invariant: 'E1',
      message: 'every committed message is delivered, and order/7@1 never was',
      step: 5,
    },
  },
)

/** Texts that mean something to whatever prints them. */
export const HOSTILE =
  `</script><script>alert(1)</script> <!-- "double" 'single' \`back\` \\ #59; ; : %% {{}} end\n\r\u2028 ` +
  'note over P1: x \u001b[31m \u202e \u{1F6D2} \ud800 ${1 + 1} A->>B: hi style x:#y; &amp; ---'

/** As `lostResponse`, with hostile texts wherever a user's text goes. */
export const hostile = (text: string = HOSTILE): Run => {
  const { steps, plan, requests, ...rest } = lostResponse
  return {
    ...rest,
    plan: { seed: text, deviations: new Map([...plan.deviations].map(([key]) => [`${key} ${text}`, text])) },
    requests: requests.map((request) =>
      Object.assign({}, request, { client: text, command: { _tag: text, [text]: [text] } }),
    ),
    steps: steps.map((step, at) => {
      const { lane, subject, key } = step
      const told = { lane: `${lane} ${text}`, subject: `${subject} ${text}`, operation: text, answer: text }
      return Object.assign({}, step, told, at === 7 ? { deviation: text, key: `${key} ${text}` } : {})
    }),
    violation: { invariant: text, message: `${text} of order/7`, step: 12 },
  }
}

/** A run of many steps. */
export const long = (length: number): Run => {
  const lines = Array.from({ length }, (_, at): Line => {
    const order = `order/${at % 9}`
    const lost = at % 50 === 7 ? 'response lost' : undefined
    return [
      at * 20,
      `relay ${at % 3}`,
      at % 2 === 0 ? 'queue' : 'store',
      'send',
      `${order}@${at}`,
      'stored',
      lost,
    ]
  })
  return runOf(lines, {
    requests: [placing(1, '7', 0)],
    violation: { invariant: 'E2', message: 'every projection catches up, and order/7 did not', step: length },
  })
}
