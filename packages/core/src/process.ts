/**
 * A process hears events of several streams and decides commands and timers (process manager, saga).
 *
 * Its stream remembers what it heard and, verbatim and with their ids, what it asked for; only that commit's relay
 * sends them. So a duplicate of what it heard asks nothing twice, and a later deploy cannot change what was asked.
 * It must bear events in any order: between streams there is none.
 */
import type { Aggregate, AnyAggregate } from './aggregate.ts'
import type { CommandId } from './command-id.ts'
import type { RecordedEvent, StoredEvent } from './commit.ts'
import type { StreamName } from './stream-name.ts'

/** What a process is told. */
export type Heard<Event, Refused> =
  | { readonly _tag: 'Happened'; readonly recorded: RecordedEvent<Event> }
  /** A command that this process asked for was refused, on record. */
  | {
      readonly _tag: 'Refused'
      readonly commandId: CommandId
      readonly stream: StreamName
      readonly rejection: Refused
    }
  | {
      readonly _tag: 'Elapsed'
      readonly timer: string
      readonly dueMs: number
      /** Which scheduling of the timer this is; a runtime always says so. */
      readonly scheduling?: CommandId
    }

/** What a process asks for. */
export type Output =
  | {
      readonly _tag: 'Ask'
      readonly aggregate: AnyAggregate
      readonly id: string
      readonly command: unknown
    }
  | { readonly _tag: 'Schedule'; readonly timer: string; readonly dueMs: number }
  | { readonly _tag: 'CancelTimer'; readonly timer: string }

/** Asks for a command on the aggregate's stream `id`. */
export const ask = <Command, State, Event extends StoredEvent, Rejection>(
  aggregate: Aggregate<Command, State, Event, Rejection>,
  id: string,
  command: Command,
): Output => ({ _tag: 'Ask', aggregate, id, command })

/** A timer of this process instance; scheduling the same name anew replaces it. */
export const schedule = (timer: string, dueMs: number): Output => ({ _tag: 'Schedule', timer, dueMs })
export const cancelTimer = (timer: string): Output => ({ _tag: 'CancelTimer', timer })

/** Which of an aggregate's events the process hears, and which of its instances. */
export interface Hearing {
  readonly aggregate: AnyAggregate
  /** The id of the instance that hears this event, or undefined for none. */
  correlate(this: void, recorded: RecordedEvent<unknown>): string | undefined
}

export const hear = <Command, State, Event extends StoredEvent, Rejection>(
  aggregate: Aggregate<Command, State, Event, Rejection>,
  correlate: (recorded: RecordedEvent<Event>) => string | undefined,
): Hearing => ({ aggregate, correlate })

export interface Process<State, Event, Refused> {
  /** The category of its streams. */
  readonly name: string
  readonly hears: ReadonlyArray<Hearing>
  /** The aggregates it commands, whose refusals it hears. */
  readonly asks: ReadonlyArray<AnyAggregate>
  /** Plain JSON: it is stored in snapshots. */
  readonly initial: State
  /** Raise it whenever `evolve` gives another state for what was heard; 1 unless told. */
  readonly reducer?: number
  evolve(this: void, state: State, heard: Heard<Event, Refused>): State
  /** What to ask for, from the state before and after what was heard; pure and total. */
  react(this: void, before: State, after: State, heard: Heard<Event, Refused>): ReadonlyArray<Output>
}
export type AnyProcess = Process<unknown, unknown, unknown>

/** A process's own events. */
export type ProcessEvent<Event = unknown, Refused = unknown> =
  | { readonly _tag: 'Heard'; readonly heard: Heard<Event, Refused> }
  | {
      readonly _tag: 'Asked'
      readonly id: CommandId
      /** The aggregate and the id of its stream, in the process's own tenant. */
      readonly aggregate: string
      readonly key: string
      readonly command: unknown
    }
  | {
      readonly _tag: 'TimerScheduled'
      readonly id: CommandId
      readonly timer: string
      readonly dueMs: number
    }
  | { readonly _tag: 'TimerCanceled'; readonly id: CommandId; readonly timer: string }

/** A process instance: its own state, and the timers that it waits for: by name, which scheduling of it. */
export interface ProcessState<State> {
  readonly state: State
  readonly timers: { readonly [timer: string]: CommandId }
}
