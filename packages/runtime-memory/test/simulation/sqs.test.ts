import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { SQS } from '../../src/simulation/limits.ts'
import {
  arnOf,
  type Letter,
  type Received,
  type SqsAnswer,
  type SqsRequest,
  type SqsState,
  sqsEvent,
  sqsModel,
  urlOf,
} from '../../src/simulation/models/sqs.ts'

const START_MS = 1_767_225_600_000

/** A model that keeps its own state and time. */
const service = (queues: Readonly<Record<string, Readonly<Record<string, string>>>>) => {
  let state: SqsState = sqsModel.initial
  let nowMs = START_MS
  const ask = (request: SqsRequest, deviation?: string): SqsAnswer => {
    const stepped = sqsModel.step(state, request, {
      nowMs,
      ...(deviation === undefined ? {} : { deviation }),
    })
    state = stepped.state
    return stepped.answer
  }
  for (const [queue, attributes] of Object.entries(queues)) {
    const fifo = queue.endsWith('.fifo') ? { FifoQueue: 'true' } : {}
    expect(ask({ _tag: 'CreateQueue', queue, attributes: { ...fifo, ...attributes } })._tag).toBe('Queue')
  }
  return {
    ask,
    wait: (ms: number) => {
      nowMs += ms
    },
    nowMs: () => nowMs,
    offers: (request: SqsRequest) => sqsModel.offers(state, request),
    send: (queue: string, letter: Letter) => ask({ _tag: 'Send', queue, letter }),
    receive: (queue: string, more: { limit?: number; attemptId?: string } = {}, deviation?: string) => {
      const answer = ask({ _tag: 'Receive', queue, limit: 10, ...more }, deviation)
      if (answer._tag !== 'Received') throw new Error(answer._tag)
      return answer.messages
    },
    remove: (queue: string, { receiptHandle }: Received, deviation?: string) =>
      ask({ _tag: 'Delete', queue, receipt: receiptHandle }, deviation),
  }
}

const bodies = (messages: ReadonlyArray<Received>) => messages.map(({ body }) => body)
const letter = (body: string, group = 'g'): Letter => ({ body, group, deduplicationId: body })

// Whatever is asked

const DEVIATIONS = [
  'lost',
  'duplicate',
  'out of order',
  'short',
  'empty',
  'undone',
  'entry failed',
  'last entry failed',
]

type Act =
  | { readonly _tag: 'Send'; readonly groups: ReadonlyArray<number> }
  | { readonly _tag: 'Receive'; readonly limit: number }
  | { readonly _tag: 'Delete' | 'Release'; readonly which: number }
  | { readonly _tag: 'Wait'; readonly ms: number }

const anAct: fc.Arbitrary<Act> = fc.oneof(
  fc.record({
    _tag: fc.constant('Send' as const),
    groups: fc.array(fc.nat(2), { minLength: 1, maxLength: 10 }),
  }),
  fc.record({ _tag: fc.constant('Receive' as const), limit: fc.integer({ min: 1, max: 10 }) }),
  fc.record({ _tag: fc.constantFrom('Delete' as const, 'Release' as const), which: fc.nat(40) }),
  fc.record({ _tag: fc.constant('Wait' as const), ms: fc.constantFrom(1, 10_000, 29_999, 30_000) }),
)
const aScript = fc.array(fc.tuple(anAct, fc.option(fc.constantFrom(...DEVIATIONS), { nil: undefined })), {
  maxLength: 60,
  size: 'max',
})

/** What a script does to a queue, told to a witness of every answer. */
interface Witness {
  sent?(body: string, group: string): void
  received?(messages: ReadonlyArray<Received>, nowMs: number): void
  deleted?(message: Received): void
  released?(message: Received): void
}

