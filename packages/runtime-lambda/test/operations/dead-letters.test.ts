import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { E, unavailable } from '@everfold/core'
import { describe, expect, test } from 'vitest'
import { claimLetterOf, letterOf } from '../../src/letter.ts'
import { type DeadLetterQueue, deadLetterQueue } from '../../src/operations/dead-letter-queue.ts'
import { type DeadLetter, listDeadLetters, replayDeadLetters } from '../../src/operations/dead-letters.ts'
import { sqsQueue } from '../../src/queue.ts'
import { systemClock } from '../../src/system-clock.ts'
import { useLocalSqs } from '../local-queue.ts'
import { must } from '../must.ts'
import { count, service } from '../tally.ts'

const sqs = useLocalSqs()
const clock = systemClock

interface Queues {
  readonly from: string
  readonly queue: DeadLetterQueue
}

/** A work queue, and its dead letters: what is sent to them is what a consumer had given up. */
const queues = async (kind: 'fifo' | 'standard'): Promise<Queues & { readonly to: string }> => {
  const from = await sqs.queue(kind)
  const to = await sqs.queue(kind)
  return { from, to, queue: deadLetterQueue({ client: sqs.client, queueUrl: from, clock, waitSeconds: 0 }) }
}

const bury = async (queueUrl: string, body: string, group: string, dedup: string): Promise<void> => {
  const fifo = queueUrl.endsWith('.fifo')
  await sqs.client.send(
    new SendMessageCommand({
      QueueUrl: queueUrl,
      MessageBody: body,
      MessageGroupId: group,
      ...(fifo ? { MessageDeduplicationId: dedup } : {}),
      MessageAttributes: { reason: { DataType: 'String', StringValue: 'too old' } },
    }),
  )
}

const listed = async (queue: DeadLetterQueue): Promise<ReadonlyArray<DeadLetter>> => {
  const letters: Array<DeadLetter> = []
  must(await listDeadLetters({ service, queue }, 100)((letter) => letters.push(letter))())
  return letters
}

/** What a consumer would get of it. */
const waiting = async (queueUrl: string) => {
  const queue = sqsQueue({ client: sqs.client, queueUrl, clock, waitSeconds: 0 })
  const received = must(await queue.receive(10)())
  must(await queue.delete(received.map(({ receipt }) => receipt))())
  return received.map(({ id, group, body }) => ({ id, group, body }))
}

describe('a list of dead letters', () => {
  test('says what each is or why it does not decode, and takes none away', async () => {
    const { from, queue } = await queues('fifo')
    const message = count('a', 'one')
    await bury(from, letterOf(message), 'a', '1')
    await bury(from, 'no letter', 'b', '2')
    await bury(from, letterOf({ ...message, body: { stream: 'cup/a', envelope: {} } }), 'c', '3')
    const call = { gateway: 'payments', stream: 'tally/a', commit: 1, index: 0 }
    await bury(from, letterOf({ ...message, body: call }), 'd', '4')
    const letters = await listed(queue)
    expect(letters.map(({ content }) => content)).toMatchObject([
      { _tag: 'Command', stream: 'tally/a', commandId: message.id, command: { _tag: 'Count', note: 'one' } },
      { _tag: 'Undecodable', errors: [{ pointer: '', detail: 'is not JSON' }] },
      {
        _tag: 'Undecodable',
        errors: [{ pointer: '/envelope/id', detail: 'is required' }, {}, {}, {}, {}, {}],
      },
      {
        _tag: 'Undecodable',
        errors: [{ pointer: '/gateway', detail: 'is no gateway of this service: payments' }],
      },
    ])
    expect(letters.map(({ message: { reason } }) => reason)).toEqual(letters.map(() => 'too old'))
    expect((await listed(queue)).map(({ message: { body } }) => body)).toEqual(
      letters.map(({ message: { body } }) => body),
    )
  })

  test('goes on behind one whose body the claim check does not give now, and says so', async () => {
    const { from, queue } = await queues('standard')
    await bury(from, claimLetterOf(count('a', 'a'), 'somewhere'), 'a', '1')
    await bury(from, letterOf(count('b', 'b')), 'b', '2')
    expect((await listed(queue)).map(({ content }) => content)).toMatchObject([
      { _tag: 'NotAvailable', fault: { what: expect.stringContaining('claim check') } },
      { _tag: 'Command' },
    ])
  })

  test('ends at its limit', async () => {
    const { from, queue } = await queues('standard')
    for (const at of ['1', '2', '3']) await bury(from, letterOf(count(at, at)), at, at)
    expect(must(await listDeadLetters({ service, queue }, 2)(() => {})())).toBe(2)
    expect(await listed(queue)).toHaveLength(3)
  })
})

