/**
 * What a payment provider says about one payment, and what many such statements say together.
 *
 * A statement is what the provider's object held at one moment: states and totals, never increments. Statements
 * arrive late, twice and in any order, so what is known is their join: commutative, associative and idempotent.
 * - Totals join by maximum: they only ever grow.
 * - Refunds and disputes join by id, a later state of theirs over an earlier one.
 * - The status is that of the greatest statement in one total order: the furthest phase first (open, authorized,
 *   ended), then the attempt, the provider's time, and how far within one attempt. An open payment moves to and fro
 *   (a declined attempt asks for another payment method), so there the attempt decides, whatever clock the statement
 *   was dated by, and then time; nothing leads back from a later phase.
 * - The last refusal is the greatest statement in that order that bears a decline code: why a payment came to nothing
 *   stays known when it is canceled for it.
 *
 * Law: refunded <= captured <= authorized. What one total implies of another is taken as said: who gave back had
 * captured, who captured was authorized.
 */
import { canonical, integer, list, oneOf, record, type TypeOf, text } from '@everfold/core'
import { CurrencyCode } from './currency.ts'
import { Price } from './money.ts'
import { TimeMs } from './quantities.ts'

/** The states of Stripe's PaymentIntent. */
export const PaymentStatus = oneOf(
  'PaymentStatus',
  'requires_payment_method',
  'requires_confirmation',
  'requires_action',
  'processing',
  'requires_capture',
  'succeeded',
  'canceled',
)
export type PaymentStatus = TypeOf<typeof PaymentStatus>

/** An id that the provider made. */
export const ProviderId = text('ProviderId')
export type ProviderId = TypeOf<typeof ProviderId>

/** Ours where we asked for the refund, else the provider's own. */
export const RefundId = text('RefundId', { maxLength: 160, pattern: /^[A-Za-z0-9][A-Za-z0-9._~:@-]*$/ })
export type RefundId = TypeOf<typeof RefundId>

/** A word of the provider's, such as `insufficient_funds`. */
export const ProviderCode = text('ProviderCode', { maxLength: 128 })
export type ProviderCode = TypeOf<typeof ProviderCode>

/**
 * Where the shopper goes on: 3-D Secure and its like. What a provider means for its own script in the browser, such as
 * Stripe's client secret, is not to be stored, and is no part of it.
 */
export const NextAction = record('NextAction', { redirectUrl: text('RedirectUrl', { maxLength: 4096 }) })
export type NextAction = TypeOf<typeof NextAction>

/** In the order in which a refund passes through them: a card's may still fail after it succeeded. */
const REFUND_STATUSES = ['pending', 'requires_action', 'succeeded', 'canceled', 'failed'] as const

export const ProviderRefund = record(
  'ProviderRefund',
  { refundId: RefundId, amount: Price, status: oneOf('RefundStatus', ...REFUND_STATUSES) },
  { providerRefundId: ProviderId, failureCode: ProviderCode },
)
export type ProviderRefund = TypeOf<typeof ProviderRefund>

/** In the order in which a dispute passes through them. */
const DISPUTE_STATUSES = ['open', 'closed', 'won', 'lost'] as const

export const ProviderDispute = record('ProviderDispute', {
  disputeId: ProviderId,
  amount: Price,
  status: oneOf('DisputeStatus', ...DISPUTE_STATUSES),
  /** All that was ever taken from us for it. */
  withdrawn: Price,
  /** All that was ever given back. */
  reinstated: Price,
})
export type ProviderDispute = TypeOf<typeof ProviderDispute>

/** What belongs to one status and goes when the status goes. */
const particulars = {
  declineCode: ProviderCode,
  nextAction: NextAction,
  cancellationCode: ProviderCode,
  /** When an authorization lapses that was not captured. */
  captureBeforeMs: TimeMs,
  /** Names the attempt to pay: another payment method, another attempt. */
  attemptId: ProviderId,
  /** Which of our attempts to pay this is about, from 1: what is said of a later one stands. */
  sequence: integer('ProviderSequence', 1),
}

