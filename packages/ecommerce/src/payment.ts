/**
 * The payment of one order: what we asked the provider to do, and what the provider said became of it.
 *
 * Stream `payment/{paymentId}`, whose id is the order's, so that an order has one payment.
 *
 * Invariants:
 * - P1 every permutation, with repetitions, of one payment's webhooks folds to the same state.
 * - P2 refunded <= captured <= authorized, at every prefix.
 * - Asked captures never exceed what was authorized; asked refunds never exceed what was captured minus what was
 *   asked before.
 *
 * What is known follows `ProviderStatementRecorded` alone. The events that name what is new in it (`PaymentAuthorized`,
 * `RefundFailed`, ...) are said once, for those who wait for them; they change nothing, so no order of arrival matters.
 */
import {
  accept,
  aggregate as aggregateOf,
  canonical,
  type Decider,
  type Decision,
  E,
  list,
  oneOf,
  plainSnapshot,
  record,
  reject,
  type TypeOf,
  union,
  variant,
} from '@everfold/core'
import * as t from 'io-ts'
import { type Amount, AnyMoney, CurrencyDiffers, Price } from './money.ts'
import {
  failed,
  isOpen,
  join,
  Known,
  NextAction,
  nothing,
  PaymentStatus,
  ProviderCode,
  ProviderId,
  ProviderStatement,
  RefundId,
  refundedOf,
} from './provider-statement.ts'
import { Count, OrderId, PaymentMethod, Reason, TimeMs } from './quantities.ts'

export const CaptureMethod = oneOf('CaptureMethod', 'automatic', 'manual')
export type CaptureMethod = TypeOf<typeof CaptureMethod>

/** What may be asked of the provider, and stay without an answer. */
export const Operation = oneOf('Operation', 'payment', 'capture', 'cancel', 'refund')
export type Operation = TypeOf<typeof Operation>

/** What the provider may refuse outright. A refund that it refuses has failed: a statement says so, by its id. */
export const RefusableOperation = oneOf('RefusableOperation', 'payment', 'capture', 'cancel')
export type RefusableOperation = TypeOf<typeof RefusableOperation>

const order = { orderId: OrderId }
const refund = { ...order, refundId: RefundId, amount: AnyMoney }
const disputed = { ...order, disputeId: ProviderId, amount: AnyMoney }

// Events. Stored forever: never rename, never remove; a new field needs a default.

export const PaymentEvent = union(
  'PaymentEvent',
  /** Attempt 1, 2, 3, ...: after a refusal the same payment is tried again, as a rule by another method. */
  variant('PaymentRequested', {
    ...order,
    amount: AnyMoney,
    paymentMethod: PaymentMethod,
    captureMethod: CaptureMethod,
    attempt: Count,
  }),
  /** Capture number 1, 2, 3, ...: one that is asked for again has another number. */
  variant(
    'CaptureRequested',
    { ...order, number: Count, amount: AnyMoney, final: t.boolean },
    { providerPaymentId: ProviderId },
  ),
  variant('CancelRequested', { ...order, reason: Reason }, { providerPaymentId: ProviderId }),
  variant('RefundRequested', { ...refund, reason: Reason }, { providerPaymentId: ProviderId }),
  variant('ProviderStatementRecorded', { ...order, statement: ProviderStatement }),
  variant('PaymentActionRequired', order, { nextAction: NextAction }),
  variant('PaymentProcessing', order),
  variant('PaymentFailed', { ...order, declineCode: ProviderCode }),
  /** `amount` is all that is authorized. */
  variant('PaymentAuthorized', { ...order, amount: AnyMoney }, { captureBeforeMs: TimeMs }),
  /** `amount` is all that is captured by now. */
  variant('PaymentCaptured', { ...order, amount: AnyMoney }),
  variant('PaymentCanceled', order, { cancellationCode: ProviderCode }),
  variant('AuthorizationExpired', order),
  variant('RefundSucceeded', refund),
  variant('RefundFailed', refund, { failureCode: ProviderCode }),
  variant('DisputeOpened', disputed),
  variant('DisputeFundsWithdrawn', disputed),
  variant('DisputeFundsReinstated', disputed),
  variant('DisputeClosed', { ...disputed, outcome: oneOf('DisputeOutcome', 'closed', 'won', 'lost') }),
  /** The provider will not do it, and has not done it; it may be asked for again, differently. */
  variant('OperationRefused', { ...order, operation: RefusableOperation, code: ProviderCode }),
  variant('PaymentOutcomeUnknown', { ...order, operation: Operation }),
  /** The provider was asked; `found` says whether it knows the payment at all. */
  variant('PaymentOutcomeResolved', { ...order, found: t.boolean }),
)
export type PaymentEvent = TypeOf<typeof PaymentEvent>