describe.each(['fifo', 'standard'] as const)('replaying from a %s queue', (kind) => {
  test('sends each that decodes as it was, and leaves the others', async () => {
    const { from, to, queue } = await queues(kind)
    const messages = Array.from({ length: 12 }, (_, at) => count(String(at), String(at)))
    for (const message of messages) await bury(from, letterOf(message), message.group, message.id)
    await bury(from, 'no letter', 'b', 'x')
    const replayed = must(await replayDeadLetters({ service, queue }, { to })()())
    expect(replayed).toMatchObject({ sent: 12, left: [{ why: 'undecodable' }] })
    const sent = [...(await waiting(to)), ...(await waiting(to))]
    expect(sent.toSorted((one, other) => (one.id < other.id ? -1 : 1))).toEqual(
      messages.toSorted((one, other) => (one.id < other.id ? -1 : 1)),
    )
    expect((await listed(queue)).map(({ message: { body } }) => body)).toEqual(['no letter'])
  })

  test('leaves one whose body the claim check does not give now, and sends what is behind it', async () => {
    const { from, to, queue } = await queues(kind)
    await bury(from, claimLetterOf(count('a', 'a'), 'somewhere'), 'a', '1')
    await bury(from, letterOf(count('b', 'b')), 'b', '2')
    expect(must(await replayDeadLetters({ service, queue }, { to })()())).toMatchObject({
      sent: 1,
      left: [{ why: 'not available' }],
    })
    expect(await listed(queue)).toHaveLength(1)
  })

  test('sends at most as many as it is told', async () => {
    const { from, to, queue } = await queues(kind)
    for (const at of ['1', '2', '3']) await bury(from, letterOf(count(at, at)), at, at)
    expect(must(await replayDeadLetters({ service, queue }, { to, max: 2 })()())).toMatchObject({ sent: 2 })
    expect(await listed(queue)).toHaveLength(1)
  })

  test('leaves what the queue does not take', async () => {
    const { from, to, queue } = await queues(kind)
    await bury(from, letterOf(count('a', 'a')), 'a', 'a')
    const fault = unavailable('the queue')
    const refusing = { ...queue, sendTo: () => async () => E.left(fault) }
    const replayed = must(await replayDeadLetters({ service, queue: refusing }, { to })()())
    expect(replayed).toMatchObject({ sent: 0, left: [{ why: 'not taken', fault }] })
    expect(await listed(queue)).toHaveLength(1)
    expect(await waiting(to)).toEqual([])
  })

  test('leaves what comes back while it runs', async () => {
    const { from, to, queue } = await queues(kind)
    await bury(from, letterOf(count('a', 'a')), 'a', 'a')
    const failing: DeadLetterQueue = {
      ...queue,
      delete: (receipts) => async () => {
        const deleted = await queue.delete(receipts)()
        await bury(from, letterOf(count('a', 'a')), 'a', 'again')
        return deleted
      },
    }
    const replayed = must(await replayDeadLetters({ service, queue: failing }, { to })()())
    expect(replayed).toMatchObject({ sent: 1, left: [{ why: 'failed again' }] })
    expect(await listed(queue)).toHaveLength(1)
    expect(await waiting(to)).toHaveLength(1)
  })
})

const letter = (name: string, body: string) => ({
  messageId: name,
  receipt: name,
  body,
  sentMs: 0,
  deliveries: 1,
})

const done = () => async () => E.right(undefined)

test('a replay reaches every letter, also behind those that were left and are visible again', async () => {
  const bad = Array.from({ length: 10 }, (_, at) => letter(`bad${at}`, 'no letter'))
  const good = Array.from({ length: 5 }, (_, at) => letter(`good${at}`, letterOf(count('a', `${at}`))))
  const pages = [bad, bad, good]
  const queue: DeadLetterQueue = {
    receive: () => async () => E.right(pages.shift() ?? []),
    release: done,
    delete: done,
    sendTo: done,
    size: () => async () => E.right(10),
    sources: () => async () => E.right([]),
  }
  const replayed = must(await replayDeadLetters({ service, queue }, { to: 'work' })()())
  expect(replayed).toMatchObject({ sent: 5, left: { length: 10 }, unseen: 0 })
})

test('a replay tells how many a FIFO queue keeps back behind one that is left', async () => {
  const { from, to, queue } = await queues('fifo')
  await bury(from, 'no letter', 'g', 'first')
  for (let at = 0; at < 25; at += 1) await bury(from, letterOf(count('a', `${at}`)), 'g', `${at}`)
  const replayed = must(await replayDeadLetters({ service, queue }, { to })()())
  expect(replayed.left).toHaveLength(1)
  expect(replayed.sent + replayed.left.length + replayed.unseen).toBe(26)
  expect(replayed.unseen).toBeGreaterThan(0)
})

describe('a FIFO queue, which takes a message for its own duplicate within five minutes', () => {
  test('takes one that had been sent to it a moment ago, and has died since', async () => {
    const { from, to, queue } = await queues('fifo')
    const message = count('a', 'a')
    must(await sqsQueue({ client: sqs.client, queueUrl: to, clock }).send([message])())
    expect(await waiting(to)).toHaveLength(1)
    await bury(from, letterOf(message), message.group, 'dead')
    must(await replayDeadLetters({ service, queue }, { to })()())
    expect(await waiting(to)).toEqual([message])
  })

  test('takes one only once that was sent and not deleted, because the first run broke in between', async () => {
    const { from, to, queue } = await queues('fifo')
    const message = count('a', 'a')
    await bury(from, letterOf(message), message.group, 'dead')
    const broken: DeadLetterQueue = { ...queue, delete: () => async () => E.left(unavailable('the queue')) }
    expect(await replayDeadLetters({ service, queue: broken }, { to })()()).toMatchObject({
      left: { _tag: 'Unavailable' },
    })
    must(await replayDeadLetters({ service, queue }, { to })()())
    expect(await waiting(to)).toEqual([message])
    expect(await waiting(to)).toEqual([])
    expect(await listed(queue)).toEqual([])
  })
})

test('about its queue are asked how many there are, and from where they come', async () => {
  const { from, queue } = await queues('fifo')
  await bury(from, 'no letter', 'a', '1')
  expect(must(await queue.size()())).toBe(1)
  // fauxqs does not know this question.
  const client = { send: async () => ({ queueUrls: ['https://sqs/one'] }) } as unknown as SQSClient
  expect(must(await deadLetterQueue({ client, queueUrl: from, clock }).sources()())).toEqual([
    'https://sqs/one',
  ])
})
