/**
 * The relay: publishes what was committed, and only that, on an EventBridge bus.
 *
 * It is given commits of the table's stream or of the log, so nothing is on the bus that is not in the log. Every event
 * is published at least once; the bus promises no order, so consumers number, or count an event once by its id.
 */
import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge'
import { type Commit, E, type Fault, unavailable } from '@everfold/core'
import type { Outcome, WorkBatch } from '../consumers/batch.ts'
import { inParallel } from '../parallel.ts'
import { type Patience, patiently } from '../patience.ts'
import { callsOf, type Entry, entryOf, type Publication } from './entries.ts'
import { publishedEvents } from './published-event.ts'

export interface RelayOptions extends Publication, Patience {
  readonly client: EventBridgeClient
  /** How many calls are under way at once; 8 unless told. */
  readonly calls?: number
}

const CALLS = 8

/** A commit counts as taken in once the bus has accepted all of its events. */
export const relay =
  (options: RelayOptions): WorkBatch =>
  async (commits) => {
    const { entries, progress } = await prepared(options, commits)
    let failed = commits.length
    await inParallel(callsOf(entries), options.calls ?? CALLS, async (call) => {
      // What is behind a failure comes again with it.
      if (call.every(({ at }) => at > failed)) return
      const outcomes = await put(options, call)
      for (const [index, { at }] of call.entries()) {
        const outcome = outcomes[index]
        const of = progress[at]
        if (outcome === undefined || of === undefined) continue
        if (E.isRight(outcome)) of.open -= 1
        else {
          of.fault ??= outcome.left
          failed = Math.min(failed, at)
        }
      }
    })
    return commits.map((_, at) => outcomeOf(progress[at]))
  }

/** How many of a commit's events the bus has not accepted, and why it refused one. */
interface Progress {
  open: number
  fault?: Fault
}

const outcomeOf = (progress: Progress | undefined): Outcome => {
  if (progress?.fault !== undefined) return E.left(progress.fault)
  return progress?.open === 0 ? E.right(undefined) : undefined
}

/** An entry, and the place of its commit in the batch. */
interface Placed extends Entry {
  readonly at: number
}

interface Prepared {
  readonly entries: ReadonlyArray<Placed>
  readonly progress: ReadonlyArray<Progress>
}

/** The entries of the commits, up to one that no entry can be made of. */
const prepared = async (publication: Publication, commits: ReadonlyArray<Commit>): Promise<Prepared> => {
  const entries: Array<Placed> = []
  const progress: Array<Progress> = []
  for (const [at, commit] of commits.entries()) {
    const published = publishedEvents(commit)
    const own: Array<Placed> = []
    for (const one of published) {
      const entry = await entryOf(publication, one)
      if (E.isLeft(entry)) return { entries, progress: [...progress, { open: 1, fault: entry.left }] }
      own.push({ ...entry.right, at })
    }
    entries.push(...own)
    progress.push({ open: own.length })
  }
  return { entries, progress }
}

/** An entry that the bus did not take, in the words of its result. */
class EntryRefused extends Error {
  override readonly name: string

  constructor(code: string, message: string | undefined) {
    super(message ?? code)
    this.name = code
  }
}

/** What to try again. Source: AWS SDK, PutEventsResultEntry (2026-11). */
const RETRIABLE: ReadonlySet<string> = new Set(['InternalFailure', 'ThrottlingException'])

/** Puts the entries of one call; those that the bus may take later are put again, in their order, and only those. */
const put = async (
  options: RelayOptions,
  call: ReadonlyArray<Entry>,
): Promise<ReadonlyArray<E.Either<Fault, void>>> => {
  const { client, bus } = options
  const outcomes: Array<E.Either<Fault, void>> = []
  let pending = call.map((entry, index) => ({ entry, index }))
  const refused = (cause: unknown) => E.left(unavailable(`the bus ${bus}`, cause))
  const settled = await patiently(options, async () => {
    const input = { Entries: pending.map(({ entry }) => entry.input) }
    const { Entries: results = [] } = await client.send(new PutEventsCommand(input))
    let again: EntryRefused | undefined
    pending = pending.filter(({ index }, at) => {
      const { EventId: accepted, ErrorCode: code, ErrorMessage: message } = results[at] ?? {}
      // No word about an entry is no word that it was taken.
      const error = new EntryRefused(code ?? 'InternalFailure', message)
      const retry = accepted === undefined && RETRIABLE.has(error.name)
      if (retry) again ??= error
      else outcomes[index] = accepted === undefined ? refused(error) : E.right(undefined)
      return retry
    })
    if (again !== undefined) throw again
  })
  if (E.isLeft(settled)) for (const { index } of pending) outcomes[index] = refused(settled.left)
  return outcomes
}