const perform = (
  queue: string,
  script: ReadonlyArray<readonly [Act, string | undefined]>,
  witness: Witness,
): ReturnType<typeof service> => {
  const sqs = service({ [queue]: {} })
  const fifo = queue.endsWith('.fifo')
  const held: Array<Received> = []
  let made = 0
  for (const [act, planned] of script) {
    const asked = (request: SqsRequest) =>
      sqs.ask(request, sqs.offers(request).includes(planned ?? '') ? planned : undefined)
    switch (act._tag) {
      case 'Send': {
        const entries = act.groups.map((group) => {
          const body = `${(made += 1)}`
          return { id: body, body, group: `${group}`, ...(fifo ? { deduplicationId: body } : {}) }
        })
        const answer = asked({ _tag: 'SendBatch', queue, entries })
        const taken = answer._tag === 'Batch' ? answer.successful.map(({ id }) => id) : []
        for (const { body, group } of entries) if (taken.includes(body)) witness.sent?.(body, group)
        break
      }
      case 'Receive': {
        const answer = asked({ _tag: 'Receive', queue, limit: act.limit })
        const messages = answer._tag === 'Received' ? answer.messages : []
        expect(messages.length).toBeLessThanOrEqual(act.limit)
        held.push(...messages)
        witness.received?.(messages, sqs.nowMs())
        break
      }
      case 'Delete':
      case 'Release': {
        const message = held[act.which % held.length]
        if (message === undefined) break
        const receipt = message.receiptHandle
        const request: SqsRequest =
          act._tag === 'Delete'
            ? { _tag: 'Delete', queue, receipt }
            : { _tag: 'ChangeVisibility', queue, receipt, visibilitySeconds: 0 }
        if (asked(request)._tag !== 'Done') break
        if (act._tag === 'Delete') witness.deleted?.(message)
        else witness.released?.(message)
        break
      }
      case 'Wait':
        sqs.wait(act.ms)
    }
  }
  return sqs
}

describe('whatever is sent, received, deleted and waited for', () => {
  property.prop([aScript, fc.constantFrom('orders', 'orders.fifo')])(
    'no message is lost: what was sent and not deleted comes in the end, and comes as it was sent',
    (script, queue) => {
      const waiting = new Set<string>()
      const sqs = perform(queue, script, {
        sent: (body) => waiting.add(body),
        deleted: ({ body }) => waiting.delete(body),
      })
      sqs.wait(30_000)
      const came = new Set<string>()
      for (let messages = sqs.receive(queue); messages.length > 0; messages = sqs.receive(queue))
        for (const message of messages) {
          came.add(message.body)
          sqs.remove(queue, message)
        }
      for (const body of waiting) expect(came).toContain(body)
      if (queue.endsWith('.fifo')) expect(came).toEqual(waiting)
    },
  )

  property.prop([aScript])(
    'a FIFO queue gives of each group the oldest that are left, in order, and none while one is in flight',
    (script) => {
      const groups = new Map<string, Array<string>>()
      const hiddenMs = new Map<string, number>()
      const isGroupOf = (body: string) => [...groups.values()].find((one) => one.includes(body)) ?? []
      perform('orders.fifo', script, {
        sent: (body, group) => void groups.set(group, [...(groups.get(group) ?? []), body]),
        received: (messages, nowMs) => {
          for (const [group = '', given] of Map.groupBy(
            messages,
            (one) => one.attributes['MessageGroupId'],
          )) {
            const left = groups.get(group) ?? []
            expect(bodies(given)).toEqual(left.slice(0, given.length))
            for (const body of left) expect(hiddenMs.get(body) ?? 0).toBeLessThanOrEqual(nowMs)
          }
          for (const { body } of messages) hiddenMs.set(body, nowMs + 30_000)
        },
        deleted: ({ body }) => {
          const group = isGroupOf(body)
          group.splice(group.indexOf(body), 1)
          hiddenMs.delete(body)
        },
        released: ({ body }) => void hiddenMs.delete(body),
      })
    },
  )

  property.prop([aScript, fc.constantFrom('orders', 'orders.fifo')])(
    'a message says how often it was received, at least as often as it came, and when first',
    (script, queue) => {
      const times = new Map<string, { readonly count: number; readonly firstMs: string | undefined }>()
      perform(queue, script, {
        received: (messages) => {
          for (const { body, attributes } of messages) {
            const { count, firstMs } = times.get(body) ?? { count: 0, firstMs: undefined }
            const counted = Number(attributes['ApproximateReceiveCount'])
            expect(counted).toBeGreaterThan(count)
            expect(firstMs ?? attributes['ApproximateFirstReceiveTimestamp']).toBe(
              attributes['ApproximateFirstReceiveTimestamp'],
            )
            times.set(body, { count: counted, firstMs: attributes['ApproximateFirstReceiveTimestamp'] })
          }
        },
      })
    },
  )

  property.prop([aScript, fc.constantFrom('orders', 'orders.fifo')])(
    'a state that was passed in is not changed, and gives the same again',
    (script, queue) => {
      let state: SqsState = sqsModel.initial
      const requests: ReadonlyArray<SqsRequest> = [
        { _tag: 'CreateQueue', queue, attributes: queue.endsWith('.fifo') ? { FifoQueue: 'true' } : {} },
        ...script.flatMap(([act], at): ReadonlyArray<SqsRequest> => {
          if (act._tag === 'Send')
            return act.groups.map((group) => {
              const more = queue.endsWith('.fifo') ? { deduplicationId: `${at}` } : {}
              return { _tag: 'Send', queue, letter: { body: `${at}`, group: `${group}`, ...more } }
            })
          if (act._tag === 'Receive')
            return [{ _tag: 'Receive', queue, limit: act.limit, attemptId: `${at % 3}` }]
          const [message] = [...(state.queues.get(queue)?.messages ?? [])]
          return [{ _tag: 'Delete', queue, receipt: message?.receipt ?? 'none' }]
        }),
      ]
      for (const [at, request] of requests.entries()) {
        const before = structuredClone(state)
        const [, deviation] = script[at % Math.max(1, script.length)] ?? []
        const when = { nowMs: START_MS + at * 7000, ...(deviation === undefined ? {} : { deviation }) }
        const stepped = sqsModel.step(state, request, when)
        expect(state).toEqual(before)
        expect(sqsModel.step(state, request, when)).toEqual(stepped)
        state = stepped.state
      }
    },
  )
})