// State

const Request = record('Request', {
  ...order,
  amount: AnyMoney,
  paymentMethod: PaymentMethod,
  captureMethod: CaptureMethod,
  attempt: Count,
})
type Request = TypeOf<typeof Request>

/** `upTo` is all that is captured once this is done. */
const CaptureRequest = record('CaptureRequest', {
  number: Count,
  amount: Price,
  upTo: Price,
  final: t.boolean,
})

const RefundRequest = record('RefundRequest', { refundId: RefundId, amount: Price })

const Payment = record(
  'Payment',
  {
    /** What the provider said. */
    known: Known,
    /** Whether the latest attempt has no answer yet. */
    awaiting: t.boolean,
    /** All captures asked for. */
    captureAsked: Price,
    captureFinal: t.boolean,
    /** How many captures were ever asked for. */
    captureCount: Count,
    /** The captures that were asked for and have no answer, oldest first. */
    capturesOpen: list(CaptureRequest, 0, 1_000),
    cancelAsked: t.boolean,
    refundsAsked: list(RefundRequest, 0, 100_000),
    unknown: list(Operation, 0, 4),
  },
  { request: Request },
)
export type Payment = TypeOf<typeof Payment>

export const initial: Payment = {
  known: nothing,
  awaiting: false,
  captureAsked: 0 as Price,
  captureFinal: false,
  captureCount: 0 as Count,
  capturesOpen: [],
  cancelAsked: false,
  refundsAsked: [],
  unknown: [],
}

export const evolve = (payment: Payment, event: PaymentEvent): Payment => {
  switch (event._tag) {
    case 'PaymentRequested': {
      const { _tag, ...request } = event
      return { ...payment, request, awaiting: true }
    }
    case 'CaptureRequested':
      return captureRequested(payment, event)
    case 'CancelRequested':
      return { ...payment, cancelAsked: true }
    case 'RefundRequested': {
      const asked = { refundId: event.refundId, amount: event.amount.amount as number as Price }
      return { ...payment, refundsAsked: [...payment.refundsAsked, asked] }
    }
    case 'ProviderStatementRecorded': {
      const known = join(payment.known, event.statement)
      return {
        ...payment,
        known,
        awaiting: payment.awaiting && !answered(payment, known),
        capturesOpen: stillOpen(payment, known),
      }
    }
    case 'OperationRefused':
      return withoutRefused(payment, event.operation)
    case 'PaymentOutcomeUnknown':
      return { ...payment, unknown: [...payment.unknown, event.operation] }
    case 'PaymentOutcomeResolved':
      return resolved(payment)
    case 'PaymentActionRequired':
    case 'PaymentProcessing':
    case 'PaymentFailed':
    case 'PaymentAuthorized':
    case 'PaymentCaptured':
    case 'PaymentCanceled':
    case 'AuthorizationExpired':
    case 'RefundSucceeded':
    case 'RefundFailed':
    case 'DisputeOpened':
    case 'DisputeFundsWithdrawn':
    case 'DisputeFundsReinstated':
    case 'DisputeClosed':
      return payment
  }
}

const captureRequested = (
  payment: Payment,
  { number, amount, final }: EventNamed<'CaptureRequested'>,
): Payment => {
  const upTo = (Math.max(payment.known.captured, payment.captureAsked) + amount.amount) as Price
  const open = { number, amount: amount.amount as number as Price, upTo, final }
  return {
    ...payment,
    captureAsked: upTo,
    captureFinal: payment.captureFinal || final,
    captureCount: number,
    capturesOpen: [...payment.capturesOpen, open],
  }
}

/** By news of the latest attempt, or of a payment that is past all attempts; late news of an earlier one is none. */
const answered = ({ request, known }: Payment, { standing }: Known): boolean => {
  if (standing === undefined || standing === known.standing) return false
  const attempt = request?.attempt ?? 0
  return !isOpen(standing) || (standing.sequence ?? attempt) >= attempt
}

const stillOpen = (
  { capturesOpen }: Payment,
  { captured: made, standing }: Known,
): Payment['capturesOpen'] =>
  standing?.status === 'canceled' ? [] : capturesOpen.filter(({ upTo }) => upTo > made)

