/**
 * A dead-letter queue as an operator handles it: its messages verbatim, whatever is in them.
 *
 * A message is received to be looked at, and hidden from others meanwhile; it is visible again when it is released, or
 * after a while by itself.
 */
import {
  GetQueueAttributesCommand,
  ListDeadLetterSourceQueuesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
  type Message as SqsMessage,
} from '@aws-sdk/client-sqs'
import { E, type Fault, hash, type TE } from '@everfold/core'
import { isFifo } from '../letter.ts'
import { SQS } from '../limits.ts'
import { type Patience, patientlyOr } from '../patience.ts'
import { sqsQueue } from '../queue.ts'

/** A message as it lies in the queue. */
export interface DeadMessage {
  /** SQS's own, new with every send. */
  readonly messageId: string
  readonly receipt: string
  readonly body: string
  readonly group?: string
  /** When it was sent, in milliseconds since 1970. */
  readonly sentMs: number
  readonly deliveries: number
  /** Why it is here, where who put it here said so. */
  readonly reason?: string
}

export interface DeadLetterQueue {
  /** Some messages, at most ten; none where none is visible. */
  receive(this: void): TE.TaskEither<Fault, ReadonlyArray<DeadMessage>>
  release(this: void, receipts: ReadonlyArray<string>): TE.TaskEither<Fault, void>
  delete(this: void, receipts: ReadonlyArray<string>): TE.TaskEither<Fault, void>
  /** About how many there are, the hidden ones included. */
  size(this: void): TE.TaskEither<Fault, number>
  /** The queues whose dead letters come here. */
  sources(this: void): TE.TaskEither<Fault, ReadonlyArray<string>>
  /** Resolves once the queue has taken the message; sending the same one again soon after is sending it once, on a FIFO queue. */
  sendTo(this: void, queueUrl: string, message: DeadMessage): TE.TaskEither<Fault, void>
}

export interface DeadLetterQueueOptions extends Patience {
  readonly client: SQSClient
  readonly queueUrl: string
  /** How long a receive waits for a message; 1 s unless told. */
  readonly waitSeconds?: number
}

/** Long enough to look at all of a queue, and no longer than an operator waits who was interrupted. */
const HIDDEN_SECONDS = 120
/** A long poll asks all of the service's hosts; a short one may miss a message. */
const WAIT_SECONDS = 1

const WHAT = 'the dead-letter queue'

export const deadLetterQueue = (options: DeadLetterQueueOptions): DeadLetterQueue => {
  const { client, queueUrl, waitSeconds = WAIT_SECONDS } = options
  const { release, delete: remove } = sqsQueue(options)
  return {
    release,
    delete: remove,
    receive: () => async () => {
      const input = {
        QueueUrl: queueUrl,
        MaxNumberOfMessages: SQS.batchEntries,
        VisibilityTimeout: HIDDEN_SECONDS,
        WaitTimeSeconds: waitSeconds,
        MessageSystemAttributeNames: ['All' as const],
        MessageAttributeNames: ['All'],
      }
      const received = await patientlyOr(options, WHAT, () => client.send(new ReceiveMessageCommand(input)))
      return E.isLeft(received) ? received : E.right((received.right.Messages ?? []).map(deadMessage))
    },
    size: () => async () => {
      const names = ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'] as const
      const input = { QueueUrl: queueUrl, AttributeNames: [...names] }
      const found = await patientlyOr(options, WHAT, () => client.send(new GetQueueAttributesCommand(input)))
      if (E.isLeft(found)) return found
      return E.right(names.reduce((sum, name) => sum + Number(found.right.Attributes?.[name] ?? 0), 0))
    },
    sources: () => async () => {
      const input = { QueueUrl: queueUrl }
      const found = await patientlyOr(options, WHAT, () =>
        client.send(new ListDeadLetterSourceQueuesCommand(input)),
      )
      return E.isLeft(found) ? found : E.right(found.right.queueUrls ?? [])
    },
    sendTo: (to, message) => async () => {
      const sent = await patientlyOr(options, `the queue ${to}`, () =>
        client.send(new SendMessageCommand({ QueueUrl: to, ...entryOf(message, isFifo(to)) })),
      )
      return E.isLeft(sent) ? sent : E.right(undefined)
    },
  }
}

const deadMessage = (message: SqsMessage): DeadMessage => {
  const {
    MessageId: messageId = '',
    ReceiptHandle: receipt = '',
    Body: body = '',
    Attributes: about,
  } = message
  const reason = message.MessageAttributes?.['reason']?.StringValue
  return {
    messageId,
    receipt,
    body,
    ...(about?.MessageGroupId === undefined ? {} : { group: about.MessageGroupId }),
    sentMs: Number(about?.SentTimestamp ?? 0),
    deliveries: Number(about?.ApproximateReceiveCount ?? 1),
    ...(reason === undefined ? {} : { reason }),
  }
}

/**
 * The same body in the same group. For the queue's own window it is not the message that was sent once before: then a
 * message that died within five minutes would be taken for its own duplicate, acknowledged, and lost.
 */
const entryOf = ({ messageId, body, group }: DeadMessage, fifo: boolean) => ({
  MessageBody: body,
  ...(group === undefined && !fifo ? {} : { MessageGroupId: group ?? hash(body) }),
  ...(fifo ? { MessageDeduplicationId: `replay-${messageId}` } : {}),
})
