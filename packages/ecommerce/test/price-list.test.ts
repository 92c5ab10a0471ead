import { accept, decodeEvent, E, fold, reject } from '@everfold/core'
import { anyContext, given, laws, valid } from '@everfold/core/testing'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { Currency, PriceList, Quantities } from '../src/index.ts'

const command = valid(PriceList.PriceCommand)
const event = valid(PriceList.PriceEvent)
const prices = given(PriceList.decider)
const at = (timeMs: number) => ({ ...anyContext, timeMs })

const terms = (amount: number, currency = 'USD') => ({
  price: { amount, currency },
  taxClass: 'standard',
  taxIncluded: false,
})
const set = (amount: number, currency = 'USD') => command({ _tag: 'SetPrice', ...terms(amount, currency) })
const schedule = (amount: number, validFromMs: number, validUntilMs: number) =>
  command({ _tag: 'SchedulePrice', ...terms(amount), validFromMs, validUntilMs })
const wasSet = (version: number, amount: number) => event({ _tag: 'PriceSet', version, ...terms(amount) })
const wasScheduled = (version: number, amount: number, validFromMs: number, validUntilMs: number) =>
  event({ _tag: 'PriceScheduled', version, ...terms(amount), validFromMs, validUntilMs, scheduledAtMs: 0 })

const removed = (version: number) => event({ _tag: 'PriceRemoved', version })

const anyTime = fc.integer({ min: 0, max: 60 })
const anyCommand = fc.oneof(
  fc.integer({ min: 0, max: 3 }).map((amount) => set(amount)),
  fc
    .tuple(fc.integer({ min: 0, max: 3 }), anyTime, anyTime)
    .map(([amount, from, to]) => schedule(amount, from, to)),
  fc.constant(command({ _tag: 'RemovePrice' })),
  fc.integer({ min: 1, max: 12 }).map((version) => command({ _tag: 'RemovePrice', version })),
  fc.constant(set(1, 'EUR')),
)
const anyCommands = fc.array(anyCommand, { maxLength: 40, size: 'max' })

/** One step a millisecond. */
const steps = (commands: ReadonlyArray<PriceList.PriceCommand>) => {
  let state = PriceList.initial
  return commands.map((asked, timeMs) => {
    const before = state
    const decision = PriceList.decide(asked, before, at(timeMs))
    if (E.isRight(decision)) state = fold(PriceList.decider, decision.right, before)
    return { asked, timeMs, before, decision, state }
  })
}

describe('laws', () => {
  test.each(laws(PriceList.aggregate, { command: anyCommand }))('$title', async ({ check }) => {
    await expect(check(50)).resolves.toBeUndefined()
  })
})

describe('a price list, whatever is asked', () => {
  property.prop([anyCommands])('versions only grow, and name one price for ever', (commands) => {
    let latest = 0
    for (const { decision } of steps(commands))
      for (const one of E.isRight(decision) ? decision.right : []) {
        if (one._tag !== 'PriceRemoved') expect(one.version).toBe(latest + 1)
        latest = Math.max(latest, one.version)
      }
  })
  property.prop([anyCommands, anyTime])(
    'of the schedules that hold at a moment the highest version is in force, else the regular price',
    (commands, later) => {
      const taken = steps(commands)
      const events = taken.flatMap(({ decision }) => (E.isRight(decision) ? decision.right : []))
      const now = taken.length + later
      const gone = new Set(events.flatMap((one) => (one._tag === 'PriceRemoved' ? [one.version] : [])))
      const kept = events.filter(({ version }) => !gone.has(version))
      const holds = kept.findLast(
        (one) => one._tag === 'PriceScheduled' && one.validFromMs <= now && now < one.validUntilMs,
      )
      const lastSet = events.findLast(({ _tag }) => _tag === 'PriceSet')
      const regular = lastSet !== undefined && kept.includes(lastSet) ? lastSet : undefined
      const state = taken.at(-1)?.state ?? PriceList.initial
      expect(PriceList.priceAt(state, now)?.version).toBe((holds ?? regular)?.version)
    },
  )
  property.prop([anyCommands])('what was accepted is so when it is asked again', (commands) => {
    for (const { asked, timeMs, decision, state } of steps(commands))
      if (E.isRight(decision)) expect(PriceList.decide(asked, state, at(timeMs))).toEqual(accept())
  })
})

