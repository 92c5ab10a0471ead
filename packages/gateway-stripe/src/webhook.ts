/**
 * Stripe's webhooks: raw bytes, verified, as commands that record what they say.
 *
 * A webhook is signed over its very bytes and over a time, which may differ from ours by the tolerance, either way;
 * the SDK refuses only the past. Behind a queue the time of receipt counts. Whatever else comes is a problem, never an
 * exception. An event has one command id, so a repeat is recorded once.
 *
 * Whose payment an event is about, our mark on its object tells. Disputes, and refunds made in Stripe's dashboard, bear
 * none: given a client, their payment is looked up by their intent. Events of strangers are acknowledged and do nothing.
 *
 * Source: https://docs.stripe.com/webhooks (signatures) and https://docs.stripe.com/webhooks/signature
 */
import {
  type AnyAggregate,
  deriveId,
  E,
  type HookBinding,
  type HookCommand,
  type Problem,
  problem,
} from '@everfold/core'
import { Payment, ProviderStatement, Quantities } from '@everfold/ecommerce'
import { Stripe } from 'stripe'
import { ONCE } from './account.ts'
import {
  asOf,
  idOf,
  isCapturedWhole,
  ofCharge,
  ofDispute,
  ofIntent,
  ofRefund,
  paymentIdOf,
} from './statement.ts'

export interface WebhookOptions {
  /** The endpoint's signing secret. */
  readonly secret: string
  /** How far the signature's time may lie from ours, in seconds; 300 unless told. */
  readonly toleranceS?: number
  /** To look up the payments of disputes and of refunds made by hand; without it they are not heard. */
  readonly stripe?: Stripe
}

type Message = Parameters<HookBinding>[0]
type Commands = E.Either<Problem, ReadonlyArray<HookCommand>>

const DEFAULT_TOLERANCE_S = 300

export const stripeWebhooks =
  ({ secret, toleranceS = DEFAULT_TOLERANCE_S, stripe }: WebhookOptions): HookBinding =>
  (message) => {
    const event = verified(message, secret, toleranceS)
    if (E.isLeft(event)) return event
    const heard = E.tryCatch(
      () => hear(event.right),
      () => unreadable,
    )
    if (E.isLeft(heard)) return heard
    const { statement, paymentId, intentId } = heard.right
    if (paymentId !== undefined) return commandsOf(event.right, paymentId, statement)
    if (stripe === undefined || intentId === undefined || statement === undefined) return E.right([])
    return lookUp(stripe, event.right, { statement, intentId })
  }

// Verification

const unverified = (detail: string): Problem => problem(400, 'Unverified webhook', { detail })
const unreadable: Problem = problem(400, 'Unreadable webhook')

const verified = (
  { body, headers, nowMs }: Message,
  secret: string,
  toleranceS: number,
): E.Either<Problem, Stripe.Event> => {
  const signature = headers['stripe-signature'] ?? ''
  const aheadS = signedAtS(signature) - Math.floor(nowMs / 1_000)
  if (!(Math.abs(aheadS) <= toleranceS)) return E.left(unverified('It is not signed, or not at this time.'))
  try {
    const event: unknown = Stripe.webhooks.constructEvent(
      exactText.decode(body),
      signature,
      secret,
      toleranceS,
      undefined,
      nowMs,
    )
    return isEvent(event) ? E.right(event) : E.left(unreadable)
  } catch (cause) {
    const forged = cause instanceof Stripe.errors.StripeSignatureVerificationError
    return E.left(forged ? unverified('Its signature does not fit.') : unreadable)
  }
}

/** The SDK's own decoder leaves a byte order mark out and mends what is no UTF-8: then other bytes pass for the signed. */
const exactText = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The last `t=` counts, as in the SDK; NaN where there is none. */
const signedAtS = (signature: string): number => {
  const time = signature.split(',').findLast((item) => item.startsWith('t='))
  return time === undefined ? Number.NaN : Number.parseInt(time.slice(2), 10)
}

const isEvent = (input: unknown): input is Stripe.Event => {
  const { id, type, created, data } = (input ?? {}) as Partial<Record<keyof Stripe.Event, unknown>>
  const object = (data as { readonly object?: unknown } | null | undefined)?.object
  return (
    ProviderStatement.ProviderId.is(id) &&
    typeof type === 'string' &&
    Number.isSafeInteger(created) &&
    Quantities.TimeMs.is((created as number) * 1_000) &&
    typeof object === 'object' &&
    object !== null
  )
}

// What an event says

interface Heard {
  readonly statement: ProviderStatement.ProviderStatement | undefined
  /** By our mark. */
  readonly paymentId: Quantities.PaymentId | undefined
  /** Whose payment to look up where there is no mark, and there may be one of ours. */
  readonly intentId?: string | undefined
}

const NOTHING: Heard = { statement: undefined, paymentId: undefined }

const hear = (event: Stripe.Event): Heard => {
  const object = event.data.object as Subject
  switch (object.object) {
    case 'payment_intent':
      return { statement: ofIntent(object), paymentId: paymentIdOf(object) }
    case 'charge':
      return { statement: ofCharge(object), paymentId: paymentIdOf(object) }
    case 'refund':
      return {
        statement: ofRefund(object),
        paymentId: paymentIdOf(object),
        intentId: idOf(object.payment_intent),
      }
    case 'dispute':
      return {
        statement: ofDispute(object, event.type),
        paymentId: paymentIdOf(object),
        intentId: idOf(object.payment_intent),
      }
    default:
      return NOTHING
  }
}

type Subject =
  | Stripe.PaymentIntent
  | Stripe.Charge
  | Stripe.Refund
  | Stripe.Dispute
  | { readonly object: 'another' }

const commandsOf = (
  event: Stripe.Event,
  paymentId: Quantities.PaymentId,
  said: ProviderStatement.ProviderStatement | undefined,
): Commands => {
  if (said === undefined) return E.left(unreadable)
  const createdAtMs = (event.created * 1_000) as Quantities.TimeMs
  const statement = asOf(said, { createdAtMs, providerEventId: event.id as ProviderStatement.ProviderId })
  const command: Payment.PaymentCommand = { _tag: 'RecordProviderEvent', statement }
  const commandId = deriveId(createdAtMs, 'stripe', event.id)
  return E.right([{ aggregate: Payment.aggregate as AnyAggregate, id: paymentId, command, commandId }])
}

/** What the event says stays a function of the event; only whose payment it is about is asked for. */
const lookUp = async (
  stripe: Stripe,
  event: Stripe.Event,
  {
    statement,
    intentId,
  }: { readonly statement: ProviderStatement.ProviderStatement; readonly intentId: string },
): Promise<Commands> => {
  try {
    const intent = await stripe.paymentIntents.retrieve(intentId, { expand: ['latest_charge'] }, ONCE)
    const paymentId = paymentIdOf(intent)
    const released = statement.refunds !== undefined && !isCapturedWhole(intent)
    return paymentId === undefined || released ? E.right([]) : commandsOf(event, paymentId, statement)
  } catch (cause) {
    if (cause instanceof Stripe.errors.StripeInvalidRequestError) return E.right([])
    return E.left(problem(503, 'Try again', { detail: 'The payment cannot be looked up.', retryAfterS: 60 }))
  }
}
