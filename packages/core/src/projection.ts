/**
 * A projection folds recorded events to rows of a view.
 *
 * It applies a stream's commits in their numbers' order: an older one is a duplicate and skipped, a newer one shows
 * a gap, and the log fills it. Rows are written before the progress, each on the condition of the numbers it was
 * read with, so a crash or a late duplicate changes nothing. Law: the rows do not depend on the order between streams.
 */
import type { Aggregate, AnyAggregate } from './aggregate.ts'
import type { Commit, Json, RecordedEvent, StoredEvent } from './commit.ts'
import { type Fault, unavailable } from './fault.ts'
import { E, type TE } from './fp.ts'
import type { EventStore } from './ports/event-store.ts'
import type { Generation, Row, RowKey, ViewStore } from './ports/view-store.ts'
import { recordedEvents } from './recorded.ts'
import { type StreamName, streamParts } from './stream-name.ts'

/** What one event does to one row: the new value, or undefined to delete it. */
export interface RowChange extends RowKey {
  readonly change: (value: Json | undefined) => Json | undefined
}

/** The rows that one aggregate's events touch. */
export interface ProjectionSource {
  readonly aggregate: AnyAggregate
  rows(this: void, recorded: RecordedEvent<unknown>): ReadonlyArray<RowChange>
}

export interface Projection {
  readonly name: string
  /** Another name builds the view anew beside the one that is read. */
  readonly generation: string
  readonly sources: ReadonlyArray<ProjectionSource>
}

/** A typed source: `from(Product.aggregate, ({ event }) => [...])`. */
export const from = <Command, State, Event extends StoredEvent, Rejection>(
  aggregate: Aggregate<Command, State, Event, Rejection>,
  rows: (recorded: RecordedEvent<Event>) => ReadonlyArray<RowChange>,
): ProjectionSource => ({ aggregate, rows })

export const generationOf = ({ name, generation }: Projection): Generation => ({
  projection: name,
  generation,
})

export interface ProjectPorts {
  readonly store: EventStore
  readonly views: ViewStore
}

/** Takes one commit in, and whatever of its stream was missed before it. */
export const project =
  (projection: Projection, ports: ProjectPorts) =>
  (commit: Commit): TE.TaskEither<Fault, void> =>
  async () => {
    const source = sourceOf(projection, commit.stream)
    if (source === undefined) return E.right(undefined)
    const generation = generationOf(projection)
    const progress = await ports.views.progress(generation, commit.stream)()
    if (E.isLeft(progress)) return progress
    if (commit.number <= progress.right) return E.right(undefined)
    const due = await upTo(ports.store, commit, progress.right)
    if (E.isLeft(due)) return due
    for (const next of due.right) {
      const applied = await apply(ports.views, generation, source, next)
      if (E.isLeft(applied)) return applied
      const advanced = await ports.views.advance(generation, next.stream, next.number)()
      if (E.isLeft(advanced)) return advanced
    }
    return E.right(undefined)
  }

/**
 * Takes one commit into several projections, into generations of one view in the order in which they are listed: the one
 * that is being built before the one that is read. So whatever its readers have seen of a stream is in the next one too.
 */
export const projectAll = (
  projections: ReadonlyArray<Projection>,
  ports: ProjectPorts,
): ((commit: Commit) => TE.TaskEither<Fault, void>) => {
  const views = [...Map.groupBy(projections, ({ name }) => name).values()].map((generations) =>
    generations.map((one) => project(one, ports)),
  )
  return (commit) => async () => {
    const taken = await Promise.all(views.map((generations) => inTurn(generations, commit)))
    return taken.find(E.isLeft) ?? E.right(undefined)
  }
}

const inTurn = async (
  generations: ReadonlyArray<ReturnType<typeof project>>,
  commit: Commit,
): Promise<E.Either<Fault, void>> => {
  for (const take of generations) {
    const taken = await take(commit)()
    if (E.isLeft(taken)) return taken
  }
  return E.right(undefined)
}

/** Where the events of a stream go; undefined where the projection hears none of them. */
export const sourceOf = ({ sources }: Projection, stream: StreamName): ProjectionSource | undefined => {
  const { category } = streamParts(stream)
  return sources.find(({ aggregate }) => aggregate.name === category)
}

/** The commits after number `progress`, up to this one: just itself, unless there is a gap to fill from the log. */
const upTo = async (
  store: EventStore,
  commit: Commit,
  progress: number,
): Promise<E.Either<Fault, ReadonlyArray<Commit>>> => {
  const due: Array<Commit> = []
  let after = progress
  while (after < commit.number - 1) {
    const limit = Math.min(100, commit.number - 1 - after)
    const page = await store.readForward(commit.stream, { after, limit })()
    if (E.isLeft(page)) return page
    for (const missed of page.right.commits) {
      after += 1
      if (missed.number !== after)
        return E.left({ _tag: 'MissingCommit', stream: commit.stream, number: after })
      due.push(missed)
    }
    if (page.right.done && after < commit.number - 1)
      return E.left({ _tag: 'MissingCommit', stream: commit.stream, number: after + 1 })
  }
  return E.right([...due, commit])
}

const apply = async (
  views: ViewStore,
  generation: Generation,
  source: ProjectionSource,
  commit: Commit,
): Promise<E.Either<Fault, void>> => {
  const events = recordedEvents(source.aggregate, commit)
  if (E.isLeft(events)) return events
  const changes = new Map<string, Array<RowChange>>()
  for (const recorded of events.right)
    for (const change of source.rows(recorded)) {
      const key = JSON.stringify([change.pk, change.sk])
      changes.set(key, [...(changes.get(key) ?? []), change])
    }
  for (const ofRow of changes.values()) {
    const changed = await changeRow(views, generation, commit, ofRow)
    if (E.isLeft(changed)) return changed
  }
  return E.right(undefined)
}

/** Another writer of the row makes us read it again; each such turn means that somebody got ahead. */
const ROW_ATTEMPTS = 50

const changeRow = async (
  views: ViewStore,
  generation: Generation,
  { stream, number }: Commit,
  changes: ReadonlyArray<RowChange>,
): Promise<E.Either<Fault, void>> => {
  const [first] = changes
  if (first === undefined) return E.right(undefined)
  const { pk, sk } = first
  for (let attempt = 0; attempt < ROW_ATTEMPTS; attempt += 1) {
    const row = await views.get(generation, { pk, sk })()
    if (E.isLeft(row)) return row
    const sources = row.right?.sources
    if ((sources?.[stream] ?? 0) >= number) return E.right(undefined)
    let value = row.right?.value
    for (const { change } of changes) value = change(value)
    const next: Row = {
      pk,
      sk,
      ...(value === undefined ? {} : { value }),
      sources: { ...sources, [stream]: number },
    }
    const put = await views.put(generation, next, sources)()
    if (E.isLeft(put)) return put
    if (put.right === 'stored') return E.right(undefined)
  }
  return E.left(unavailable(`the row ${pk} ${sk}: too many writers at once`))
}
