/**
 * A projection folds recorded events to rows of a view.
 *
 * It applies a stream's commits in their numbers' order: an older one is a duplicate and skipped, a newer one shows
 * a gap, and the log fills it. Rows are written before the progress, each on the condition of the numbers it was
 * read with, so a crash or a late duplicate changes nothing. Law: the rows do not depend on the order between streams.
 */
import type { Aggregate, AnyAggregate } from './aggregate.ts'
import { backoffMs } from './backoff.ts'
import type { Commit, Json, RecordedEvent, StoredEvent } from './commit.ts'
import { type Fault, impossible, isPermanent, unavailable } from './fault.ts'
import { E, type TE } from './fp.ts'
import type { Clock } from './ports/clock.ts'
import type { EventStore } from './ports/event-store.ts'
import type { Log } from './ports/log.ts'
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

/**
 * The generation of a view that its readers read: the one that was activated last. While none ever was it is the last
 * that is listed, because one that is being built is listed before it. Undefined where there is no view of that name.
 */
export const generationRead =
  (
    listed: ReadonlyArray<Projection>,
    views: Pick<ViewStore, 'active'>,
  ): ((name: string) => TE.TaskEither<Fault, Generation | undefined>) =>
  (name) =>
  async () => {
    const active = await views.active(name)()
    if (E.isLeft(active)) return active
    if (active.right !== undefined) return E.right({ projection: name, generation: active.right })
    const last = listed.findLast((projection) => projection.name === name)
    return E.right(last === undefined ? undefined : generationOf(last))
  }

export interface ProjectPorts {
  readonly store: EventStore
  readonly views: ViewStore
  readonly clock: Clock
  /** Told of a generation that can never take a stream in, and is passed over because nobody reads it. */
  readonly report?: Log
}

/** Takes commits of one stream into a projection, or into several. */
export type Project = (first: Commit, ...more: ReadonlyArray<Commit>) => TE.TaskEither<Fault, void>

/**
 * Takes commits of one stream in, whatever their order, and whatever was missed before or between them. What several of
 * them do to a row is one write.
 */
export const project = (projection: Projection, ports: ProjectPorts): Project => {
  const taker = { projection, ports, write: inTurns(generationOf(projection), ports) }
  return (...commits) =>
    () =>
      takeIn(taker, commits)
}

interface Taker {
  readonly projection: Projection
  readonly ports: ProjectPorts
  readonly write: WriteRow
}

const takeIn = async (taker: Taker, commits: Parameters<Project>): Promise<E.Either<Fault, void>> => {
  const { projection, ports } = taker
  const [{ stream }] = commits
  const source = sourceOf(projection, stream)
  if (source === undefined) return E.right(undefined)
  const progress = await ports.views.progress(generationOf(projection), stream)()
  if (E.isLeft(progress)) return progress
  const given = new Map(commits.map((commit) => [commit.number, commit]))
  const last = Math.max(...given.keys())
  for (let after = progress.right; after < last; ) {
    const run = await runOf(ports.store, stream, given, after)
    if (E.isLeft(run)) return run
    const applied = await apply(taker, source, run.right)
    if (E.isLeft(applied)) return applied
    after += run.right.length
  }
  return E.right(undefined)
}

/**
 * Takes commits of one stream into several projections, into generations of one view in the order in which they are
 * listed: the one that is being built before the one that is read. So whatever its readers have seen of a stream is in
 * the next one too. A generation that can never take a commit in, and that nobody reads, is passed over and reported;
 * no rebuild switches to it then.
 */
export const projectAll = (projections: ReadonlyArray<Projection>, ports: ProjectPorts): Project => {
  const views = [...Map.groupBy(projections, ({ name }) => name).values()]
  const taking = views.map((generations) => generations.map((one) => ({ one, take: project(one, ports) })))
  return (...commits) =>
    async () => {
      const taken = await Promise.all(taking.map((generations) => inTurn(generations, ports, commits)))
      return taken.find(E.isLeft) ?? E.right(undefined)
    }
}