describe('prices', () => {
  test('are numbered as they are set', () => {
    expect(prices().when(set(500))).toEqual(accept(wasSet(1, 500)))
    expect(prices(wasSet(1, 500)).when(set(600))).toEqual(accept(wasSet(2, 600)))
    expect(prices(wasSet(1, 500)).when(set(500))).toEqual(accept())
  })
  test('a scheduled one holds from its first moment until just before its last', () => {
    const state = fold(PriceList.decider, [wasSet(1, 500), wasScheduled(2, 400, 10, 20)])
    expect([9, 10, 19, 20].map((timeMs) => PriceList.priceAt(state, timeMs)?.version)).toEqual([1, 2, 2, 1])
  })
  test('of two schedules the later one holds', () => {
    const state = fold(PriceList.decider, [wasScheduled(1, 400, 0, 20), wasScheduled(2, 300, 10, 30)])
    expect([5, 15, 25, 35].map((timeMs) => PriceList.priceAt(state, timeMs)?.version)).toEqual([
      1,
      2,
      2,
      undefined,
    ])
  })
  test('a schedule that is over or empty is refused', () => {
    expect(prices().when(schedule(1, 10, 20), at(20))).toEqual(
      reject({ _tag: 'PeriodEmpty', validFromMs: 10, validUntilMs: 20, timeMs: 20 }),
    )
    expect(prices().when(schedule(1, 20, 20))).toEqual(
      reject({ _tag: 'PeriodEmpty', validFromMs: 20, validUntilMs: 20, timeMs: 0 }),
    )
  })
  test('schedules are as many as a list can hold, over ones not counted', () => {
    const full = Array.from({ length: 100 }, (_, index) => wasScheduled(index + 1, index, 0, 10))
    expect(prices(...full).when(schedule(1, 10, 20), at(9))).toEqual(
      reject({ _tag: 'TooManySchedules', available: 100 }),
    )
    expect(E.isRight(prices(...full).when(schedule(1, 10, 20), at(10)))).toBe(true)
  })
  test('of another currency are refused', () => {
    expect(prices(wasSet(1, 500)).when(set(500, 'EUR'))).toEqual(
      reject({ _tag: 'CurrencyDiffers', expected: 'USD', actual: 'EUR' }),
    )
  })
  test('are removed by version, or all at once', () => {
    const some = prices(wasSet(1, 500), wasScheduled(2, 400, 10, 20))
    expect(some.when(command({ _tag: 'RemovePrice', version: 2 }))).toEqual(accept(removed(2)))
    expect(some.when(command({ _tag: 'RemovePrice' }))).toEqual(accept(removed(1), removed(2)))
    expect(some.when(command({ _tag: 'RemovePrice', version: 3 }))).toEqual(
      reject({ _tag: 'UnknownPrice', version: 3 }),
    )
  })
})

describe('the wire', () => {
  test.each([
    {
      _tag: 'PriceSet',
      version: 1,
      price: { amount: 500, currency: 'USD' },
      taxClass: 'standard',
      taxIncluded: false,
    },
    {
      _tag: 'PriceScheduled',
      version: 2,
      price: { amount: 400, currency: 'USD' },
      taxClass: 'reduced',
      taxIncluded: true,
      validFromMs: 10,
      validUntilMs: 20,
      scheduledAtMs: 5,
    },
    { _tag: 'PriceRemoved', version: 2 },
  ])('$_tag, as once stored, still decodes', (stored) => {
    expect(decodeEvent(PriceList.aggregate, stored)).toEqual(E.right(stored))
  })
  test('a stream is named by SKU, channel and currency', () => {
    const parts = {
      sku: valid(Quantities.Sku)('tea~s'),
      channel: valid(Quantities.Channel)('web'),
      currency: valid(Currency.CurrencyCode)('USD'),
    }
    expect(PriceList.streamId(parts)).toBe('tea~s@web@USD')
    expect(PriceList.listOf('tea~s@web@USD')).toEqual(parts)
  })
})
