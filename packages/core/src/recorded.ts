/** The events of a commit as recorded: decoded, and with everything that is known about each. */
import { type Aggregate, decodeEvent } from './aggregate.ts'
import { type Commit, eventId, type RecordedEvent, type StoredEvent } from './commit.ts'
import type { Fault } from './fault.ts'
import { E } from './fp.ts'

export const recordedEvents = <Event extends StoredEvent>(
  aggregate: Aggregate<unknown, unknown, Event, unknown>,
  commit: Commit,
): E.Either<Fault, ReadonlyArray<RecordedEvent<Event>>> => {
  const { stream, number } = commit
  const events: Array<RecordedEvent<Event>> = []
  const first = commit.version - commit.answers.reduce((count, answer) => count + answer.events.length, 0) + 1
  for (const answer of commit.answers)
    for (const stored of answer.events) {
      const event = decodeEvent(aggregate, stored)
      if (E.isLeft(event))
        return E.left({ _tag: 'Undecodable', stream, commit: number, errors: event.left.errors })
      events.push({
        id: eventId(stream, number, events.length),
        stream,
        commit: number,
        version: first + events.length,
        timeMs: answer.timeMs,
        commandId: answer.id,
        schema: stored._v ?? 1,
        metadata: answer.metadata,
        event: event.right,
      })
    }
  return E.right(events)
}
