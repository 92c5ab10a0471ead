/**
 * Money: a whole number of minor units, with its currency. Exact everywhere: no operation makes a fraction, and where
 * an exact result has one, the rounding is named by the caller.
 *
 * Laws: adding two currencies does not type-check. The shares of `allocate` add up to its total; each has the total's
 * sign and differs from the exact one by less than a minor unit; a zero weight has a zero share; permuting lines
 * permutes shares, and ties break by line id.
 *
 * Overflow: an `Amount` has at most fifteen digits, so that a sum of two is always an exact integer. Whatever could
 * leave that range (`add`, `subtract`, `sum`, `multiply`) answers `AmountTooLarge`; whatever cannot is total.
 */
import { E, integer, oneOf, record, type TypeOf, variant } from '@everfold/core'
import { type Currency, CurrencyCode } from './currency.ts'
import { LineId } from './quantities.ts'

export const MAX_AMOUNT = 999_999_999_999_999

/** Minor units, also below zero. */
export const Amount = integer('Amount', -MAX_AMOUNT, MAX_AMOUNT)
export type Amount = TypeOf<typeof Amount>

/** Minor units of what costs something or nothing: a price, a fee. */
export const Price = integer('Price', 0, MAX_AMOUNT)
export type Price = TypeOf<typeof Price>

/** As it crosses a wire: the currency is known at run time only. `within` narrows it. */
export const AnyMoney = record('Money', { amount: Amount, currency: CurrencyCode })
export type AnyMoney = TypeOf<typeof AnyMoney>

declare const only: unique symbol

/** Money of one currency. The brand exists in types alone; it keeps two currencies from meeting in one `add`. */
export interface Money<Code extends CurrencyCode> extends AnyMoney {
  readonly currency: Code
  readonly [only]: (code: Code) => Code
}

export const AmountTooLarge = variant('AmountTooLarge', { currency: CurrencyCode })
export type AmountTooLarge = TypeOf<typeof AmountTooLarge>

export const CurrencyDiffers = variant('CurrencyDiffers', { expected: CurrencyCode, actual: CurrencyCode })
export type CurrencyDiffers = TypeOf<typeof CurrencyDiffers>

/** How a fraction becomes whole. Both are symmetric about zero, so that a refund mirrors its charge. */
export const Rounding = oneOf('Rounding', 'half-up', 'half-even')
export type Rounding = TypeOf<typeof Rounding>

// Making

/** The amount in the currency. */
export const money = <Code extends CurrencyCode>(
  currency: Currency<Code>,
  amount: Amount | Price,
): Money<Code> => of(currency.code, amount)

export const zero = <Code extends CurrencyCode>(currency: Currency<Code>): Money<Code> => of(currency.code, 0)

/** The money, if it is of this currency. */
export const within = <Code extends CurrencyCode>(
  currency: Currency<Code>,
  some: AnyMoney,
): E.Either<CurrencyDiffers, Money<Code>> =>
  some.currency === currency.code
    ? E.right(some as Money<Code>)
    : E.left({ _tag: 'CurrencyDiffers', expected: currency.code, actual: some.currency })

const of = <Code extends CurrencyCode>(currency: Code, amount: number): Money<Code> =>
  ({ amount: amount === 0 ? 0 : amount, currency }) as unknown as Money<Code>

const checked = <Code extends CurrencyCode>(
  currency: Code,
  amount: number,
): E.Either<AmountTooLarge, Money<Code>> =>
  Math.abs(amount) <= MAX_AMOUNT
    ? E.right(of(currency, amount))
    : E.left({ _tag: 'AmountTooLarge', currency })

// Arithmetic

export const add = <Code extends CurrencyCode>(
  a: Money<Code>,
  b: Money<Code>,
): E.Either<AmountTooLarge, Money<Code>> => checked(a.currency, a.amount + b.amount)

export const subtract = <Code extends CurrencyCode>(
  a: Money<Code>,
  b: Money<Code>,
): E.Either<AmountTooLarge, Money<Code>> => checked(a.currency, a.amount - b.amount)

/** Too large also where only a partial sum is: whether it is answered may then depend on the order. */
export const sum = <Code extends CurrencyCode>(
  currency: Currency<Code>,
  parts: Iterable<Money<Code>>,
): E.Either<AmountTooLarge, Money<Code>> => {
  let total = 0
  for (const part of parts) {
    total += part.amount
    if (Math.abs(total) > MAX_AMOUNT) return checked(currency.code, total)
  }
  return E.right(of(currency.code, total))
}

/** Of so many units. A product beyond the safe integers is inexact, but never small enough to be taken. */
export const multiply = <Code extends CurrencyCode>(
  unit: Money<Code>,
  units: number,
): E.Either<AmountTooLarge, Money<Code>> => checked(unit.currency, unit.amount * units)

export const negate = <Code extends CurrencyCode>(some: Money<Code>): Money<Code> =>
  of(some.currency, 0 - some.amount)

