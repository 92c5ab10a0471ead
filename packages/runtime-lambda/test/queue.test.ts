import { type SendMessageBatchCommand, SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { E, type Json, type Message, type Queue, type Received } from '@everfold/core'
import { queueSuite } from '@everfold/core/conformance'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { letterOf, messageIn, tokenOf } from '../src/letter.ts'
import { SQS } from '../src/limits.ts'
import { type SqsQueueOptions, sqsQueue } from '../src/queue.ts'
import type { ClaimCheck } from '../src/store/claim-check.ts'
import { instantClock } from './instant-clock.ts'
import { type Trouble, troubled, useLocalSqs } from './local-queue.ts'

const sqs = useLocalSqs()

const queueOn = async (
  kind: 'fifo' | 'standard',
  options: Partial<SqsQueueOptions> = {},
): Promise<Queue & { readonly queueUrl: string }> => {
  const queueUrl = await sqs.queue(kind)
  return {
    ...sqsQueue({ client: sqs.client, queueUrl, clock: instantClock(), waitSeconds: 0, ...options }),
    queueUrl,
  }
}

const right = <A>(answer: E.Either<unknown, A>): A => {
  if (E.isLeft(answer)) throw new Error(JSON.stringify(answer.left))
  return answer.right
}

/** Everything in the queue, each batch deleted before the next is received. */
const drained = async (queue: Queue): Promise<ReadonlyArray<Received>> => {
  const all: Array<Received> = []
  for (;;) {
    const messages = right(await queue.receive(10)())
    if (messages.length === 0) return all
    all.push(...messages)
    right(await queue.delete(messages.map(({ receipt }) => receipt))())
  }
}

const byId = (one: Message, other: Message): number => Number(one.id) - Number(other.id)

const bare = ({ id, group, body }: Message): Message => ({ id, group, body })

const harness = (kind: 'fifo' | 'standard') => async () => ({
  queue: await queueOn(kind),
  visibilityMs: 30_000,
  advance: sqs.advance,
})

describe('a FIFO queue is what core asks of a queue', () => {
  for (const { title, run } of queueSuite(harness('fifo')))
    test(`conforms: ${title}`, async () => {
      await expect(run()).resolves.toBeUndefined()
    })
})

/**
 * The rest of core's suite asks for order, for the lock of a group, for deduplication, or for receipts that end with
 * their visibility: a standard queue has none of them.
 */
const HELD_BY_STANDARD: ReadonlySet<string> = new Set(['a deleted message never comes again'])

describe('a standard queue', () => {
  for (const { title, run } of queueSuite(harness('standard')).filter((one) =>
    HELD_BY_STANDARD.has(one.title),
  ))
    test(`conforms: ${title}`, async () => {
      await expect(run()).resolves.toBeUndefined()
    })

  test('gives everything that was sent, also what was released or forgotten', async () => {
    const queue = await queueOn('standard')
    const sent = Array.from({ length: 25 }, (_, at): Message => ({ id: `${at}`, group: 'g', body: at }))
    right(await queue.send(sent)())
    const [released, ...forgotten] = right(await queue.receive(3)())
    right(await queue.release([released?.receipt ?? ''])())
    expect(forgotten).toHaveLength(2)
    const rest = await drained(queue)
    expect(rest.map(({ id }) => id)).toContain(released?.id)
    await sqs.advance(31_000)
    const late = await drained(queue)
    expect([...rest, ...late].map(bare).toSorted(byId)).toEqual(sent)
    expect(late.map(({ deliveries }) => deliveries)).toEqual([2, 2])
  })
})

const aName = fc.oneof(
  fc.constantFrom('tab/1', 'tab/2', 'tab/with space', 'tab/ünïcode 🦊', 'tab/"\\'),
  fc.string({ minLength: 1, maxLength: 128, unit: 'binary' }),
)
const aTrouble: fc.Arbitrary<Trouble> = fc.oneof(
  fc.constant({ _tag: 'Throttled' as const }),
  fc.constant({ _tag: 'ResponseLost' as const }),
  fc.record({
    _tag: fc.constant('EntriesFailed' as const),
    places: fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { minLength: 1 }),
  }),
)