describe('a deduplication id', () => {
  property.prop([
    fc.oneof(fc.integer({ min: 299_995, max: 300_005 }), fc.nat(600_000)),
    fc.constantFrom('kept', 'received', 'deleted'),
  ])(
    'is known for exactly five minutes from its sending, whatever became of its message',
    (afterMs, fate) => {
      const sqs = service({ 'orders.fifo': {} })
      const first = sqs.send('orders.fifo', letter('one'))
      const [message] = fate === 'kept' ? [] : sqs.receive('orders.fifo')
      if (fate === 'deleted' && message !== undefined) sqs.remove('orders.fifo', message)
      sqs.wait(afterMs)
      const again = sqs.send('orders.fifo', letter('one'))
      if (afterMs < SQS.deduplicationMs) expect(again).toEqual(first)
      else expect(again).not.toEqual(first)
      const expected = (fate === 'deleted' ? 0 : 1) + (afterMs < SQS.deduplicationMs ? 0 : 1)
      // What was received comes again once its visibility has ended.
      sqs.wait(30_000)
      expect(sqs.receive('orders.fifo')).toHaveLength(expected)
    },
  )

  test('that is repeated does not prolong its five minutes', () => {
    const sqs = service({ 'orders.fifo': {} })
    for (const ms of [200_000, 100_000, 0]) {
      sqs.send('orders.fifo', letter('one'))
      sqs.wait(ms)
    }
    expect(sqs.receive('orders.fifo')).toHaveLength(2)
  })

  test('is made of the content where the queue is told to, and is one per group where throughput is high', () => {
    const sqs = service({
      'content.fifo': { ContentBasedDeduplication: 'true' },
      'high.fifo': { DeduplicationScope: 'messageGroup', FifoThroughputLimit: 'perMessageGroupId' },
    })
    for (const body of ['one', 'one', 'two']) sqs.send('content.fifo', { body, group: 'g' })
    expect(bodies(sqs.receive('content.fifo'))).toEqual(['one', 'two'])
    for (const group of ['a', 'b', 'a']) sqs.send('high.fifo', letter('one', group))
    expect(sqs.receive('high.fifo')).toHaveLength(2)
  })
})

const policy = (target: string, maxReceiveCount: number) => ({
  RedrivePolicy: JSON.stringify({ deadLetterTargetArn: arnOf(target), maxReceiveCount }),
})

