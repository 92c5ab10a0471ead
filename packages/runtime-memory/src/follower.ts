/**
 * A follower: takes every commit of the change stream, from its beginning on.
 *
 * Where it is told of what is appended it reads up to the end and rests. Where it has to poll, it begins with reading up
 * to what looks like the end, and reads on whenever something was appended here, until it has taken that; otherwise it
 * looks from time to time for what others append. Law: a follower is at work while there is anything that was appended here and that it has not taken.
 */
import { type ChangeStream, type Commit, E } from '@everfold/core'
import type { DeadLetterOffice, Outcome } from './dead-letters.ts'
import type { Kernel } from './kernel.ts'
import type { WatchedReader } from './watch.ts'
import type { Crew, Worker } from './worker.ts'

export interface Following {
  readonly kernel: Kernel
  readonly crew: Crew
  readonly office: DeadLetterOffice
  readonly changes: ChangeStream
  /** What it has to poll for, and how often where nothing is awaited; absent where it is told. */
  readonly polling?: { reader(this: void): WatchedReader; readonly everyMs: number }
}

/** The most commits that are read at once. */
const CHANGES = 100
/** How long a follower waits after a fault before it tries again. */
const RETRY_MS = 1000
/** How long it waits for what it knows to come. */
const AWAITED_MS = 20
/**
 * A change stream may be empty for once though it has more, behind shards that were closed. When a follower begins, so
 * many times in a row look like the end: DynamoDB closes a shard every four hours and keeps it for a day.
 */
const EMPTY_READS = 10

export const follower = (
  { kernel, crew, office, changes, polling }: Following,
  name: string,
  take: (commit: Commit) => Promise<Outcome>,
): Worker => {
  const reader = polling?.reader()
  let checkpoint: string | undefined
  let emptyReads = 0
  let begun = false
  let cancel: (() => void) | undefined
  const later = async (fault: Parameters<DeadLetterOffice['retrying']>[1]): Promise<true> => {
    office.retrying(name, fault)
    await kernel.sleep(RETRY_MS)
    return true
  }
  const worker = crew.worker(name, async () => {
    const read = await changes.read(checkpoint, CHANGES)()
    if (E.isLeft(read)) return later(read.left)
    const { commits } = read.right
    for (const commit of commits) {
      if (crew.stopped()) return false
      const taken = await office.attempt(`${name}: ${commit.stream}@${commit.number}`, () => take(commit))
      if (E.isLeft(taken)) return later(taken.left)
      reader?.took(commit)
    }
    ;({ checkpoint } = read.right)
    emptyReads = commits.length > 0 ? 0 : emptyReads + 1
    return commits.length > 0 || awaitsMore()
  })
  const awaitsMore = async (): Promise<boolean> => {
    if (polling === undefined || reader === undefined) return false
    begun ||= emptyReads >= EMPTY_READS
    if (reader.isBehind() || !begun) {
      await kernel.sleep(AWAITED_MS)
      return true
    }
    cancel?.()
    if (polling.everyMs < Number.POSITIVE_INFINITY)
      cancel = kernel.at(kernel.nowMs() + polling.everyMs, `${name} looks again`, worker.wake)
    return false
  }
  return worker
}
