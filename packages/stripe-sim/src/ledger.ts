/**
 * The account's money, added up from its objects, for invariants to be stated on.
 *
 * Invariant: refunded <= captured <= authorized, for every payment intent and every currency.
 */
import type { Account, Charge, PaymentIntent } from './account.ts'

export interface Sums {
  /** What issuers ever allowed to be taken. */
  readonly authorized: number
  readonly captured: number
  /** What was given back and did not fail. */
  readonly refunded: number
}

export interface IntentLedger extends Sums {
  readonly id: string
  readonly status: PaymentIntent['status']
  readonly currency: string
  readonly metadata: Readonly<Record<string, string>>
  /** Ids of the charges that were authorized, oldest first. */
  readonly charges: ReadonlyArray<string>
}

export interface Ledger {
  readonly intents: ReadonlyArray<IntentLedger>
  readonly totals: Readonly<Record<string, Sums>>
}

const ZERO: Sums = { authorized: 0, captured: 0, refunded: 0 }

const add = (a: Sums, b: Sums): Sums => ({
  authorized: a.authorized + b.authorized,
  captured: a.captured + b.captured,
  refunded: a.refunded + b.refunded,
})

/** From the refund objects, and not from the charge's own running total. */
const refundedOf = (account: Account, charge: Charge): number =>
  [...account.refunds.values()]
    .filter((refund) => refund.charge === charge.id && refund.status !== 'failed')
    .reduce((sum, refund) => sum + refund.amount, 0)

const intentLedger = (account: Account, intent: PaymentIntent): IntentLedger => {
  const charges = [...account.charges.values()].filter(
    (charge) => charge.payment_intent === intent.id && charge.status === 'succeeded',
  )
  const sums = charges
    .map((charge) => ({
      authorized: charge.amount,
      captured: charge.amount_captured,
      refunded: refundedOf(account, charge),
    }))
    .reduce(add, ZERO)
  const { id, status, currency, metadata } = intent
  return { id, status, currency, metadata, charges: charges.map((charge) => charge.id), ...sums }
}

export const ledgerOf = (account: Account): Ledger => {
  const intents = [...account.intents.values()].map((intent) => intentLedger(account, intent))
  const totals: Record<string, Sums> = {}
  for (const intent of intents) totals[intent.currency] = add(totals[intent.currency] ?? ZERO, intent)
  return { intents, totals }
}

/** The charges that were authorized, by the value of one metadata key, such as `orderId`. */
export const chargesBy = (account: Account, key: string): ReadonlyMap<string, ReadonlyArray<Charge>> => {
  const by = new Map<string, ReadonlyArray<Charge>>()
  for (const charge of account.charges.values()) {
    const value = charge.metadata[key]
    if (value !== undefined && charge.status === 'succeeded')
      by.set(value, [...(by.get(value) ?? []), charge])
  }
  return by
}
