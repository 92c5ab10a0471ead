/**
 * Amounts in Stripe's integers. Stripe's unit is mostly ISO's minor unit, and where it is not, or where Stripe takes
 * only round amounts, the conversion says so instead of rounding.
 *
 * Law: to Stripe's integer and back is the identity, or a typed rejection; and the other way round.
 *
 * Stripe's least and largest charges are not checked: they depend on the account and change without notice.
 *
 * Source: https://docs.stripe.com/currencies (zero-decimal and three-decimal currencies, special cases).
 */
import { E, integer, type TypeOf, text, union, variant } from '@everfold/core'
import { CURRENCY_CODES, CurrencyCode } from './currency.ts'
import { Amount, AmountTooLarge, type AnyMoney, MAX_AMOUNT } from './money.ts'

/** What the API takes and gives: an integer, and the code in lower case. */
export interface StripeAmount {
  readonly amount: number
  readonly currency: string
}

export const StripeAmountRejection = union(
  'StripeAmountRejection',
  variant('CurrencyNotAtStripe', { currency: text('StripeCurrency', { minLength: 0 }) }),
  /** The one side has no unit so small: it takes multiples of `step` of the other side's units. */
  variant('AmountTooFine', { currency: CurrencyCode, amount: integer('Integer'), step: integer('Step', 1) }),
  AmountTooLarge,
)
export type StripeAmountRejection = TypeOf<typeof StripeAmountRejection>

/** ISO's active codes that Stripe presents to no one. */
const ABSENT: ReadonlySet<string> = new Set(
  (
    'BOV BTN CHE CHW CLF COU CUP ERN GHS IQD IRR KPW LYD MRU MXV SDG SSP STN SVC SYP TMT USN UYI UYW VED VES XAD ' +
    'ZWG'
  ).split(' '),
)

/** `ours` minor units are `theirs` of Stripe's, and neither side has anything finer. */
interface Step {
  readonly ours: number
  readonly theirs: number
}
const SAME: Step = { ours: 1, theirs: 1 }
/** Two decimals at Stripe, for old integrations' sake, and always 00; none in ISO. */
const PADDED: Step = { ours: 1, theirs: 100 }
/** No decimals at Stripe; two in ISO. */
const WHOLE: Step = { ours: 100, theirs: 1 }
/** Three decimals on both sides; the networks behind Stripe carry two. */
const TENS: Step = { ours: 10, theirs: 10 }

const STEPS: Readonly<Partial<Record<CurrencyCode, Step>>> = {
  ISK: PADDED,
  UGX: PADDED,
  MGA: WHOLE,
  BHD: TENS,
  JOD: TENS,
  KWD: TENS,
  OMR: TENS,
  TND: TENS,
}

const BY_STRIPE_CODE: ReadonlyMap<string, CurrencyCode> = new Map(
  CURRENCY_CODES.filter((code) => !ABSENT.has(code)).map((code) => [code.toLowerCase(), code]),
)

export const toStripe = ({ amount, currency }: AnyMoney): E.Either<StripeAmountRejection, StripeAmount> => {
  if (ABSENT.has(currency)) return E.left({ _tag: 'CurrencyNotAtStripe', currency } as StripeAmountRejection)
  const { ours, theirs } = STEPS[currency] ?? SAME
  const converted = convert(amount, currency, ours, theirs)
  return E.isLeft(converted)
    ? converted
    : E.right({ amount: converted.right, currency: currency.toLowerCase() })
}

export const fromStripe = ({ amount, currency }: StripeAmount): E.Either<StripeAmountRejection, AnyMoney> => {
  const code = BY_STRIPE_CODE.get(currency)
  if (code === undefined)
    return E.left({ _tag: 'CurrencyNotAtStripe', currency: currency.slice(0, 255) } as StripeAmountRejection)
  const { ours, theirs } = STEPS[code] ?? SAME
  const converted = convert(amount, code, theirs, ours)
  return E.isLeft(converted) ? converted : E.right({ amount: converted.right, currency: code })
}

const convert = (
  amount: number,
  currency: CurrencyCode,
  from: number,
  to: number,
): E.Either<StripeAmountRejection, Amount> => {
  if (!Number.isSafeInteger(amount)) return E.left({ _tag: 'AmountTooLarge', currency })
  if (amount % from !== 0)
    return E.left({ _tag: 'AmountTooFine', currency, amount, step: from } as StripeAmountRejection)
  const converted = (amount / from) * to
  if (Math.abs(converted) > MAX_AMOUNT) return E.left({ _tag: 'AmountTooLarge', currency })
  return E.right((converted === 0 ? 0 : converted) as Amount)
}
