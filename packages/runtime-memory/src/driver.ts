/** Drives a virtual world: lets everything that runs come to rest, then the next thing happen, and so on. */
import type { Actors } from './actors.ts'
import type { World } from './virtual-world.ts'

export interface Driver {
  /** Drives until `main` has settled. Throws where nothing can happen any more and it has not. */
  run<A>(this: void, main: () => Promise<A>): Promise<A>
  /** Drives until nothing is parked and no timer is due up to then (now, unless told), and it is then. */
  settle(this: void, untilMs?: number): Promise<void>
  /**
   * Drives until nothing can happen up to `horizonMs`, or until `enough`, which is asked after each step. Answers whether
   * it came to rest.
   */
  drive(this: void, horizonMs: number, enough: () => boolean): Promise<boolean>
  /** Work that is not made of our effects (an SDK in process): nothing else moves until it has settled. */
  outside<A>(this: void, work: () => Promise<A>): Promise<A>
  /** Without anybody who drives, sleepers wake once everything else waits. */
  pump(this: void, dueMs: number): void
}

/** Captured when the module loads, because a simulation may replace the global one. */
const macrotask = setImmediate

/** Promise jobs are drained before a macrotask starts, and what a library defers to the next turn is not far behind. */
const turn = (): Promise<void> => new Promise((resolve) => void macrotask(resolve))

/** From a promise job on: a tick starts when all of those are drained. Four times as fast, for what uses promises alone. */
const jobs = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve))

export const driverOf = (world: World, actors: Actors, waits: 'turns' | 'promises'): Driver => {
  let driving = false
  /** Until when those sleep who began to while somebody drove, who may leave them asleep. */
  let owedMs: number | undefined
  const foreign = new Set<Promise<unknown>>()
  const quiet = waits === 'turns' ? turn : jobs
  const idle = async () => {
    await quiet()
    while (foreign.size > 0) {
      await Promise.allSettled(foreign)
      await turn()
    }
  }
  const driven = async <A>(body: () => Promise<A>): Promise<A> => {
    if (driving) throw new Error('the kernel is already being driven: inside a run, wait with its sleep')
    driving = true
    try {
      // What called us runs to its end first, whatever kind of job it is.
      await turn()
      return await body()
    } finally {
      driving = false
      const dueMs = owedMs
      owedMs = undefined
      if (dueMs !== undefined) pump(dueMs)
    }
  }
  const run = <A>(main: () => Promise<A>) =>
    driven(async () => {
      let settled = false
      const ended = () => {
        settled = true
      }
      const result = actors.as('main', main)
      result.then(ended, ended)
      for (;;) {
        await idle()
        if (settled) return result
        if (!world.step(Number.POSITIVE_INFINITY)) throw deadlock(actors)
      }
    })
  const settle = (untilMs: number = world.nowMs()) =>
    driven(async () => {
      do await idle()
      while (world.step(untilMs))
      world.reach(untilMs)
    })
  const drive = (horizonMs: number, enough: () => boolean) =>
    driven(async () => {
      for (;;) {
        await idle()
        const done = enough()
        if (!done && world.step(horizonMs)) continue
        // A promise that was rejected with nobody to hear it is told of before the next turn.
        await turn()
        return !done
      }
    })
  const outside = <A>(work: () => Promise<A>): Promise<A> => {
    const working = work()
    foreign.add(working)
    const ended = () => void foreign.delete(working)
    working.then(ended, ended)
    return working
  }
  const pump = (dueMs: number) => {
    if (driving) owedMs = Math.max(dueMs, owedMs ?? dueMs)
    else void wake(dueMs)
  }
  const wake = async (dueMs: number) => {
    for (;;) {
      await idle()
      if (driving) return pump(dueMs)
      if (world.nowMs() > dueMs || !world.step(dueMs)) return
    }
  }
  return { run, settle, drive, outside, pump }
}

const deadlock = (actors: Actors): Error =>
  new Error(`nothing is parked, no timer is set, and these still wait: ${actors.waiting().join('; ')}`)
