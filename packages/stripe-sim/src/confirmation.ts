/**
 * Confirming a payment intent: the attempt to charge, with 3-D Secure, declines and authorizations.
 *
 * A decline answers 402 and puts the intent back to requires_payment_method; a lost answer therefore leaves a trace
 * that can be asked for.
 *
 * Source: https://docs.stripe.com/payments/paymentintents/lifecycle, https://docs.stripe.com/payments/3d-secure and
 * https://docs.stripe.com/declines
 */
import {
  type Charge,
  type HeldMethod,
  type PaymentIntent,
  revise,
  setTimer,
  type Turn,
  unsetTimers,
} from './account.ts'
import { cardError, missing, ok, type Result, refused } from './api-error.ts'
import { AUTHORIZATION_SECONDS, openCharge } from './charge.ts'
import { openDispute } from './dispute.ts'
import { emit } from './event.ts'
import { fields, filled, list, oneOf, string } from './parameter.ts'
import {
  cardOptions,
  checkMethod,
  checkReturnUrl,
  confirmOptions,
  type MethodOptions,
  methodOptions,
  unexpectedState,
} from './payment-intent.ts'
import { mintOrFind } from './payment-method.ts'
import type { Decline } from './test-method.ts'

export const confirmParameters = fields({
  ...confirmOptions,
  capture_method: oneOf('automatic', 'automatic_async', 'manual'),
  expand: list(string()),
  payment_method: filled(),
  payment_method_options: methodOptions,
  receipt_email: string(800),
})

export interface Confirmation {
  readonly capture_method?: 'automatic' | 'automatic_async' | 'manual' | undefined
  readonly error_on_requires_action?: boolean | undefined
  readonly off_session?: boolean | undefined
  readonly payment_method?: string | undefined
  readonly payment_method_options?: MethodOptions | undefined
  readonly receipt_email?: string | undefined
  readonly return_url?: string | undefined
  readonly use_stripe_sdk?: boolean | undefined
}

const DEBIT_SETTLES_AFTER_MS = 60_000
const CONFIRMABLE = ['requires_payment_method', 'requires_confirmation', 'requires_action']

/** What the issuer says when it wants the shopper and the shopper is not there. */
const ABSENT: Decline = {
  code: 'authentication_required',
  declineCode: 'authentication_required',
  message: 'Your card was declined. This transaction requires authentication.',
}

const paymentError = (decline: Decline, method: HeldMethod, charge: Charge) => ({
  code: decline.code,
  message: decline.message,
  ...(decline.declineCode !== undefined && { decline_code: decline.declineCode }),
  charge: charge.id,
  payment_method: method.object,
})

const declineWith = (
  turn: Turn,
  intent: PaymentIntent,
  method: HeldMethod,
  decline: Decline,
): PaymentIntent => {
  const behaviour = { ...method.behaviour, decline }
  const charge = openCharge(turn, intent, { ...method, behaviour }, 'failed')
  emit(turn, 'charge.failed', charge)
  const next = revise(turn.account.intents, intent, {
    status: 'requires_payment_method',
    payment_method: null,
    latest_charge: charge.id,
    next_action: null,
    last_payment_error: { type: 'card_error', ...paymentError(decline, method, charge) },
  })
  emit(turn, 'payment_intent.payment_failed', next)
  return next
}

/** Bank debits are accepted first and known to be good or bad later. */
const process = (turn: Turn, intent: PaymentIntent, method: HeldMethod): PaymentIntent => {
  const charge = openCharge(turn, intent, method, 'pending')
  emit(turn, 'charge.pending', charge)
  const next = revise(turn.account.intents, intent, {
    status: 'processing',
    latest_charge: charge.id,
    next_action: null,
    last_payment_error: null,
  })
  emit(turn, 'payment_intent.processing', next)
  if (method.behaviour.settles !== 'never')
    setTimer(turn.account, {
      _tag: 'DebitSettles',
      atMs: turn.nowMs + DEBIT_SETTLES_AFTER_MS,
      id: intent.id,
    })
  return next
}

const authorize = (turn: Turn, intent: PaymentIntent, method: HeldMethod): PaymentIntent => {
  const charge = openCharge(turn, intent, method, 'succeeded')
  emit(turn, 'charge.succeeded', charge)
  const manual = intent.capture_method === 'manual'
  const next = revise(turn.account.intents, intent, {
    status: manual ? 'requires_capture' : 'succeeded',
    amount_capturable: manual ? intent.amount : 0,
    amount_received: manual ? 0 : intent.amount,
    latest_charge: charge.id,
    next_action: null,
    last_payment_error: null,
  })
  emit(turn, manual ? 'payment_intent.amount_capturable_updated' : 'payment_intent.succeeded', next)
  if (manual)
    setTimer(turn.account, {
      _tag: 'AuthorizationExpires',
      atMs: turn.nowMs + AUTHORIZATION_SECONDS * 1_000,
      id: intent.id,
    })
  else openDispute(turn, charge, method.behaviour)
  return next
}

const charge = (turn: Turn, intent: PaymentIntent, method: HeldMethod): PaymentIntent => {
  if (method.behaviour.settles !== undefined) return process(turn, intent, method)
  if (method.behaviour.decline !== undefined)
    return declineWith(turn, intent, method, method.behaviour.decline)
  return authorize(turn, intent, method)
}

