/**
 * Stripe's objects as statements: what each says of a payment, and no more.
 *
 * When was it true? A statement is dated by Stripe's clock and never later than the moment it describes, so that news
 * always stands over what is only heard late.
 * - A webhook holds its object as of the event: it is dated by the event.
 * - An answer of the API bears no date of its own, and may be a replay of an old one. It is dated by the latest date
 *   inside the object, which is at or before its moment: a webhook about anything later stands over it.
 * - Both name the attempt, which counts before any date: what a later attempt led to stands over all that is heard of
 *   an earlier one, though both bear the same second.
 *
 * Total: whatever Stripe sends gives a statement or, where it is not readable as one, undefined.
 */
import { E } from '@everfold/core'
import { type Money, ProviderStatement, Quantities, StripeAmount } from '@everfold/ecommerce'
import type { Stripe } from 'stripe'

type Statement = ProviderStatement.ProviderStatement
/** The fields of a statement before its codec has seen them. */
type Said = { readonly [Field in keyof Statement]?: unknown }

/** What we write on a payment intent, and Stripe copies to its charges. */
export const MARK = {
  paymentId: 'paymentId',
  orderId: 'orderId',
  /** The latest attempt that was begun. */
  attempt: 'attempt',
  /** The attempt that created the intent. */
  firstAttempt: 'firstAttempt',
  /** On refunds. */
  refundId: 'refundId',
} as const

interface Marked {
  readonly metadata?: Readonly<Record<string, string>> | null
}

/** Which payment of ours an object is about; undefined for a stranger's. */
export const paymentIdOf = ({ metadata }: Marked): Quantities.PaymentId | undefined => {
  const id = metadata?.[MARK.paymentId]
  return Quantities.PaymentId.is(id) ? id : undefined
}

export const numberIn = ({ metadata }: Marked, key: 'attempt' | 'firstAttempt'): number | undefined => {
  const count = Number(metadata?.[key])
  return Number.isSafeInteger(count) && count > 0 ? count : undefined
}

export const idOf = (reference: string | { readonly id: string } | null | undefined): string | undefined =>
  typeof reference === 'object' ? reference?.id : reference

/** The object where it was expanded. */
const expanded = <A extends object>(reference: string | A | null | undefined): A | undefined =>
  typeof reference === 'object' && reference !== null ? reference : undefined

const readable = (said: Said): Statement | undefined => {
  const present: Record<string, unknown> = {}
  for (const [field, value] of Object.entries(said)) if (value !== undefined) present[field] = value
  return ProviderStatement.ProviderStatement.is(present) ? present : undefined
}

interface Amounts {
  readonly code: string
  readonly of: (amount: number | null | undefined) => Money.Price | undefined
}

/** Stripe's integers as ours. */
const amountsIn = (currency: string): Amounts => {
  const of: Amounts['of'] = (amount) => {
    const money = typeof amount === 'number' ? StripeAmount.fromStripe({ amount, currency }) : undefined
    return money === undefined || E.isLeft(money) ? undefined : (money.right.amount as number as Money.Price)
  }
  return { code: currency.toUpperCase(), of }
}

const CODE_LENGTH = 128
const clipped = (code: string | null | undefined): string | undefined => code?.slice(0, CODE_LENGTH)

const ms = (seconds: number | null | undefined): number => (seconds ?? 0) * 1_000

// Payment intents

/** What is known of an intent beside itself; its charge is read where it was expanded. */
export interface Around {
  readonly refunds?: ReadonlyArray<Stripe.Refund>
  readonly disputes?: ReadonlyArray<Stripe.Dispute>
}

