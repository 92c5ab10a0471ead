/** The terms a shop sells under: where, in which currency, how it rounds and taxes. */
import type { CurrencyCode } from './currency.ts'
import { perLineHalfUp, type RoundingPolicy } from './pricing.ts'
import type { TaxRates } from './purchase.ts'
import type { BasisPoints, Channel } from './quantities.ts'

export interface Terms {
  readonly channel: Channel
  readonly currency: CurrencyCode
  readonly rounding: RoundingPolicy
  readonly taxRates: TaxRates
}

const none = 0 as BasisPoints

/** One web shop in US dollars, each line rounded half up, prices with no tax on top. */
export const defaultTerms: Terms = {
  channel: 'web' as Channel,
  currency: 'USD',
  rounding: perLineHalfUp,
  taxRates: { standard: none, reduced: none, shipping: none },
}
