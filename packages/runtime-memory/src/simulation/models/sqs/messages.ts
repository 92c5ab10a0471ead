/** What SQS is asked and what it answers, by the names of its queues. */
import type { MessageAttributes } from './queue.ts'

export interface Sent {
  readonly messageId: string
  readonly md5OfBody: string
  readonly md5OfAttributes?: string
  /** Of a FIFO queue. */
  readonly sequenceNumber?: string
}

/** What is sent. */
export interface Letter {
  readonly body: string
  readonly attributes?: MessageAttributes
  readonly delaySeconds?: number
  readonly group?: string
  readonly deduplicationId?: string
}

/** What is received: all of its attributes, of which the wire keeps those that were asked for. */
export interface Received {
  readonly messageId: string
  readonly receiptHandle: string
  readonly body: string
  readonly md5OfBody: string
  /** The system's own: `ApproximateReceiveCount`, `SentTimestamp`, ... */
  readonly attributes: Readonly<Record<string, string>>
  readonly messageAttributes: MessageAttributes
  readonly md5OfMessageAttributes?: string
}

export interface Receive {
  readonly _tag: 'Receive'
  readonly queue: string
  /** 1 unless told. */
  readonly limit?: number
  /** The queue's unless told. */
  readonly visibilitySeconds?: number
  /** The queue's unless told. The model answers at once: who waits is the caller (`waitMs`). */
  readonly waitSeconds?: number
  /** Of a FIFO queue: the same id again answers the same messages. */
  readonly attemptId?: string
}

export type SqsRequest =
  | {
      readonly _tag: 'CreateQueue'
      readonly queue: string
      readonly attributes?: Readonly<Record<string, string>>
    }
  | { readonly _tag: 'GetQueueUrl' | 'GetQueueAttributes' | 'ListDeadLetterSources'; readonly queue: string }
  | {
      readonly _tag: 'SetQueueAttributes'
      readonly queue: string
      readonly attributes: Readonly<Record<string, string>>
    }
  | { readonly _tag: 'Send'; readonly queue: string; readonly letter: Letter }
  | { readonly _tag: 'SendBatch'; readonly queue: string; readonly entries: ReadonlyArray<Entry<Letter>> }
  | Receive
  | { readonly _tag: 'Delete'; readonly queue: string; readonly receipt: string }
  | { readonly _tag: 'DeleteBatch'; readonly queue: string; readonly entries: ReadonlyArray<Entry<Handle>> }
  | ({ readonly _tag: 'ChangeVisibility'; readonly queue: string } & Visibility)
  | {
      readonly _tag: 'ChangeVisibilityBatch'
      readonly queue: string
      readonly entries: ReadonlyArray<Entry<Visibility>>
    }

interface Handle {
  readonly receipt: string
}

export interface Visibility extends Handle {
  readonly visibilitySeconds: number
}

/** One of a batch, by an id of the caller's. */
export type Entry<What> = What & { readonly id: string }

/** Why a request, or one entry of it, was not done. */
export interface Refusal {
  /** The name of SQS's error: `QueueDoesNotExist`, `InvalidParameterValue`, ... */
  readonly code: string
  readonly message: string
  /** Whether trying again is of no use. */
  readonly senderFault: boolean
}

export type SqsAnswer =
  | ({ readonly _tag: 'Refused' } & Refusal)
  | { readonly _tag: 'Queue'; readonly url: string }
  | { readonly _tag: 'Queues'; readonly urls: ReadonlyArray<string> }
  | { readonly _tag: 'Attributes'; readonly attributes: Readonly<Record<string, string>> }
  | ({ readonly _tag: 'Sent' } & Sent)
  | { readonly _tag: 'Done' }
  | {
      readonly _tag: 'Batch'
      readonly successful: ReadonlyArray<Entry<Partial<Sent>>>
      readonly failed: ReadonlyArray<Entry<Refusal>>
    }
  | { readonly _tag: 'Received'; readonly messages: ReadonlyArray<Received> }

export const refused = (code: string, message: string): Refusal => ({ code, message, senderFault: true })

export const invalid = (parameter: string, value: unknown, reason: string): Refusal =>
  refused(
    'InvalidParameterValue',
    `Value ${String(value)} for parameter ${parameter} is invalid. Reason: ${reason}`,
  )

export const missing = (parameter: string): Refusal =>
  refused('MissingParameter', `The request must contain the parameter ${parameter}.`)
