/**
 * Core's queue on SQS.
 *
 * On a FIFO queue (its name ends in `.fifo`) it holds all of the port's promises. SQS may take one entry of a batch
 * and refuse another, so a batch never holds two messages of one group: the next one of a group is sent when the one
 * before it was taken, and nothing overtakes what has to be sent again.
 *
 * A standard queue promises less: messages come in any order and more than once, two batches of a group may be out at
 * a time, and an old receipt may still delete. There the group only shares the consumers fairly among groups.
 */
import {
  type BatchResultErrorEntry,
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SQSClient,
  type Message as SqsMessage,
} from '@aws-sdk/client-sqs'
import {
  E,
  type Fault,
  freshId,
  type Log,
  type Message,
  type Queue,
  type Received,
  unavailable,
} from '@everfold/core'
import { claimLetterOf, isFifo, letterOf, messageIn, tokenOf } from './letter.ts'
import { SQS } from './limits.ts'
import { type Patience, patientlyOr } from './patience.ts'
import type { ClaimCheck } from './store/claim-check.ts'

export interface SqsQueueOptions extends Patience {
  readonly client: SQSClient
  /** Its last characters tell what kind of queue it is. */
  readonly queueUrl: string
  /** The queue's own `MaximumMessageSize`; the service's limit unless told. */
  readonly messageBytes?: number
  /** Where a body lies that is larger; without it, a larger message is refused. */
  readonly claims?: ClaimCheck
  /** How long a receive waits for a message; the longest that SQS allows unless told. */
  readonly waitSeconds?: number
  /** Told of every message that cannot be read: it stays hidden, and comes again until the queue redrives it. */
  readonly log?: Log
}

export const sqsQueue = (options: SqsQueueOptions): Queue => ({
  send: (messages) => () => sendAll(options, messages),
  receive: (limit) => () => receive(options, limit),
  delete: (receipts) => () =>
    settle(options, receipts, (entries) =>
      options.client.send(new DeleteMessageBatchCommand({ QueueUrl: options.queueUrl, Entries: entries })),
    ),
  release: (receipts) => () =>
    settle(options, receipts, (entries) => {
      const Entries = entries.map((entry) => ({ ...entry, VisibilityTimeout: 0 }))
      return options.client.send(
        new ChangeMessageVisibilityBatchCommand({ QueueUrl: options.queueUrl, Entries }),
      )
    }),
})

const WHAT = 'the queue'

type Outcome = E.Either<Fault, void>

// Sending

/** A message ready to be sent. */
interface Letter {
  readonly message: Message
  readonly text: string
  readonly sizeBytes: number
}

/** How many messages are sent at once, each of a group of its own. */
const ABREAST = 100

const sendAll = async (options: SqsQueueOptions, messages: ReadonlyArray<Message>): Promise<Outcome> => {
  const letters: Array<Letter> = []
  for (const message of messages) {
    const letter = await written(options, message)
    if (E.isLeft(letter)) return letter
    letters.push(letter.right)
  }
  let lanes = isFifo(options.queueUrl)
    ? [...Map.groupBy(letters, ({ message }) => tokenOf(message.group)).values()]
    : letters.map((letter) => [letter])
  let refused: E.Either<Fault, never> | undefined
  while (lanes.length > 0) {
    const abreast = lanes.slice(0, ABREAST)
    const sent = await Promise.all(batches(abreast).map((batch) => sendBatch(options, batch)))
    const stuck = new Set<Array<Letter>>()
    for (const outcome of sent) {
      if (E.isLeft(outcome)) return outcome
      for (const [lane, fault] of outcome.right) {
        stuck.add(lane)
        refused = E.left(fault)
      }
    }
    for (const lane of abreast) lane.shift()
    // What follows a message that was refused must not come before it; the other groups go on.
    lanes = lanes.filter((lane) => lane.length > 0 && !stuck.has(lane))
  }
  return refused ?? E.right(undefined)
}

const written = async (options: SqsQueueOptions, message: Message): Promise<E.Either<Fault, Letter>> => {
  const { messageBytes = SQS.messageBytes, claims } = options
  const whole = letterOf(message)
  const sizeBytes = Buffer.byteLength(whole)
  if (sizeBytes <= messageBytes) return E.right({ message, text: whole, sizeBytes })
  if (claims === undefined)
    return E.left(
      unavailable(`${WHAT}: a message of ${sizeBytes} bytes, where ${messageBytes} are the limit`),
    )
  const claim = await claims.put(Buffer.from(JSON.stringify(message.body)))()
  if (E.isLeft(claim)) return claim
  const text = claimLetterOf(message, claim.right)
  return E.right({ message, text, sizeBytes: Buffer.byteLength(text) })
}

/** A batch holds the first letter of each of its lanes. */
type Batch = ReadonlyArray<Array<Letter>>

const batches = (lanes: ReadonlyArray<Array<Letter>>): ReadonlyArray<Batch> => {
  const full: Array<Array<Array<Letter>>> = []
  let freeBytes = 0
  for (const lane of lanes) {
    const sizeBytes = lane[0]?.sizeBytes ?? 0
    const batch = full.at(-1)
    if (batch === undefined || batch.length === SQS.batchEntries || sizeBytes > freeBytes) {
      full.push([lane])
      freeBytes = SQS.messageBytes - sizeBytes
    } else {
      batch.push(lane)
      freeBytes -= sizeBytes
    }
  }
  return full
}