export const ofIntent = (intent: Stripe.PaymentIntent, around: Around = {}): Statement | undefined => {
  const { of, code } = amountsIn(intent.currency)
  const charge = expanded(intent.latest_charge)
  return readable({
    providerPaymentId: intent.id,
    currency: code,
    createdAtMs: Math.max(ms(intent.created), ms(intent.canceled_at), ms(charge?.created)),
    status: ProviderStatement.PaymentStatus.is(intent.status) ? intent.status : undefined,
    ...particulars(intent, charge),
    authorized: of(authorizedBy(intent, charge)),
    captured: of(intent.amount_received),
    refunded: charge === undefined ? undefined : of(givenBack(charge)),
    ...saidAround(around, of, charge),
  })
}

const particulars = (intent: Stripe.PaymentIntent, charge: Stripe.Charge | undefined): Said => {
  const { status, last_payment_error: error } = intent
  const before = charge?.payment_method_details?.card?.capture_before
  return {
    sequence: numberIn(intent, MARK.attempt),
    attemptId: idOf(intent.latest_charge),
    ...(status === 'requires_payment_method' &&
      error && { declineCode: clipped(error.decline_code ?? error.code ?? error.type) }),
    ...(status === 'requires_action' && { nextAction: nextActionOf(intent) }),
    ...(status === 'canceled' && { cancellationCode: clipped(intent.cancellation_reason) }),
    ...(status === 'requires_capture' && before !== undefined && { captureBeforeMs: ms(before) }),
  }
}

/** Without a URL to return to there is none: Stripe then asks for its own script in the browser. */
const nextActionOf = ({ next_action }: Stripe.PaymentIntent): unknown => {
  const action = { redirectUrl: next_action?.redirect_to_url?.url }
  return ProviderStatement.NextAction.is(action) ? action : undefined
}

/** What issuers ever allowed to be taken. A canceled intent does not say; its charge does. */
const authorizedBy = (
  { status, amount }: Stripe.PaymentIntent,
  charge: Stripe.Charge | undefined,
): number | undefined => {
  if (status === 'requires_capture' || status === 'succeeded') return amount
  return charge?.status === 'succeeded' ? charge.amount : undefined
}

/**
 * The sum of all refunds, of a charge captured whole. Of any other charge Stripe's sum also counts what was released
 * and never taken, so it says nothing.
 */
const givenBack = (charge: Stripe.Charge): number | undefined =>
  capturedWhole(charge) ? charge.amount_refunded : undefined

/** An intent whose charge is expanded: whether nothing of it was released, so that every refund gave money back. */
export const isCapturedWhole = ({ latest_charge }: Stripe.PaymentIntent): boolean => {
  const charge = expanded(latest_charge)
  return charge !== undefined && capturedWhole(charge)
}

/** Whether it can be captured in parts; its charge is expanded. */
export const allowsParts = ({ latest_charge }: Stripe.PaymentIntent): boolean =>
  expanded(latest_charge)?.payment_method_details?.card?.multicapture?.status === 'available'

const capturedWhole = ({ captured, amount, amount_captured }: Stripe.Charge): boolean =>
  captured && amount_captured === amount

const MAX_REFUNDS = 200
const MAX_DISPUTES = 50

const saidAround = ({ refunds, disputes }: Around, of: Amounts['of'], charge?: Stripe.Charge): Said => {
  // A release may look like a refund too, but bears no mark of ours.
  const whole = charge !== undefined && capturedWhole(charge)
  const meant = refunds?.filter((refund) => whole || refund.metadata?.[MARK.refundId] !== undefined)
  return {
    refunds: meant?.slice(0, MAX_REFUNDS).map((refund) => refundOf(refund, of)),
    disputes: disputes?.slice(0, MAX_DISPUTES).map((dispute) => disputeOf(dispute, of, inAll(dispute))),
  }
}

// Charges

/** A charge knows the amounts and not the state of its intent. */
export const ofCharge = (charge: Stripe.Charge): Statement | undefined => {
  const { of, code } = amountsIn(charge.currency)
  return readable({
    providerPaymentId: idOf(charge.payment_intent),
    currency: code,
    createdAtMs: ms(charge.created),
    authorized: charge.status === 'succeeded' ? of(charge.amount) : undefined,
    captured: charge.status === 'succeeded' ? of(charge.amount_captured) : undefined,
    refunded: of(givenBack(charge)),
  })
}

