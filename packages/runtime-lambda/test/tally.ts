/** The domain of these tests: tallies of numbers, and a view whose rows tell which commits made them, and in which order. */
import {
  accept,
  type Commit,
  aggregate as defineAggregate,
  deriveId,
  from,
  type Projection,
  type StreamName,
  streamName,
  type TypeOf,
  text,
  union,
  variant,
} from '@everfold/core'

const TallyEvent = union('TallyEvent', variant('Counted', { note: text('Note', { maxLength: 2_000_000 }) }))
type TallyEvent = TypeOf<typeof TallyEvent>

const aggregate = defineAggregate<TallyEvent, number, TallyEvent, TallyEvent>({
  name: 'tally',
  initial: 0,
  evolve: (count) => count + 1,
  decide: (command) => accept(command),
  command: TallyEvent,
  event: TallyEvent,
  rejection: TallyEvent,
  reducer: 1,
})

/** One row per tally: the ids of its events, as they were taken in. */
export const projection: Projection = {
  name: 'tallies',
  generation: '1',
  sources: [
    from(aggregate, ({ stream, id }) => [
      {
        pk: 'tallies',
        sk: stream,
        change: (ids) => [...((ids ?? []) as ReadonlyArray<string>), id],
      },
    ]),
  ],
}

const TIME_MS = 1_767_225_600_000

export const tally = (name: string): StreamName => streamName('tally', name)

/** A commit of so many events; none is a command that changed nothing. */
export const commitOf = (
  stream: StreamName,
  number: number,
  notes: ReadonlyArray<string>,
  version: number,
): Commit => {
  const id = deriveId(TIME_MS, stream, String(number))
  return {
    stream,
    number,
    version,
    timeMs: TIME_MS + number,
    latestIdMs: TIME_MS,
    answers: [
      {
        id,
        fingerprint: '1AAAAAAAAAAAA',
        timeMs: TIME_MS + number,
        metadata: { correlationId: id, tenant: 'acme' },
        events: notes.map((note) => ({ _tag: 'Counted', note })),
      },
    ],
  }
}

/** The commits of a stream, from the notes of each. */
export const history = (
  stream: StreamName,
  commits: ReadonlyArray<ReadonlyArray<string>>,
): ReadonlyArray<Commit> => {
  let version = 0
  return commits.map((notes, at) => commitOf(stream, at + 1, notes, (version += notes.length)))
}
