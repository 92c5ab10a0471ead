/**
 * A process hears events of several streams and decides commands and timers (process manager, saga).
 *
 * Its stream remembers what it heard and, verbatim and with their ids, what it asked for; only that commit's relay
 * sends them. So a duplicate of what it heard asks nothing twice, and a later deploy cannot change what was asked.
 * It must bear events in any order: between streams there is none.
 */
import * as t from 'io-ts'
import { type Aggregate, type AnyAggregate, aggregate as defineAggregate } from './aggregate.ts'
import { type CommandId, deriveId } from './command-id.ts'
import type { RecordedEvent, StoredEvent } from './commit.ts'
import { accept } from './decider.ts'
import { processCodecs } from './process-codec.ts'
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
  | { readonly _tag: 'Elapsed'; readonly timer: string; readonly dueMs: number }

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
  readonly initial: State
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
  | { readonly _tag: 'TimerScheduled'; readonly timer: string; readonly dueMs: number }
  | { readonly _tag: 'TimerCanceled'; readonly timer: string; readonly dueMs: number }

/** A process instance: its own state, and the timers that it waits for, by name. */
export interface ProcessState<State> {
  readonly state: State
  readonly timers: { readonly [timer: string]: number }
}

export type ProcessAggregate<State, Event, Refused> = Aggregate<
  Heard<Event, Refused>,
  ProcessState<State>,
  ProcessEvent<Event, Refused>,
  never
>

/** The aggregate that a process is: what it hears are its commands, what it asks for are its events. */
export const processAggregate = <State, Event, Refused>(
  process: Process<State, Event, Refused>,
): ProcessAggregate<State, Event, Refused> => {
  const evolve = (state: ProcessState<State>, event: ProcessEvent<Event, Refused>): ProcessState<State> => {
    switch (event._tag) {
      case 'Heard':
        return {
          state: process.evolve(state.state, event.heard),
          timers: event.heard._tag === 'Elapsed' ? without(state.timers, event.heard.timer) : state.timers,
        }
      case 'TimerScheduled':
        return { ...state, timers: { ...state.timers, [event.timer]: event.dueMs } }
      case 'TimerCanceled':
        return { ...state, timers: without(state.timers, event.timer) }
      case 'Asked':
        return state
    }
  }
  const codecs = processCodecs(process)
  return defineAggregate<Heard<Event, Refused>, ProcessState<State>, ProcessEvent<Event, Refused>, never>({
    name: process.name,
    reducer: 1,
    command: codecs.heard,
    event: codecs.event,
    rejection: t.never,
    initial: { state: process.initial, timers: {} },
    evolve,
    decide: (heard, before, { timeMs, commandId }) => {
      // A timer that was canceled or replaced after it had been sent off is not heard.
      if (heard._tag === 'Elapsed' && dueOf(before.timers, heard.timer) !== heard.dueMs) return accept()
      const after = evolve(before, { _tag: 'Heard', heard })
      const outputs = process.react(before.state, after.state, heard)
      return accept<ProcessEvent<Event, Refused>>(
        { _tag: 'Heard', heard },
        ...outputs.flatMap((output, index) => outputEvents(output, index, { before, timeMs, commandId })),
      )
    },
  })
}

/** A timer may have any name, also one that plain objects inherit. */
const dueOf = (timers: ProcessState<unknown>['timers'], timer: string): number | undefined =>
  Object.hasOwn(timers, timer) ? timers[timer] : undefined

const without = (timers: ProcessState<unknown>['timers'], timer: string): ProcessState<unknown>['timers'] =>
  Object.fromEntries(Object.entries(timers).filter(([name]) => name !== timer))

const outputEvents = (
  output: Output,
  index: number,
  { before, timeMs, commandId }: { before: ProcessState<unknown>; timeMs: number; commandId: CommandId },
): ReadonlyArray<Exclude<ProcessEvent, { readonly _tag: 'Heard' }>> => {
  switch (output._tag) {
    case 'Ask': {
      const id = deriveId(timeMs, 'asked', commandId, String(index))
      const { aggregate, id: key, command } = output
      return [
        { _tag: 'Asked', id, aggregate: aggregate.name, key, command: aggregate.command.encode(command) },
      ]
    }
    case 'Schedule':
      return [{ _tag: 'TimerScheduled', timer: output.timer, dueMs: output.dueMs }]
    case 'CancelTimer': {
      const dueMs = dueOf(before.timers, output.timer)
      return dueMs === undefined ? [] : [{ _tag: 'TimerCanceled', timer: output.timer, dueMs }]
    }
  }
}

/** Names one scheduling of a timer, for the timer service. */
export const timerId = (stream: StreamName, timer: string, dueMs: number): string =>
  `${stream}#${timer}@${dueMs}`
