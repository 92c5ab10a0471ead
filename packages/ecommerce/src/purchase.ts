/**
 * What a shopper bought, frozen at checkout: the cart's last event hands it verbatim to the order's first command.
 *
 * Amounts are minor units of the purchase's one currency.
 */
import { list, record, Sealed, type TypeOf, text } from '@everfold/core'
import { CurrencyCode } from './currency.ts'
import { Price } from './money.ts'
import { RoundingPolicy } from './pricing.ts'
import {
  BasisPoints,
  CartId,
  Count,
  LineId,
  PaymentMethod,
  Sku,
  TaxClass,
  Units,
  UserId,
} from './quantities.ts'

/** The most lines of a cart or an order. */
export const MAX_LINES = 500

export const ShippingMethod = text('ShippingMethod', { maxLength: 64 })
export type ShippingMethod = TypeOf<typeof ShippingMethod>

export const Shipping = record('Shipping', { amount: Price, method: ShippingMethod })
export type Shipping = TypeOf<typeof Shipping>

/** Added to net amounts, per tax class; the class `zero` has none. */
export const TaxRates = record('TaxRates', {
  standard: BasisPoints,
  reduced: BasisPoints,
  shipping: BasisPoints,
})
export type TaxRates = TypeOf<typeof TaxRates>

export const PurchasedLine = record('PurchasedLine', {
  lineId: LineId,
  sku: Sku,
  quantity: Units,
  unitPrice: Price,
  taxClass: TaxClass,
  priceListVersion: Count,
  /** Of the whole line, already rounded; at most unit price times quantity. */
  discount: Price,
})
export type PurchasedLine = TypeOf<typeof PurchasedLine>

export const Purchase = record(
  'Purchase',
  {
    cartId: CartId,
    userId: UserId,
    currency: CurrencyCode,
    lines: list(PurchasedLine, 1, MAX_LINES),
    /** Off the order as a whole, after the lines' own discounts. */
    orderDiscount: Price,
    rounding: RoundingPolicy,
    taxRates: TaxRates,
    email: Sealed,
    address: Sealed,
    paymentMethod: PaymentMethod,
  },
  { shipping: Shipping },
)
export type Purchase = TypeOf<typeof Purchase>
