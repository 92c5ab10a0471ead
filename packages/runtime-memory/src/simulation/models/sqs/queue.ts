/**
 * A queue of SQS as its model keeps it, and what time alone does to it.
 *
 * A message is one of: delayed, visible, in flight (received, and hidden until its visibility timeout ends).
 */
import { SQS } from '../../limits.ts'

/** An attribute of a message as the SDK gives it; binary in base64. */
export interface MessageAttribute {
  readonly dataType: string
  readonly stringValue?: string
  readonly binaryValue?: string
}

export type MessageAttributes = Readonly<Record<string, MessageAttribute>>

/** A message in a queue. */
export interface Kept {
  readonly messageId: string
  readonly body: string
  readonly md5OfBody: string
  readonly attributes: MessageAttributes
  /** When it was sent; on a FIFO queue also when it was moved here. */
  readonly sentMs: number
  readonly visibleMs: number
  /** How often it was received, in all queues. */
  readonly receives: number
  readonly firstReceivedMs?: number
  /** The latest; the message is in flight from its receiving until `visibleMs`. */
  readonly receipt?: string
  readonly group?: string
  /** Of a FIFO queue alone. */
  readonly order?: { readonly deduplicationId: string; readonly sequenceNumber: string }
  /** The queue from which it was moved here. */
  readonly sourceArn?: string
}

/** What a sending left behind to know its repeats by. */
interface Sending {
  readonly sentMs: number
  readonly messageId: string
  readonly sequenceNumber: string
}

/** A receive that can be repeated. */
interface Attempt {
  readonly startedMs: number
  readonly receipts: ReadonlyArray<string>
}

export interface Queue {
  readonly name: string
  readonly createdMs: number
  readonly modifiedMs: number
  /** As they were set: each value is text. */
  readonly attributes: Readonly<Record<string, string>>
  /** Oldest first. */
  readonly messages: ReadonlyArray<Kept>
  /** Of a FIFO queue, by deduplication id; oldest first. */
  readonly sendings: ReadonlyMap<string, Sending>
  /** Of a FIFO queue, by attempt id; oldest first. */
  readonly attempts: ReadonlyMap<string, Attempt>
}

export interface SqsState {
  /** By name. */
  readonly queues: ReadonlyMap<string, Queue>
  /** How many messages there have been: ids and sequence numbers are made of it. */
  readonly made: number
}

const ARN = 'arn:aws:sqs:us-east-1:000000000000:'

export const arnOf = (name: string): string => `${ARN}${name}`
export const urlOf = (name: string): string => `https://sqs.us-east-1.amazonaws.com/000000000000/${name}`

export const isFifo = ({ name }: Pick<Queue, 'name'>): boolean => name.endsWith('.fifo')

const DEFAULTS: Readonly<Record<string, string>> = {
  DelaySeconds: '0',
  MaximumMessageSize: String(SQS.messageBytes),
  MessageRetentionPeriod: String(SQS.retentionSeconds),
  ReceiveMessageWaitTimeSeconds: '0',
  VisibilityTimeout: String(SQS.visibilitySeconds),
}

const FIFO_DEFAULTS: Readonly<Record<string, string>> = {
  FifoQueue: 'true',
  ContentBasedDeduplication: 'false',
  DeduplicationScope: 'queue',
  FifoThroughputLimit: 'perQueue',
}

/** All settings of the queue, those that were never set included. */
export const settingsOf = (queue: Queue): Readonly<Record<string, string>> => ({
  ...DEFAULTS,
  ...(isFifo(queue) ? FIFO_DEFAULTS : {}),
  ...queue.attributes,
})

export const secondsOf = (queue: Queue, setting: string): number => Number(settingsOf(queue)[setting])

export interface Redrive {
  readonly deadLetterTargetArn: string
  readonly maxReceiveCount: number
}

/** Absent where messages are delivered for ever. */
export const redriveOf = (queue: Queue): Redrive | undefined => {
  const policy = queue.attributes['RedrivePolicy'] ?? ''
  if (policy === '') return undefined
  const { deadLetterTargetArn, maxReceiveCount } = JSON.parse(policy) as Record<string, unknown>
  return { deadLetterTargetArn: String(deadLetterTargetArn), maxReceiveCount: Number(maxReceiveCount) }
}

export const isDelayed = ({ receipt, visibleMs }: Kept, nowMs: number): boolean =>
  receipt === undefined && visibleMs > nowMs

export const isInFlight = ({ receipt, visibleMs }: Kept, nowMs: number): boolean =>
  receipt !== undefined && visibleMs > nowMs

/** What is left at this time: a message is dropped at its retention's end, in flight or not. */
export const aged = (queue: Queue, nowMs: number): Queue => {
  const sinceMs = nowMs - secondsOf(queue, 'MessageRetentionPeriod') * 1000
  const isKept = ({ sentMs }: Kept) => sentMs > sinceMs
  return {
    ...queue,
    messages: queue.messages.every(isKept) ? queue.messages : queue.messages.filter(isKept),
    sendings: kept(queue.sendings, ({ sentMs }) => sentMs + SQS.deduplicationMs > nowMs),
    attempts: kept(queue.attempts, ({ startedMs }) => startedMs + SQS.attemptMs > nowMs),
  }
}

const kept = <Value>(
  all: ReadonlyMap<string, Value>,
  isKept: (one: Value) => boolean,
): ReadonlyMap<string, Value> =>
  [...all.values()].every(isKept) ? all : new Map([...all].filter(([, one]) => isKept(one)))

/** The state with this queue in the place of the one of its name. */
export const withQueue = (state: SqsState, queue: Queue): SqsState => ({
  ...state,
  queues: new Map(state.queues).set(queue.name, queue),
})
