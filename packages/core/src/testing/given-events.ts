/** Given, when, then for those who hear events: projections and processes. */
import { type Aggregate, schemaVersion } from '../aggregate.ts'
import { deriveId } from '../command-id.ts'
import { eventId, type Json, type RecordedEvent, type StoredEvent } from '../commit.ts'
import type { Heard, Output, Process } from '../process.ts'
import type { Projection } from '../projection.ts'
import { streamName, streamParts } from '../stream-name.ts'

/** The first of January 2026. */
const START_MS = 1_767_225_600_000

export interface Recording {
  readonly tenant?: string
  /** When the first of them happened, in milliseconds since 1970; each next one a minute later. */
  readonly timeMs?: number
}

/** The events of one instance as recorded from its beginning, one commit each. */
export const recordedOf =
  <Command, State, Event extends StoredEvent, Rejection>(
    aggregate: Aggregate<Command, State, Event, Rejection>,
    id: string,
    { tenant, timeMs = START_MS }: Recording = {},
  ) =>
  (...events: ReadonlyArray<Event>): ReadonlyArray<RecordedEvent<Event>> =>
    events.map((event, index) => {
      const stream = streamName(aggregate.name, id, tenant)
      const commandId = deriveId(timeMs + 60_000 * index, stream, String(index))
      return {
        id: eventId(stream, index + 1, 0),
        stream,
        commit: index + 1,
        version: index + 1,
        timeMs: timeMs + 60_000 * index,
        commandId,
        schema: schemaVersion(aggregate, event._tag),
        metadata: { correlationId: commandId, ...(tenant === undefined ? {} : { tenant }) },
        event,
      }
    })

export interface ViewRow {
  readonly pk: string
  readonly sk: string
  readonly value: Json
}

type AnyRecorded = RecordedEvent<unknown>

/** `givenRows(projection)(...history).when(...recorded)`: the rows, ordered by their keys. */
export const givenRows =
  (projection: Projection) =>
  (...history: ReadonlyArray<AnyRecorded>) => ({
    when: (...recorded: ReadonlyArray<AnyRecorded>): ReadonlyArray<ViewRow> =>
      rowsOf(projection, [...history, ...recorded]),
  })

const rowsOf = ({ sources }: Projection, history: ReadonlyArray<AnyRecorded>): ReadonlyArray<ViewRow> => {
  const rows = new Map<string, ViewRow>()
  for (const recorded of history) {
    const { category } = streamParts(recorded.stream)
    const source = sources.find(({ aggregate }) => aggregate.name === category)
    for (const { pk, sk, change } of source?.rows(recorded) ?? []) {
      const key = JSON.stringify([pk, sk])
      const value = change(rows.get(key)?.value)
      if (value === undefined) rows.delete(key)
      else rows.set(key, { pk, sk, value })
    }
  }
  return [...rows].toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([, row]) => row)
}

/** `givenHeard(process)(...history).when(heard)`: what the process asks for, as data. */
export const givenHeard =
  <State, Event, Refused>(process: Process<State, Event, Refused>) =>
  (...history: ReadonlyArray<Heard<Event, Refused>>) => ({
    when: (heard: Heard<Event, Refused>): ReadonlyArray<Output> => {
      let before = process.initial
      for (const one of history) before = process.evolve(before, one)
      return process.react(before, process.evolve(before, heard), heard)
    },
  })

/** What a process hears of an event. */
export const happened = <Event>(recorded: RecordedEvent<Event>): Heard<Event, never> => ({
  _tag: 'Happened',
  recorded,
})
