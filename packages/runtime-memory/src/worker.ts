/** Workers: each does its work when it is woken, one at a time, until there is none left. */
import type { Kernel } from './kernel.ts'

export interface Worker {
  wake(this: void): void
}

export interface Crew {
  /** `work` does one portion and answers whether there may be more. */
  worker(this: void, name: string, work: () => Promise<boolean>): Worker
  /** Resolves when no worker has anything left to do; timers that are not due do not count. */
  idle(this: void): Promise<void>
  /** No worker begins another portion. */
  stop(this: void): void
}

export const crewOf = (kernel: Kernel): Crew => {
  let busy = 0
  const state = { stopped: false }
  const waiting: Array<() => void> = []
  const rest = () => {
    busy -= 1
    if (busy === 0) for (const resolve of waiting.splice(0)) resolve()
  }
  const worker = (name: string, work: () => Promise<boolean>): Worker => {
    let running = false
    let again = false
    const run = async () => {
      do {
        again = false
        while (!state.stopped && (await work()));
      } while (again && !state.stopped)
      running = false
      rest()
    }
    const wake = () => {
      again = true
      if (running || state.stopped) return
      running = true
      busy += 1
      void kernel.as(name, run)
    }
    return { wake }
  }
  const idle = (): Promise<void> =>
    busy === 0 ? Promise.resolve() : new Promise((resolve) => void waiting.push(resolve))
  return {
    worker,
    idle,
    stop: () => {
      state.stopped = true
    },
  }
}
