/**
 * The port to queues of messages grouped by key: in order within a group, at least once, hidden while they are worked on.
 */
import type { Json } from '../commit.ts'
import type { Fault } from '../fault.ts'
import type { TE } from '../fp.ts'

export interface Message {
  /** The same id within the queue's window is the same message; at most 128 characters. */
  readonly id: string
  /** At most 128 characters. Messages of one group are received in the order they were sent, and never two batches of it at once. */
  readonly group: string
  readonly body: Json
}

export interface Received extends Message {
  /** Names this delivery, to settle it by. */
  readonly receipt: string
  /** How often the message has been received, this time included. */
  readonly deliveries: number
}

export interface Queue {
  send(this: void, messages: ReadonlyArray<Message>): TE.TaskEither<Fault, void>
  /** At most `limit` messages; what is not deleted within the visibility timeout comes again. */
  receive(this: void, limit: number): TE.TaskEither<Fault, ReadonlyArray<Received>>
  delete(this: void, receipts: ReadonlyArray<string>): TE.TaskEither<Fault, void>
  /** Makes the messages visible again, at once. */
  release(this: void, receipts: ReadonlyArray<string>): TE.TaskEither<Fault, void>
}
