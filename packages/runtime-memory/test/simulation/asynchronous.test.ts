/** Events on their way through a bus to a function, and what was given up to queues of dead letters. */
import type { Service } from '@everfold/core'
import { fc, test as property } from '@fast-check/vitest'
import { expect, test } from 'vitest'
import {
  type AwsState,
  coverage,
  type Deployment,
  type DeploySettings,
  functionArn,
  type Oracle,
  type Stage,
  setUpAws,
  simulatedAws,
  simulation,
} from '../../src/simulation/index.ts'
import { arnOf } from '../../src/simulation/models/sqs.ts'

const EVENTS = ['1', '2', '3', '4']
const TIMEOUT = { timeoutMs: 60_000 }

const set = setUpAws({
  tables: () => Promise.resolve(),
  queues: [{ name: 'dead' }, { name: 'failed' }],
  buses: [
    {
      name: 'bus',
      rules: [{ name: 'all', targets: [{ id: '1', function: 'listener', deadLetters: 'dead' }] }],
      archives: [{ name: 'archive' }],
    },
  ],
})

const service: Service = {
  name: 'news',
  aggregates: [],
  projections: [],
  processes: [],
  gateways: [],
  routes: [],
}

interface Listening {
  readonly settings?: DeploySettings
  /** Where it throws, the listener has failed. */
  readonly listen?: (event: string) => void
}

/** Whoever puts an event tries until the bus has it. */
const news = async ({ settings = TIMEOUT, listen = () => undefined }: Listening) => {
  const state = await set
  const heard: Array<{ readonly event: string; readonly timeMs: number }> = []
  const letters: Array<{ readonly queue: string; readonly body: string }> = []
  const open = (stage: Stage, { judge }: Oracle) => {
    heard.length = letters.length = 0
    const aws = simulatedAws(stage, state)
    aws.sent((queue, body) => void letters.push({ queue, body }))
    aws.deploy('listener', settings, () => async (event) => {
      const { detail } = event as { readonly detail: { readonly id: string } }
      heard.push({ event: detail.id, timeMs: stage.kernel.nowMs() })
      listen(detail.id)
      await stage.kernel.port('listener')('hears', detail.id, () => undefined)
    })
    const put = aws.deploy('publisher', TIMEOUT, () => (id) => putEvent(aws, String(id)))
    const publish = async (id: string): Promise<void> => {
      for (;;) {
        const outcome = await put.invoke(id, id)
        if (outcome._tag === 'Returned' && outcome.value === true) return
        await stage.kernel.sleep(1000)
      }
    }
    for (const id of EVENTS) stage.kernel.at(stage.kernel.nowMs(), `${id} is put`, () => void publish(id))
    const ended = () => {
      const dead = letters.map(({ body }) => body)
      for (const id of EVENTS)
        if (!heard.some(({ event }) => event === id) && !dead.some((body) => body.includes(`"id":"${id}"`)))
          judge.broken('E1', `every event is heard or among the dead letters, and ${id} is neither`)
    }
    return { send: () => Promise.resolve(), ended }
  }
  const deployment: Deployment = { globals: 'virtual', open }
  return { simulated: simulation({ service, workload: () => [], deployment }), heard, letters }
}

const putEvent = async (aws: ReturnType<typeof simulatedAws>, id: string): Promise<boolean> => {
  const entry = { EventBusName: 'bus', Source: 'news', DetailType: 'New', Detail: JSON.stringify({ id }) }
  const { response } = await aws.requestHandler.handle({
    method: 'POST',
    path: '/',
    headers: { 'x-amz-target': 'AWSEvents.PutEvents' },
    body: JSON.stringify({ Entries: [entry] }),
  })
  return (
    (JSON.parse(new TextDecoder().decode(response.body)) as { FailedEntryCount?: number })
      .FailedEntryCount === 0
  )
}

const failed = arnOf('failed')

property.prop([fc.string()], { numRuns: 100 })(
  'whatever goes wrong, an event is heard or among the dead letters',
  async (seed) => {
    const { simulated } = await news({ settings: { ...TIMEOUT, asynchronous: { onFailure: failed } } })
    const { violation } = await simulated.run(seed)
    expect(violation).toBeUndefined()
  },
)

const refusing = (event: string) => {
  if (event === '2') throw new TypeError('no such news')
}

test('a function that fails is tried again after one minute and after two, and then the queue is told', async () => {
  const settings = { ...TIMEOUT, asynchronous: { onFailure: failed } }
  const { simulated, heard, letters } = await news({ settings, listen: refusing })
  const { violation, startMs } = await simulated.replay({ seed: '1', deviations: new Map() })
  expect(violation).toBeUndefined()
  const tries = heard.filter(({ event }) => event === '2').map(({ timeMs }) => timeMs - startMs)
  expect(tries).toEqual([0, 60_000, 180_000])
  expect(letters).toHaveLength(1)
  expect(JSON.parse(letters[0]?.body ?? '')).toMatchObject({
    requestContext: {
      condition: 'RetriesExhausted',
      approximateInvokeCount: 3,
      functionArn: `${functionArn('listener')}:$LATEST`,
    },
    requestPayload: { detail: { id: '2' } },
    responsePayload: { errorMessage: 'no such news', errorType: 'TypeError' },
  })
})

