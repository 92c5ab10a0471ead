/**
 * Publishing from the log once more, for what never reached the bus or has to reach it again.
 *
 * Nothing is published that is not in the log. Consumers number commits, or count an event once by its id, so that a
 * repeat changes nothing; this may therefore be repeated itself.
 */
import {
  type Commit,
  E,
  type EventStore,
  type Fault,
  type Scanned,
  streamParts,
  type TE,
  type Unreadable,
} from '@everfold/core'
import type { WorkBatch } from '../consumers/batch.ts'
import { SCHEDULER, SQS } from '../limits.ts'

export interface RepublishOptions {
  /** The commits that were appended from this time on, in milliseconds since 1970. */
  readonly sinceMs: number
  /** How long before its commit was appended a command may have arrived; `LONGEST_WAIT_MS` unless told. */
  readonly waitedMs?: number | undefined
  /** Up to this time, itself included; without end unless told. */
  readonly untilMs?: number | undefined
  /** Only streams of this category. */
  readonly category?: string | undefined
  /** How many parts of the log are scanned at once; 4 unless told. */
  readonly segments?: number | undefined
}

/**
 * A commit has the time of its commands, not that of its append. A timer's command waits while Scheduler tries to send
 * it, then as any other in its queue, and once more in the dead-letter queue until it is replayed.
 */
export const LONGEST_WAIT_MS = SCHEDULER.retryMs + 2 * SQS.retentionMs

export interface RepublishPorts {
  readonly store: Pick<EventStore, 'scan'>
  /** The relay; without it, what would be published is only counted. */
  readonly publish?: WorkBatch | undefined
}

/** The place of a commit that was not published, and why. */
export type Unpublished = Unreadable

export interface Republished {
  /** All commits of the log that were looked at. */
  readonly scanned: number
  /** Those that were published, and their events. */
  readonly commits: number
  readonly events: number
  /** What the bus did not take; and what cannot be read, whatever its time. */
  readonly failures: ReadonlyArray<Unpublished>
  /** False where the scan was given up, because nothing could be published any more. */
  readonly complete: boolean
}

/** What all segments come to, while they run. */
interface Tally {
  scanned: number
  commits: number
  events: number
  readonly failures: Array<Unpublished>
  /** How many failed since one went through. */
  inVain: number
}

/** So many commits in a row that the bus did not take mean that it takes none. */
const MOST_IN_VAIN = 10

/** A fault of the log as a whole ends it; a commit that cannot be read, or that the bus does not take, is gathered. */
export const republish =
  (ports: RepublishPorts, options: RepublishOptions) =>
  (onProgress: (scanned: number) => void = () => {}): TE.TaskEither<Fault, Republished> =>
  async () => {
    const { segments = 4 } = options
    const tally: Tally = { scanned: 0, commits: 0, events: 0, failures: [], inVain: 0 }
    const wanted = isWanted(options)
    const scanned = await Promise.all(
      Array.from({ length: segments }, (_, segment) =>
        scanSegment(ports.store, { segment, segments }, async ({ commits, unreadable }) => {
          tally.failures.push(...unreadable.filter(isOf(options)))
          await publishAll(ports.publish, commits.filter(wanted), tally)
          tally.scanned += commits.length + unreadable.length
          onProgress(tally.scanned)
          return tally.inVain < MOST_IN_VAIN
        }),
      ),
    )
    const { inVain: _, ...republished } = tally
    return scanned.find(E.isLeft) ?? E.right({ ...republished, complete: tally.inVain < MOST_IN_VAIN })
  }

const isWanted =
  ({ sinceMs, waitedMs = LONGEST_WAIT_MS, untilMs = Number.POSITIVE_INFINITY, category }: RepublishOptions) =>
  ({ stream, timeMs }: Commit): boolean =>
    timeMs >= sinceMs - waitedMs && timeMs <= untilMs && isOf({ category })({ stream })

/** Of what cannot be read the category is known, and the time is not. */
const isOf =
  ({ category }: Pick<RepublishOptions, 'category'>) =>
  ({ stream }: Pick<Unreadable, 'stream'>): boolean =>
    category === undefined || streamParts(stream).category === category

/** Reads the part page by page, until its end or until `take` wants no more. */
const scanSegment = async (
  store: Pick<EventStore, 'scan'>,
  part: { readonly segment: number; readonly segments: number },
  take: (page: Scanned) => Promise<boolean>,
): Promise<E.Either<Fault, void>> => {
  let cursor: string | undefined
  for (;;) {
    const page = await store.scan(cursor === undefined ? part : { ...part, cursor })()
    if (E.isLeft(page)) return page
    const goesOn = await take(page.right)
    cursor = page.right.cursor
    if (cursor === undefined || !goesOn) return E.right(undefined)
  }
}

/** The relay stops behind a failure; here what is behind it is tried, because nothing brings it again. */
const publishAll = async (
  publish: WorkBatch | undefined,
  commits: ReadonlyArray<Commit>,
  tally: Tally,
): Promise<void> => {
  let rest = commits
  while (rest.length > 0 && tally.inVain < MOST_IN_VAIN) {
    const outcomes = publish === undefined ? rest.map(() => TAKEN) : await publish(rest)
    const untried: Array<Commit> = []
    for (const [at, commit] of rest.entries()) {
      const outcome = outcomes[at]
      if (outcome === undefined) untried.push(commit)
      else count(tally, commit, outcome)
    }
    // A relay that says nothing of any commit would be asked for ever.
    if (untried.length === rest.length) tally.inVain = MOST_IN_VAIN
    rest = untried
  }
}

const TAKEN: E.Either<Fault, void> = E.right(undefined)

const count = (tally: Tally, { stream, number, answers }: Commit, outcome: E.Either<Fault, void>): void => {
  if (E.isLeft(outcome)) {
    tally.failures.push({ stream, commit: number, fault: outcome.left })
    // One that is too large says nothing of the others.
    if (outcome.left._tag === 'Unavailable') tally.inVain += 1
    return
  }
  const events = answers.reduce((sum, answer) => sum + answer.events.length, 0)
  if (events === 0) return
  tally.inVain = 0
  tally.commits += 1
  tally.events += events
}
