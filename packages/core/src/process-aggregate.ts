/**
 * The aggregate that a process is: what it hears are its commands, what it asks for are its events.
 */
import * as t from 'io-ts'
import { type Aggregate, aggregate as defineAggregate } from './aggregate.ts'
import { type CommandId, deriveId } from './command-id.ts'
import { accept } from './decider.ts'
import type { Heard, Output, Process, ProcessEvent, ProcessState } from './process.ts'
import { processCodecs } from './process-codec.ts'
import type { StreamName } from './stream-name.ts'

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