describe('sending', () => {
  property.prop(
    [
      fc.array(fc.tuple(aName, fc.jsonValue() as fc.Arbitrary<Json>), { maxLength: 25 }),
      fc.array(aTrouble, { maxLength: 12 }),
    ],
    { numRuns: 25 },
  )(
    'whatever SQS refuses, repeats or does not answer, each group arrives whole, once and in order',
    async (messages, troubles) => {
      const sent = messages.map(([group, body], at): Message => ({ id: `${at}`, group, body }))
      const queue = await queueOn('fifo', { client: troubled(sqs.client, troubles) })
      right(await queue.send(sent)())
      const received = (await drained(queue)).map(bare)
      // fast-check's -0 is 0 in JSON.
      const plain = JSON.parse(JSON.stringify(sent)) as ReadonlyArray<Message>
      expect(Object.fromEntries(Map.groupBy(received, ({ group }) => group))).toEqual(
        Object.fromEntries(Map.groupBy(plain, ({ group }) => group)),
      )
    },
  )

  property.prop(
    [fc.array(fc.tuple(fc.nat(12), fc.integer({ min: 1, max: SQS.messageBytes - 60 })), { maxLength: 40 })],
    {
      numRuns: 20,
    },
  )('a batch has at most ten entries, a mebibyte, and one message of a group', async (shapes) => {
    const seen: Array<SendMessageBatchCommand['input']> = []
    const nothing = { send: async () => ({}) } as unknown as SQSClient
    const client = troubled(nothing, [], ({ input }) => seen.push(input))
    const queue = sqsQueue({ client, queueUrl: 'q.fifo', clock: instantClock() })
    const messages = shapes.map(([group, size], at) => ({
      id: `${at}`,
      group: `${group}`,
      body: 'x'.repeat(size),
    }))
    right(await queue.send(messages)())
    const entries = seen.map(({ Entries = [] }) => Entries)
    expect(entries.flat()).toHaveLength(messages.length)
    for (const batch of entries) {
      expect(batch.length).toBeLessThanOrEqual(SQS.batchEntries)
      expect(new Set(batch.map(({ MessageGroupId }) => MessageGroupId)).size).toBe(batch.length)
      const bytes = batch.reduce((sum, { MessageBody = '' }) => sum + Buffer.byteLength(MessageBody), 0)
      expect(bytes).toBeLessThanOrEqual(SQS.messageBytes)
    }
  })

  test('what SQS will never take stops its own group, and is a fault', async () => {
    const queueUrl = await sqs.queue('fifo')
    const client = troubled(sqs.client, [{ _tag: 'EntriesRefused', places: [0] }])
    const queue = sqsQueue({ client, queueUrl, clock: instantClock(), waitSeconds: 0 })
    const messages = ['a', 'b', 'a', 'b'].map((group, at): Message => ({ id: `${at}`, group, body: at }))
    const outcome = await queue.send(messages)()
    expect(outcome).toMatchObject({
      left: { _tag: 'Unavailable', what: expect.stringContaining('InvalidMessageContents') },
    })
    expect((await drained(queue)).map(({ id }) => id)).toEqual(['1', '3'])
  })

  test('a throttle that does not end within the budget is a fault', async () => {
    const endless = Array.from({ length: 1000 }, (): Trouble => ({ _tag: 'Throttled' }))
    const queue = await queueOn('fifo', { client: troubled(sqs.client, endless) })
    const outcome = await queue.send([{ id: '1', group: 'g', body: 1 }])()
    expect(outcome).toMatchObject({ left: { _tag: 'Unavailable', what: 'the queue' } })
  })
})

const shelf = (): ClaimCheck & { readonly held: Map<string, Uint8Array> } => {
  const held = new Map<string, Uint8Array>()
  return {
    held,
    put: (bytes) => async () => {
      held.set(`claim-${held.size}`, bytes)
      return E.right(`claim-${held.size - 1}`)
    },
    get: (reference) => async () => {
      const bytes = held.get(reference)
      return bytes === undefined ? E.left({ _tag: 'Unavailable', what: 'the shelf' }) : E.right(bytes)
    },
  }
}

const sized = (bytes: number): Message => {
  const message = { id: '1', group: 'g', body: '' }
  return { ...message, body: 'é'.repeat(10) + 'x'.repeat(bytes - 20 - letterOf(message).length) }
}

describe('a message larger than SQS takes', () => {
  test('leaves its body at the claim check and comes whole; at the limit it travels by itself', async () => {
    const claims = shelf()
    const queue = await queueOn('fifo', { claims })
    for (const message of [sized(SQS.messageBytes), { ...sized(SQS.messageBytes + 1), id: '2' }])
      right(await queue.send([message])())
    expect(claims.held.size).toBe(1)
    const received = await drained(queue)
    expect(received.map(({ body }) => (body as string).length)).toEqual(
      [sized(SQS.messageBytes), sized(SQS.messageBytes + 1)].map(({ body }) => (body as string).length),
    )
  })

  test('is refused, with its size, where there is no claim check', async () => {
    const queue = await queueOn('fifo')
    const outcome = await queue.send([sized(SQS.messageBytes + 1)])()
    expect(outcome).toMatchObject({ left: { what: expect.stringContaining('1048577 bytes') } })
  })
})