const withoutRefused = (payment: Payment, operation: RefusableOperation): Payment => {
  const unknown = payment.unknown.filter((one) => one !== operation)
  switch (operation) {
    case 'payment':
      return { ...payment, unknown, awaiting: false }
    case 'capture':
      return { ...payment, unknown, ...uncaptured(payment) }
    case 'cancel':
      return { ...payment, unknown, cancelAsked: false }
  }
}

/** As if no capture had been asked for beyond those that were made. */
const uncaptured = ({ known, captureFinal }: Payment): Partial<Payment> => ({
  captureAsked: known.captured,
  captureFinal: captureFinal && known.standing?.status === 'succeeded',
  capturesOpen: [],
})

/** What was asked, of unknown outcome, and not done by the provider's word, was not done and may be asked again. */
const resolved = (payment: Payment): Payment => {
  const { known, unknown } = payment
  const status = known.standing?.status
  return {
    ...payment,
    unknown: [],
    awaiting: payment.awaiting && !unknown.includes('payment'),
    cancelAsked: payment.cancelAsked && (status === 'canceled' || !unknown.includes('cancel')),
    ...(unknown.includes('capture') ? uncaptured(payment) : {}),
  }
}

/** Where the payment stands by the provider's word; undefined before there is one. */
export const statusOf = ({ known }: Payment): PaymentStatus | undefined => known.standing?.status

export const authorized = ({ known }: Payment): Price => known.authorized
export const captured = ({ known }: Payment): Price => known.captured
export const refunded = ({ known }: Payment): Price => refundedOf(known)

/** Why it came to nothing, by the last refusal; what an issuer allowed was not declined in the end. */
export const lastDeclineCode = ({ known }: Payment): ProviderCode | undefined =>
  known.authorized > 0 ? undefined : known.declined?.declineCode

/** What can still be asked back: refunds on their way count as given, also those that others asked for. */
export const refundable = ({ known, refundsAsked }: Payment): Price => {
  const said = new Map(known.refunds.map((one) => [one.refundId, one]))
  let given = 0
  for (const { refundId, amount } of refundsAsked) {
    const answer = said.get(refundId)
    said.delete(refundId)
    if (answer === undefined || !failed(answer)) given += Math.max(amount, answer?.amount ?? 0)
  }
  for (const foreign of said.values()) if (!failed(foreign)) given += foreign.amount
  return Math.max(0, known.captured - Math.max(given, refundedOf(known))) as Price
}

// Commands

export const PaymentCommand = union(
  'PaymentCommand',
  variant('RequestPayment', {
    ...order,
    amount: AnyMoney,
    paymentMethod: PaymentMethod,
    captureMethod: CaptureMethod,
  }),
  variant('RecordProviderEvent', { statement: ProviderStatement }),
  variant('RequestCapture', { amount: AnyMoney, final: t.boolean }),
  variant('RequestRefund', { refundId: RefundId, amount: AnyMoney, reason: Reason }),
  variant('CancelPayment', { reason: Reason }),
  variant('RecordRefused', { operation: RefusableOperation, code: ProviderCode }),
  variant('RecordOutcomeUnknown', { operation: Operation }),
  /** Without a statement: the provider does not know the payment. */
  variant('ResolveUnknown', {}, { statement: ProviderStatement }),
)
export type PaymentCommand = TypeOf<typeof PaymentCommand>

// Rejections

export const PaymentRejection = union(
  'PaymentRejection',
  variant('UnknownPayment'),
  CurrencyDiffers,
  variant('AmountNotPositive', { amount: AnyMoney }),
  variant('PaymentDiffers', { ...order, amount: AnyMoney }),
  variant('PaymentUnderWay', {}, { status: PaymentStatus }),
  variant('ProviderPaymentDiffers', { expected: ProviderId, actual: ProviderId }),
  variant('NotAuthorized', {}, { status: PaymentStatus }),
  variant('InsufficientAuthorization', { requested: AnyMoney, available: AnyMoney }),
  variant('CaptureClosed'),
  variant('CaptureUnderWay', { asked: AnyMoney }),
  variant('AlreadyCaptured', { captured: AnyMoney }),
  variant('CancelUnderWay'),
  variant('InsufficientCapture', { requested: AnyMoney, available: AnyMoney }),
  variant('RefundDiffers', { refundId: RefundId, amount: AnyMoney }),
  variant('PaymentDisputed', { disputeId: ProviderId }),
)
export type PaymentRejection = TypeOf<typeof PaymentRejection>

