/**
 * Charges: one attempt to move a payment intent's money, failed, authorized or captured.
 *
 * Invariant: amount_refunded <= amount_captured <= amount.
 *
 * Source: https://docs.stripe.com/api/charges/object
 */
import { type Charge, type HeldMethod, type PaymentIntent, seconds, type Turn } from './account.ts'
import type { Decline } from './test-method.ts'

export const AUTHORIZATION_SECONDS = 7 * 24 * 60 * 60

type Details = NonNullable<Charge['payment_method_details']>

const wantsMulticapture = (intent: PaymentIntent): boolean =>
  intent.payment_method_options?.card?.request_multicapture === 'if_available'

const cardDetails = (turn: Turn, intent: PaymentIntent, method: HeldMethod): Details => {
  const { behaviour } = method
  const held = intent.capture_method === 'manual' && behaviour.decline === undefined
  const available = held && behaviour.multicapture && wantsMulticapture(intent)
  return {
    type: 'card',
    card: {
      amount_authorized: behaviour.decline === undefined ? intent.amount : null,
      authorization_code: behaviour.decline === undefined ? '123456' : null,
      brand: behaviour.brand,
      ...(held && { capture_before: seconds(turn) + AUTHORIZATION_SECONDS }),
      checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' },
      country: 'US',
      electronic_commerce_indicator: null,
      exp_month: 12,
      exp_year: 2034,
      fingerprint: `test${behaviour.last4}`,
      funding: 'credit',
      installments: null,
      last4: behaviour.last4,
      mandate: null,
      multicapture: { status: available ? 'available' : 'unavailable' },
      network: behaviour.brand,
      network_transaction_id: null,
      regulated_status: 'unregulated',
      three_d_secure: null,
      transaction_link_id: null,
      wallet: null,
    },
  }
}

const outcome = (decline: Decline | undefined): NonNullable<Charge['outcome']> => ({
  advice_code: null,
  network_advice_code: null,
  network_decline_code: null,
  network_status: decline === undefined ? 'approved_by_network' : 'declined_by_network',
  reason: decline?.declineCode ?? decline?.code ?? null,
  risk_level: 'normal',
  seller_message: decline === undefined ? 'Payment complete.' : 'The bank declined the payment.',
  type: decline === undefined ? 'authorized' : 'issuer_declined',
})

const unused = {
  application: null,
  application_fee: null,
  application_fee_amount: null,
  balance_transaction: null,
  billing_details: { address: null, email: null, name: null, phone: null, tax_id: null },
  calculated_statement_descriptor: 'STRIPE SIM',
  customer: null,
  failure_balance_transaction: null,
  fraud_details: {},
  livemode: false,
  on_behalf_of: null,
  receipt_number: null,
  receipt_url: null,
  review: null,
  source: null,
  source_transfer: null,
  transfer_data: null,
  transfer_group: null,
} as const

/** A charge that failed if the status says so, else one authorized, captured or pending. */
export const openCharge = (
  turn: Turn,
  intent: PaymentIntent,
  method: HeldMethod,
  status: 'failed' | 'pending' | 'succeeded',
): Charge => {
  const captured = status === 'succeeded' && intent.capture_method !== 'manual'
  const decline = status === 'failed' ? method.behaviour.decline : undefined
  const charge: Charge = {
    ...unused,
    id: turn.account.random.id('ch'),
    object: 'charge',
    amount: intent.amount,
    amount_captured: captured ? intent.amount : 0,
    amount_refunded: 0,
    captured,
    created: seconds(turn),
    currency: intent.currency,
    description: intent.description,
    disputed: false,
    failure_code: decline?.code ?? null,
    failure_message: decline?.message ?? null,
    metadata: intent.metadata,
    outcome: outcome(decline),
    paid: status === 'succeeded',
    payment_intent: intent.id,
    payment_method: method.object.id,
    payment_method_details:
      method.behaviour.type === 'card' ? cardDetails(turn, intent, method) : { type: 'us_bank_account' },
    receipt_email: intent.receipt_email,
    refunded: false,
    shipping: intent.shipping,
    statement_descriptor: intent.statement_descriptor,
    statement_descriptor_suffix: intent.statement_descriptor_suffix,
    status,
  }
  turn.account.charges.set(charge.id, charge)
  return charge
}

export const multicaptureAvailable = (charge: Charge): boolean =>
  charge.payment_method_details?.card?.multicapture?.status === 'available'