// Refunds

export const ofRefund = (refund: Stripe.Refund): Statement | undefined => {
  const { of, code } = amountsIn(refund.currency)
  return readable({
    providerPaymentId: idOf(refund.payment_intent),
    currency: code,
    createdAtMs: ms(refund.created),
    refunds: [refundOf(refund, of)],
  })
}

const REFUND_STATUSES: ReadonlySet<unknown> = new Set([
  'pending',
  'requires_action',
  'succeeded',
  'canceled',
  'failed',
])

const refundOf = (refund: Stripe.Refund, of: Amounts['of']): unknown => {
  const ours = refund.metadata?.[MARK.refundId]
  const failureCode = clipped(refund.failure_reason)
  return {
    refundId: ProviderStatement.RefundId.is(ours) ? ours : refund.id,
    providerRefundId: refund.id,
    amount: of(refund.amount),
    status: REFUND_STATUSES.has(refund.status) ? refund.status : 'pending',
    ...(failureCode === undefined ? {} : { failureCode }),
  }
}

/** A refund that Stripe would not make has failed. */
export const ofRefusedRefund = (
  providerPaymentId: string,
  refund: { readonly refundId: string; readonly amount: Money.AnyMoney; readonly code: string },
): Statement | undefined =>
  readable({
    providerPaymentId,
    currency: refund.amount.currency,
    createdAtMs: 0,
    refunds: [
      {
        refundId: refund.refundId,
        amount: refund.amount.amount,
        status: 'failed',
        failureCode: clipped(refund.code),
      },
    ],
  })

// Disputes

interface Moved {
  readonly withdrawn: boolean
  readonly reinstated: boolean
}

/** An event about a dispute says what was moved by its type. */
export const ofDispute = (dispute: Stripe.Dispute, eventType: string): Statement | undefined => {
  const { of, code } = amountsIn(dispute.currency)
  const reinstated = eventType === 'charge.dispute.funds_reinstated'
  const withdrawn = reinstated || eventType === 'charge.dispute.funds_withdrawn'
  return readable({
    providerPaymentId: idOf(dispute.payment_intent),
    currency: code,
    createdAtMs: ms(dispute.created),
    disputes: [disputeOf(dispute, of, { withdrawn, reinstated })],
  })
}

const disputeOf = (dispute: Stripe.Dispute, of: Amounts['of'], moved: Moved): unknown => ({
  disputeId: dispute.id,
  amount: of(dispute.amount),
  status: disputeStatusOf(dispute.status),
  withdrawn: moved.withdrawn ? of(dispute.amount) : 0,
  reinstated: moved.reinstated ? of(dispute.amount) : 0,
})

/** Looked up, a dispute says by its status what was moved: an inquiry moves nothing. */
const inAll = ({ status }: Stripe.Dispute): Moved => ({
  withdrawn: !status.startsWith('warning_') && status !== 'prevented',
  reinstated: status === 'won',
})

const disputeStatusOf = (status: string): 'open' | 'closed' | 'won' | 'lost' => {
  switch (status) {
    case 'won':
    case 'lost':
      return status
    case 'warning_closed':
    case 'prevented':
      return 'closed'
    default:
      return 'open'
  }
}

// Events

/** What a webhook says; its snapshot was true when the event happened. */
export const asOf = (
  statement: Statement,
  event: { readonly providerEventId: ProviderStatement.ProviderId; readonly createdAtMs: Quantities.TimeMs },
): Statement => ({ ...statement, ...event })

/** One statement of what several say about one payment, dated by the first. */
export const withRefunds = (statement: Statement, others: ReadonlyArray<Statement>): Statement =>
  others.length === 0
    ? statement
    : {
        ...statement,
        refunds: [...(statement.refunds ?? []), ...others.flatMap(({ refunds = [] }) => refunds)].slice(
          -MAX_REFUNDS,
        ),
      }
