/**
 * Rebuilding a view: a new generation is filled from the log beside the one that is read, and readers are switched to
 * it at zero lag.
 *
 * The live feed must reach the new generation from before the call on, and each commit before it reaches the one that is
 * read (`projectAll`). The scan meets what was appended before; the feed meets the rest. What others took into the old
 * generation alone (a projector of the last deploy that was still at work) is found by comparing the two: where the new
 * one is behind it is caught up from the log, until a pass finds nothing behind. Only then readers are switched.
 *
 * Law: what readers have seen of a stream never goes back, neither before the switch nor by it nor after it. All that is
 * done is kept, so a rebuild that was interrupted is run again, and passes over what it has.
 */
import type { Position } from './commit.ts'
import type { Fault } from './fault.ts'
import { E, type TE } from './fp.ts'
import type { Generation, ViewStore } from './ports/view-store.ts'
import {
  generationOf,
  generationRead,
  type Projection,
  type ProjectPorts,
  project,
  sourceOf,
} from './projection.ts'

export interface RebuildOptions {
  /** How many parts of the log are read at once. */
  readonly segments: number
  /** The projections of the readers' code, which tell what is read while no generation was ever activated. */
  readonly listed?: ReadonlyArray<Projection>
  /** How often the generations are compared before the switch is refused; 10 times unless told. */
  readonly passes?: number
  /** Told after every page of the log and every pass. */
  readonly onProgress?: (progress: RebuildProgress) => void
}

/** How far a rebuild is. */
export interface RebuildProgress {
  /** Commits that the scan has met. */
  readonly commits: number
  /** Rows that were written. */
  readonly rows: number
  readonly segments: number
  readonly segmentsDone: number
  /** How often the generations were compared. */
  readonly passes: number
  /** The streams that the last pass found behind, and caught up. */
  readonly behind: number
}

/** A stream that the new generation has taken in up to `commit`, and the one that is read up to `read`. */
export interface Lag extends Position {
  readonly read: number
}

export type Rebuilt =
  | { readonly _tag: 'Switched'; readonly progress: RebuildProgress }
  /** Readers still read what they did: some streams (the first of them are named) stayed behind it. */
  | { readonly _tag: 'Behind'; readonly progress: RebuildProgress; readonly streams: ReadonlyArray<Lag> }

export const rebuild =
  (projection: Projection, ports: ProjectPorts, options: RebuildOptions): TE.TaskEither<Fault, Rebuilt> =>
  async () => {
    const work = workOf(projection, ports, options)
    const { segments, passes = 10 } = options
    const scans = Array.from({ length: segments }, (_, segment) => scan(work, { segment, segments }))
    for (const scanned of await Promise.all(scans)) if (E.isLeft(scanned)) return scanned
    let streams: ReadonlyArray<Lag> = []
    for (let pass = 0; pass < passes; pass += 1) {
      const lags = await compare(work, options.listed)
      if (E.isLeft(lags)) return lags
      streams = lags.right
      if (work.progress().behind > 0) continue
      const activated = await ports.views.activate(generationOf(projection))()
      return E.isLeft(activated) ? activated : E.right({ _tag: 'Switched', progress: work.progress() })
    }
    return E.right({ _tag: 'Behind', progress: work.progress(), streams })
  }

interface Work {
  readonly projection: Projection
  readonly generation: Generation
  readonly ports: ProjectPorts
  readonly take: ReturnType<typeof project>
  progress(this: void): RebuildProgress
  report(this: void, news: Partial<RebuildProgress>): void
}

const workOf = (projection: Projection, ports: ProjectPorts, options: RebuildOptions): Work => {
  const { segments, onProgress = () => {} } = options
  let progress: RebuildProgress = { commits: 0, rows: 0, segments, segmentsDone: 0, passes: 0, behind: 0 }
  const stored = () => {
    progress = { ...progress, rows: progress.rows + 1 }
  }
  return {
    projection,
    generation: generationOf(projection),
    ports,
    take: project(projection, { ...ports, views: counting(ports.views, stored) }),
    progress: () => progress,
    report: (news) => {
      progress = { ...progress, ...news }
      onProgress(progress)
    },
  }
}

const counting = (views: ViewStore, stored: () => void): ViewStore => ({
  ...views,
  put: (...row) => {
    const put = views.put(...row)
    return async () => {
      const outcome = await put()
      if (E.isRight(outcome) && outcome.right === 'stored') stored()
      return outcome
    }
  },
})

const scan = async (
  { ports, take, progress, report }: Work,
  part: { readonly segment: number; readonly segments: number },
): Promise<E.Either<Fault, void>> => {
  let cursor: string | undefined
  for (;;) {
    const page = await ports.store.scan(cursor === undefined ? part : { ...part, cursor })()
    if (E.isLeft(page)) return page
    // A view without what cannot be read would be another one.
    const [unreadable] = page.right.unreadable
    if (unreadable !== undefined) return E.left(unreadable.fault)
    for (const commit of page.right.commits) {
      const taken = await take(commit)()
      if (E.isLeft(taken)) return taken
    }
    cursor = page.right.cursor
    const { commits, segmentsDone } = progress()
    report({
      commits: commits + page.right.commits.length,
      segmentsDone: segmentsDone + (cursor === undefined ? 1 : 0),
    })
    if (cursor === undefined) return E.right(undefined)
  }
}

/** How many of the streams that are behind are named. */
const NAMED = 100
/** How many streams are compared at once. */
const AT_ONCE = 32

/** Catches up every stream that readers have seen more of; answers those that were behind, the first of them. */
const compare = async (
  work: Work,
  listed: ReadonlyArray<Projection> = [work.projection],
): Promise<E.Either<Fault, ReadonlyArray<Lag>>> => {
  const { projection, generation, ports, progress, report } = work
  const read = await generationRead(listed, ports.views)(projection.name)()
  if (E.isLeft(read)) return read
  const named: Array<Lag> = []
  let behind = 0
  let cursor: string | undefined
  do {
    if (read.right === undefined || read.right.generation === generation.generation) break
    const page = await ports.views.progresses(read.right, cursor)()
    if (E.isLeft(page)) return page
    const { streams } = page.right
    for (let at = 0; at < streams.length; at += AT_ONCE) {
      const some = streams.slice(at, at + AT_ONCE)
      for (const lag of await Promise.all(some.map((position) => catchUp(work, position)))) {
        if (E.isLeft(lag)) return lag
        if (lag.right === undefined) continue
        behind += 1
        if (named.length < NAMED) named.push(lag.right)
      }
    }
    cursor = page.right.cursor
  } while (cursor !== undefined)
  report({ passes: progress().passes + 1, behind })
  return E.right(named)
}

/** What the log does not have stays behind: then the view that is read was made of another log. */
const catchUp = async (
  { projection, generation, ports, take }: Work,
  { stream, commit: read }: Position,
): Promise<E.Either<Fault, Lag | undefined>> => {
  if (sourceOf(projection, stream) === undefined) return E.right(undefined)
  const taken = await ports.views.progress(generation, stream)()
  if (E.isLeft(taken)) return taken
  if (taken.right >= read) return E.right(undefined)
  const page = await ports.store.readForward(stream, { after: read - 1, limit: 1 })()
  if (E.isLeft(page)) return page
  for (const newest of page.right.commits) {
    const caughtUp = await take(newest)()
    if (E.isLeft(caughtUp)) return caughtUp
  }
  return E.right({ stream, commit: taken.right, read })
}