/** A field that is absent says nothing. Amounts are minor units of `currency`. */
export const ProviderStatement = record(
  'ProviderStatement',
  { providerPaymentId: ProviderId, currency: CurrencyCode, createdAtMs: TimeMs },
  {
    providerEventId: ProviderId,
    status: PaymentStatus,
    ...particulars,
    authorized: Price,
    captured: Price,
    /** Of all refunds that did not fail, as the provider adds them up. */
    refunded: Price,
    refunds: list(ProviderRefund, 0, 200),
    disputes: list(ProviderDispute, 0, 50),
  },
)
export type ProviderStatement = TypeOf<typeof ProviderStatement>

/** The status and what belongs to it. */
export const Standing = record('Standing', { status: PaymentStatus, createdAtMs: TimeMs }, particulars)
export type Standing = TypeOf<typeof Standing>

/** The join of all statements heard. Plain JSON; lists are sorted by id, so equal knowledge has one form. */
export const Known = record(
  'Known',
  {
    authorized: Price,
    captured: Price,
    /** The provider's own sum; `refundedOf` says what of it still stands. */
    refundedTotal: Price,
    refunds: list(ProviderRefund, 0, 100_000),
    disputes: list(ProviderDispute, 0, 10_000),
  },
  {
    providerPaymentId: ProviderId,
    standing: Standing,
    /** The greatest standing that had a decline code. */
    declined: Standing,
  },
)
export type Known = TypeOf<typeof Known>

export const nothing: Known = {
  authorized: 0 as Price,
  captured: 0 as Price,
  refundedTotal: 0 as Price,
  refunds: [],
  disputes: [],
}

/** `known` itself where the statement says nothing new. */
export const join = (known: Known, statement: ProviderStatement): Known => {
  const { refunds = [], disputes = [], refunded = 0, captured = 0, authorized = 0 } = statement
  const given = refunds.flatMap(({ status, amount }) => (status === 'succeeded' ? [amount] : []))
  const refundedTotal = Math.max(known.refundedTotal, refunded)
  const mostCaptured = Math.max(known.captured, captured, refundedTotal, ...given)
  const stated = standingOf(statement)
  const standing = greatest(known.standing, stated)
  const declined = greatest(known.declined, stated?.declineCode === undefined ? undefined : stated)
  const after: Known = {
    authorized: Math.max(known.authorized, authorized, mostCaptured) as Price,
    captured: mostCaptured as Price,
    refundedTotal: refundedTotal as Price,
    refunds: refunds.reduce(withRefund, known.refunds),
    disputes: disputes.reduce(withDispute, known.disputes),
    providerPaymentId: known.providerPaymentId ?? statement.providerPaymentId,
    ...(standing === undefined ? {} : { standing }),
    ...(declined === undefined ? {} : { declined }),
  }
  return isNews(known, after) ? after : known
}

/** What did not change is what it was, and not only like it. */
const isNews = (before: Known, after: Known): boolean =>
  after.standing !== before.standing ||
  after.declined !== before.declined ||
  after.captured !== before.captured ||
  after.authorized !== before.authorized ||
  after.refundedTotal !== before.refundedTotal ||
  after.refunds !== before.refunds ||
  after.disputes !== before.disputes ||
  after.providerPaymentId !== before.providerPaymentId

/** What was given back and stayed: refunds that failed later do not count, nor more than was ever captured. */
export const refundedOf = ({ captured, refundedTotal, refunds }: Known): Price => {
  let given = 0
  let explained = 0
  for (const refund of refunds) {
    if (isRefused(refund)) continue
    explained += refund.amount
    if (refund.status === 'succeeded') given += refund.amount
  }
  return Math.min(captured, given + Math.max(0, refundedTotal - explained)) as Price
}

/** The provider would not make it, has no id for it, and never added it up. */
const isRefused = (refund: ProviderRefund): boolean => failed(refund) && refund.providerRefundId === undefined

export const failed = ({ status }: ProviderRefund): boolean => status === 'failed' || status === 'canceled'