/** The lanes whose letter was refused for good, and why. */
const sendBatch = async (
  options: SqsQueueOptions,
  batch: Batch,
): Promise<E.Either<Fault, ReadonlyArray<readonly [Array<Letter>, Fault]>>> => {
  const { client, queueUrl } = options
  const entries = batch.flatMap(([letter], at) =>
    letter === undefined ? [] : [{ Id: String(at), ...entryOf(letter, isFifo(queueUrl)) }],
  )
  const refused = await insist(options, entries, (Entries) =>
    client.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries })),
  )
  if (E.isLeft(refused)) return refused
  return E.right(
    refused.right.flatMap(({ Id, Code, Message: why }) => {
      const lane = batch[Number(Id)]
      return lane === undefined ? [] : [[lane, unavailable(`${WHAT}: ${Code} ${why}`)] as const]
    }),
  )
}

const entryOf = ({ message: { id, group }, text }: Letter, fifo: boolean) => ({
  MessageBody: text,
  MessageGroupId: tokenOf(group),
  ...(fifo ? { MessageDeduplicationId: tokenOf(id) } : {}),
})

// Receiving

const receive = async (
  options: SqsQueueOptions,
  limit: number,
): Promise<E.Either<Fault, ReadonlyArray<Received>>> => {
  const { client, queueUrl, clock, waitSeconds = SQS.waitSeconds } = options
  // A repeat of a receive whose answer was lost gets the same messages, instead of none until they are visible again.
  const attempt = isFifo(queueUrl) ? { ReceiveRequestAttemptId: freshId(clock.nowMs(), clock.random) } : {}
  const answer = await patientlyOr(options, WHAT, () =>
    client.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: Math.min(limit, SQS.batchEntries),
        WaitTimeSeconds: waitSeconds,
        MessageSystemAttributeNames: ['ApproximateReceiveCount', 'MessageGroupId'],
        ...attempt,
      }),
    ),
  )
  if (E.isLeft(answer)) return answer
  const { Messages: messages = [] } = answer.right
  const received: Array<Received> = []
  const unread = new Set<string | undefined>()
  for (const message of messages) {
    const group = message.Attributes?.MessageGroupId
    // Nothing of its group comes before a message that cannot be read now.
    if (isFifo(queueUrl) && unread.has(group)) continue
    const read = await readMessage(options, message)
    if (read === undefined) unread.add(group)
    else received.push(read)
  }
  return E.right(received)
}

const readMessage = async (
  { claims, log }: SqsQueueOptions,
  {
    Body: letter = '',
    ReceiptHandle: receipt = '',
    MessageId: messageId,
    Attributes: attributes,
  }: SqsMessage,
): Promise<Received | undefined> => {
  const message = await messageIn(letter, claims)
  if (E.isRight(message))
    return { ...message.right, receipt, deliveries: Number(attributes?.ApproximateReceiveCount ?? 1) }
  log?.({ level: 'error', message: 'unreadable message', messageId, reason: message.left })
  return undefined
}

// Settling

interface Handle {
  readonly Id: string
  readonly ReceiptHandle: string
}

const settle = async (
  options: SqsQueueOptions,
  receipts: ReadonlyArray<string>,
  send: (entries: Array<Handle>) => Promise<BatchAnswer>,
): Promise<Outcome> => {
  const handles = [...new Set(receipts)].map((ReceiptHandle, at) => ({ Id: String(at), ReceiptHandle }))
  const parts: Array<Array<Handle>> = []
  for (let at = 0; at < handles.length; at += SQS.batchEntries)
    parts.push(handles.slice(at, at + SQS.batchEntries))
  for (const outcome of await Promise.all(parts.map((part) => insist(options, part, send)))) {
    if (E.isLeft(outcome)) return outcome
    const refused = outcome.right.find(({ Code = '' }) => !ENDED.test(Code))
    if (refused !== undefined) return E.left(unavailable(`${WHAT}: ${refused.Code} ${refused.Message}`))
  }
  return E.right(undefined)
}

/** A receipt that has ended settles nothing: its message is visible again, or another receipt's. */
const ENDED = /(ReceiptHandleIsInvalid|InvalidParameterValue|MessageNotInflight)$/

// Batches

interface BatchAnswer {
  readonly Failed?: ReadonlyArray<BatchResultErrorEntry> | undefined
}

/** Sends the entries of a batch until each was taken or refused for good; only what failed is sent again. */
const insist = async <Entry extends { readonly Id: string }>(
  patience: Patience,
  entries: ReadonlyArray<Entry>,
  send: (entries: Array<Entry>) => Promise<BatchAnswer>,
): Promise<E.Either<Fault, ReadonlyArray<BatchResultErrorEntry>>> => {
  const refused: Array<BatchResultErrorEntry> = []
  let waiting = [...entries]
  const settled = await patientlyOr(patience, WHAT, async () => {
    const { Failed: failed = [] } = await send(waiting)
    refused.push(...failed.filter(({ SenderFault: ours }) => ours === true))
    const again = new Map(failed.filter(({ SenderFault: ours }) => ours !== true).map((one) => [one.Id, one]))
    waiting = waiting.filter(({ Id }) => again.has(Id))
    if (waiting.length > 0) throw new EntriesFailed([...again.values()])
  })
  return E.isLeft(settled) ? settled : E.right(refused)
}

/** A batch of which some entries have to be sent again. */
class EntriesFailed extends Error {
  override readonly name = 'EntriesFailed'
  /** The SDK's own mark of what may be tried again. */
  readonly $retryable = {}

  constructor(entries: ReadonlyArray<BatchResultErrorEntry>) {
    super(entries.map(({ Code, Message: why }) => `${Code} ${why}`).join(', '))
  }
}
