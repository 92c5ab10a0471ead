/**
 * The requests that move money, each with the key of what it asks. Parameters are a function of what is asked too: the
 * same key with other parameters would be refused.
 */
import { type Clock, E, type StreamName, streamParts } from '@everfold/core'
import { type Money, type Payment, StripeAmount } from '@everfold/ecommerce'
import type { Stripe } from 'stripe'
import { keyOf } from './key.ts'
import { ask, type Outcome, refused } from './outcome.ts'
import { MARK } from './statement.ts'

export interface StripeOptions {
  /** The methods a shopper may pay with; cards unless told. */
  readonly paymentMethodTypes?: ReadonlyArray<'card' | 'us_bank_account'>
  /**
   * Where the bank sends the shopper back to after 3-D Secure, by order. Without it the shopper's browser handles the
   * next action by Stripe.js, with the client secret.
   */
  readonly returnUrl?: (orderId: string) => string
}

export interface Account extends StripeOptions {
  readonly stripe: Stripe
  readonly clock: Clock
}

type Intent = Stripe.PaymentIntent
type PaymentRequest = NonNullable<Payment.Payment['request']>
type Capture = Payment.Payment['capturesOpen'][number]

/** Retries are ours, on our clock: the SDK's wait by the machine's. */
export const ONCE: Stripe.RequestOptions = { maxNetworkRetries: 0 }
const keyed = (idempotencyKey: string): Stripe.RequestOptions => ({ ...ONCE, idempotencyKey })

const CHARGED = ['latest_charge']

export const createIntent = async (
  { stripe, clock, paymentMethodTypes = ['card'], returnUrl }: Account,
  stream: StreamName,
  { orderId, amount, paymentMethod, captureMethod, attempt }: PaymentRequest,
): Promise<Outcome<Intent>> => {
  const price = StripeAmount.toStripe(amount)
  if (E.isLeft(price)) return refused(CODES[price.left._tag])
  const parts = captureMethod === 'manual' && paymentMethodTypes.includes('card')
  const params: Stripe.PaymentIntentCreateParams = {
    ...price.right,
    confirm: true,
    payment_method: paymentMethod,
    allowed_payment_method_types: [...paymentMethodTypes],
    capture_method: captureMethod,
    ...(parts && { payment_method_options: { card: { request_multicapture: 'if_available' } } }),
    ...(returnUrl !== undefined && { return_url: returnUrl(orderId) }),
    metadata: {
      [MARK.paymentId]: streamParts(stream).id,
      [MARK.orderId]: orderId,
      [MARK.attempt]: attempt,
      [MARK.firstAttempt]: attempt,
    },
    expand: CHARGED,
  }
  return ask(clock, () => stripe.paymentIntents.create(params, keyed(keyOf(stream, 'create', attempt))))
}

/**
 * A later attempt on the same intent. The attempt is marked in one step with its payment method, which ends the former
 * attempt's refusal: so whoever sees the mark sees nothing of the former attempt.
 */
export const confirmIntent = async (
  { stripe, clock, returnUrl }: Account,
  stream: StreamName,
  { id, request }: { readonly id: string; readonly request: PaymentRequest },
): Promise<Outcome<Intent>> => {
  const { attempt, paymentMethod, orderId } = request
  const begin = { payment_method: paymentMethod, metadata: { [MARK.attempt]: attempt } }
  const begun = await ask(clock, () =>
    stripe.paymentIntents.update(id, begin, keyed(keyOf(stream, 'begin', attempt))),
  )
  if (begun._tag !== 'Answered') return begun
  const params = { ...(returnUrl !== undefined && { return_url: returnUrl(orderId) }), expand: CHARGED }
  return ask(clock, () => stripe.paymentIntents.confirm(id, params, keyed(keyOf(stream, 'confirm', attempt))))
}

/** `parts`: whether the card can be captured in parts; without, whatever is captured is final. */
export const captureIntent = async (
  { stripe, clock }: Account,
  stream: StreamName,
  { id, amount, capture, parts }: CaptureOf,
): Promise<Outcome<Intent>> => {
  const price = StripeAmount.toStripe(amount)
  if (E.isLeft(price)) return refused(CODES[price.left._tag])
  const params: Stripe.PaymentIntentCaptureParams = {
    amount_to_capture: price.right.amount,
    ...(parts && !capture.final && { final_capture: false }),
    expand: CHARGED,
  }
  const key = keyOf(stream, 'capture', capture.number)
  return ask(clock, () => stripe.paymentIntents.capture(id, params, keyed(key)))
}
interface CaptureOf {
  readonly id: string
  readonly amount: Money.AnyMoney
  readonly capture: Pick<Capture, 'number' | 'final'>
  readonly parts: boolean
}

/** Canceling twice has no second effect, so the key may be the one of whoever asks. */
export const cancelIntent = ({ stripe, clock }: Account, id: string, key: string): Promise<Outcome<Intent>> =>
  ask(clock, () => stripe.paymentIntents.cancel(id, { expand: CHARGED }, keyed(key)))

export interface RefundOf {
  readonly id: string
  readonly refundId: string
  readonly amount: Money.AnyMoney
}

export const createRefund = async (
  { stripe, clock }: Account,
  stream: StreamName,
  { id, refundId, amount }: RefundOf,
): Promise<Outcome<Stripe.Refund>> => {
  const price = StripeAmount.toStripe(amount)
  if (E.isLeft(price)) return refused(CODES[price.left._tag])
  const params = {
    payment_intent: id,
    amount: price.right.amount,
    metadata: { [MARK.paymentId]: streamParts(stream).id, [MARK.refundId]: refundId },
  }
  return ask(clock, () => stripe.refunds.create(params, keyed(keyOf(stream, 'refund', refundId))))
}

const CODES = {
  CurrencyNotAtStripe: 'currency_not_supported',
  AmountTooFine: 'amount_too_fine',
  AmountTooLarge: 'amount_too_large',
} as const
