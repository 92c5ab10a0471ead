/**
 * The prices of one SKU in one channel and one currency: a regular one, and scheduled ones that stand in for it
 * between two moments.
 *
 * Stream `price/{sku}@{channel}@{currency}`. Invariants: versions only grow, and name one price for ever; at any
 * moment at most one price is in force: of the schedules that hold then the one of the highest version, else the
 * regular price.
 */
import {
  accept,
  aggregate as aggregateOf,
  type Context,
  type Decider,
  type Decision,
  list,
  plainSnapshot,
  record,
  reject,
  type TypeOf,
  union,
  variant,
} from '@everfold/core'
import * as t from 'io-ts'
import { CurrencyCode } from './currency.ts'
import { CurrencyDiffers, Price } from './money.ts'
import { type Channel, Count, type Sku, TaxClass, TimeMs } from './quantities.ts'

/** The id of a list's stream; `@` stands in none of its parts. */
export const streamId = (parts: {
  readonly sku: Sku
  readonly channel: Channel
  readonly currency: CurrencyCode
}): string => `${parts.sku}@${parts.channel}@${parts.currency}`

export const listOf = (
  id: string,
): { readonly sku: Sku; readonly channel: Channel; readonly currency: CurrencyCode } => {
  const [sku = '', channel = '', currency = ''] = id.split('@')
  return { sku: sku as Sku, channel: channel as Channel, currency: currency as CurrencyCode }
}

/** Money that is never below zero. */
export const UnitPrice = record('UnitPrice', { amount: Price, currency: CurrencyCode })
export type UnitPrice = TypeOf<typeof UnitPrice>

const offer = { price: UnitPrice, taxClass: TaxClass, taxIncluded: t.boolean }
const period = { validFromMs: TimeMs, validUntilMs: TimeMs }

// Events. Stored forever: never rename, never remove; a new field needs a default.

export const PriceEvent = union(
  'PriceEvent',
  /** `version` counts the prices of this list: 1, 2, 3, ... */
  variant('PriceSet', { version: Count, ...offer }),
  /** Holds from `validFromMs` until just before `validUntilMs`. */
  variant('PriceScheduled', { version: Count, ...offer, ...period, scheduledAtMs: TimeMs }),
  variant('PriceRemoved', { version: Count }),
)
export type PriceEvent = TypeOf<typeof PriceEvent>

// State

const RegularPrice = record('RegularPrice', { version: Count, ...offer })
const ScheduledPrice = record('ScheduledPrice', { version: Count, ...offer, ...period })
type ScheduledPrice = TypeOf<typeof ScheduledPrice>

/** A price and the version that names it. */
export type PriceInForce = TypeOf<typeof RegularPrice>

const MAX_SCHEDULES = 100

const PriceList = record(
  'PriceList',
  {
    latestVersion: Count,
    /** By version; those that were over when the latest was scheduled are gone. */
    scheduled: list(ScheduledPrice, 0, MAX_SCHEDULES),
  },
  { regular: RegularPrice, currency: CurrencyCode },
)
export type PriceList = TypeOf<typeof PriceList>

export const initial: PriceList = { latestVersion: 0 as Count, scheduled: [] }

export const evolve = (prices: PriceList, event: PriceEvent): PriceList => {
  switch (event._tag) {
    case 'PriceSet': {
      const { _tag, ...regular } = event
      return { ...priced(prices, event), regular }
    }
    case 'PriceScheduled': {
      const { _tag, scheduledAtMs, ...scheduled } = event
      return { ...priced(prices, event), scheduled: [...open(prices, scheduledAtMs), scheduled] }
    }
    case 'PriceRemoved': {
      const { regular, ...rest } = prices
      return {
        ...rest,
        ...(regular === undefined || regular.version === event.version ? {} : { regular }),
        scheduled: prices.scheduled.filter(({ version }) => version !== event.version),
      }
    }
  }
}

const priced = (
  prices: PriceList,
  { version, price }: { readonly version: Count; readonly price: UnitPrice },
): PriceList => ({ ...prices, latestVersion: version, currency: price.currency })

/** The schedules that are not over. */
const open = (prices: PriceList, timeMs: number): ReadonlyArray<ScheduledPrice> =>
  prices.scheduled.filter(({ validUntilMs }) => validUntilMs > timeMs)

/** The price in force, with its version; undefined where none is. */
export const priceAt = (prices: PriceList, timeMs: number): PriceInForce | undefined => {
  const scheduled = prices.scheduled.findLast(
    ({ validFromMs, validUntilMs }) => validFromMs <= timeMs && timeMs < validUntilMs,
  )
  if (scheduled === undefined) return prices.regular
  const { version, price, taxClass, taxIncluded } = scheduled
  return { version, price, taxClass, taxIncluded }
}