describe('a redrive policy', () => {
  test.each(['', '.fifo'])(
    'moves a message that was received too often, and lets the next one come (%s)',
    (fifo) => {
      const sqs = service({ [`dead${fifo}`]: {}, [`orders${fifo}`]: policy(`dead${fifo}`, 2) })
      const id = fifo === '' ? {} : { deduplicationId: 'poison' }
      sqs.send(`orders${fifo}`, { body: 'poison', group: 'g', ...id })
      for (let round = 0; round < 2; round += 1) {
        expect(bodies(sqs.receive(`orders${fifo}`))).toEqual(['poison'])
        sqs.wait(30_000)
      }
      sqs.send(`orders${fifo}`, {
        body: 'next',
        group: 'g',
        ...(fifo === '' ? {} : { deduplicationId: 'next' }),
      })
      expect(bodies(sqs.receive(`orders${fifo}`))).toEqual(['next'])
      const [dead] = sqs.receive(`dead${fifo}`)
      expect(dead).toMatchObject({
        body: 'poison',
        attributes: {
          ApproximateReceiveCount: '3',
          DeadLetterQueueSourceArn: arnOf(`orders${fifo}`),
          // Its age begins anew on a FIFO queue alone.
          SentTimestamp: String(fifo === '' ? START_MS : sqs.nowMs()),
          ...(fifo === '' ? {} : { MessageDeduplicationId: dead?.messageId }),
        },
      })
    },
  )

  test('of one receive loses to the dead letters what no consumer ever saw', () => {
    const sqs = service({ dead: {}, orders: policy('dead', 1) })
    sqs.send('orders', { body: 'one' })
    expect(sqs.receive('orders', {}, 'lost')).toEqual([])
    sqs.wait(30_000)
    expect(sqs.receive('orders')).toEqual([])
    expect(bodies(sqs.receive('dead'))).toEqual(['one'])
  })
})

describe('time', () => {
  test('hides a delayed message, and on a FIFO queue what comes after it in its group', () => {
    const sqs = service({ orders: {}, 'orders.fifo': { DelaySeconds: '10' } })
    sqs.send('orders', { body: 'late', delaySeconds: 5 })
    sqs.send('orders', { body: 'now' })
    sqs.send('orders.fifo', letter('late'))
    sqs.ask({ _tag: 'SetQueueAttributes', queue: 'orders.fifo', attributes: { DelaySeconds: '0' } })
    sqs.send('orders.fifo', letter('behind'))
    expect(bodies(sqs.receive('orders'))).toEqual(['now'])
    expect(bodies(sqs.receive('orders.fifo'))).toEqual([])
    sqs.wait(10_000)
    expect(bodies(sqs.receive('orders'))).toEqual(['late'])
    expect(bodies(sqs.receive('orders.fifo'))).toEqual(['late', 'behind'])
  })

  test('drops a message at the end of its retention, in flight or not', () => {
    const sqs = service({ orders: { MessageRetentionPeriod: '60', VisibilityTimeout: '0' } })
    sqs.send('orders', { body: 'one' })
    sqs.wait(59_999)
    expect(bodies(sqs.receive('orders'))).toEqual(['one'])
    sqs.wait(1)
    expect(sqs.receive('orders')).toEqual([])
  })
})

const standard = () => {
  const sqs = service({ orders: {} })
  for (const body of ['1', '2', '3']) sqs.send('orders', { body })
  return sqs
}