describe('receiving', () => {
  test('what is no letter is left to the redrive, and nothing of its group comes before it', async () => {
    const entries: Array<unknown> = []
    const queue = await queueOn('fifo', { log: (entry) => entries.push(entry) })
    const { queueUrl: QueueUrl } = queue
    for (const [at, [group, body]] of Object.entries([
      ['a', '{"id":"0","group":"a","body":0}'],
      ['b', 'no letter'],
      ['b', '{"id":"2","group":"b","body":2}'],
      ['a', '{"id":"3","group":"a","body":3}'],
    ] as const))
      await sqs.client.send(
        new SendMessageCommand({
          QueueUrl,
          MessageBody: body,
          MessageGroupId: group,
          MessageDeduplicationId: at,
        }),
      )
    expect((await drained(queue)).map(({ id }) => id)).toEqual(['0', '3'])
    expect(entries).toMatchObject([
      { level: 'error', reason: { _tag: 'InvalidInput', errors: [{ pointer: '', detail: 'is not JSON' }] } },
    ])
  })

  test('within one batch nothing of a group comes after a message of it that cannot be read', async () => {
    const messages = ['a', 'b', 'b', 'a'].map((group, at) => ({
      Body: at === 1 ? '{"id":"1","group":"b","claim":"lost"}' : letterOf({ id: `${at}`, group, body: at }),
      ReceiptHandle: `${at}`,
      Attributes: { MessageGroupId: group, ApproximateReceiveCount: '3' },
    }))
    const client = { send: async () => ({ Messages: messages }) } as unknown as SQSClient
    const read = async (queueUrl: string) =>
      right(await sqsQueue({ client, queueUrl, clock: instantClock(), claims: shelf() }).receive(10)())
    expect(await read('q.fifo')).toEqual([
      { id: '0', group: 'a', body: 0, receipt: '0', deliveries: 3 },
      { id: '3', group: 'a', body: 3, receipt: '3', deliveries: 3 },
    ])
    expect((await read('q')).map(({ id }) => id)).toEqual(['0', '2', '3'])
  })

  test('more than a batch is settled at once', async () => {
    const queue = await queueOn('fifo')
    const sent = Array.from({ length: 23 }, (_, at): Message => ({ id: `${at}`, group: `${at}`, body: at }))
    right(await queue.send(sent)())
    const receipts: Array<string> = []
    for (let batch = 0; batch < 3; batch += 1)
      receipts.push(...right(await queue.receive(10)()).map(({ receipt }) => receipt))
    expect(receipts).toHaveLength(23)
    right(await queue.release(receipts.slice(0, 12))())
    expect(right(await queue.receive(10)())).toHaveLength(10)
    right(await queue.delete(receipts.slice(12))())
    await sqs.advance(31_000)
    expect(await drained(queue)).toHaveLength(12)
  })
})

describe('a letter', () => {
  property.prop([fc.string({ minLength: 1, maxLength: 128 }), fc.jsonValue() as fc.Arbitrary<Json>])(
    'holds only characters that SQS keeps, and gives its message back',
    async (name, body) => {
      const message = { id: name, group: name, body: [body, '\uFFFE\uFFFF\u0000\u001f\ud800'] }
      const letter = letterOf(message)
      expect(letter).toMatch(/^[\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]*$/u)
      expect(await messageIn(letter, undefined)).toEqual(E.right(JSON.parse(JSON.stringify(message))))
    },
  )

  test.each([
    ['[]', '', 'is not an object'],
    ['null', '', 'is not an object'],
    ['{', '', 'is not JSON'],
    ['{"id":"1","body":1}', '/group', 'is required'],
    ['{"id":1,"group":"g","body":1}', '/id', expect.stringContaining('is not text')],
    ['{"id":"1","group":"g"}', '/body', 'is required'],
    ['{"id":"1","group":"g","body":1,"claim":"c"}', '/body', 'is given beside a claim'],
    ['{"id":"1","group":"g","body":1,"more":1}', '/more', 'is not a known field'],
  ])('%s is none: %s %s', async (letter, pointer, detail) => {
    expect(await messageIn(letter, undefined)).toEqual(
      E.left({ _tag: 'InvalidInput', errors: [{ pointer, detail }] }),
    )
  })

  test('whose body lies at a claim check is not to blame where none is configured', async () => {
    expect(await messageIn('{"id":"1","group":"g","claim":"c"}', undefined)).toMatchObject({
      left: { _tag: 'Unavailable', what: expect.stringContaining('claim check') },
    })
  })

  property.prop([fc.string({ minLength: 1, maxLength: 200, unit: 'binary' })])(
    'a group or an id becomes one that SQS takes, and stays itself where it is one',
    (name) => {
      const token = tokenOf(name)
      expect(token).toMatch(/^[\x21-\x7e]{1,128}$/)
      expect(tokenOf(token)).toBe(token)
    },
  )
})
