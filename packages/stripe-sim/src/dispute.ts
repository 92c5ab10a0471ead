/**
 * Disputes: a cardholder's bank takes a captured charge back, until it is won or lost.
 *
 * Opened by the test cards made for it, in the same moment as the capture. Won by evidence whose text is
 * `winning_evidence` and lost by `losing_evidence` or by closing, as in Stripe's test mode.
 *
 * Source: https://docs.stripe.com/api/disputes and https://docs.stripe.com/testing#disputes
 */
import { type Charge, type Dispute, revise, seconds, type Turn } from './account.ts'
import { ok, type Result, refused } from './api-error.ts'
import { emit } from './event.ts'
import { boolean, fields, list, metadata, string } from './parameter.ts'
import type { TestMethod } from './test-method.ts'

const RESPONSE_SECONDS = 9 * 24 * 60 * 60

const NO_EVIDENCE: Dispute['evidence'] = {
  access_activity_log: null,
  billing_address: null,
  cancellation_policy: null,
  cancellation_policy_disclosure: null,
  cancellation_rebuttal: null,
  customer_communication: null,
  customer_email_address: null,
  customer_name: null,
  customer_purchase_ip: null,
  customer_signature: null,
  duplicate_charge_documentation: null,
  duplicate_charge_explanation: null,
  duplicate_charge_id: null,
  enhanced_evidence: {},
  product_description: null,
  receipt: null,
  refund_policy: null,
  refund_policy_disclosure: null,
  refund_refusal_explanation: null,
  service_date: null,
  service_documentation: null,
  shipping_address: null,
  shipping_carrier: null,
  shipping_date: null,
  shipping_documentation: null,
  shipping_tracking_number: null,
  uncategorized_file: null,
  uncategorized_text: null,
}

const dispute = (turn: Turn, charge: Charge, reason: NonNullable<TestMethod['dispute']>): Dispute => ({
  id: turn.account.random.id('du'),
  object: 'dispute',
  amount: charge.amount_captured - charge.amount_refunded,
  balance_transactions: [],
  charge: charge.id,
  created: seconds(turn),
  currency: charge.currency,
  enhanced_eligibility_types: [],
  evidence: NO_EVIDENCE,
  evidence_details: {
    due_by: seconds(turn) + RESPONSE_SECONDS,
    enhanced_eligibility: {},
    has_evidence: false,
    past_due: false,
    submission_count: 0,
    submission_method: 'not_submitted',
  },
  intended_submission_method: null,
  is_charge_refundable: reason === 'inquiry',
  livemode: false,
  metadata: {},
  payment_intent: charge.payment_intent,
  reason: reason === 'inquiry' ? 'fraudulent' : reason,
  status: reason === 'inquiry' ? 'warning_needs_response' : 'needs_response',
})

/** Does nothing for a card that disputes nothing. An inquiry takes no money yet. */
export const openDispute = (turn: Turn, charge: Charge, method: TestMethod): void => {
  if (method.dispute === undefined) return
  const opened = dispute(turn, charge, method.dispute)
  turn.account.disputes.set(opened.id, opened)
  const inquiry = method.dispute === 'inquiry'
  if (!inquiry) emit(turn, 'charge.updated', revise(turn.account.charges, charge, { disputed: true }), charge)
  emit(turn, 'charge.dispute.created', opened)
  if (!inquiry) emit(turn, 'charge.dispute.funds_withdrawn', opened)
}

const OPEN: ReadonlySet<string> = new Set([
  'needs_response',
  'under_review',
  'warning_needs_response',
  'warning_under_review',
])

export const closeDispute = (turn: Turn, open: Dispute, outcome: 'won' | 'lost'): Result<Dispute> => {
  if (!OPEN.has(open.status)) return refused(`This dispute is already closed: ${open.status}.`)
  const inquiry = open.status.startsWith('warning')
  const closed = revise(turn.account.disputes, open, {
    status: inquiry ? 'warning_closed' : outcome,
    is_charge_refundable: false,
  })
  emit(turn, 'charge.dispute.closed', closed)
  if (outcome === 'won' && !inquiry) emit(turn, 'charge.dispute.funds_reinstated', closed)
  return ok(closed)
}

export const disputeParameters = fields({
  evidence: fields({ uncategorized_text: string(20_000) }),
  expand: list(string()),
  metadata,
  submit: boolean,
})

export const submitEvidence = (
  turn: Turn,
  open: Dispute,
  params: { readonly text: string | undefined; readonly submit: boolean },
): Result<Dispute> => {
  if (!OPEN.has(open.status)) return refused(`This dispute is already closed: ${open.status}.`)
  const next = revise(turn.account.disputes, open, {
    evidence: { ...open.evidence, uncategorized_text: params.text ?? open.evidence.uncategorized_text },
    evidence_details: { ...open.evidence_details, has_evidence: true },
    ...(params.submit && { status: 'under_review' as const }),
  })
  emit(turn, 'charge.dispute.updated', next, open)
  if (!params.submit) return ok(next)
  if (params.text === 'winning_evidence') return closeDispute(turn, next, 'won')
  return params.text === 'losing_evidence' ? closeDispute(turn, next, 'lost') : ok(next)
}