test('what a function may drop is lost without a word, and so only where that is borne', async () => {
  const dropping = await news({ settings: { ...TIMEOUT, asynchronous: { mayDrop: true } } })
  const careful = await news({})
  const lost = async ({ simulated }: typeof careful): Promise<number> => {
    let count = 0
    for (let seed = 0; seed < 60; seed += 1)
      if ((await simulated.run(String(seed))).violation?.invariant === 'E1') count += 1
    return count
  }
  expect(await lost(dropping)).toBeGreaterThan(0)
  expect(await lost(careful)).toBe(0)
})

test('a rule whose target is gone tells its dead letters at once', async () => {
  const state: AwsState = await set
  const letters: Array<string> = []
  const open = (stage: Stage) => {
    const aws = simulatedAws(stage, state)
    aws.sent((queue, body) => void letters.push(`${queue} ${body}`))
    stage.kernel.at(stage.kernel.nowMs(), 'an event is put', () => void putEvent(aws, '1'))
    return { send: () => Promise.resolve() }
  }
  const simulated = simulation({ service, workload: () => [], deployment: { globals: 'virtual', open } })
  await simulated.replay({ seed: '1', deviations: new Map() })
  expect(letters).toEqual([expect.stringMatching(/^dead .*"id":"1"/)])
})

const schedule = (aws: ReturnType<typeof simulatedAws>, name: string, arn: string) =>
  aws.requestHandler.handle({
    method: 'POST',
    path: `/schedules/${name}`,
    headers: {},
    body: JSON.stringify({
      ScheduleExpression: 'at(2026-01-01T00:01:00)',
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: {
        Arn: arn,
        RoleArn: 'arn:aws:iam::000000000000:role/scheduler',
        Input: JSON.stringify({ due: name }),
        DeadLetterConfig: { Arn: arnOf('dead') },
        RetryPolicy: { MaximumRetryAttempts: 2 },
      },
    }),
  })

test('a schedule gives its input to a function, and tells its dead letters of a target that never took it', async () => {
  const state = await set
  const letters: Array<string> = []
  const inputs: Array<unknown> = []
  const open = (stage: Stage) => {
    const aws = simulatedAws(stage, state)
    aws.sent((queue, body) => void letters.push(`${queue} ${body}`))
    aws.deploy('clock', TIMEOUT, () => (event) => {
      inputs.push(event)
      return Promise.resolve(undefined)
    })
    stage.kernel.at(stage.kernel.nowMs(), 'schedules are made', () => {
      void schedule(aws, 'good', functionArn('clock'))
      void schedule(aws, 'bad', functionArn('nobody'))
    })
    return { send: () => Promise.resolve() }
  }
  const simulated = simulation({ service, workload: () => [], deployment: { globals: 'virtual', open } })
  await simulated.replay({ seed: '1', deviations: new Map() })
  expect(inputs).toEqual([{ due: 'good' }])
  expect(letters).toEqual(['dead {"due":"bad"}'])
})

test('an event of an archive goes to the rules again', async () => {
  const state = await set
  const heard: Array<unknown> = []
  const open = (stage: Stage) => {
    const aws = simulatedAws(stage, state)
    aws.deploy('listener', TIMEOUT, () => (event) => {
      heard.push((event as { readonly 'replay-name'?: string })['replay-name'] ?? 'first')
      return Promise.resolve(undefined)
    })
    const at = stage.kernel.nowMs()
    stage.kernel.at(at, 'an event is put', () => void putEvent(aws, '1'))
    const body = JSON.stringify({
      ReplayName: 'again',
      EventSourceArn: 'arn:aws:events:us-east-1:000000000000:archive/archive',
      EventStartTime: at / 1000 - 60,
      EventEndTime: at / 1000 + 60,
      Destination: { Arn: 'arn:aws:events:us-east-1:000000000000:event-bus/bus' },
    })
    const headers = { 'x-amz-target': 'AWSEvents.StartReplay' }
    const replay = () => void aws.requestHandler.handle({ method: 'POST', path: '/', headers, body })
    stage.kernel.at(at + 3_600_000, 'the archive is replayed', replay)
    return { send: () => Promise.resolve() }
  }
  const simulated = simulation({ service, workload: () => [], deployment: { globals: 'virtual', open } })
  await simulated.replay({ seed: '1', deviations: new Map() })
  expect(heard).toEqual(['first', 'again'])
})

test('every kind of fault of a delivery comes about', async () => {
  const met = coverage()
  const { simulated } = await news({ settings: { ...TIMEOUT, asynchronous: { onFailure: failed } } })
  for (let seed = 0; seed < 60; seed += 1) await simulated.run(String(seed), { coverage: met })
  const kinds = met
    .matrix()
    .flatMap(({ kind, place, happened }) =>
      /^(?:eventbridge\.delivers|lambda\.listener)/.test(place) && happened === 0 ? [`${place} ${kind}`] : [],
    )
  expect(kinds).toEqual([])
})
