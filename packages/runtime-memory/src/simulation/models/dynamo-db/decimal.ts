/**
 * DynamoDB's numbers: decimal, exact, of up to 38 significant digits.
 *
 * Law: a number has one text, so that equal numbers are equal texts once both are in their normal form.
 */
import { DYNAMODB } from '../../limits.ts'
import { invalid } from './refusal.ts'

/** `digits * 10 ** exponent`, the digits without a zero at their end. */
interface Decimal {
  readonly digits: bigint
  readonly exponent: number
}

const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/
const PLAIN = /^(?:0|-?[1-9]\d{0,14})$/

/** The normal form of a number's text; refuses what is none, or is beyond what DynamoDB holds. */
export const normalNumber = (text: string): string => (PLAIN.test(text) ? text : shown(parsed(text)))

/** Negative, zero or positive, as the first is less than, equal to or greater than the second. */
export const compareNumbers = (one: string, other: string): number => {
  if (PLAIN.test(one) && PLAIN.test(other)) return Number(one) - Number(other)
  const [left, right] = aligned(parsed(one), parsed(other))
  return left === right ? 0 : left < right ? -1 : 1
}

export const addNumbers = (one: string, other: string): string => {
  const [left, right, exponent] = aligned(parsed(one), parsed(other))
  return shown(checked(normal(left + right, exponent)))
}

export const subtractNumbers = (one: string, other: string): string => {
  const [left, right, exponent] = aligned(parsed(one), parsed(other))
  return shown(checked(normal(left - right, exponent)))
}

/**
 * In how many pairs of digits, cut at the point, a number in its normal form is kept; pairs of zeros at either end are
 * none. It is what DynamoDB Local counts, and what the guide means by two significant digits.
 */
export const digitPairs = (text: string): number => {
  const [whole = '', fraction = ''] = text.replace('-', '').split('.')
  const digits =
    whole.padStart(whole.length + (whole.length % 2), '0') +
    fraction.padEnd(fraction.length + (fraction.length % 2), '0')
  return digits.replace(/^(?:00)+/, '').replace(/(?:00)+$/, '').length / 2
}

const parsed = (text: string): Decimal => {
  const [all, sign, whole = '', fraction = '', exponent = '0'] = NUMBER.exec(text) ?? []
  if (all === undefined || whole + fraction === '')
    throw invalid(`The parameter cannot be converted to a numeric value: ${text}`)
  const digits = BigInt(whole + fraction)
  return checked(normal(sign === '-' ? -digits : digits, Number(exponent) - fraction.length))
}

const normal = (digits: bigint, exponent: number): Decimal => {
  if (digits === 0n) return { digits, exponent: 0 }
  const [, zeros = ''] = /(0*)$/.exec(digits.toString()) ?? []
  return { digits: digits / 10n ** BigInt(zeros.length), exponent: exponent + zeros.length }
}

const checked = (number: Decimal): Decimal => {
  const { length } = number.digits.toString().replace('-', '')
  if (length > DYNAMODB.numberDigits)
    throw invalid('Attempting to store more than 38 significant digits in a Number')
  const magnitude = number.exponent + length - 1
  if (number.digits !== 0n && magnitude > DYNAMODB.largestExponent)
    throw invalid('Number overflow. Attempting to store a number with magnitude larger than supported range')
  if (number.digits !== 0n && magnitude < DYNAMODB.smallestExponent)
    throw invalid(
      'Number underflow. Attempting to store a number with magnitude smaller than supported range',
    )
  return number
}

const aligned = (one: Decimal, other: Decimal): readonly [bigint, bigint, number] => {
  const exponent = Math.min(one.exponent, other.exponent)
  const raised = (number: Decimal) => number.digits * 10n ** BigInt(number.exponent - exponent)
  return [raised(one), raised(other), exponent]
}

const shown = ({ digits, exponent }: Decimal): string => {
  const sign = digits < 0n ? '-' : ''
  const text = (digits < 0n ? -digits : digits).toString()
  if (exponent >= 0) return sign + text + '0'.repeat(exponent)
  const padded = text.padStart(1 - exponent, '0')
  return `${sign}${padded.slice(0, exponent)}.${padded.slice(exponent)}`
}
