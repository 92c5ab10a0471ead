/**
 * What amounts Stripe takes: whole minor units, at least a minimum, at most eight digits.
 *
 * Invariant: an amount that passes is a non-negative safe integer, a multiple of 100 in ISK and UGX (two decimals
 * for backward compatibility, never fractions) and of 10 in currencies of three decimals.
 *
 * Source: https://docs.stripe.com/currencies (minimum and maximum amounts, zero-decimal and three-decimal currencies).
 */
import { invalid, ok, type Result } from './api-error.ts'

const CURRENCIES = new Set(
  (
    'usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf ' +
    'chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl hrk htg ' +
    'huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt ' +
    'mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar ' +
    'sbd scr sek sgd shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd ' +
    'xof xpf yer zar zmw'
  ).split(' '),
)

const MINIMUM: Readonly<Record<string, number>> = {
  usd: 50,
  aed: 200,
  aud: 50,
  bgn: 100,
  brl: 50,
  cad: 50,
  chf: 50,
  czk: 1500,
  dkk: 250,
  eur: 50,
  gbp: 30,
  hkd: 400,
  huf: 17500,
  inr: 50,
  jpy: 50,
  mxn: 1000,
  myr: 200,
  nok: 300,
  nzd: 50,
  pln: 200,
  ron: 200,
  sek: 300,
  sgd: 50,
  thb: 1000,
}

/** How many minor units the smallest sum that can be charged has. */
const step = (currency: string): number => {
  if (currency === 'isk' || currency === 'ugx') return 100
  return ['bhd', 'jod', 'kwd', 'omr', 'tnd'].includes(currency) ? 10 : 1
}

const maximum = (currency: string): number => (currency === 'idr' ? 999_999_999_999 : 99_999_999)

export const checkCurrency = (currency: string): Result<string> =>
  CURRENCIES.has(currency)
    ? ok(currency)
    : invalid(
        `Invalid currency: ${currency}. Currencies are three lower case letters that Stripe supports.`,
        undefined,
        'currency',
      )

/** An amount to capture or to give back: any multiple of the step, from `least`. */
export const checkPart = (amount: number, currency: string, param: string): Result<number> => {
  if (amount < 0)
    return invalid('This value must be greater than or equal to 0.', 'parameter_invalid_integer', param)
  if (amount % step(currency) !== 0)
    return invalid(
      `Invalid amount: in ${currency.toUpperCase()} it must be a multiple of ${step(currency)}.`,
      'invalid_charge_amount',
      param,
    )
  return ok(amount)
}

/** An amount to charge. */
export const checkAmount = (amount: number, currency: string): Result<number> => {
  if (amount < 1)
    return invalid(
      'This value must be greater than or equal to 1.',
      amount < 0 ? 'parameter_invalid_integer' : 'amount_too_small',
      'amount',
    )
  if (amount > maximum(currency))
    return invalid(`Amount must be no more than ${maximum(currency)}.`, 'amount_too_large', 'amount')
  if (amount < (MINIMUM[currency] ?? 1))
    return invalid(
      `Amount must be at least ${MINIMUM[currency] ?? 1} ${currency}.`,
      'amount_too_small',
      'amount',
    )
  return checkPart(amount, currency, 'amount')
}
