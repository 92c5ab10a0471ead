/** What can happen next on virtual time: parked effects and timers, one at a time, and time that stands still meanwhile. */
import { type Agenda, agenda } from './agenda.ts'

/** One thing that can happen next. */
interface Parked {
  readonly key: string
  readonly happen: () => void
}

interface Timer {
  readonly key: string
  readonly callback: () => void
  canceled: boolean
}

export interface World {
  nowMs(this: void): number
  /** `later` is how many others may overtake it. */
  park(this: void, parked: Parked, later: number): void
  schedule(this: void, dueMs: number, key: string, callback: () => void): () => void
  /** Lets the next thing happen, at a time up to the horizon; false where there is none. */
  step(this: void, horizonMs: number): boolean
  /** Moves time on, never back. */
  reach(this: void, timeMs: number): void
  readonly trace: Array<string>
}

export const virtualWorld = (startMs: number, overtaking: (key: string) => number): World => {
  const parked = agenda<Parked>()
  const timers = agenda<Timer>()
  const trace: Array<string> = []
  let nowMs = startMs
  let steps = 0
  const park = (one: Parked, later: number) => parked.add(steps + later, one)
  const reach = (timeMs: number) => {
    nowMs = Math.max(nowMs, timeMs)
  }
  const step = (horizonMs: number): boolean => {
    if (parked.size() === 0) reach(nextDue(timers, horizonMs) ?? nowMs)
    // Timers that are due compete with the effects, so that actors who wake at one time interleave.
    for (let due = dueTimer(timers, nowMs); due !== undefined; due = dueTimer(timers, nowMs)) {
      const { callback } = due
      const key = `${nowMs} ${due.key}`
      park({ key, happen: callback }, overtaking(key))
    }
    const next = parked.take()
    if (next === undefined) return false
    steps += 1
    trace.push(next.key)
    next.happen()
    return true
  }
  const schedule = (dueMs: number, key: string, callback: () => void) => {
    const timer: Timer = { key, callback: () => (timer.canceled ? undefined : callback()), canceled: false }
    timers.add(dueMs, timer)
    return () => {
      timer.canceled = true
    }
  }
  return { nowMs: () => nowMs, park, schedule, step, reach, trace }
}

/** When the next timer is due, if that is not after the horizon. */
const nextDue = (timers: Agenda<Timer>, horizonMs: number): number | undefined => {
  while (timers.peek()?.item.canceled === true) timers.take()
  const next = timers.peek()
  return next === undefined || next.rank > horizonMs ? undefined : next.rank
}

const dueTimer = (timers: Agenda<Timer>, nowMs: number): Timer | undefined =>
  nextDue(timers, nowMs) === undefined ? undefined : timers.take()
