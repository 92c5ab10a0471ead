/**
 * Refunds: giving captured money back, in parts or whole.
 *
 * Invariant: what is given back and not failed never exceeds what was captured. Refunds of `pm_card_pendingRefund`
 * succeed a minute later; those of `pm_card_refundFail` look succeeded and fail a minute later.
 *
 * Source: https://docs.stripe.com/api/refunds, https://docs.stripe.com/refunds and
 * https://docs.stripe.com/testing#refunds
 */
import { type Charge, type Refund, revise, seconds, setTimer, type Turn } from './account.ts'
import { invalid, missing, ok, type Result, refused } from './api-error.ts'
import { emit } from './event.ts'
import { checkPart } from './money.ts'
import { fields, filled, integer, list, metadata, oneOf, string, type ValueOf } from './parameter.ts'
import { mergeMetadata } from './payment-intent.ts'

const SETTLES_AFTER_MS = 60_000

export const refundParameters = fields({
  amount: integer,
  charge: filled(),
  expand: list(string()),
  metadata,
  payment_intent: filled(),
  reason: oneOf('duplicate', 'fraudulent', 'requested_by_customer'),
})
export type RefundParameters = ValueOf<typeof refundParameters>

export const checkRefund = (params: RefundParameters): Result<null> => {
  if (params.charge !== undefined && params.payment_intent !== undefined)
    return invalid(
      'You may only specify one of these parameters: charge, payment_intent.',
      'parameters_exclusive',
    )
  if (params.charge === undefined && params.payment_intent === undefined)
    return invalid(
      'One of the following params should be provided: charge, payment_intent.',
      'parameter_missing',
    )
  return params.amount === undefined || params.amount >= 1
    ? ok(null)
    : invalid('This value must be greater than or equal to 1.', 'parameter_invalid_integer', 'amount')
}

const chargeOf = (turn: Turn, params: RefundParameters): Result<Charge> => {
  const { account } = turn
  if (params.charge !== undefined) {
    const charge = account.charges.get(params.charge)
    return charge === undefined ? missing('charge', params.charge, 'charge') : ok(charge)
  }
  const id = params.payment_intent ?? ''
  const intent = account.intents.get(id)
  if (intent === undefined) return missing('payment_intent', id, 'payment_intent')
  const charge = account.charges.get(intent.latest_charge ?? '')
  return charge === undefined || charge.status !== 'succeeded'
    ? refused(`This PaymentIntent (${id}) does not have a successful charge to refund.`, undefined, {
        param: 'payment_intent',
      })
    : ok(charge)
}

const refundable = (charge: Charge, asked: number | undefined): Result<number> => {
  const rest = charge.amount_captured - charge.amount_refunded
  if (charge.status !== 'succeeded' || charge.amount_captured === 0)
    return refused(
      `Charge ${charge.id} has not been captured. Cancel its PaymentIntent to release the authorization.`,
      'charge_not_refundable',
    )
  if (charge.disputed) return refused(`Charge ${charge.id} has been charged back.`, 'charge_disputed')
  if (rest === 0) return refused(`Charge ${charge.id} has already been refunded.`, 'charge_already_refunded')
  const amount = asked ?? rest
  const whole = checkPart(amount, charge.currency, 'amount')
  if (!whole.ok) return whole
  return amount > rest
    ? refused(
        `Refund amount (${amount}) is greater than unrefunded amount on charge (${rest}).`,
        'amount_too_large',
        { param: 'amount' },
      )
    : ok(amount)
}

/** Moves the charge's own total by `amount`, which is negative for a refund that failed. */
const giveBack = (turn: Turn, charge: Charge, amount: number): Charge => {
  const refundedTotal = charge.amount_refunded + amount
  return revise(turn.account.charges, charge, {
    amount_refunded: refundedTotal,
    refunded: charge.captured && refundedTotal === charge.amount_captured,
  })
}

const open = (turn: Turn, charge: Charge, params: RefundParameters): Refund => ({
  id: turn.account.random.id('re'),
  object: 'refund',
  amount: 0,
  balance_transaction: null,
  charge: charge.id,
  created: seconds(turn),
  currency: charge.currency,
  customer: null,
  customer_account: null,
  metadata: mergeMetadata({}, params.metadata),
  payment_intent: charge.payment_intent,
  payment_method: charge.payment_method,
  reason: params.reason ?? null,
  receipt_number: null,
  source_transfer_reversal: null,
  status: 'succeeded',
  transfer_reversal: null,
})

export const createRefund = (turn: Turn, params: RefundParameters): Result<Refund> => {
  const charge = chargeOf(turn, params)
  if (!charge.ok) return charge
  const amount = refundable(charge.value, params.amount)
  if (!amount.ok) return amount
  const behaviour = turn.account.methods.get(charge.value.payment_method ?? '')?.behaviour.refund
  const refund: Refund = {
    ...open(turn, charge.value, params),
    amount: amount.value,
    status: behaviour === 'pending' ? 'pending' : 'succeeded',
    ...(behaviour === 'pending' && { pending_reason: 'processing' as const }),
  }
  turn.account.refunds.set(refund.id, refund)
  emit(turn, 'refund.created', refund)
  emit(turn, 'charge.refunded', giveBack(turn, charge.value, amount.value), charge.value)
  if (behaviour !== undefined)
    setTimer(turn.account, { _tag: 'RefundSettles', atMs: turn.nowMs + SETTLES_AFTER_MS, id: refund.id })
  return ok(refund)
}

/** What the issuer does with an odd card's refund, a minute later. */
export const settleRefund = (turn: Turn, refund: Refund): void => {
  if (refund.status === 'pending') {
    const { pending_reason: _, ...rest } = refund
    const done: Refund = { ...rest, status: 'succeeded' }
    turn.account.refunds.set(refund.id, done)
    emit(turn, 'refund.updated', done, refund)
    return
  }
  const failed = revise(turn.account.refunds, refund, {
    status: 'failed',
    failure_reason: 'expired_or_canceled_card',
  })
  emit(turn, 'refund.failed', failed)
  emit(turn, 'refund.updated', failed, refund)
  const charge = turn.account.charges.get(refund.charge ?? '')
  if (charge !== undefined) emit(turn, 'charge.updated', giveBack(turn, charge, -refund.amount), charge)
}

export const refundUpdateParameters = fields({ expand: list(string()), metadata })

export const updateRefund = (
  turn: Turn,
  refund: Refund,
  change: ReadonlyMap<string, string> | '' | undefined,
): Refund => {
  const next = revise(turn.account.refunds, refund, {
    metadata: mergeMetadata(refund.metadata ?? {}, change),
  })
  emit(turn, 'refund.updated', next, refund)
  return next
}
