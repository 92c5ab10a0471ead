/**
 * The shop's payments at Stripe: what each event asks for, and what is brought home.
 *
 * Law P4: the same command id gives the same idempotency key, whichever delivery it is and whatever became known since.
 *
 * Every call ends in a command or in a fault, and a fault is delivered again: an answer or a decline in a statement, a
 * definitive refusal in `RecordRefused`, what nobody knows in `RecordOutcomeUnknown`. Beyond the key horizon nothing is
 * repeated but what has no second effect.
 */
import {
  bind,
  type Clock,
  dateOf,
  E,
  type Fault,
  type GatewayBinding,
  type GatewayRequest,
  unavailable,
} from '@everfold/core'
import { type Payment, type ProviderStatement, Shop } from '@everfold/ecommerce'
import type { Stripe } from 'stripe'
import type { Account, StripeOptions } from './account.ts'
import { type Subject, settlePayment } from './attempt.ts'
import { settleCancel } from './cancellation.ts'
import { settleCapture } from './capture.ts'
import { reconcile } from './reconciliation.ts'
import { settleRefund } from './refund.ts'
import type { Settlement } from './settlement.ts'

type Request = GatewayRequest<Payment.PaymentEvent, Payment.Payment>
type Result = E.Either<Fault, Payment.PaymentCommand | undefined>

/** For any client of Stripe's official SDK. */
export const stripePayments = (stripe: Stripe, clock: Clock, options: StripeOptions = {}): GatewayBinding => {
  const account: Account = { ...options, stripe, clock }
  return bind(Shop.payments, (request) => () => call(account, request))
}

const call = async (account: Account, request: Request): Promise<Result> => {
  const { recorded, state, key } = request
  const { event } = recorded
  const subject = subjectOf(request)
  switch (event._tag) {
    case 'PaymentRequested': {
      if (isOver(event, state)) return nothing
      const { _tag, ...asked } = event
      return result('payment', await settlePayment(account, subject, asked))
    }
    case 'CaptureRequested':
      // Captures are made in the order in which they were asked for: while one is unknown, its reconciliation makes
      // this one too.
      if (state.unknown.includes('capture')) return nothing
      return result('capture', await settleCapture(account, subject, event))
    case 'CancelRequested':
      // Settled otherwise, it must not cancel what was asked for after it.
      if (!state.cancelAsked) return nothing
      return result('cancel', await settleCancel(account, subject, key))
    case 'RefundRequested':
      return result('refund', await settleRefund(account, subject, event))
    case 'PaymentOutcomeUnknown':
      return state.unknown.includes(event.operation) ? resolve(account, request, event.operation) : nothing
    default:
      return nothing
  }
}

const subjectOf = ({ recorded, state, lookUpOnly }: Request): Subject => ({
  stream: recorded.stream,
  payment: state,
  sinceMs: recorded.timeMs - Shop.payments.keyHorizonMs - MARGIN_MS,
  lookUpOnly,
})

/** Between Stripe's clock and ours. */
const MARGIN_MS = 3_600_000

/** Whether an attempt was refused, or followed by another, which a delivery that comes late must not undo. */
const isOver = (
  { attempt }: Extract<Payment.PaymentEvent, { readonly _tag: 'PaymentRequested' }>,
  { request, awaiting, known }: Payment.Payment,
): boolean => {
  if (request?.attempt !== attempt) return true
  const { standing } = known
  return !awaiting && (standing === undefined || (standing.sequence ?? attempt) < attempt)
}

const resolve = async (account: Account, request: Request, about: Payment.Operation): Promise<Result> => {
  const { recorded, key } = request
  const askedAtMs = Math.min(recorded.timeMs, dateOf(recorded.commandId) ?? recorded.timeMs)
  const expired = account.clock.nowMs() - askedAtMs >= Shop.payments.keyHorizonMs
  const subject = subjectOf({ ...request, lookUpOnly: request.lookUpOnly || expired })
  const resolution = await reconcile(account, subject, { about, key })
  switch (resolution._tag) {
    case 'Resolved': {
      const { statement } = resolution
      return E.right({ _tag: 'ResolveUnknown', ...(statement === undefined ? {} : { statement }) })
    }
    case 'Refused':
      return refused(resolution.operation, resolution.code)
    case 'Unavailable':
      return fault(resolution.cause)
  }
}

const result = (operation: Payment.Operation, settlement: Settlement): Result => {
  switch (settlement._tag) {
    case 'Said':
      return E.right({ _tag: 'RecordProviderEvent', statement: settlement.statement })
    case 'Refused':
      // A refund without a payment to refund is none: its answers are statements.
      return operation === 'refund' ? fault(new Error(settlement.code)) : refused(operation, settlement.code)
    case 'Absent':
      return refused('payment', settlement.code)
    case 'Unknown':
      return E.right({ _tag: 'RecordOutcomeUnknown', operation })
    case 'Unavailable':
      return fault(settlement.cause)
  }
}

const nothing: Result = E.right(undefined)
const fault = (cause: unknown): Result => E.left(unavailable('Stripe', cause))

const refused = (operation: Payment.RefusableOperation, code: string): Result =>
  E.right({
    _tag: 'RecordRefused',
    operation,
    code: code.slice(0, 128) as ProviderStatement.ProviderCode,
  })
