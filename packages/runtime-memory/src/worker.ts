/** Workers: each does its work when it is woken, one at a time, until there is none left; tasks go on beside them. */
import type { Kernel } from './kernel.ts'

export interface Worker {
  wake(this: void): void
}

export interface Crew {
  /** `work` does one portion and answers whether there may be more. */
  worker(this: void, name: string, work: () => Promise<boolean>): Worker
  /** Does something beside the workers; until it has ended, the crew is not idle. */
  aside<A>(this: void, name: string, task: () => Promise<A>): Promise<A>
  /** Resolves when no worker and no task has anything left to do; timers that are not due do not count. */
  idle(this: void): Promise<void>
  /** No worker begins another portion. */
  stop(this: void): void
  stopped(this: void): boolean
}

export const crewOf = (kernel: Kernel): Crew => {
  let busy = 0
  const state = { stopped: false }
  const waiting: Array<() => void> = []
  const aside = async <A>(name: string, task: () => Promise<A>): Promise<A> => {
    busy += 1
    try {
      return await kernel.as(name, task)
    } finally {
      busy -= 1
      if (busy === 0) for (const resolve of waiting.splice(0)) resolve()
    }
  }
  const worker = (name: string, work: () => Promise<boolean>): Worker => {
    let running = false
    let again = false
    const run = async () => {
      try {
        while (again && !state.stopped) {
          again = false
          while (!state.stopped && (await work()));
        }
      } finally {
        running = false
      }
    }
    const wake = () => {
      again = true
      if (running || state.stopped) return
      running = true
      void aside(name, run)
    }
    return { wake }
  }
  const idle = (): Promise<void> =>
    busy === 0 ? Promise.resolve() : new Promise((resolve) => void waiting.push(resolve))
  return {
    worker,
    aside,
    idle,
    stop: () => {
      state.stopped = true
    },
    stopped: () => state.stopped,
  }
}