describe('a deviation', () => {
  test('of a standard queue gives in another order, fewer, or what is in flight', () => {
    expect(bodies(standard().receive('orders', {}, 'out of order'))).toEqual(['3', '2', '1'])
    expect(bodies(standard().receive('orders', {}, 'short'))).toEqual(['1', '2'])
    expect(bodies(standard().receive('orders', {}, 'empty'))).toEqual([])
    expect(bodies(standard().receive('orders', {}, 'lost'))).toEqual(['2', '3'])
    const sqs = standard()
    sqs.receive('orders', { limit: 1 })
    expect(bodies(sqs.receive('orders', {}, 'duplicate'))).toEqual(['1', '2', '3'])
  })

  test('lets a deleted message come once more', () => {
    const sqs = standard()
    const [message] = sqs.receive('orders')
    expect(message === undefined ? undefined : sqs.remove('orders', message, 'undone')).toEqual({
      _tag: 'Done',
    })
    sqs.wait(30_000)
    expect(bodies(sqs.receive('orders'))).toContain('1')
  })

  test('refuses one entry of a batch and takes the others', () => {
    const sqs = service({ orders: {} })
    const entries = ['1', '2', '3'].map((id) => ({ id, body: id }))
    const answer = sqs.ask({ _tag: 'SendBatch', queue: 'orders', entries }, 'entry failed')
    expect(answer).toMatchObject({
      successful: [{ id: '2' }, { id: '3' }],
      failed: [{ id: '1', senderFault: false }],
    })
    expect(bodies(sqs.receive('orders'))).toEqual(['2', '3'])
  })

  test('is offered where the documents allow it', () => {
    const sqs = service({ orders: {}, 'orders.fifo': {}, empty: {} })
    for (const body of ['1', '2']) {
      sqs.send('orders', { body })
      sqs.send('orders.fifo', letter(body))
    }
    const receive = (queue: string, waitSeconds: number) =>
      sqs.offers({ _tag: 'Receive', queue, limit: 10, waitSeconds })
    expect(receive('empty', 0)).toEqual([])
    expect(receive('orders', 0)).toEqual(['lost', 'out of order', 'short', 'empty'])
    expect(receive('orders.fifo', 20)).toEqual(['lost', 'short'])
    const [message] = sqs.receive('orders', { limit: 1 })
    expect(receive('orders', 20)).toEqual(['lost', 'duplicate', 'out of order', 'short'])
    const receipt = message?.receiptHandle ?? ''
    expect(sqs.offers({ _tag: 'Delete', queue: 'orders', receipt })).toEqual(['undone'])
    expect(sqs.offers({ _tag: 'Delete', queue: 'orders.fifo', receipt })).toEqual([])
  })
})

describe('a receive that is repeated by its attempt', () => {
  test('answers the same messages and receipts, and hides them anew', () => {
    const sqs = service({ 'orders.fifo': {} })
    for (const body of ['1', '2']) sqs.send('orders.fifo', letter(body))
    const first = sqs.receive('orders.fifo', { attemptId: 'a' })
    sqs.wait(20_000)
    expect(sqs.receive('orders.fifo', { attemptId: 'a' })).toEqual(first)
    sqs.wait(20_000)
    expect(sqs.receive('orders.fifo', { attemptId: 'b' })).toEqual([])
    sqs.wait(10_000)
    expect(bodies(sqs.receive('orders.fifo', { attemptId: 'b' }))).toEqual(['1', '2'])
  })

  test('is a new one once a message of it was deleted', () => {
    const sqs = service({ 'orders.fifo': {} })
    sqs.send('orders.fifo', letter('1'))
    const [message] = sqs.receive('orders.fifo', { attemptId: 'a' })
    if (message !== undefined) sqs.remove('orders.fifo', message)
    sqs.send('orders.fifo', letter('2'))
    expect(bodies(sqs.receive('orders.fifo', { attemptId: 'a' }))).toEqual(['2'])
  })
})

