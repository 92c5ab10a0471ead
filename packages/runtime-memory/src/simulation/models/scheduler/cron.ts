/**
 * The calendar of a `cron(...)`: minutes, hours, day of month, month, day of week (1 is Sunday), year.
 *
 * Names, lists, ranges and steps are known; the last day, the nearest weekday and the nth weekday are not.
 * Source: EventBridge Scheduler User Guide, "Cron-based schedules" (2026-11).
 */

/** What each field allows, in their order. */
export type Cron = ReadonlyArray<ReadonlySet<number>>

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']

const FIELDS: ReadonlyArray<{
  readonly from: number
  readonly to: number
  readonly names?: ReadonlyArray<string>
}> = [
  { from: 0, to: 59 },
  { from: 0, to: 23 },
  { from: 1, to: 31 },
  { from: 1, to: 12, names: MONTHS },
  { from: 1, to: 7, names: DAYS },
  { from: 1970, to: 2199 },
]

/** Undefined for what is no cron expression that is known here. */
export const cronOf = (argument: string): Cron | undefined => {
  const texts = argument.split(' ')
  // One of the two days has to be left open.
  if (texts.length !== FIELDS.length || (texts[2] === '?') === (texts[4] === '?')) return undefined
  const fields = texts.map((text, place) => valuesOf(text, place))
  return fields.every((field) => field !== undefined) ? fields : undefined
}

const valuesOf = (text: string, place: number): ReadonlySet<number> | undefined => {
  const field = FIELDS[place]
  if (field === undefined) return undefined
  const { from, to, names = [] } = field
  const numberOf = (word: string): number =>
    names.includes(word) ? names.indexOf(word) + 1 : /^\d+$/.test(word) ? Number(word) : Number.NaN
  const values = new Set<number>()
  for (const part of text.split(',')) {
    const [range = '', step] = part.split('/')
    const whole = range === '*' || range === '?'
    const [low = '', high] = range.split('-')
    const first = whole ? from : numberOf(low)
    const last = whole || (high === undefined && step !== undefined) ? to : numberOf(high ?? low)
    const by = step === undefined ? 1 : numberOf(step)
    if (!(first >= from && first <= last && last <= to && by >= 1)) return undefined
    for (let value = first; value <= last; value += by) values.add(value)
  }
  return values
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** The first minute at or after this one, skipping at once a day, an hour or a minute that is not allowed. */
export const nextOf = (cron: Cron, fromMs: number): number | undefined => {
  const [minutes, hours, daysOfMonth, months, daysOfWeek, years] = cron
  const allowsDay = (time: Date) =>
    daysOfMonth?.has(time.getUTCDate()) === true &&
    months?.has(time.getUTCMonth() + 1) === true &&
    daysOfWeek?.has(time.getUTCDay() + 1) === true &&
    years?.has(time.getUTCFullYear()) === true
  const lastMs = Date.UTC(Math.max(...(years ?? [])) + 1, 0)
  let nowMs = fromMs
  while (nowMs < lastMs) {
    const time = new Date(nowMs)
    if (!allowsDay(time)) nowMs = (Math.floor(nowMs / DAY_MS) + 1) * DAY_MS
    else if (hours?.has(time.getUTCHours()) !== true) nowMs = (Math.floor(nowMs / HOUR_MS) + 1) * HOUR_MS
    else if (minutes?.has(time.getUTCMinutes()) !== true) nowMs += MINUTE_MS
    else return nowMs
  }
  return undefined
}
