/**
 * What becomes of one request to Stripe, as a value.
 *
 * A request whose fate nobody knows is asked again with the same key and the same parameters, up to three times, so a
 * `call` must carry an explicit key or only read. A decline is an answer. Only `Lost` leaves open what Stripe did.
 *
 * Source: https://docs.stripe.com/error-low-level and https://docs.stripe.com/api/idempotent_requests
 */
import type { Clock } from '@everfold/core'
import { Stripe } from 'stripe'

export type Outcome<A> =
  | { readonly _tag: 'Answered'; readonly value: A }
  /** The issuer, or a check before it, said no; the intent waits for another payment method. */
  | { readonly _tag: 'Declined'; readonly intent: Stripe.PaymentIntent }
  /** Stripe will not do it, and has not done it. */
  | Refused
  /** It may have been done or not. `kept`: Stripe has kept this non-answer, and will give it for this key forever. */
  | { readonly _tag: 'Lost'; readonly kept: boolean; readonly cause: unknown }
  /** Nothing was done, and the same may be asked later. */
  | { readonly _tag: 'TurnedAway'; readonly cause: unknown }
export type Failed = Exclude<Outcome<never>, { readonly _tag: 'Answered' }>

export interface Refused {
  readonly _tag: 'Refused'
  /** Stripe's word for why, such as `amount_too_small`. */
  readonly code: string
}

export const answered = <A>(value: A): Outcome<A> => ({ _tag: 'Answered', value })
export const refused = (code: string): Refused => ({ _tag: 'Refused', code })

const RETRIES = 3
const FIRST_PAUSE_MS = 200

export const ask = async <A>(
  { sleep, random }: Pick<Clock, 'sleep' | 'random'>,
  call: () => Promise<A>,
): Promise<Outcome<A>> => {
  let lost: Outcome<A> | undefined
  for (let tries = 0; ; tries += 1) {
    const outcome = await attempt(call)
    if (outcome._tag === 'Lost') lost = outcome
    else if (outcome._tag !== 'TurnedAway') return outcome
    // Turned away after a try that was lost, we still do not know what became of that one.
    if (tries === RETRIES || !mayRetry(outcome)) return lost ?? outcome
    await sleep(FIRST_PAUSE_MS * 2 ** tries * (0.5 + random()))
  }
}

const attempt = async <A>(call: () => Promise<A>): Promise<Outcome<A>> => {
  try {
    return answered(await call())
  } catch (cause) {
    return failure(cause)
  }
}

const mayRetry = (outcome: Outcome<unknown>): boolean =>
  outcome._tag === 'Lost' ? !outcome.kept : outcome._tag === 'TurnedAway' && !isOurFault(outcome.cause)

/** Keys that Stripe does not accept: the same request fails until somebody changes them. */
const isOurFault = (cause: unknown): boolean =>
  cause instanceof Stripe.errors.StripeAuthenticationError ||
  cause instanceof Stripe.errors.StripePermissionError

const failure = (cause: unknown): Failed => {
  if (!(cause instanceof Stripe.errors.StripeError)) return { _tag: 'Lost', kept: false, cause }
  const { errors } = Stripe
  if (cause instanceof errors.StripeCardError) return declined(cause)
  // The key came with other parameters before, as after a deploy between two deliveries: that request has the answer.
  if (cause instanceof errors.StripeIdempotencyError) return { _tag: 'Lost', kept: true, cause }
  if (cause instanceof errors.StripeInvalidRequestError) return refused(cause.code ?? 'invalid_request')
  if (isOurFault(cause) || cause instanceof errors.StripeRateLimitError || cause.statusCode === 409)
    return { _tag: 'TurnedAway', cause }
  return { _tag: 'Lost', kept: cause.headers?.['idempotent-replayed'] === 'true', cause }
}

const declined = (error: Stripe.errors.StripeCardError): Failed =>
  error.payment_intent === undefined
    ? refused(error.decline_code ?? error.code ?? 'card_declined')
    : { _tag: 'Declined', intent: error.payment_intent }
