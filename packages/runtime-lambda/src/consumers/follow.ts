/**
 * Follows a change stream by polling and hands what it reads to a batch's work: what an event source mapping does on AWS,
 * for this machine. The checkpoint is kept once all of a page is taken in, so whatever was not comes again.
 */
import { type ChangeStream, type Clock, E, type Fault, type Log, type TE, unavailable } from '@everfold/core'
import type { Outcome, WorkBatch } from './batch.ts'

/** Where a follower keeps how far it has come. */
export interface CheckpointKeeper {
  /** Undefined where nothing is kept: then the oldest that is there is read first. */
  load(this: void): TE.TaskEither<Fault, string | undefined>
  save(this: void, checkpoint: string): TE.TaskEither<Fault, void>
}

export interface FollowOptions {
  readonly changes: ChangeStream
  readonly work: WorkBatch
  readonly checkpoints: CheckpointKeeper
  readonly clock: Clock
  /** The most commits of a page; 1,000 unless told. */
  readonly limit?: number
  /** How long to wait where nothing is new; 250 ms unless told, as often as Lambda polls a shard. */
  readonly pollMs?: number
  /** How long to wait after a fault; 1 s unless told. */
  readonly retryMs?: number
  readonly log?: Log
}

export interface Follower {
  /** No other page is begun; resolves when the one that is under way has ended. */
  stop(this: void): Promise<void>
}

/** A checkpoint in memory: for what lives no longer than what it feeds. */
export const memoryCheckpoint = (): CheckpointKeeper => {
  let kept: string | undefined
  return {
    load: () => async () => E.right(kept),
    save: (checkpoint) => async () => {
      kept = checkpoint
      return E.right(undefined)
    },
  }
}

/** Reads one page and has it worked on; answers how many commits it held. On a fault the checkpoint stays where it is. */
export const followOnce =
  (
    options: Pick<FollowOptions, 'changes' | 'work' | 'checkpoints' | 'limit'>,
  ): TE.TaskEither<Fault, number> =>
  async () => {
    const { changes, work, checkpoints, limit = 1000 } = options
    const from = await checkpoints.load()()
    if (E.isLeft(from)) return from
    const page = await changes.read(from.right, limit)()
    if (E.isLeft(page)) return page
    const { commits, checkpoint } = page.right
    const outcomes = commits.length === 0 ? [] : await work(commits)
    const fault = faultOf(outcomes, commits.length)
    if (fault !== undefined) return E.left(fault)
    const saved = checkpoint === from.right ? E.right(undefined) : await checkpoints.save(checkpoint)()
    return E.isLeft(saved) ? saved : E.right(commits.length)
  }

const faultOf = (outcomes: ReadonlyArray<Outcome>, length: number): Fault | undefined => {
  const failed = outcomes.find((outcome) => outcome !== undefined && E.isLeft(outcome))
  if (failed !== undefined && E.isLeft(failed)) return failed.left
  const all = outcomes.length === length && !outcomes.includes(undefined)
  return all ? undefined : unavailable('a commit was not taken in')
}

/** Follows until it is stopped. A fault is logged and tried again, for ever: nothing is passed over. */
export const follow = (options: FollowOptions): Follower => {
  const { clock, pollMs = 250, retryMs = 1000, log = () => {} } = options
  const state = { stopped: false }
  const run = async () => {
    while (!state.stopped) {
      const followed = await attempt(options)
      if (E.isLeft(followed))
        log({ level: 'error', message: 'the follower is held up', fault: followed.left })
      if (state.stopped) return
      if (E.isLeft(followed)) await clock.sleep(retryMs)
      else if (followed.right === 0) await clock.sleep(pollMs)
    }
  }
  const running = run()
  return {
    stop: () => {
      state.stopped = true
      return running
    },
  }
}

const attempt = async (options: FollowOptions): Promise<E.Either<Fault, number>> => {
  try {
    return await followOnce(options)()
  } catch (broken) {
    return E.left(unavailable('taking a page in', broken))
  }
}
