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

/** What each charge gave back, from the refund objects and not from the charge's own running total. */
const refundedBy = (account: Account): ReadonlyMap<string, number> => {
  const by = new Map<string, number>()
  for (const { charge, amount, status } of account.refunds.values())
    if (charge !== null && status !== 'failed') by.set(charge, (by.get(charge) ?? 0) + amount)
  return by
}

const authorizedOf = (account: Account): ReadonlyMap<string, ReadonlyArray<Charge>> => {
  const by = new Map<string, Array<Charge>>()
  for (const charge of account.charges.values()) {
    if (charge.status !== 'succeeded' || charge.payment_intent === null) continue
    const charges = by.get(charge.payment_intent)
    if (charges === undefined) by.set(charge.payment_intent, [charge])
    else charges.push(charge)
  }
  return by
}

const intentLedger = (
  intent: PaymentIntent,
  charges: ReadonlyArray<Charge>,
  refunded: ReadonlyMap<string, number>,
): IntentLedger => {
  const sums = charges
    .map((charge) => ({
      authorized: charge.amount,
      captured: charge.amount_captured,
      refunded: refunded.get(charge.id) ?? 0,
    }))
    .reduce(add, ZERO)
  const { id, status, currency, metadata } = intent
  return { id, status, currency, metadata, charges: charges.map((charge) => charge.id), ...sums }
}

export const ledgerOf = (account: Account): Ledger => {
  const charges = authorizedOf(account)
  const refunded = refundedBy(account)
  const intents = [...account.intents.values()].map((intent) =>
    intentLedger(intent, charges.get(intent.id) ?? [], refunded),
  )
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
