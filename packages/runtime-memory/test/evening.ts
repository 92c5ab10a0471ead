/** An evening at the bar: guests order, the barkeeper is as he is, and in the end all are served. */
import { E, unavailable } from '@everfold/core'
import { fc } from '@fast-check/vitest'
import { expect } from 'vitest'
import {
  type Bar,
  type BarOptions,
  bar,
  eventsOf,
  heard,
  type Keeper,
  order,
  PATIENCE_MS,
  rowsOf,
  served,
} from './bar.ts'

export const SECOND_MS = 1000
export const MINUTE_MS = 60 * SECOND_MS
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS

export const modes = ['stepped', 'immediate'] as const

// An evening: guests order, and the barkeeper is as he is

export interface Wish {
  readonly tab: string
  readonly afterSeconds: number
  /** How often the barkeeper drops it first; he may also break. */
  readonly drops: number
  readonly breaks: boolean
  readonly tookSeconds: number
}

export const anyEvening = fc.array(
  fc.record({
    tab: fc.constantFrom('ann', 'ben', 'cid'),
    afterSeconds: fc.nat({ max: 60 }),
    drops: fc.constantFrom(0, 0, 0, 1, 2),
    breaks: fc.boolean(),
    tookSeconds: fc.constantFrom(0, 0, 1, 45),
  }),
  { minLength: 1, maxLength: 12 },
)

/** Orders come within three hours and are served at once or hours later; no two things happen in one second. */
export const anyPatience = fc
  .array(
    fc.record({
      tab: fc.constantFrom('ann', 'ben'),
      afterMinutes: fc.nat({ max: 180 }),
      tookMinutes: fc.constantFrom(0, 0, 20, 59, 61, 150),
    }),
    { minLength: 1, maxLength: 10 },
  )
  .map(
    (visits): ReadonlyArray<Wish> =>
      visits.map(({ tab: id, afterMinutes, tookMinutes }, at) => ({
        tab: id,
        afterSeconds: 60 * afterMinutes + 2 * at,
        drops: 0,
        breaks: false,
        tookSeconds: 60 * tookMinutes + 20 * at + 21,
      })),
  )

export const drinkOf = (at: number) => `drink ${at}`

export const keeperOf = (wishes: ReadonlyArray<Wish>): Keeper => {
  const dropped = new Map<string, number>()
  return async ({ drink }, kernel) => {
    const { drops, breaks, tookSeconds } = wishes[Number(drink.slice(6))] as Wish
    await kernel.sleep(tookSeconds * SECOND_MS)
    const before = dropped.get(drink) ?? 0
    if (before >= drops) return served(drink)
    dropped.set(drink, before + 1)
    if (breaks) throw new Error('the barkeeper breaks')
    return E.left(unavailable('the barkeeper'))
  }
}

export const orderAll = (open: Bar, wishes: ReadonlyArray<Wish>) =>
  Promise.all(
    wishes.map(({ tab: id, afterSeconds }, at) =>
      open.kernel.as(`guest ${at}`, async () => {
        await open.kernel.sleep(afterSeconds * SECOND_MS)
        return order(open, id, drinkOf(at))
      }),
    ),
  )

/** All order and are served. */
export const evening = async (wishes: ReadonlyArray<Wish>, options: BarOptions): Promise<Bar> => {
  const open = bar({ keeper: keeperOf(wishes), ...options })
  await open.kernel.run(async () => {
    await orderAll(open, wishes)
    await open.runtime.idle()
  })
  return open
}

/** What was ordered and served on each tab, in order. */
const drinksBy = (open: Bar, _tag: 'Ordered' | 'Served') =>
  Map.groupBy(
    eventsOf(open, 'tab').filter(({ event }) => event._tag === _tag),
    ({ tab: id }) => id,
  )
export const tally = (open: Bar, _tag: 'Ordered' | 'Served') =>
  Object.fromEntries(
    Array.from(drinksBy(open, _tag), ([id, events]) => [id, events.map(({ event }) => event['drink'])]),
  )

/** Which timers go off, by a host who sees every tab at any time: the last order's, where not all was served by then. */
export const expectedTimers = (open: Bar): ReadonlyArray<readonly [string, number]> => {
  const timers: Array<readonly [string, number]> = []
  for (const [id, events] of Map.groupBy(eventsOf(open, 'tab'), (one) => one.tab)) {
    let waiting = 0
    let dueMs = Number.POSITIVE_INFINITY
    for (const { event, timeMs } of [
      ...events,
      { event: { _tag: 'End' }, timeMs: Number.MAX_SAFE_INTEGER },
    ]) {
      if (dueMs < timeMs) timers.push([id, dueMs])
      if (dueMs < timeMs) dueMs = Number.POSITIVE_INFINITY
      if (event._tag === 'Ordered') waiting += 1
      if (event._tag === 'Ordered') dueMs = timeMs + PATIENCE_MS
      if (event._tag === 'Served') waiting -= 1
      if (event._tag === 'Served' && waiting === 0) dueMs = Number.POSITIVE_INFINITY
    }
  }
  return timers.toSorted(([, one], [, other]) => one - other)
}

/** The answers on record that say more than that nothing changed. */
export const effectsOf = ({ runtime }: Bar) =>
  runtime.ports.log.flatMap(({ stream, answers }) =>
    answers.flatMap(({ id, events, rejection }) =>
      events.length > 0 || rejection !== undefined ? [{ stream, id, events, rejection }] : [],
    ),
  )

const countsBy = (names: ReadonlyArray<string>) =>
  Object.fromEntries(
    Array.from(
      Map.groupBy(names, (name) => name),
      ([name, all]) => [name, all.length],
    ),
  )

/** Everything that was ordered is served once and in order, and the views say so. */
export const expectServed = async (open: Bar): Promise<void> => {
  expect(tally(open, 'Served')).toEqual(tally(open, 'Ordered'))
  await expectServedInAnyOrder(open)
}

export const expectServedInAnyOrder = async (open: Bar): Promise<void> => {
  const sorted = (_tag: 'Ordered' | 'Served') =>
    Object.entries(tally(open, _tag)).map(([id, drinks]) => [id, drinks.map(String).toSorted()])
  expect(Object.fromEntries(sorted('Served'))).toEqual(Object.fromEntries(sorted('Ordered')))
  expect(open.runtime.deadLetters).toEqual([])
  const perTab = countsBy(
    eventsOf(open, 'tab').flatMap(({ tab: id, event }) => (event._tag === 'Served' ? [id] : [])),
  )
  const rows = Object.entries(perTab).map(([id, count]) => [id, { ordered: count, served: count }])
  expect(await open.kernel.run(() => rowsOf(open, 'TAB'))).toEqual(Object.fromEntries(rows))
  const happened = countsBy(heard(open, 'Happened').map(({ tab: id }) => id))
  expect(happened).toEqual(Object.fromEntries(Object.entries(perTab).map(([id, count]) => [id, 2 * count])))
}

export const anyRun = [anyEvening, fc.nat(), fc.constantFrom(...modes)] as const
