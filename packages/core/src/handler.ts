/** What a command handler is made of, and what it answers. */
import type { Aggregate } from './aggregate.ts'
import type { CommandId } from './command-id.ts'
import type { Position, StoredEvent } from './commit.ts'
import type { Refusal } from './fault.ts'
import type { E } from './fp.ts'
import type { Head } from './head.ts'
import type { Clock } from './ports/clock.ts'
import type { EventStore } from './ports/event-store.ts'
import type { StreamName } from './stream-name.ts'

export interface Answer<Event, Rejection> {
  readonly commandId: CommandId
  /** Where the answer is on record; for one that is not, the head it was given from. */
  readonly position: Position
  /** The events (none when nothing changed), or why not. */
  readonly outcome: E.Either<Rejection, ReadonlyArray<Event>>
  /** When the command first arrived: the time of its events. */
  readonly timeMs: number
  /** Whether this answer was already on record when the command came. */
  readonly replayed: boolean
}

export type Settled<Event, Rejection> = E.Either<Refusal, Answer<Event, Rejection>>

/** Where heads are kept between commands; a lost or stale entry costs a read, never correctness. */
export interface HeadCache {
  get(this: void, stream: StreamName): Head<unknown> | undefined
  set(this: void, stream: StreamName, head: Head<unknown>): void
  delete(this: void, stream: StreamName): void
}

export interface ExecuteOptions {
  /** A snapshot at least every so many commits, unless the state outweighs them. */
  readonly snapshotEvery: number
  /** How many command ids a snapshot remembers. */
  readonly remembered: number
  /** Attempts to append before giving up. */
  readonly attempts: number
  /** How far an id's date may lie ahead of the command's arrival, in milliseconds. */
  readonly maxFutureMs: number
  /** How old an id's date may be, in milliseconds. */
  readonly maxAgeMs: number
}

export const defaultOptions: ExecuteOptions = {
  snapshotEvery: 12,
  remembered: 64,
  attempts: 24,
  maxFutureMs: 5 * 60_000,
  maxAgeMs: 35 * 24 * 3_600_000,
}

export interface ExecutePorts {
  readonly store: EventStore
  readonly clock: Clock
  readonly cache?: HeadCache
}

/** What a command handler is made of. */
export interface Handler<Command, State, Event extends StoredEvent, Rejection> {
  readonly aggregate: Aggregate<Command, State, Event, Rejection>
  readonly ports: ExecutePorts
  readonly options: ExecuteOptions
}