// Commands

export const PriceCommand = union(
  'PriceCommand',
  variant('SetPrice', offer),
  variant('SchedulePrice', { ...offer, ...period }),
  /** The price of this version, or without one whatever is not over. */
  variant('RemovePrice', {}, { version: Count }),
)
export type PriceCommand = TypeOf<typeof PriceCommand>

// Rejections

export const PriceRejection = union(
  'PriceRejection',
  CurrencyDiffers,
  /** It ends before it begins, or is over already. */
  variant('PeriodEmpty', { ...period, timeMs: TimeMs }),
  variant('TooManySchedules', { available: Count }),
  variant('UnknownPrice', { version: Count }),
)
export type PriceRejection = TypeOf<typeof PriceRejection>

type PriceDecision = Decision<PriceRejection, PriceEvent>
type CommandNamed<Tag extends PriceCommand['_tag']> = Extract<PriceCommand, { readonly _tag: Tag }>

/** Idempotent: a price that already holds, or holds no more, changes nothing. */
export const decide = (command: PriceCommand, prices: PriceList, { timeMs }: Context): PriceDecision => {
  switch (command._tag) {
    case 'SetPrice': {
      const { price, taxClass, taxIncluded } = command
      if (prices.currency !== undefined && prices.currency !== price.currency)
        return otherCurrency(prices.currency, price)
      if (prices.regular !== undefined && sameTerms(prices.regular, command)) return accept()
      return accept({ _tag: 'PriceSet', version: nextVersion(prices), price, taxClass, taxIncluded })
    }
    case 'SchedulePrice':
      return decideSchedule(command, prices, timeMs as TimeMs)
    case 'RemovePrice':
      return decideRemove(command, prices, timeMs)
  }
}

const decideSchedule = (
  { price, taxClass, taxIncluded, validFromMs, validUntilMs }: CommandNamed<'SchedulePrice'>,
  prices: PriceList,
  timeMs: TimeMs,
): PriceDecision => {
  if (prices.currency !== undefined && prices.currency !== price.currency)
    return otherCurrency(prices.currency, price)
  if (validUntilMs <= validFromMs || validUntilMs <= timeMs)
    return reject({ _tag: 'PeriodEmpty', validFromMs, validUntilMs, timeMs })
  const terms = { price, taxClass, taxIncluded }
  const latest = prices.scheduled.at(-1)
  const same = latest?.validFromMs === validFromMs && latest.validUntilMs === validUntilMs
  if (same && sameTerms(latest, terms)) return accept()
  if (open(prices, timeMs).length >= MAX_SCHEDULES)
    return reject({ _tag: 'TooManySchedules', available: MAX_SCHEDULES as Count })
  const version = nextVersion(prices)
  const scheduledAtMs = timeMs
  return accept({ _tag: 'PriceScheduled', version, ...terms, validFromMs, validUntilMs, scheduledAtMs })
}

const decideRemove = (
  { version }: CommandNamed<'RemovePrice'>,
  prices: PriceList,
  timeMs: number,
): PriceDecision => {
  if (version !== undefined && version > prices.latestVersion)
    return reject({ _tag: 'UnknownPrice', version })
  const regular = prices.regular === undefined ? [] : [prices.regular]
  const removed = [...regular, ...open(prices, timeMs)].filter(
    (one) => version === undefined || one.version === version,
  )
  return accept(...removed.map((one) => ({ _tag: 'PriceRemoved', version: one.version }) as const))
}

const nextVersion = (prices: PriceList): Count => (prices.latestVersion + 1) as Count

const otherCurrency = (expected: CurrencyCode, { currency }: UnitPrice): PriceDecision =>
  reject({ _tag: 'CurrencyDiffers', expected, actual: currency })

type Terms = Pick<PriceInForce, 'price' | 'taxClass' | 'taxIncluded'>
const sameTerms = (one: Terms, other: Terms): boolean =>
  one.price.amount === other.price.amount &&
  one.price.currency === other.price.currency &&
  one.taxClass === other.taxClass &&
  one.taxIncluded === other.taxIncluded

export const decider: Decider<PriceCommand, PriceList, PriceEvent, PriceRejection> = {
  initial,
  evolve,
  decide,
}

export const aggregate = aggregateOf({
  ...decider,
  name: 'price',
  command: PriceCommand,
  event: PriceEvent,
  rejection: PriceRejection,
  snapshot: plainSnapshot(PriceList),
  reducer: 1,
})
