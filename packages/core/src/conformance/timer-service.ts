/** What every timer service must do. */
import type { Timer, TimerService } from '../ports/timer-service.ts'
import { holds, rightOf, type Suite, same, suite, type Time } from './suite.ts'

export interface Firing {
  readonly timer: Timer
  readonly atMs: number
}

export interface TimerServiceHarness extends Time {
  readonly timers: TimerService
  nowMs(this: void): number
  /** Every firing so far. */
  fired(this: void): ReadonlyArray<Firing>
}

/** How long after its due time a timer may take, in milliseconds. */
const SLACK_MS = 120_000

/** `run` tells this run's timers from those of others. */
export const timerServiceSuite = (make: () => Promise<TimerServiceHarness>, run: string = 'run'): Suite =>
  suite(make, run, {
    'a timer fires at or after its due time, with its payload': async (harness, name) => {
      const timer = timerOf(harness, name, 60_000)
      rightOf(await harness.timers.schedule(timer)())
      await harness.advance(30_000)
      same(firingsOf(harness, name), [], 'not before')
      await harness.advance(30_000 + SLACK_MS)
      const firings = firingsOf(harness, name)
      holds(firings.length >= 1, 'it fired')
      for (const firing of firings) {
        holds(firing.atMs >= timer.dueMs, 'at or after its due time')
        same(firing.timer, timer, 'as it was scheduled')
      }
    },
    'a timer that is already due fires': async (harness, name) => {
      rightOf(await harness.timers.schedule(timerOf(harness, name, -60_000))())
      await harness.advance(SLACK_MS)
      holds(firingsOf(harness, name).length >= 1, 'it fired')
    },
    'a timer that was canceled in time does not fire': async (harness, name) => {
      rightOf(await harness.timers.schedule(timerOf(harness, name, 600_000))())
      rightOf(await harness.timers.schedule(timerOf(harness, `${name}/other`, 600_000))())
      await harness.advance(1000)
      rightOf(await harness.timers.cancel(name)())
      await harness.advance(600_000 + SLACK_MS)
      same(firingsOf(harness, name), [], 'never')
      holds(firingsOf(harness, `${name}/other`).length >= 1, 'the other one did')
    },
    'scheduling an id again replaces nothing': async (harness, name) => {
      const timer = timerOf(harness, name, 60_000)
      rightOf(await harness.timers.schedule(timer)())
      rightOf(await harness.timers.schedule({ ...timer, dueMs: timer.dueMs + 1000, payload: 'other' })())
      await harness.advance(60_000 + SLACK_MS)
      const firings = firingsOf(harness, name)
      holds(firings.length >= 1, 'it fired')
      for (const firing of firings) same(firing.timer, timer, 'as it was scheduled first')
    },
    'canceling what was never scheduled, or has fired, is nothing': async (harness, name) => {
      rightOf(await harness.timers.cancel(name)())
      rightOf(await harness.timers.schedule(timerOf(harness, name, 1000))())
      await harness.advance(1000 + SLACK_MS)
      holds(firingsOf(harness, name).length >= 1, 'it fired')
      rightOf(await harness.timers.cancel(name)())
    },
    'timers fire in any number, each at its own time': async (harness, name) => {
      const timers = Array.from({ length: 20 }, (_, at) =>
        timerOf(harness, `${name}/${at}`, 1000 * ((at * 7) % 20)),
      )
      for (const timer of timers) rightOf(await harness.timers.schedule(timer)())
      await harness.advance(20_000 + SLACK_MS)
      for (const timer of timers) {
        const firings = firingsOf(harness, timer.id)
        holds(firings.length >= 1, `${timer.id} fired`)
        holds(
          firings.every(({ atMs }) => atMs >= timer.dueMs),
          `${timer.id} did not fire early`,
        )
      }
    },
  })

const timerOf = ({ nowMs }: TimerServiceHarness, id: string, inMs: number): Timer => ({
  id,
  dueMs: nowMs() + inMs,
  payload: { for: id },
})

const firingsOf = ({ fired }: TimerServiceHarness, id: string): ReadonlyArray<Firing> =>
  fired().filter(({ timer }) => timer.id === id)
