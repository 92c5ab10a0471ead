/**
 * Payment methods made from Stripe's test tokens: `pm_card_visa` names a kind, and each use mints an object of it.
 *
 * Source: https://docs.stripe.com/api/payment_methods/object
 */
import { type HeldMethod, type PaymentMethod, seconds, type Turn } from './account.ts'
import { missing, ok, type Result } from './api-error.ts'
import { type TestMethod, testMethod } from './test-method.ts'

const billing = { address: null, email: null, name: null, phone: null, tax_id: null } as const

const cardDetails = (behaviour: TestMethod): NonNullable<PaymentMethod['card']> => ({
  brand: behaviour.brand,
  checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' },
  country: 'US',
  display_brand: behaviour.brand,
  exp_month: 12,
  exp_year: 2034,
  fingerprint: `test${behaviour.last4}`,
  funding: 'credit',
  generated_from: null,
  last4: behaviour.last4,
  networks: { available: [behaviour.brand], preferred: null },
  regulated_status: 'unregulated',
  three_d_secure_usage: { supported: true },
  wallet: null,
})

const mint = (turn: Turn, behaviour: TestMethod): HeldMethod => {
  const object: PaymentMethod = {
    id: turn.account.random.id('pm'),
    object: 'payment_method',
    billing_details: billing,
    created: seconds(turn),
    customer: null,
    customer_account: null,
    livemode: false,
    metadata: {},
    type: behaviour.type,
    ...(behaviour.type === 'card' && { card: cardDetails(behaviour) }),
  }
  const held = { object, behaviour }
  turn.account.methods.set(object.id, held)
  return held
}

/** A test token makes a new method; the id of an earlier one finds it. */
export const mintOrFind = (turn: Turn, id: string): Result<HeldMethod> => {
  const held = turn.account.methods.get(id)
  if (held !== undefined) return ok(held)
  const behaviour = testMethod(id)
  return behaviour === undefined ? missing('PaymentMethod', id, 'payment_method') : ok(mint(turn, behaviour))
}
