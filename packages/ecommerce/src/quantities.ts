/** Branded scalars of the shop: ids, units and words. Money has a file of its own. */
import { integer, oneOf, type TypeOf, text } from '@everfold/core'

/** No spaces, slashes or control characters: an id may stand in a stream's name and in a path. */
const id = <Name extends string>(name: Name) =>
  text(name, { maxLength: 64, pattern: /^[A-Za-z0-9][A-Za-z0-9._~-]*$/ })

export const ProductId = id('ProductId')
export type ProductId = TypeOf<typeof ProductId>

/** Names one sellable variant of a product. */
export const Sku = id('Sku')
export type Sku = TypeOf<typeof Sku>

/** Where stock lies: a warehouse, a shop. */
export const Location = id('Location')
export type Location = TypeOf<typeof Location>

/** Where a price holds: the web shop, a market place. */
export const Channel = id('Channel')
export type Channel = TypeOf<typeof Channel>

export const CartId = id('CartId')
export type CartId = TypeOf<typeof CartId>

export const OrderId = id('OrderId')
export type OrderId = TypeOf<typeof OrderId>

/** One line of an order; unique within it. */
export const LineId = id('LineId')
export type LineId = TypeOf<typeof LineId>

/** One promise of units; ends at most once. */
export const ReservationId = text('ReservationId', {
  maxLength: 160,
  pattern: /^[A-Za-z0-9][A-Za-z0-9._~:-]*$/,
})
export type ReservationId = TypeOf<typeof ReservationId>

export const PaymentId = id('PaymentId')
export type PaymentId = TypeOf<typeof PaymentId>

/** The shopper, as the identity provider names him: any visible characters. */
export const UserId = text('UserId', { maxLength: 128, pattern: /^[\x21-\x7e]+$/ })
export type UserId = TypeOf<typeof UserId>

/** Whole units of a good, at least one. */
export const Units = integer('Units', 1, 1_000_000)
export type Units = TypeOf<typeof Units>

/** Whole units of a good, none included. */
export const Count = integer('Count', 0, 1_000_000_000)
export type Count = TypeOf<typeof Count>

/** A change in units: an adjustment may take away. */
export const UnitsDelta = integer('UnitsDelta', -1_000_000, 1_000_000)
export type UnitsDelta = TypeOf<typeof UnitsDelta>

/** Milliseconds since 1970. */
export const TimeMs = integer('TimeMs', 0, 281_474_976_710_655)
export type TimeMs = TypeOf<typeof TimeMs>

/** Hundredths of a percent, from none to all: 1,000 is 10 %. */
export const BasisPoints = integer('BasisPoints', 0, 10_000)
export type BasisPoints = TypeOf<typeof BasisPoints>

/** A short sentence by a person. */
export const Reason = text('Reason', { maxLength: 500 })
export type Reason = TypeOf<typeof Reason>

export const Category = text('Category', { maxLength: 64 })
export type Category = TypeOf<typeof Category>

/** How goods are taxed; the rates lie outside. */
export const TaxClass = oneOf('TaxClass', 'standard', 'reduced', 'zero')
export type TaxClass = TypeOf<typeof TaxClass>

/** How to charge, as the payment provider names it; says nothing about the card. */
export const PaymentMethod = text('PaymentMethod', { maxLength: 255, pattern: /^[A-Za-z0-9_-]+$/ })
export type PaymentMethod = TypeOf<typeof PaymentMethod>