describe('what SQS refuses', () => {
  const fifo = 'orders.fifo'
  const refusals: ReadonlyArray<readonly [string, SqsRequest, string]> = [
    ['an unknown queue', { _tag: 'Receive', queue: 'none' }, 'QueueDoesNotExist'],
    ['no body', { _tag: 'Send', queue: 'orders', letter: { body: '' } }, 'MissingParameter'],
    [
      'what is no XML',
      { _tag: 'Send', queue: 'orders', letter: { body: '\u0000' } },
      'InvalidMessageContents',
    ],
    [
      'too much',
      { _tag: 'Send', queue: 'orders', letter: { body: 'x'.repeat(2 ** 20 + 1) } },
      'InvalidParameterValue',
    ],
    [
      'no group',
      { _tag: 'Send', queue: fifo, letter: { body: 'x', deduplicationId: 'x' } },
      'MissingParameter',
    ],
    ['no id', { _tag: 'Send', queue: fifo, letter: { body: 'x', group: 'g' } }, 'InvalidParameterValue'],
    [
      'a delay',
      { _tag: 'Send', queue: fifo, letter: { ...letter('x'), delaySeconds: 1 } },
      'InvalidParameterValue',
    ],
    [
      'an id',
      { _tag: 'Send', queue: 'orders', letter: { body: 'x', deduplicationId: 'x' } },
      'InvalidParameterValue',
    ],
    ['a wait', { _tag: 'Receive', queue: 'orders', waitSeconds: 21 }, 'InvalidParameterValue'],
    ['eleven', { _tag: 'Receive', queue: 'orders', limit: 11 }, 'InvalidParameterValue'],
    ['a receipt', { _tag: 'Delete', queue: 'orders', receipt: 'x' }, 'ReceiptHandleIsInvalid'],
    ['no entries', { _tag: 'SendBatch', queue: 'orders', entries: [] }, 'EmptyBatchRequest'],
    [
      'two entries of one id',
      { _tag: 'DeleteBatch', queue: 'orders', entries: ['a', 'a'].map((id) => ({ id, receipt: 'x' })) },
      'BatchEntryIdsNotDistinct',
    ],
    [
      'eleven entries',
      {
        _tag: 'SendBatch',
        queue: 'orders',
        entries: Array.from({ length: 11 }, (_, at) => ({ id: `${at}`, body: 'x' })),
      },
      'TooManyEntriesInBatchRequest',
    ],
    [
      'another queue of the name',
      { _tag: 'CreateQueue', queue: 'orders', attributes: { DelaySeconds: '1' } },
      'QueueNameExists',
    ],
  ]
  test.each(refusals)('%s', (_, request, code) => {
    const { ask } = service({ orders: {}, [fifo]: {} })
    expect(ask(request)).toMatchObject({ _tag: 'Refused', code, senderFault: true })
  })

  test('a receipt that has ended, on a FIFO queue; a standard queue deletes by it', () => {
    const sqs = service({ orders: {}, [fifo]: {} })
    sqs.send('orders', { body: '1' })
    sqs.send(fifo, letter('1'))
    const [old, oldFifo] = [...sqs.receive('orders'), ...sqs.receive(fifo)] as [Received, Received]
    sqs.wait(30_000)
    expect(sqs.remove(fifo, oldFifo)).toMatchObject({ code: 'InvalidParameterValue' })
    sqs.receive(fifo)
    expect(sqs.remove(fifo, oldFifo)).toMatchObject({ code: 'InvalidParameterValue' })
    sqs.receive('orders')
    expect(sqs.remove('orders', old)).toEqual({ _tag: 'Done' })
    sqs.wait(30_000)
    expect(sqs.receive('orders')).toEqual([])
  })
})

test('Lambda hands a function the messages of a queue', () => {
  const sqs = service({ 'orders.fifo': {} })
  const attributes = { why: { dataType: 'String', stringValue: 'because' } }
  sqs.send('orders.fifo', { ...letter('{}'), deduplicationId: 'one', attributes })
  const event = sqsEvent(sqs.receive('orders.fifo'), 'orders.fifo')
  expect(event).toEqual({
    Records: [
      {
        messageId: '00000000-0000-4000-8000-000000000001',
        receiptHandle: 'AQEB/00000000-0000-4000-8000-000000000001/1',
        body: '{}',
        attributes: {
          ApproximateReceiveCount: '1',
          SentTimestamp: String(START_MS),
          SequenceNumber: '18849496460467696384',
          MessageGroupId: 'g',
          SenderId: 'AIDASIMULATEDSENDER00',
          MessageDeduplicationId: 'one',
          ApproximateFirstReceiveTimestamp: String(START_MS),
        },
        messageAttributes: {
          why: { dataType: 'String', stringValue: 'because', stringListValues: [], binaryListValues: [] },
        },
        md5OfBody: '99914b932bd37a50b983c5e7c90ae93b',
        md5OfMessageAttributes: expect.stringMatching(/^[0-9a-f]{32}$/),
        eventSource: 'aws:sqs',
        eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:orders.fifo',
        awsRegion: 'us-east-1',
      },
    ],
  })
  expect(urlOf('orders.fifo')).toMatch(/\/orders\.fifo$/)
})
