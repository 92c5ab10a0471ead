/** Core's queue on the simulated SQS, through the real client of the AWS SDK. */
import {
  BatchRequestTooLong,
  CreateQueueCommand,
  type CreateQueueCommandInput,
  DeleteMessageCommand,
  EmptyBatchRequest,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListDeadLetterSourceQueuesCommand,
  QueueDoesNotExist,
  ReceiptHandleIsInvalid,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { type Clock, E, type Message, type Received } from '@everfold/core'
import { queueSuite } from '@everfold/core/conformance'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { arnOf, sqsModel } from '../../../runtime-memory/src/simulation/models/sqs.ts'
import { sqsWire } from '../../../runtime-memory/src/simulation/sdk/sqs.ts'
import { sqsQueue } from '../../src/queue.ts'
import { instantClock } from '../instant-clock.ts'

/** A service with a clock of its own; a call that offers the next of `deviations` deviates so. */
const simulated = () => {
  // Chance that never repeats: an attempt's id that was drawn twice would be the same attempt.
  let drawn = 0
  const { nowMs: now, sleep } = instantClock()
  const random = () => (drawn += Math.SQRT1_2) % 1
  // A clock counts whole milliseconds, also after a pause that was drawn.
  const clock: Clock = { nowMs: now, sleep: (ms) => sleep(Math.ceil(ms)), random }
  const deviations: Array<string> = []
  let state = sqsModel.initial
  const handle = async (request: Parameters<typeof sqsWire.wire>[1]) => {
    const [deviation = ''] = deviations
    const nowMs = clock.nowMs()
    const deviates = sqsWire.offers(state, request).includes(deviation)
    if (deviates) deviations.shift()
    const { state: next, answer } = sqsWire.wire(state, request, deviates ? { nowMs, deviation } : { nowMs })
    state = next
    return { response: answer }
  }
  const client = new SQSClient({
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    requestHandler: { handle } as never,
  })
  const queue = async (name: string, attributes: CreateQueueCommandInput['Attributes'] = {}) => {
    const fifo = name.endsWith('.fifo') ? { FifoQueue: 'true' } : {}
    const input = { QueueName: name, Attributes: { ...fifo, ...attributes } }
    const { QueueUrl: url = '' } = await client.send(new CreateQueueCommand(input))
    return url
  }
  return { client, clock, queue, deviations }
}

const harness = (name: string) => async () => {
  const { client, clock, queue } = simulated()
  return {
    queue: sqsQueue({ client, queueUrl: await queue(name), clock, waitSeconds: 0 }),
    visibilityMs: 30_000,
    advance: clock.sleep,
  }
}

describe('the simulated FIFO queue', () => {
  for (const { title, run } of queueSuite(harness('commands.fifo')))
    test(`conforms: ${title}`, async () => {
      await expect(run()).resolves.toBeUndefined()
    })
})

const right = <A>(answer: E.Either<unknown, A>): A => {
  if (E.isLeft(answer)) throw new Error(JSON.stringify(answer.left))
  return answer.right
}

/** What comes until all is gone, of which every third is forgotten the first time. */
const drained = async ({ clock, queue, left }: Drain): Promise<ReadonlyArray<Received>> => {
  const all: Array<Received> = []
  const deleted = new Set<string>()
  for (let rounds = 0; deleted.size < left; rounds += 1) {
    if (rounds > 10 * (left + 1)) throw new Error(`only ${[...deleted].join()} came`)
    const messages = right(await queue.receive(10)())
    all.push(...messages)
    const done = messages.filter(({ deliveries, id }) => deliveries > 1 || Number(id) % 3 !== 0)
    right(await queue.delete(done.map(({ receipt }) => receipt))())
    for (const { id } of done) deleted.add(id)
    await clock.sleep(31_000)
  }
  return all
}

interface Drain {
  readonly clock: ReturnType<typeof simulated>['clock']
  readonly queue: ReturnType<typeof sqsQueue>
  readonly left: number
}

const DEVIATIONS = [
  'lost',
  'duplicate',
  'out of order',
  'short',
  'empty',
  'entry failed',
  'last entry failed',
  'undone',
]

describe('whatever SQS does', () => {
  property.prop(
    [fc.array(fc.nat(3), { maxLength: 25 }), fc.array(fc.constantFrom(...DEVIATIONS), { maxLength: 12 })],
    {
      numRuns: 40,
    },
  )('everything sent comes, and on a FIFO queue each group in its order', async (groups, planned) => {
    for (const name of ['orders', 'orders.fifo']) {
      const { client, clock, deviations, queue: made } = simulated()
      deviations.push(...planned)
      const queue = sqsQueue({ client, queueUrl: await made(name), clock, waitSeconds: 0 })
      const sent = groups.map((group, at): Message => ({ id: `${at}`, group: `${group}`, body: at }))
      right(await queue.send(sent)())
      const came = await drained({ clock, queue, left: sent.length })
      expect(new Set(came.map(({ id }) => id))).toEqual(new Set(sent.map(({ id }) => id)))
      if (!name.endsWith('.fifo')) continue
      for (const group of new Set(sent.map((one) => one.group))) {
        const first = came
          .filter((one) => one.group === group && one.deliveries === 1)
          .map(({ id }) => Number(id))
        expect(first).toEqual(first.toSorted((one, other) => one - other))
      }
    }
  })
})

const entry = (size: number, at = 0) => ({
  Id: `${at}`,
  MessageBody: 'x'.repeat(size),
  MessageGroupId: 'g',
})

describe('the client of the AWS SDK', () => {
  test('sends and receives whole, with the attributes that it asks for', async () => {
    const { client, clock, queue } = simulated()
    const QueueUrl = await queue('orders.fifo', { ContentBasedDeduplication: 'true' })
    const attributes = {
      why: { DataType: 'String', StringValue: 'because' },
      raw: { DataType: 'Binary', BinaryValue: Uint8Array.of(1, 2, 3) },
    }
    const sent = await client.send(
      new SendMessageCommand({
        QueueUrl,
        MessageBody: 'é',
        MessageGroupId: 'g',
        MessageAttributes: attributes,
      }),
    )
    const system = { MessageSystemAttributeNames: ['All' as const], MessageAttributeNames: ['wh.*', 'raw'] }
    const { Messages: [message] = [] } = await client.send(new ReceiveMessageCommand({ QueueUrl, ...system }))
    expect(message).toMatchObject({ Body: 'é', MessageId: sent.MessageId, MessageAttributes: attributes })
    expect(message?.MD5OfMessageAttributes).toBe(sent.MD5OfMessageAttributes)
    expect(message?.Attributes).toMatchObject({
      ApproximateReceiveCount: '1',
      ApproximateFirstReceiveTimestamp: String(clock.nowMs()),
      MessageGroupId: 'g',
      SentTimestamp: String(clock.nowMs()),
      SequenceNumber: sent.SequenceNumber,
    })
    const { Messages: none } = await client.send(new ReceiveMessageCommand({ QueueUrl }))
    expect(none).toBeUndefined()
  })

  test('finds a queue, what is in it, and where its dead letters come from', async () => {
    const { client, queue } = simulated()
    const dead = await queue('dead')
    const QueueUrl = await queue('orders')
    const policy = JSON.stringify({ deadLetterTargetArn: arnOf('dead'), maxReceiveCount: 1 })
    const Attributes = { RedrivePolicy: policy, VisibilityTimeout: '0' }
    await client.send(new SetQueueAttributesCommand({ QueueUrl, Attributes }))
    await client.send(new SendMessageCommand({ QueueUrl, MessageBody: 'poison' }))
    expect((await client.send(new GetQueueUrlCommand({ QueueName: 'orders' }))).QueueUrl).toBe(QueueUrl)
    const { queueUrls } = await client.send(new ListDeadLetterSourceQueuesCommand({ QueueUrl: dead }))
    expect(queueUrls).toEqual([QueueUrl])
    for (const expected of [1, 0])
      expect((await client.send(new ReceiveMessageCommand({ QueueUrl }))).Messages ?? []).toHaveLength(
        expected,
      )
    const names = { AttributeNames: ['ApproximateNumberOfMessages' as const, 'VisibilityTimeout' as const] }
    const left = await client.send(new GetQueueAttributesCommand({ QueueUrl, ...names }))
    expect(left.Attributes).toEqual({ ApproximateNumberOfMessages: '0', VisibilityTimeout: '0' })
    const moved = await client.send(
      new GetQueueAttributesCommand({ QueueUrl: dead, AttributeNames: ['All'] }),
    )
    expect(moved.Attributes).toMatchObject({ ApproximateNumberOfMessages: '1', QueueArn: arnOf('dead') })
  })

  test('gets its own exceptions', async () => {
    const { client, clock, queue } = simulated()
    const QueueUrl = await queue('orders.fifo', { ContentBasedDeduplication: 'true' })
    const batch = (...Entries: Array<ReturnType<typeof entry>>) =>
      client.send(new SendMessageBatchCommand({ QueueUrl, Entries }))
    await expect(batch()).rejects.toBeInstanceOf(EmptyBatchRequest)
    await expect(batch(entry(2 ** 20), entry(1, 1))).rejects.toBeInstanceOf(BatchRequestTooLong)
    await expect(client.send(new GetQueueUrlCommand({ QueueName: 'none' }))).rejects.toBeInstanceOf(
      QueueDoesNotExist,
    )
    const ReceiptHandle = 'nonsense'
    await expect(client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))).rejects.toBeInstanceOf(
      ReceiptHandleIsInvalid,
    )
    await batch(entry(1))
    const { Messages: [message] = [] } = await client.send(new ReceiveMessageCommand({ QueueUrl }))
    await clock.sleep(30_000)
    const late = new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message?.ReceiptHandle })
    await expect(client.send(late)).rejects.toMatchObject({
      name: expect.stringContaining('InvalidParameterValue'),
      message: expect.stringContaining('expired'),
    })
  })
})
