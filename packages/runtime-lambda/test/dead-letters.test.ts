import { ReceiveMessageCommand, type Message as SqsMessage } from '@aws-sdk/client-sqs'
import { type AnyAggregate, E, type Message } from '@everfold/core'
import { plainStore } from '@everfold/core/testing'
import type { SQSEvent } from 'aws-lambda'
import { describe, expect, test } from 'vitest'
import { commandConsumer } from '../src/consumers/commands.ts'
import { sqsDeadLetters } from '../src/dead-letters.ts'
import { SQS } from '../src/limits.ts'
import { sqsQueue } from '../src/queue.ts'
import { sqsRecord } from './consumers/sqs-event.ts'
import { instantClock } from './instant-clock.ts'
import { useLocalSqs } from './local-queue.ts'
import { aggregate, count, TIME_MS } from './tally.ts'

const sqs = useLocalSqs()
const clock = instantClock(TIME_MS)

const received = async (queueUrl: string): Promise<ReadonlyArray<SqsMessage>> => {
  const { Messages: messages = [] } = await sqs.client.send(
    new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: 10,
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: ['All'],
    }),
  )
  return messages
}

/** What Lambda hands to the function that the queue is connected to. */
const eventOf = (messages: ReadonlyArray<SqsMessage>): SQSEvent => ({
  Records: messages.map(({ MessageId = '', Body = '', Attributes }) =>
    sqsRecord(MessageId, Body, Attributes?.MessageGroupId ?? ''),
  ),
})

describe('a dead letter', () => {
  test.each(['fifo', 'standard'] as const)('on a %s queue has its body as it came, and why', async (kind) => {
    const queueUrl = await sqs.queue(kind)
    const dead = sqsDeadLetters({ client: sqs.client, queueUrl, clock })
    const letter = { id: 'm-1', group: 'a group', body: 'no {letter', reason: new Error('ünfit') }
    for (let delivery = 0; delivery < 2; delivery += 1)
      expect(await dead.send(letter)()).toEqual(E.right(undefined))
    const messages = await received(queueUrl)
    expect(messages).toHaveLength(kind === 'fifo' ? 1 : 2)
    expect(messages[0]).toMatchObject({
      Body: letter.body,
      MessageAttributes: { reason: { StringValue: 'Error: ?nfit' } },
    })
  })

  test('is sent whatever its reason is, also one that is no JSON', async () => {
    const queueUrl = await sqs.queue('standard')
    const dead = sqsDeadLetters({ client: sqs.client, queueUrl, clock })
    const circle: { self?: unknown } = {}
    circle.self = circle
    const breaking = {
      toJSON: () => {
        throw new Error('no')
      },
    }
    for (const reason of [{ amount: 1n }, circle, breaking, 1n, undefined, Symbol('s')])
      expect(await dead.send({ id: 'a', group: 'g', body: 'b', reason })()).toEqual(E.right(undefined))
    const reasons = (await received(queueUrl)).map(
      ({ MessageAttributes: them }) => them?.['reason']?.StringValue,
    )
    const told = ['object that is no JSON', 'bigint that is no JSON', 'none']
    expect(new Set(reasons)).toEqual(new Set(told))
  })

  test('that is as large as a message may be goes without its reason', async () => {
    const queueUrl = await sqs.queue('fifo')
    const dead = sqsDeadLetters({ client: sqs.client, queueUrl, clock })
    const reason = { _tag: 'TooLarge' }
    for (const [id, size] of [
      ['1', SQS.messageBytes],
      ['2', SQS.messageBytes - 100],
    ] as const)
      expect(await dead.send({ id, group: id, body: 'x'.repeat(size), reason })()).toEqual(E.right(undefined))
    const reasons = (await received(queueUrl)).map(
      ({ MessageAttributes: them }) => them?.['reason']?.StringValue,
    )
    expect(reasons).toEqual([undefined, '{"_tag":"TooLarge"}'])
  })

  test('is a fault where its queue is not there', async () => {
    const dead = sqsDeadLetters({
      client: sqs.client,
      queueUrl: `${await sqs.queue('fifo')}-gone.fifo`,
      clock,
    })
    expect(await dead.send({ id: '1', group: 'g', body: 'b', reason: 'r' })()).toMatchObject({
      left: { _tag: 'Unavailable', what: 'the dead-letter queue' },
    })
  })
})

test('from the queue to the log: what was sent is on record in its order, and poison among the dead letters', async () => {
  const [commands, graveyard] = [await sqs.queue('fifo'), await sqs.queue('fifo')]
  const queue = sqsQueue({ client: sqs.client, queueUrl: commands, clock, waitSeconds: 0 })
  const store = plainStore()
  const consume = commandConsumer({
    aggregates: new Map([[aggregate.name, aggregate as unknown as AnyAggregate]]),
    ports: { store, clock },
    deadLetters: sqsDeadLetters({ client: sqs.client, queueUrl: graveyard, clock }),
  })
  const poison: Message = { id: 'poison', group: count('a', '2').group, body: { stream: 'a' } }
  expect(await queue.send([count('a', '1'), count('b', '1'), poison, count('a', '3')])()).toEqual(
    E.right(undefined),
  )
  for (let messages = await received(commands); messages.length > 0; messages = await received(commands)) {
    expect(await consume(eventOf(messages))).toEqual({ batchItemFailures: [] })
    await queue.delete(messages.map(({ ReceiptHandle: receipt = '' }) => receipt))()
  }
  const notes = store.commits().map(({ stream, answers }) => [stream, answers[0]?.events[0]?.['note']])
  expect(notes).toEqual([
    ['tally/a', '1'],
    ['tally/b', '1'],
    ['tally/a', '3'],
  ])
  const [letter, ...others] = await received(graveyard)
  expect(others).toEqual([])
  expect(JSON.parse(letter?.Body ?? '')).toEqual(poison)
  expect(letter?.MessageAttributes?.['reason']?.StringValue).toContain('/envelope')
})
