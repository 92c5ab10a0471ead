/**
 * A Lambda handler for the table's stream: takes a batch's commits in, and reports the first that was not.
 *
 * Lambda delivers again from the lowest sequence number that is reported, so what was taken in behind it comes twice,
 * and nothing is lost. The event source mapping has to have `ReportBatchItemFailures`, or else the answer is ignored.
 * An event that no record of can be named is thrown: then the whole batch comes again, halved where the mapping bisects.
 */
import { type Commit, E, type Fault, type Log, type TE, unavailable } from '@everfold/core'
import { type Arrival, streamCommits } from '../change-stream/stream-commits.ts'
import { inParallel } from '../parallel.ts'
import type { ClaimCheck } from '../store/claim-check.ts'
import type { BatchResponse } from './batch-response.ts'
import { MalformedEvent } from './malformed-event.ts'

/** What became of a commit; undefined where it was not tried, because one before it had failed. */
export type Outcome = E.Either<Fault, void> | undefined

/** Takes commits in, in any cut and any number of times; answers what became of each, at its place. */
export type WorkBatch = (commits: ReadonlyArray<Commit>) => Promise<ReadonlyArray<Outcome>>

export interface BatchConsumerOptions {
  readonly work: WorkBatch
  /** Where the parts of large commits lie. */
  readonly claimCheck?: ClaimCheck
  /**
   * Whether the mapping has `BisectBatchOnFunctionError`. Then a batch whose very first record fails is thrown, so that
   * Lambda halves it until that record is alone. Reported, it would come again whole each time, and the whole of it
   * would go to the on-failure destination in the end.
   */
  readonly bisected?: boolean
  /** Told of every record that was not taken in, and why. */
  readonly log?: Log
}

/** Answers the lowest sequence number that was not taken in. Throws `MalformedEvent` for an event that is none. */
export const batchConsumer =
  ({ work, claimCheck, bisected = false, log = () => {} }: BatchConsumerOptions) =>
  async (event: unknown): Promise<BatchResponse> => {
    const arrivals = await streamCommits(event, claimCheck)
    if (E.isLeft(arrivals)) throw new MalformedEvent('an event of a DynamoDB stream', arrivals.left)
    const outcomes = await outcomesOf(arrivals.right, work)
    for (const [at, outcome] of outcomes.entries())
      if (outcome !== undefined && E.isLeft(outcome)) {
        const subject = subjectOf(arrivals.right[at])
        log({ level: 'error', message: 'a record was not taken in', ...subject, fault: outcome.left })
      }
    const [first] = outcomes
    if (bisected && outcomes.length > 1 && first !== undefined && E.isLeft(first))
      throw new Error('the first record of the batch was not taken in', { cause: first.left })
    const failed = arrivals.right.filter((_, at) => outcomes[at]?._tag !== 'Right')
    const itemIdentifier = lowest(failed.map(({ sequenceNumber }) => sequenceNumber))
    return { batchItemFailures: itemIdentifier === undefined ? [] : [{ itemIdentifier }] }
  }

/** Up to the first record that cannot be read; what is behind it comes again with it. */
const outcomesOf = async (
  arrivals: ReadonlyArray<Arrival>,
  work: WorkBatch,
): Promise<ReadonlyArray<Outcome>> => {
  const outcomes: Array<Outcome> = Array.from({ length: arrivals.length })
  const due: Array<{ readonly at: number; readonly commit: Commit }> = []
  for (const [at, { commit }] of arrivals.entries()) {
    if (E.isLeft(commit)) {
      outcomes[at] = commit
      break
    }
    if (commit.right === undefined) outcomes[at] = TAKEN
    else due.push({ at, commit: commit.right })
  }
  const worked = due.length === 0 ? [] : await work(due.map(({ commit }) => commit))
  for (const [index, { at }] of due.entries()) outcomes[at] = worked[index]
  return outcomes
}

const TAKEN: Outcome = E.right(undefined)

const subjectOf = (arrival: Arrival | undefined): object => {
  if (arrival === undefined) return {}
  const { sequenceNumber, commit } = arrival
  return E.isLeft(commit) || commit.right === undefined
    ? { sequenceNumber }
    : { sequenceNumber, stream: commit.right.stream, commit: commit.right.number }
}

const lowest = (sequenceNumbers: ReadonlyArray<string>): string | undefined =>
  sequenceNumbers.reduce<string | undefined>(
    (least, one) => (least === undefined || BigInt(one) < BigInt(least) ? one : least),
    undefined,
  )

/** How many streams are worked on at once unless told. */
const STREAMS = 32

/**
 * Takes commits one by one: those of a stream in the batch's order, different streams beside each other. After a failure
 * nothing is begun that is behind it in the batch, since that comes again.
 */
export const byStream =
  (take: (commit: Commit) => TE.TaskEither<Fault, void>, streams: number = STREAMS): WorkBatch =>
  async (commits) => {
    const outcomes: Array<Outcome> = Array.from({ length: commits.length })
    let failed = commits.length
    await inParallel(streamsOf(commits), streams, async (placed) => {
      for (const [at, commit] of placed) {
        if (at > failed) return
        const outcome = await attempt(() => take(commit), commit)
        outcomes[at] = outcome
        if (E.isRight(outcome)) continue
        failed = Math.min(failed, at)
        return
      }
    })
    return outcomes
  }

/** The same with all commits of a stream taken together; where that fails one by one, to find the one that does. */
export const byRun = (
  take: (first: Commit, ...more: ReadonlyArray<Commit>) => TE.TaskEither<Fault, void>,
  streams: number = STREAMS,
): WorkBatch => {
  const oneByOne = byStream((commit) => take(commit), 1)
  return async (commits) => {
    const outcomes: Array<Outcome> = Array.from({ length: commits.length })
    let failed = commits.length
    await inParallel(streamsOf(commits), streams, async (placed) => {
      const run = placed.filter(([at]) => at < failed).map(([, commit]) => commit)
      const [first, ...more] = run
      if (first === undefined) return
      const together = await attempt(() => take(first, ...more), first)
      const each = E.isRight(together) ? run.map(() => together) : await oneByOne(run)
      for (const [index, [at]] of placed.entries()) {
        const outcome = each[index]
        outcomes[at] = outcome
        if (outcome !== undefined && E.isLeft(outcome)) failed = Math.min(failed, at)
      }
    })
    return outcomes
  }
}

type Placed = readonly [at: number, commit: Commit]

const streamsOf = (commits: ReadonlyArray<Commit>): Iterable<ReadonlyArray<Placed>> =>
  Map.groupBy(commits.entries(), ([, { stream }]) => stream).values()

/** A broken invariant stops its own stream, and says so; the others go on. */
const attempt = async (
  taking: () => TE.TaskEither<Fault, void>,
  { stream, number }: Commit,
): Promise<E.Either<Fault, void>> => {
  try {
    return await taking()()
  } catch (broken) {
    return E.left(unavailable(`taking in ${stream}@${number}`, broken))
  }
}