interface Taking {
  readonly one: Projection
  readonly take: Project
}

const inTurn = async (
  generations: ReadonlyArray<Taking>,
  ports: ProjectPorts,
  commits: Parameters<Project>,
): Promise<E.Either<Fault, void>> => {
  const failed = new Map<Projection, Fault>()
  for (const { one, take } of generations) {
    const taken = await withoutThrowing(one, take, commits)
    if (E.isRight(taken)) continue
    if (generations.length === 1 || !isPermanent(taken.left)) return taken
    failed.set(one, taken.left)
  }
  const [first] = failed.keys()
  if (first === undefined) return E.right(undefined)
  const listed = generations.map(({ one }) => one)
  const read = await generationRead(listed, ports.views)(first.name)()
  if (E.isLeft(read)) return read
  const [{ stream }] = commits
  for (const [one, fault] of failed) {
    if (one.generation === read.right?.generation) return E.left(fault)
    ports.report?.({ level: 'error', message: NOT_TAKEN_IN, ...generationOf(one), stream, fault })
  }
  return E.right(undefined)
}

const NOT_TAKEN_IN = 'a generation that is not read cannot take a stream in'

/** What throws is a bug of the generation's code, and stops nothing but it. */
const withoutThrowing = async (
  { name, generation }: Projection,
  take: Project,
  commits: Parameters<Project>,
): Promise<E.Either<Fault, void>> => {
  try {
    return await take(...commits)()
  } catch (broken) {
    return E.left(impossible(`generation ${generation} of ${name} with ${commits[0].stream}`, broken))
  }
}

/** Where the events of a stream go; undefined where the projection hears none of them. */
export const sourceOf = ({ sources }: Projection, stream: StreamName): ProjectionSource | undefined => {
  const { category } = streamParts(stream)
  return sources.find(({ aggregate }) => aggregate.name === category)
}

/** The most commits that are applied together, and read from the log at once. */
const RUN = 100

/** The next commits after a number: those that were given, or those that are missing before the next of them. */
const runOf = async (
  store: EventStore,
  stream: StreamName,
  given: ReadonlyMap<number, Commit>,
  after: number,
): Promise<E.Either<Fault, ReadonlyArray<Commit>>> => {
  const run: Array<Commit> = []
  while (run.length < RUN) {
    const next = given.get(after + run.length + 1)
    if (next === undefined) break
    run.push(next)
  }
  if (run.length > 0) return E.right(run)
  const next = Math.min(...[...given.keys()].filter((number) => number > after))
  const page = await store.readForward(stream, { after, limit: Math.min(RUN, next - 1 - after) })()
  if (E.isLeft(page)) return page
  const { commits } = page.right
  const missing = commits.findIndex(({ number }, at) => number !== after + at + 1)
  return commits.length === 0 || missing >= 0
    ? E.left({ _tag: 'MissingCommit', stream, number: after + 1 + Math.max(0, missing) })
    : E.right(commits)
}

/** A change of a row, and the number of the commit that makes it. */
interface Numbered extends RowChange {
  readonly number: number
}

/** Applies commits of one stream that follow each other, up to one that does not decode. */
const apply = async (
  { projection, ports: { views }, write }: Taker,
  source: ProjectionSource,
  run: ReadonlyArray<Commit>,
): Promise<E.Either<Fault, void>> => {
  const generation = generationOf(projection)
  const changes = new Map<string, Array<Numbered>>()
  let applied: Commit | undefined
  let fault: E.Either<Fault, void> = E.right(undefined)
  for (const commit of run) {
    const events = recordedEvents(source.aggregate, commit)
    if (E.isLeft(events)) {
      fault = events
      break
    }
    for (const recorded of events.right)
      for (const change of source.rows(recorded)) {
        const key = JSON.stringify([change.pk, change.sk])
        const ofRow = changes.get(key)
        const numbered = { ...change, number: commit.number }
        if (ofRow === undefined) changes.set(key, [numbered])
        else ofRow.push(numbered)
      }
    applied = commit
  }
  if (applied === undefined) return fault
  const { stream, number } = applied
  for (const ofRow of changes.values()) {
    const [first] = ofRow
    if (first === undefined) continue
    const changed = await write({ stream, pk: first.pk, sk: first.sk, changes: ofRow })
    if (E.isLeft(changed)) return changed
  }
  const advanced = await views.advance(generation, stream, number)()
  return E.isLeft(advanced) ? advanced : fault
}

