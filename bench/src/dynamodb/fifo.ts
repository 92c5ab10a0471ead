/** Commands on their way through a FIFO queue to the command consumer, as Lambda's event source mapping would bring them. */
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { localClient, startFauxqs } from '@everfold/aws-local'
import { type AnyAggregate, E, messageOf, unavailable } from '@everfold/core'
import { commandConsumer } from '@everfold/runtime-lambda/commands'
import { sqsQueue } from '@everfold/runtime-lambda/queue'
import { orders } from '../everfold-order.ts'
import { COMMANDS, type Crowd } from './crowd.ts'
import { right } from './everfold.ts'

/** The senders are told nothing: the answer is on record for who asks again. */
export const throughFifo = async (crowd: Crowd): Promise<ReadonlyArray<never>> => {
  const { endpoint, stop } = await startFauxqs()
  const client = new SQSClient(localClient(endpoint))
  try {
    const Attributes = { FifoQueue: 'true' }
    const { QueueUrl: queueUrl = '' } = await client.send(
      new CreateQueueCommand({ QueueName: 'commands.fifo', Attributes }),
    )
    const messages = COMMANDS * crowd.copies
    await Promise.all([send(crowd, client, queueUrl), consume(crowd, client, { queueUrl, messages })])
  } finally {
    client.destroy()
    await stop()
  }
  return []
}

/** Copies are messages of their own: the queue would drop the second of two with one id. */
const send = async (
  { ports, stream, copies, write }: Crowd,
  client: SQSClient,
  queueUrl: string,
): Promise<void> => {
  const queue = sqsQueue({ client, queueUrl, clock: ports.clock })
  await write(async (member) => {
    const message = messageOf({ _tag: 'Dispatch', stream, envelope: member })
    for (let copy = 0; copy < copies; copy += 1)
      right(await queue.send([{ ...message, id: `${message.id}-${copy}` }])())
  })
}

/** Until so many messages are done with. */
const consume = async (
  { ports }: Crowd,
  client: SQSClient,
  { queueUrl, messages }: { readonly queueUrl: string; readonly messages: number },
): Promise<void> => {
  const handler = commandConsumer({
    aggregates: new Map([[orders.name, orders as unknown as AnyAggregate]]),
    ports,
    deadLetters: {
      send: () => async () => E.left(unavailable('a dead letter, of which there should be none')),
    },
  })
  let done = 0
  while (done < messages) {
    const batch = await taken(client, queueUrl)
    if (batch.length === 0) continue
    const { batchItemFailures } = await handler({ Records: batch.map(recordOf) })
    if (batchItemFailures.length > 0)
      throw new Error(`${batchItemFailures.length} messages were not taken in`)
    done += batch.length
  }
}

/** What one batch of a FIFO queue holds at most. */
const BATCH = 10

/**
 * What waits, as one batch. Of a group SQS gives as many messages at once as there are and the batch takes, fauxqs one;
 * so they are taken one after the other, each deleted for the next to come. Not one of them may fail, then.
 */
const taken = async (client: SQSClient, queueUrl: string): Promise<ReadonlyArray<Message>> => {
  const batch: Array<Message> = []
  while (batch.length < BATCH) {
    const input = { QueueUrl: queueUrl, WaitTimeSeconds: batch.length === 0 ? 1 : 0 }
    const receive = new ReceiveMessageCommand({ ...input, MessageSystemAttributeNames: ['All'] })
    const [message] = (await client.send(receive)).Messages ?? []
    if (message === undefined) break
    await client.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle: message.ReceiptHandle }))
    batch.push(message)
  }
  return batch
}

const recordOf = ({ MessageId, ReceiptHandle, Body, Attributes }: Message): object => ({
  messageId: MessageId,
  receiptHandle: ReceiptHandle,
  body: Body,
  attributes: Attributes,
})
