import { type Codec, decode } from '../codec.ts'
import type { CommandId } from '../command-id.ts'
import { type Context, type Decider, type Decision, fold } from '../decider.ts'
import { E } from '../fp.ts'

/** A context for tests in which neither time nor id matters. */
export const anyContext: Context = { timeMs: 0, commandId: '00000000000000000000000000' as CommandId }

/** `given(decider)(...history).when(command)`: the decision, as data, for any assertion library. */
export const given =
  <Command, State, Event, Rejection>(decider: Decider<Command, State, Event, Rejection>) =>
  (...history: ReadonlyArray<Event>) => ({
    when: (command: Command, context: Context = anyContext): Decision<Rejection, Event> =>
      decider.decide(command, fold(decider, history), context),
  })

/** Literals as domain values: `valid(Units)(3)`. Throws on a value its codec refuses. */
export const valid =
  <A>(codec: Codec<A>) =>
  (input: unknown): A => {
    const decoded = decode(codec, input)
    if (E.isLeft(decoded)) throw new Error(`not a ${codec.name}: ${JSON.stringify(decoded.left.errors)}`)
    return decoded.right
  }
