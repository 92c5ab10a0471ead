/** What comes of an aggregate that is told commands in turn. */
import { type Aggregate, E, type StoredEvent } from '@everfold/core'
import { anyContext, recordedOf } from '@everfold/core/testing'

/** Its state, and its events as they were recorded in the stream of `id`. */
export const told = <Command, State, Event extends StoredEvent, Rejection>(
  aggregate: Aggregate<Command, State, Event, Rejection>,
  id: string,
  commands: ReadonlyArray<Command>,
) => {
  const events: Array<Event> = []
  let state = aggregate.initial
  for (const command of commands) {
    const decision = aggregate.decide(command, state, anyContext)
    if (E.isLeft(decision)) continue
    events.push(...decision.right)
    for (const event of decision.right) state = aggregate.evolve(state, event)
  }
  return { state, events: recordedOf(aggregate, id)(...events) }
}