const challenge = (
  turn: Turn,
  intent: PaymentIntent,
  how: Pick<Confirmation, 'return_url' | 'use_stripe_sdk'>,
): PaymentIntent => {
  const url = `${turn.origin}/3d_secure/${intent.id}?client_secret=${intent.client_secret ?? ''}`
  const redirects = how.return_url !== undefined && how.use_stripe_sdk !== true
  const next = revise(turn.account.intents, intent, {
    status: 'requires_action',
    last_payment_error: null,
    next_action: redirects
      ? { type: 'redirect_to_url', redirect_to_url: { return_url: how.return_url ?? null, url } }
      : { type: 'use_stripe_sdk', use_stripe_sdk: { type: 'three_d_secure_redirect', stripe_js: url } },
  })
  emit(turn, 'payment_intent.requires_action', next)
  return next
}

/** A decline is the caller's error, and carries the intent as it is now. */
const answer = (intent: PaymentIntent): Result<PaymentIntent> => {
  const error = intent.last_payment_error
  if (intent.status !== 'requires_payment_method' || error === null) return ok(intent)
  return cardError({
    message: error.message ?? 'Your card was declined.',
    ...(error.code !== undefined && { code: error.code }),
    ...(error.decline_code !== undefined && { decline_code: error.decline_code }),
    ...(error.charge !== undefined && { charge: error.charge }),
    payment_intent: intent,
    payment_method: error.payment_method,
  })
}

const needsShopper = (intent: PaymentIntent, method: HeldMethod): boolean => {
  const asked = intent.payment_method_options?.card?.request_three_d_secure
  const offers = method.behaviour.last4 === '3055'
  return method.behaviour.authentication || (offers && (asked === 'any' || asked === 'challenge'))
}

/** The attempt itself, for an intent whose state and parameters were found in order. */
export const attempt = (turn: Turn, intent: PaymentIntent, how: Confirmation): Result<PaymentIntent> => {
  const named = how.payment_method ?? intent.payment_method
  if (named === null)
    return refused(
      'You cannot confirm this PaymentIntent because it is missing a payment method. You can either update the ' +
        'PaymentIntent with a payment method and then confirm it again, or confirm it again directly with one.',
      'payment_intent_unexpected_state',
      { payment_intent: intent },
    )
  const method = mintOrFind(turn, named)
  if (!method.ok) return method
  const capture_method = how.capture_method ?? intent.capture_method
  const payable = checkMethod({ ...intent, capture_method }, method.value)
  if (!payable.ok) return payable
  const chosen = revise(turn.account.intents, intent, {
    payment_method: method.value.object.id,
    capture_method,
    receipt_email: how.receipt_email ?? intent.receipt_email,
    ...(how.payment_method_options !== undefined && {
      payment_method_options: cardOptions(how.payment_method_options),
    }),
  })
  if (!needsShopper(chosen, method.value)) return answer(charge(turn, chosen, method.value))
  if (how.off_session === true || how.error_on_requires_action === true)
    return answer(declineWith(turn, chosen, method.value, ABSENT))
  return ok(challenge(turn, chosen, how))
}

export const confirm = (turn: Turn, intent: PaymentIntent, how: Confirmation): Result<PaymentIntent> => {
  if (!CONFIRMABLE.includes(intent.status)) return unexpectedState(intent, 'confirmed', CONFIRMABLE)
  const place = checkReturnUrl(intent, how.return_url)
  return place.ok ? attempt(turn, intent, how) : place
}

/** The shopper's answer to the challenge. A failed one makes no charge. */
export const authenticated = (
  turn: Turn,
  intent: PaymentIntent,
  outcome: 'succeed' | 'fail',
): Result<PaymentIntent> => {
  const method = intent.payment_method === null ? undefined : turn.account.methods.get(intent.payment_method)
  if (intent.status !== 'requires_action' || method === undefined)
    return unexpectedState(intent, 'authenticated', ['requires_action'])
  if (outcome === 'succeed') return ok(charge(turn, intent, method))
  const next = revise(turn.account.intents, intent, {
    status: 'requires_payment_method',
    payment_method: null,
    next_action: null,
    last_payment_error: {
      type: 'invalid_request_error',
      code: 'payment_intent_authentication_failure',
      message:
        'We are unable to authenticate your payment method. Please choose a different payment method and try again.',
      payment_method: method.object,
    },
  })
  emit(turn, 'payment_intent.payment_failed', next)
  return ok(next)
}

/** The bank's late word on a debit that is processing. */
export const settled = (
  turn: Turn,
  intent: PaymentIntent,
  outcome: 'succeed' | 'fail',
): Result<PaymentIntent> => {
  const pending = intent.latest_charge === null ? undefined : turn.account.charges.get(intent.latest_charge)
  const method = intent.payment_method === null ? undefined : turn.account.methods.get(intent.payment_method)
  if (intent.status !== 'processing') return unexpectedState(intent, 'settled', ['processing'])
  if (pending === undefined || method === undefined) return missing('charge', intent.id, 'charge')
  unsetTimers(turn.account, intent.id)
  const good = outcome === 'succeed'
  const decline = method.behaviour.decline ?? {
    code: 'payment_intent_payment_attempt_failed',
    message: 'Failed.',
  }
  const done = revise(turn.account.charges, pending, {
    status: good ? 'succeeded' : 'failed',
    paid: good,
    captured: good,
    amount_captured: good ? pending.amount : 0,
    ...(!good && { failure_code: decline.code, failure_message: decline.message }),
  })
  emit(turn, good ? 'charge.succeeded' : 'charge.failed', done)
  const next = revise(turn.account.intents, intent, {
    status: good ? 'succeeded' : 'requires_payment_method',
    amount_received: good ? intent.amount : 0,
    ...(!good && {
      payment_method: null,
      last_payment_error: { type: 'invalid_request_error', ...paymentError(decline, method, done) },
    }),
  })
  emit(turn, good ? 'payment_intent.succeeded' : 'payment_intent.payment_failed', next)
  return ok(next)
}
