/**
 * Capturing an authorization, whole or in part, once or (multicapture) several times, and its expiry.
 *
 * A capture is final unless told otherwise, and a final one releases the rest. Several captures need a manual intent
 * confirmed with `payment_method_options[card][request_multicapture]=if_available` and a card that has it. With
 * multicapture every capture sends charge.updated and payment_intent.amount_capturable_updated, and only the final
 * one sends charge.captured.
 *
 * Source: https://docs.stripe.com/api/payment_intents/capture, https://docs.stripe.com/payments/multicapture and
 * https://docs.stripe.com/payments/place-a-hold-on-a-payment-method
 */
import { type Charge, type PaymentIntent, revise, type Turn, unsetTimers } from './account.ts'
import { ok, type Result, refused } from './api-error.ts'
import { multicaptureAvailable } from './charge.ts'
import { openDispute } from './dispute.ts'
import { emit } from './event.ts'
import { checkPart } from './money.ts'
import { boolean, fields, integer, list, metadata, string } from './parameter.ts'
import { endCanceled, mergeMetadata, unexpectedState } from './payment-intent.ts'

export const captureParameters = fields({
  amount_to_capture: integer,
  expand: list(string()),
  final_capture: boolean,
  metadata,
  statement_descriptor_suffix: string(22),
})

export interface Capture {
  readonly amount_to_capture?: number | undefined
  readonly final_capture?: boolean | undefined
  readonly metadata?: ReadonlyMap<string, string> | '' | undefined
  readonly statement_descriptor_suffix?: string | undefined
}

interface Step {
  readonly intent: PaymentIntent
  readonly charge: Charge
  readonly amount: number
  readonly final: boolean
}

const tellCharge = (turn: Turn, { charge, amount, final }: Step): Charge => {
  const next = revise(turn.account.charges, charge, {
    amount_captured: charge.amount_captured + amount,
    captured: final,
  })
  const multicapture = multicaptureAvailable(charge)
  if (multicapture && amount > 0) emit(turn, 'charge.updated', next, charge)
  if (final) emit(turn, 'charge.captured', next)
  const method = final ? turn.account.methods.get(charge.payment_method ?? '') : undefined
  if (method !== undefined && next.amount_captured > 0) openDispute(turn, next, method.behaviour)
  return next
}

const take = (turn: Turn, step: Step): PaymentIntent => {
  const { intent, amount, final } = step
  tellCharge(turn, step)
  const next = revise(turn.account.intents, intent, {
    status: final ? 'succeeded' : 'requires_capture',
    amount_capturable: final ? 0 : intent.amount_capturable - amount,
    amount_received: intent.amount_received + amount,
  })
  if (multicaptureAvailable(step.charge)) emit(turn, 'payment_intent.amount_capturable_updated', next, intent)
  if (final) {
    unsetTimers(turn.account, intent.id)
    emit(turn, 'payment_intent.succeeded', next)
  }
  return next
}

const checkStep = ({ intent, charge, amount, final }: Step): Result<null> => {
  const whole = checkPart(amount, intent.currency, 'amount_to_capture')
  if (!whole.ok) return whole
  if (amount > intent.amount_capturable)
    return refused(
      `The amount_to_capture of ${amount} is greater than the capturable amount of ${intent.amount_capturable}.`,
      'amount_too_large',
      { param: 'amount_to_capture' },
    )
  if (!final && !multicaptureAvailable(charge))
    return refused(
      'You cannot set final_capture to false: multicapture is not available on this PaymentIntent.',
      undefined,
      { param: 'final_capture' },
    )
  if (amount === 0 && !(final && intent.amount_received > 0))
    return refused('This value must be greater than or equal to 1.', 'parameter_invalid_integer', {
      param: 'amount_to_capture',
    })
  return ok(null)
}

const chargeOf = (turn: Turn, intent: PaymentIntent): Charge | undefined =>
  turn.account.charges.get(intent.latest_charge ?? '')

export const capture = (turn: Turn, intent: PaymentIntent, params: Capture): Result<PaymentIntent> => {
  const charge = chargeOf(turn, intent)
  if (intent.status !== 'requires_capture' || charge === undefined)
    return unexpectedState(intent, 'captured', ['requires_capture'])
  const step = {
    intent,
    charge,
    amount: params.amount_to_capture ?? intent.amount_capturable,
    final: params.final_capture ?? true,
  }
  const checked = checkStep(step)
  if (!checked.ok) return checked
  const described = revise(turn.account.intents, intent, {
    metadata: mergeMetadata(intent.metadata, params.metadata),
    statement_descriptor_suffix: params.statement_descriptor_suffix ?? intent.statement_descriptor_suffix,
  })
  return ok(take(turn, { ...step, intent: described }))
}

/** Seven days on: what was never captured is canceled, what was partly captured has succeeded. */
export const expireAuthorization = (turn: Turn, intent: PaymentIntent): void => {
  const charge = chargeOf(turn, intent)
  if (intent.status !== 'requires_capture' || charge === undefined) return
  if (intent.amount_received > 0) {
    take(turn, { intent, charge, amount: 0, final: true })
    return
  }
  emit(turn, 'charge.expired', charge)
  endCanceled(turn, intent, 'automatic')
}