/** What the commits of one stream do to one row. */
interface RowWork extends RowKey {
  readonly stream: StreamName
  readonly changes: ReadonlyArray<Numbered>
}
type WriteRow = (work: RowWork) => Promise<E.Either<Fault, void>>

interface Waiting {
  readonly work: RowWork
  readonly told: PromiseWithResolvers<E.Either<Fault, void>>
}

/**
 * Writers of one row take turns, so that a projector does not compete with itself: what comes while a write is on its
 * way waits, and is one write after it, whatever the streams.
 */
const inTurns = (generation: Generation, ports: ProjectPorts): WriteRow => {
  const queues = new Map<string, Array<Waiting>>()
  const serve = async (key: string, queue: Array<Waiting>): Promise<void> => {
    for (let due = queue.splice(0); due.length > 0; due = queue.splice(0))
      await settle(generation, ports, due)
    queues.delete(key)
  }
  return (work) => {
    const key = JSON.stringify([work.pk, work.sk])
    const told = Promise.withResolvers<E.Either<Fault, void>>()
    const queue = queues.get(key)
    if (queue !== undefined) queue.push({ work, told })
    else {
      const first = [{ work, told }]
      queues.set(key, first)
      void serve(key, first)
    }
    return told.promise
  }
}

/** What throws, or can never be written, is told to those alone whose work it is. */
const settle = async (
  generation: Generation,
  ports: ProjectPorts,
  due: ReadonlyArray<Waiting>,
): Promise<void> => {
  const works = due.map(({ work }) => work)
  try {
    const changed = await changeRow(generation, ports, works)
    if (due.length === 1 || E.isRight(changed) || !isPermanent(changed.left)) {
      for (const { told } of due) told.resolve(changed)
      return
    }
  } catch (broken) {
    for (const { told } of due.length === 1 ? due : []) told.reject(broken)
    if (due.length === 1) return
  }
  for (const one of due) await settle(generation, ports, [one])
}

/** Another process that writes the row makes us read it again; each such turn means that somebody got ahead. */
const ROW_ATTEMPTS = 30

const changeRow = async (
  generation: Generation,
  { views, clock }: ProjectPorts,
  works: ReadonlyArray<RowWork>,
): Promise<E.Either<Fault, void>> => {
  const [first] = works
  if (first === undefined) return E.right(undefined)
  const { pk, sk } = first
  for (let attempt = 0; attempt < ROW_ATTEMPTS; attempt += 1) {
    if (attempt > 0) await clock.sleep(backoffMs(attempt, clock.random()))
    const row = await views.get(generation, { pk, sk })()
    if (E.isLeft(row)) return row
    const next = changedRow({ pk, sk, ...row.right }, works)
    if (next === undefined) return E.right(undefined)
    const put = await views.put(generation, next, row.right?.sources)()
    if (E.isLeft(put)) return put
    if (put.right === 'stored') return E.right(undefined)
  }
  return E.left(unavailable(`the row ${pk} ${sk}: too many writers at once`))
}

/** Undefined where the row has taken all of it in. */
const changedRow = (
  { pk, sk, value: stored, sources: before = {} }: RowKey & Partial<Row>,
  works: ReadonlyArray<RowWork>,
): Row | undefined => {
  let value = stored
  let sources = before
  for (const { stream, changes } of works) {
    const seen = sources[stream] ?? 0
    let last = seen
    for (const { number, change } of changes)
      if (number > seen) {
        value = change(value)
        last = number
      }
    if (last > seen) sources = { ...sources, [stream]: last }
  }
  if (sources === before) return undefined
  return { pk, sk, ...(value === undefined ? {} : { value }), sources }
}
