import type { CommandId } from './command-id.ts'
import { E } from './fp.ts'

/** Fixed once when the command arrives; every retry of the command reuses it. */
export interface Context {
  /** When the command arrived, in milliseconds since 1970. */
  readonly timeMs: number
  /** The command's id; ids of what it creates derive from it. */
  readonly commandId: CommandId
}

/** What a decider answers: the facts to append (none when nothing changes), or why not. */
export type Decision<Rejection, Event> = E.Either<Rejection, ReadonlyArray<Event>>

/**
 * A consistency boundary as three pure values.
 *
 * `decide` is total: it never throws, reads no clock and draws no randomness.
 * `evolve` is total: an event already stored is a fact and cannot be refused.
 *
 * Source: Jérémie Chassaing, "Functional Event Sourcing Decider" (2021).
 */
export interface Decider<Command, State, Event, Rejection> {
  readonly initial: State
  evolve(this: void, state: State, event: Event): State
  decide(this: void, command: Command, state: State, context: Context): Decision<Rejection, Event>
}

/** Accepts a command; `accept()` means it was already satisfied. */
export const accept = <const Event>(...events: ReadonlyArray<Event>): Decision<never, Event> =>
  E.right(events)

/** Refuses a command, saying why in data. */
export const reject = <const Rejection>(rejection: Rejection): Decision<Rejection, never> => E.left(rejection)

/** The state after `events`, oldest first. */
export const fold = <State, Event>(
  decider: Pick<Decider<never, State, Event, unknown>, 'initial' | 'evolve'>,
  events: ReadonlyArray<Event>,
  from: State = decider.initial,
): State => {
  let state = from
  for (const event of events) state = decider.evolve(state, event)
  return state
}
