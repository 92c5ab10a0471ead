/**
 * When a schedule is due: `at(...)` once, `rate(...)` from its beginning on, `cron(...)` by the calendar; all in UTC.
 *
 * Source: EventBridge Scheduler User Guide, "Schedule types" (2026-11).
 */
import { cronOf, nextOf } from './cron.ts'

/** The first time at or after another; undefined where there is none. */
export interface Occurrences {
  /** Of a schedule that begins at this time; what is due once is due then also where that has passed. */
  first(this: void, fromMs: number): number | undefined
  next(this: void, afterMs: number): number | undefined
}

/** Undefined for what is no expression. */
export const occurrencesOf = (expression: string): Occurrences | undefined => {
  const [, kind, argument = ''] = /^(at|rate|cron)\((.+)\)$/.exec(expression) ?? []
  switch (kind) {
    case 'at':
      return at(argument)
    case 'rate':
      return rate(argument)
    case 'cron':
      return cron(argument)
    default:
      return undefined
  }
}

const at = (time: string): Occurrences | undefined => {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(time)) return undefined
  const dueMs = Date.parse(`${time}Z`)
  // A day that its month does not have would be taken for one of the next month.
  if (Number.isNaN(dueMs) || !new Date(dueMs).toISOString().startsWith(time)) return undefined
  return { first: () => dueMs, next: () => undefined }
}

const UNITS_MS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 }

const rate = (argument: string): Occurrences | undefined => {
  const [, count = '', unit = ''] = /^([1-9]\d{0,8}) (minute|hour|day)s?$/.exec(argument) ?? []
  const everyMs = Number(count) * (UNITS_MS[unit] ?? 0)
  return everyMs === 0 ? undefined : { first: (fromMs) => fromMs, next: (afterMs) => afterMs + everyMs }
}

const MINUTE_MS = 60_000

const cron = (argument: string): Occurrences | undefined => {
  const fields = cronOf(argument)
  if (fields === undefined) return undefined
  return {
    first: (fromMs) => nextOf(fields, Math.ceil(fromMs / MINUTE_MS) * MINUTE_MS),
    next: (afterMs) => nextOf(fields, (Math.floor(afterMs / MINUTE_MS) + 1) * MINUTE_MS),
  }
}
