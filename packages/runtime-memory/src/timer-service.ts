/**
 * Timers in memory, on the kernel's clock.
 *
 * An id that was scheduled is known for ever: scheduled again after it fired or was canceled, it does nothing.
 */
import { E, type Timer, type TimerService } from '@everfold/core'
import { failuresOf } from './failing.ts'
import type { Kernel } from './kernel.ts'

/** Takes a due timer; where it fails, the timer fires again a little later. */
export type Fire = (timer: Timer) => Promise<void>

export interface MemoryTimerService extends TimerService {
  /** The timers that have neither fired nor been canceled, in no order. */
  pending(this: void): ReadonlyArray<Timer>
}

const { writing } = failuresOf('the timer service')

/** The first wait before a failed timer fires again; doubled each time, to a minute at most. */
const RETRY_MS = 1000
const LONGEST_RETRY_MS = 60_000

export interface TimerOptions {
  /** Told of every timer that is set, and of every one that is canceled. */
  readonly scheduled?: (id: string) => void
  readonly canceled?: (id: string) => void
}

export const memoryTimerService = (
  kernel: Kernel,
  fire: Fire,
  options: TimerOptions = {},
): MemoryTimerService => {
  const perform = kernel.port('timer-service')
  const known = new Set<string>()
  const pending = new Map<string, { readonly timer: Timer; cancel: () => void }>()
  const arm = (timer: Timer, dueMs: number, retryMs: number): (() => void) =>
    kernel.at(
      dueMs,
      `timer ${timer.id}`,
      () => void kernel.as(`timer ${timer.id}`, () => due(timer, retryMs)),
    )
  const due = async (timer: Timer, retryMs: number): Promise<void> => {
    try {
      await fire(timer)
      pending.delete(timer.id)
    } catch {
      const waiting = pending.get(timer.id)
      if (waiting === undefined) return
      waiting.cancel = arm(timer, kernel.nowMs() + retryMs, Math.min(2 * retryMs, LONGEST_RETRY_MS))
    }
  }
  const schedule = (timer: Timer) => {
    if (known.has(timer.id)) return
    known.add(timer.id)
    options.scheduled?.(timer.id)
    pending.set(timer.id, { timer, cancel: arm(timer, timer.dueMs, RETRY_MS) })
  }
  const cancel = (id: string) => {
    options.canceled?.(id)
    pending.get(id)?.cancel()
    pending.delete(id)
  }
  return {
    schedule: (timer) => () => perform('schedule', timer.id, () => E.right(schedule(timer)), writing),
    cancel: (id) => () => perform('cancel', id, () => E.right(cancel(id)), writing),
    pending: () => [...pending.values()].map(({ timer }) => timer),
  }
}