/**
 * So many hundredths of a percent, from none to all.
 *
 * Exact: whole ten-thousands of the amount are multiplied as integers, and the rest stays below 10^8.
 */
export const percent = <Code extends CurrencyCode>(
  some: Money<Code>,
  basisPoints: number,
  rounding: Rounding,
): Money<Code> => {
  const size = Math.abs(some.amount)
  const rest = size % WHOLE
  const whole = ((size - rest) / WHOLE) * basisPoints
  const part = rest * basisPoints
  const floor = whole + (part - (part % WHOLE)) / WHOLE
  const rounded = floor + roundsUp(floor % 2 === 1, (part % WHOLE) * 2 - WHOLE, rounding)
  return of(some.currency, some.amount < 0 ? -rounded : rounded)
}
const WHOLE = 10_000

/**
 * `some × part / whole`, rounded: what one part of the whole costs. Asks 0 <= part <= whole and whole > 0.
 *
 * Taking the parts one after the other out of what is left (amount and whole) leaves nothing at the end.
 */
export const proportion = <Code extends CurrencyCode>(
  some: Money<Code>,
  part: number,
  whole: number,
  rounding: Rounding,
): Money<Code> => {
  const [floor, rest] = divide(Math.abs(some.amount), part, whole)
  const excess = Number(BigInt(rest) * 2n - BigInt(whole))
  const rounded = floor + roundsUp(floor % 2 === 1, excess, rounding)
  return of(some.currency, some.amount < 0 ? -rounded : rounded)
}

/** `excess` is the fraction's distance from one half, in any unit. */
const roundsUp = (odd: boolean, excess: number, rounding: Rounding): 0 | 1 => {
  if (excess !== 0) return excess > 0 ? 1 : 0
  return rounding === 'half-up' || odd ? 1 : 0
}

/** Quotient and rest of `size × part / whole`, exact: in floating point only where every product is a safe integer. */
const divide = (size: number, part: number, whole: number): readonly [number, number] => {
  const product = size * part
  if (product <= Number.MAX_SAFE_INTEGER) {
    const rest = product % whole
    return [(product - rest) / whole, rest]
  }
  const exact = BigInt(size) * BigInt(part)
  return [Number(exact / BigInt(whole)), Number(exact % BigInt(whole))]
}

export const compare = <Code extends CurrencyCode>(a: Money<Code>, b: Money<Code>): -1 | 0 | 1 => {
  if (a.amount === b.amount) return 0
  return a.amount < b.amount ? -1 : 1
}

export const isZero = (some: AnyMoney): boolean => some.amount === 0

// Allocation

/** One line's claim; a weight is a safe integer, never negative, and all weights together are one too. */
export interface Weight {
  readonly lineId: LineId
  readonly weight: number
}

export interface Share<Code extends CurrencyCode> {
  readonly lineId: LineId
  readonly share: Money<Code>
}

/** There is something to divide and no line that takes it, or the weights are beyond counting. */
export const NothingToWeigh = variant('NothingToWeigh', { currency: CurrencyCode })
export type NothingToWeigh = TypeOf<typeof NothingToWeigh>

/**
 * The total divided by weight, to the last minor unit: each line gets the whole part of its exact share, and the units
 * left over go to the largest remainders, among equal ones to the smallest line id. Shares stand in the order of lines.
 */
export const allocate = <Code extends CurrencyCode>(
  total: Money<Code>,
  weights: ReadonlyArray<Weight>,
): E.Either<NothingToWeigh, ReadonlyArray<Share<Code>>> => {
  let whole = 0
  for (const { weight } of weights) whole += weight
  if ((whole === 0 && total.amount !== 0) || whole > Number.MAX_SAFE_INTEGER)
    return E.left({ _tag: 'NothingToWeigh', currency: total.currency })
  const size = Math.abs(total.amount)
  const sizes = whole === 0 ? weights.map(() => 0) : largestRemainder(size, weights, whole)
  return E.right(
    weights.map(({ lineId }, index) => {
      const share = sizes[index] ?? 0
      return { lineId, share: of(total.currency, total.amount < 0 ? -share : share) }
    }),
  )
}

const largestRemainder = (size: number, weights: ReadonlyArray<Weight>, whole: number): Array<number> => {
  const sizes: Array<number> = []
  const remainders: Array<{ readonly index: number; readonly rest: number; readonly lineId: string }> = []
  let left = size
  weights.forEach(({ lineId, weight }, index) => {
    const [quotient, rest] = divide(size, weight, whole)
    sizes.push(quotient)
    left -= quotient
    if (rest > 0) remainders.push({ index, rest, lineId })
  })
  if (left === 0) return sizes
  // By code unit, never by locale: the order must be the same on every machine.
  remainders.sort((a, b) => b.rest - a.rest || (a.lineId < b.lineId ? -1 : 1))
  for (const { index } of remainders.slice(0, left)) sizes[index] = (sizes[index] ?? 0) + 1
  return sizes
}