type PaymentDecision = Decision<PaymentRejection, PaymentEvent>
type EventNamed<Tag extends PaymentEvent['_tag']> = Extract<PaymentEvent, { readonly _tag: Tag }>
type CommandNamed<Tag extends PaymentCommand['_tag']> = Extract<PaymentCommand, { readonly _tag: Tag }>

/** A payment that was asked for. */
type Asked = Payment & { readonly request: Request }

export const decide = (command: PaymentCommand, payment: Payment): PaymentDecision => {
  if (command._tag === 'RequestPayment') return decideRequest(command, payment)
  const { request } = payment
  if (request === undefined) return reject({ _tag: 'UnknownPayment' })
  const asked = { ...payment, request }
  switch (command._tag) {
    case 'RecordProviderEvent':
      return decideStatement(command.statement, asked)
    case 'RequestCapture':
      return decideCapture(command, asked)
    case 'RequestRefund':
      return decideRefund(command, asked)
    case 'CancelPayment':
      return decideCancel(command, asked)
    case 'RecordRefused':
      return decideRefused(command, asked)
    case 'RecordOutcomeUnknown': {
      const { operation } = command
      if (payment.unknown.includes(operation)) return accept()
      return accept({ _tag: 'PaymentOutcomeUnknown', orderId: request.orderId, operation })
    }
    case 'ResolveUnknown':
      return decideResolve(command, asked)
  }
}

/** Asking again changes nothing while an attempt is under way, and starts another one after a refusal. */
const decideRequest = (command: CommandNamed<'RequestPayment'>, payment: Payment): PaymentDecision => {
  const { _tag, ...wish } = command
  const { request } = payment
  if (wish.amount.amount <= 0) return reject({ _tag: 'AmountNotPositive', amount: wish.amount })
  if (request === undefined) return accept({ _tag: 'PaymentRequested', ...wish, attempt: 1 as Count })
  const { orderId, amount, attempt, paymentMethod, captureMethod } = request
  if (wish.orderId !== orderId || !sameMoney(wish.amount, amount) || wish.captureMethod !== captureMethod)
    return reject({ _tag: 'PaymentDiffers', orderId, amount })
  const status = statusOf(payment)
  const refused = !payment.awaiting && (status === undefined || status === 'requires_payment_method')
  if (refused && payment.cancelAsked) return reject({ _tag: 'CancelUnderWay' })
  if (refused) return accept({ _tag: 'PaymentRequested', ...wish, attempt: (attempt + 1) as Count })
  if (wish.paymentMethod === paymentMethod) return accept()
  return reject({ _tag: 'PaymentUnderWay', ...(status === undefined ? {} : { status }) })
}

/** Changes nothing where the statement says nothing new. */
const decideStatement = (statement: ProviderStatement, { known, request }: Asked): PaymentDecision => {
  const { providerPaymentId: actual, currency } = statement
  const expected = known.providerPaymentId ?? actual
  if (expected !== actual) return reject({ _tag: 'ProviderPaymentDiffers', expected, actual })
  if (currency !== request.amount.currency)
    return reject({ _tag: 'CurrencyDiffers', expected: request.amount.currency, actual: currency })
  const after = join(known, statement)
  if (after === known) return accept()
  const { orderId } = request
  return accept({ _tag: 'ProviderStatementRecorded', orderId, statement }, ...newsOf(request, known, after))
}

const decideCapture = ({ amount, final }: CommandNamed<'RequestCapture'>, asked: Asked): PaymentDecision => {
  const faulty = faultyAmount(amount, asked)
  if (faulty !== undefined) return reject(faulty)
  if (asked.cancelAsked) return reject({ _tag: 'CancelUnderWay' })
  if (asked.captureFinal) return reject({ _tag: 'CaptureClosed' })
  const { known, request } = asked
  const status = known.standing?.status
  if (known.authorized === 0 || status === 'canceled')
    return reject({ _tag: 'NotAuthorized', ...(status === undefined ? {} : { status }) })
  const available = known.authorized - Math.max(known.captured, asked.captureAsked)
  if (amount.amount > available)
    return reject({
      _tag: 'InsufficientAuthorization',
      requested: amount,
      available: moneyOf(request, available),
    })
  const number = (asked.captureCount + 1) as Count
  return accept({ _tag: 'CaptureRequested', ...at(asked), number, amount, final })
}