const standingOf = (statement: ProviderStatement): Standing | undefined => {
  const { status, createdAtMs, declineCode, nextAction, cancellationCode } = statement
  if (status === undefined) return undefined
  const { captureBeforeMs, attemptId, sequence } = statement
  return {
    status,
    createdAtMs,
    ...(declineCode === undefined ? {} : { declineCode }),
    ...(nextAction === undefined ? {} : { nextAction }),
    ...(cancellationCode === undefined ? {} : { cancellationCode }),
    ...(captureBeforeMs === undefined ? {} : { captureBeforeMs }),
    ...(attemptId === undefined ? {} : { attemptId }),
    ...(sequence === undefined ? {} : { sequence }),
  }
}

const greatest = (one: Standing | undefined, other: Standing | undefined): Standing | undefined => {
  if (one === undefined || other === undefined) return one ?? other
  return compare(one, other) >= 0 ? one : other
}

/** A total order; only equal standings are equal in it. */
const compare = (one: Standing, other: Standing): number =>
  phase(one) - phase(other) ||
  (one.sequence ?? 0) - (other.sequence ?? 0) ||
  one.createdAtMs - other.createdAtMs ||
  step(one) - step(other) ||
  compareText(canonical(one), canonical(other))

/** Whether the payment may still be attempted. */
export const isOpen = (standing: Standing): boolean => phase(standing) === 0

const phase = ({ status }: Standing): number => {
  switch (status) {
    case 'requires_payment_method':
    case 'requires_confirmation':
    case 'requires_action':
    case 'processing':
      return 0
    case 'requires_capture':
      return 1
    case 'canceled':
      return 2
    case 'succeeded':
      return 3
  }
}

/** How far within one attempt; a refusal ends it. */
const step = ({ status, declineCode }: Standing): number => {
  if (status === 'requires_payment_method') return declineCode === undefined ? 0 : 4
  return ['requires_confirmation', 'requires_action', 'processing'].indexOf(status) + 1
}

const compareText = (one: string, other: string): number => {
  if (one === other) return 0
  return one < other ? -1 : 1
}

const withRefund = (
  refunds: ReadonlyArray<ProviderRefund>,
  refund: ProviderRefund,
): ReadonlyArray<ProviderRefund> => joined(refunds, refund, ({ refundId }) => refundId, laterRefund)

const withDispute = (
  disputes: ReadonlyArray<ProviderDispute>,
  dispute: ProviderDispute,
): ReadonlyArray<ProviderDispute> => joined(disputes, dispute, ({ disputeId }) => disputeId, laterDispute)

const laterRefund = (one: ProviderRefund, other: ProviderRefund): ProviderRefund =>
  (REFUND_STATUSES.indexOf(one.status) - REFUND_STATUSES.indexOf(other.status) ||
    one.amount - other.amount ||
    compareText(canonical(one), canonical(other))) >= 0
    ? one
    : other

const laterDispute = (one: ProviderDispute, other: ProviderDispute): ProviderDispute => {
  const later = DISPUTE_STATUSES.indexOf(one.status) < DISPUTE_STATUSES.indexOf(other.status)
  const grown =
    other.amount > one.amount || other.withdrawn > one.withdrawn || other.reinstated > one.reinstated
  if (!later && !grown) return one
  return {
    disputeId: one.disputeId,
    amount: Math.max(one.amount, other.amount) as Price,
    status: later ? other.status : one.status,
    withdrawn: Math.max(one.withdrawn, other.withdrawn) as Price,
    reinstated: Math.max(one.reinstated, other.reinstated) as Price,
  }
}

/** `items` with `item` in its place by id, joined with the one that stood there. */
const joined = <Item>(
  items: ReadonlyArray<Item>,
  item: Item,
  idOf: (item: Item) => string,
  later: (one: Item, other: Item) => Item,
): ReadonlyArray<Item> => {
  const id = idOf(item)
  const place = items.findIndex((one) => idOf(one) >= id)
  const former = items[place]
  if (former === undefined) return [...items, item]
  if (idOf(former) !== id) return items.toSpliced(place, 0, item)
  const latest = later(former, item)
  return latest === former ? items : items.with(place, latest)
}
