/**
 * The aggregate that a process is: what it hears are its commands, what it asks for are its events.
 */
import * as t from 'io-ts'
import {
  type Aggregate,
  aggregate as defineAggregate,
  type SnapshotCodec,
  snapshotCodec,
} from './aggregate.ts'
import { record } from './codec.ts'
import { CommandId, deriveId } from './command-id.ts'
import { accept } from './decider.ts'
import type { Heard, Output, Process, ProcessEvent, ProcessState } from './process.ts'
import { processCodecs } from './process-codec.ts'

export type ProcessAggregate<State, Event, Refused> = Aggregate<
  Heard<Event, Refused>,
  ProcessState<State>,
  ProcessEvent<Event, Refused>,
  never
>

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
        return { ...state, timers: { ...state.timers, [event.timer]: event.id } }
      case 'TimerCanceled':
        return { ...state, timers: without(state.timers, event.timer) }
      case 'Asked':
        return state
    }
  }
  const codecs = processCodecs(process)
  return defineAggregate<Heard<Event, Refused>, ProcessState<State>, ProcessEvent<Event, Refused>, never>({
    name: process.name,
    reducer: process.reducer ?? 1,
    snapshot: stateCodec(),
    command: codecs.heard,
    event: codecs.event,
    rejection: t.never,
    initial: { state: process.initial, timers: {} },
    evolve,
    decide: (heard, before, { timeMs, commandId }) => {
      // A timer that was canceled or replaced after it had been sent off is not heard.
      if (heard._tag === 'Elapsed' && schedulingOf(before.timers, heard.timer) !== heard.scheduling)
        return accept()
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
const schedulingOf = (timers: ProcessState<unknown>['timers'], timer: string): CommandId | undefined =>
  Object.hasOwn(timers, timer) ? timers[timer] : undefined

const without = (timers: ProcessState<unknown>['timers'], timer: string): ProcessState<unknown>['timers'] =>
  Object.fromEntries(Object.entries(timers).filter(([name]) => name !== timer))

const outputEvents = (
  output: Output,
  index: number,
  { before, timeMs, commandId }: { before: ProcessState<unknown>; timeMs: number; commandId: CommandId },
): ReadonlyArray<Exclude<ProcessEvent, { readonly _tag: 'Heard' }>> => {
  const id = deriveId(timeMs, 'asked', commandId, String(index))
  switch (output._tag) {
    case 'Ask': {
      const { aggregate, id: key, command } = output
      return [
        { _tag: 'Asked', id, aggregate: aggregate.name, key, command: aggregate.command.encode(command) },
      ]
    }
    case 'Schedule':
      return [{ _tag: 'TimerScheduled', id, timer: output.timer, dueMs: output.dueMs }]
    case 'CancelTimer': {
      const scheduled = schedulingOf(before.timers, output.timer)
      return scheduled === undefined ? [] : [{ _tag: 'TimerCanceled', id: scheduled, timer: output.timer }]
    }
  }
}

/** The state is the process's own affair: what its reducer number vouches for is taken as it was stored. */
const stateCodec = <State>(): SnapshotCodec<ProcessState<State>> =>
  snapshotCodec(
    StoredState,
    ({ state, timers }) => ({ state, timers }),
    ({ state, timers }) => ({ state: state as State, timers }),
  )

const StoredState = record('ProcessState', {
  state: t.unknown,
  timers: t.record(t.string, CommandId as t.Type<CommandId>),
})