const decideRefund = (command: CommandNamed<'RequestRefund'>, asked: Asked): PaymentDecision => {
  const { refundId, amount, reason } = command
  const faulty = faultyAmount(amount, asked)
  if (faulty !== undefined) return reject(faulty)
  const { known, request } = asked
  const former = asked.refundsAsked.find((one) => one.refundId === refundId)
  if (former !== undefined)
    return former.amount === (amount.amount as number)
      ? accept()
      : reject({ _tag: 'RefundDiffers', refundId, amount: moneyOf(request, former.amount) })
  const dispute = known.disputes.find(({ status }) => status === 'open')
  if (dispute !== undefined) return reject({ _tag: 'PaymentDisputed', disputeId: dispute.disputeId })
  const available = refundable(asked)
  if (amount.amount > available)
    return reject({
      _tag: 'InsufficientCapture',
      requested: amount,
      available: moneyOf(request, available),
    })
  return accept({ _tag: 'RefundRequested', ...at(asked), refundId, amount, reason })
}

/** Before any capture only; after one the way back is a refund. */
const decideCancel = ({ reason }: CommandNamed<'CancelPayment'>, asked: Asked): PaymentDecision => {
  const { known, request, captureAsked } = asked
  if (known.captured > 0)
    return reject({ _tag: 'AlreadyCaptured', captured: moneyOf(request, known.captured) })
  if (asked.cancelAsked || known.standing?.status === 'canceled') return accept()
  if (captureAsked > 0) return reject({ _tag: 'CaptureUnderWay', asked: moneyOf(request, captureAsked) })
  return accept({ _tag: 'CancelRequested', ...at(asked), reason })
}

/** Changes nothing where what was refused is answered already. */
const decideRefused = ({ operation, code }: CommandNamed<'RecordRefused'>, asked: Asked): PaymentDecision => {
  const { request, known } = asked
  const { orderId } = request
  const refusal: PaymentEvent = { _tag: 'OperationRefused', orderId, operation, code }
  switch (operation) {
    case 'payment':
      if (!asked.awaiting) return accept()
      return accept<PaymentEvent>(refusal, { _tag: 'PaymentFailed', orderId, declineCode: code })
    case 'capture':
      return asked.captureAsked > known.captured ? accept(refusal) : accept()
    case 'cancel':
      return asked.cancelAsked && known.standing?.status !== 'canceled' ? accept(refusal) : accept()
  }
}

const decideResolve = ({ statement }: CommandNamed<'ResolveUnknown'>, asked: Asked): PaymentDecision => {
  const stated = statement === undefined ? accept<PaymentEvent>() : decideStatement(statement, asked)
  if (E.isLeft(stated) || asked.unknown.length === 0) return stated
  const { orderId } = asked.request
  return accept(...stated.right, {
    _tag: 'PaymentOutcomeResolved',
    orderId,
    found: statement !== undefined,
  })
}

const at = ({ request: { orderId }, known: { providerPaymentId } }: Asked) =>
  providerPaymentId === undefined ? { orderId } : { orderId, providerPaymentId }

const moneyOf = ({ amount: { currency } }: Request, amount: number): AnyMoney => ({
  amount: amount as Amount,
  currency,
})

const sameMoney = (one: AnyMoney, other: AnyMoney): boolean =>
  one.amount === other.amount && one.currency === other.currency

const faultyAmount = (amount: AnyMoney, { request }: Asked): PaymentRejection | undefined => {
  const expected = request.amount.currency
  if (amount.currency !== expected) return { _tag: 'CurrencyDiffers', expected, actual: amount.currency }
  return amount.amount <= 0 ? { _tag: 'AmountNotPositive', amount } : undefined
}

// News: what is known now and was not before.

const newsOf = (request: Request, before: Known, after: Known): ReadonlyArray<PaymentEvent> => [
  ...newsOfStanding(request, before, after),
  ...newsOfAmounts(request, before, after),
  ...newsOfRefunds(request, before, after),
  ...newsOfDisputes(request, before, after),
]

/** A standing is news when it says something else, not when it says the same later. */
const newsOfStanding = ({ orderId }: Request, before: Known, after: Known): ReadonlyArray<PaymentEvent> => {
  const { standing } = after
  if (standing === undefined || standing === before.standing) return []
  if (canonical(said(standing)) === canonical(said(before.standing))) return []
  const { status, declineCode, nextAction, cancellationCode } = standing
  switch (status) {
    case 'requires_payment_method':
      return declineCode === undefined ? [] : [{ _tag: 'PaymentFailed', orderId, declineCode }]
    case 'requires_action':
      return [{ _tag: 'PaymentActionRequired', orderId, ...(nextAction === undefined ? {} : { nextAction }) }]
    case 'processing':
      return [{ _tag: 'PaymentProcessing', orderId }]
    case 'canceled':
      if (after.authorized > 0 && cancellationCode !== undefined && LAPSED.has(cancellationCode))
        return [{ _tag: 'AuthorizationExpired', orderId }]
      return [
        {
          _tag: 'PaymentCanceled',
          orderId,
          ...(cancellationCode === undefined ? {} : { cancellationCode }),
        },
      ]
    case 'requires_confirmation':
    case 'requires_capture':
    case 'succeeded':
      return []
  }
}

/** Stripe's cancellation reasons for an authorization that nobody captured in time. */
const LAPSED: ReadonlySet<string> = new Set(['automatic', 'expired'])

const said = (standing: Known['standing']): ReadonlyArray<unknown> =>
  standing === undefined
    ? []
    : [
        standing.status,
        standing.declineCode,
        standing.nextAction,
        standing.cancellationCode,
        standing.attemptId,
        standing.sequence,
      ]

/** A canceled payment is no longer authorized, however late we hear that it once was. */
const newsOfAmounts = (request: Request, before: Known, after: Known): ReadonlyArray<PaymentEvent> => {
  const { orderId } = request
  const events: Array<PaymentEvent> = []
  if (after.authorized > before.authorized && after.standing?.status !== 'canceled') {
    const amount = moneyOf(request, after.authorized)
    const captureBeforeMs = after.standing?.captureBeforeMs
    events.push({
      _tag: 'PaymentAuthorized',
      orderId,
      amount,
      ...(captureBeforeMs === undefined ? {} : { captureBeforeMs }),
    })
  }
  if (after.captured > before.captured)
    events.push({ _tag: 'PaymentCaptured', orderId, amount: moneyOf(request, after.captured) })
  return events
}

const newsOfRefunds = (request: Request, before: Known, after: Known): ReadonlyArray<PaymentEvent> => {
  const { orderId } = request
  const former = new Map(before.refunds.map((one) => [one.refundId, one]))
  return after.refunds.flatMap((one): ReadonlyArray<PaymentEvent> => {
    const { refundId, status, failureCode } = one
    const was = former.get(refundId)
    if (was?.status === status || (was !== undefined && failed(was))) return []
    const amount = moneyOf(request, one.amount)
    if (status === 'succeeded') return [{ _tag: 'RefundSucceeded', orderId, refundId, amount }]
    if (!failed(one)) return []
    const code = failureCode === undefined ? {} : { failureCode }
    return [{ _tag: 'RefundFailed', orderId, refundId, amount, ...code }]
  })
}

const newsOfDisputes = (request: Request, before: Known, after: Known): ReadonlyArray<PaymentEvent> => {
  const former = new Map(before.disputes.map((one) => [one.disputeId, one]))
  return after.disputes.flatMap((one): ReadonlyArray<PaymentEvent> => {
    const was = former.get(one.disputeId)
    const { orderId } = request
    const { disputeId, status, withdrawn, reinstated } = one
    const about = { orderId, disputeId, amount: moneyOf(request, one.amount) }
    const events: Array<PaymentEvent> = []
    if (was === undefined) events.push({ _tag: 'DisputeOpened', ...about })
    if (withdrawn > (was?.withdrawn ?? 0))
      events.push({ _tag: 'DisputeFundsWithdrawn', ...about, amount: moneyOf(request, withdrawn) })
    if (reinstated > (was?.reinstated ?? 0))
      events.push({ _tag: 'DisputeFundsReinstated', ...about, amount: moneyOf(request, reinstated) })
    if (status !== 'open' && status !== was?.status)
      events.push({ _tag: 'DisputeClosed', ...about, outcome: status })
    return events
  })
}

export const decider: Decider<PaymentCommand, Payment, PaymentEvent, PaymentRejection> = {
  initial,
  evolve,
  decide,
}

export const aggregate = aggregateOf({
  ...decider,
  name: 'payment',
  command: PaymentCommand,
  event: PaymentEvent,
  rejection: PaymentRejection,
  snapshot: plainSnapshot(Payment),
  reducer: 2,
})
