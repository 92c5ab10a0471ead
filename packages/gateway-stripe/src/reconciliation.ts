/**
 * Finding out what became of requests whose answers were lost.
 *
 * Within the key horizon the very same requests are made again by the very same keys, which also settles those that
 * are still on their way. Beyond it, and where Stripe has kept a non-answer for the key, Stripe is only looked at.
 * What is then not there was not done.
 *
 * The horizon counts from when the request was first made, which is what the unknown outcome's command id is dated by,
 * and not from when its outcome was recorded as unknown.
 */
import { streamParts } from '@everfold/core'
import type { Money, Payment, ProviderStatement } from '@everfold/ecommerce'
import type { Account } from './account.ts'
import { type Subject, settlePayment } from './attempt.ts'
import { settleCancel } from './cancellation.ts'
import { settleCapture } from './capture.ts'
import { findIntent, picture } from './lookup.ts'
import { foundRefund, type RefundAsked, settleRefund } from './refund.ts'
import { blind, type Settlement, said } from './settlement.ts'
import { withRefunds } from './statement.ts'

type Statement = ProviderStatement.ProviderStatement

export type Resolution =
  /** Without a statement: Stripe does not know the payment. */
  | { readonly _tag: 'Resolved'; readonly statement?: Statement }
  | { readonly _tag: 'Refused'; readonly operation: Payment.RefusableOperation; readonly code: string }
  | { readonly _tag: 'Unavailable'; readonly cause: unknown }

/**
 * All that is unknown at once, for what resolves one resolves them all. Only of the operation in question a refusal is
 * told: those of the others count as not done. `key` is for what may be done twice.
 */
export const reconcile = async (
  account: Account,
  subject: Subject,
  { about, key }: { readonly about: Payment.Operation; readonly key: string },
): Promise<Resolution> => {
  let at = subject
  const refunds: Array<Statement> = []
  for (const { operation, settle } of stepsOf(account, subject, key)) {
    const settled = await settle(at)
    switch (settled._tag) {
      case 'Said':
        at = knowing(at, settled.statement)
        if (operation === 'refund') refunds.push(settled.statement)
        break
      case 'Refused':
      case 'Absent':
        // Where there is nothing to cancel, nothing is unknown about it.
        if (operation === 'refund' || operation !== about || absentToCancel(operation, settled)) break
        return { _tag: 'Refused', operation, code: settled.code }
      case 'Unknown':
        if (!settled.kept) return { _tag: 'Unavailable', cause: settled.cause }
        break
      case 'Unavailable':
        return settled
    }
  }
  return resolution(account, at, refunds)
}

const absentToCancel = (operation: Payment.Operation, { _tag }: Settlement): boolean =>
  operation === 'cancel' && _tag === 'Absent'

interface Step {
  readonly operation: Payment.Operation
  readonly settle: (subject: Subject) => Promise<Settlement>
}

/** The requests to make again, in the order in which they follow from one another. */
const stepsOf = (account: Account, { payment, lookUpOnly }: Subject, key: string): ReadonlyArray<Step> => {
  const { request, unknown } = payment
  if (request === undefined) return []
  const { currency } = request.amount
  // A refund says by itself what became of it, also where it can only be looked for.
  const repeats = new Set(unknown.filter((operation) => operation === 'refund' || !lookUpOnly))
  const steps: Record<Payment.Operation, ReadonlyArray<Step['settle']>> = {
    payment: [(subject) => settlePayment(account, subject, request)],
    capture: payment.capturesOpen.map(
      ({ amount, ...asked }) =>
        (subject) =>
          settleCapture(account, subject, { ...asked, amount: moneyOf(amount, currency) }),
    ),
    cancel: [(subject) => settleCancel(account, subject, key)],
    refund: openRefunds(payment).map(
      ({ refundId, amount }) =>
        (subject) =>
          settleRefundAtLast(account, subject, { refundId, amount: moneyOf(amount, currency) }),
    ),
  }
  return OPERATIONS.filter((operation) => repeats.has(operation)).flatMap((operation) =>
    steps[operation].map((settle) => ({ operation, settle })),
  )
}

const OPERATIONS = ['payment', 'capture', 'cancel', 'refund'] as const

const openRefunds = ({ refundsAsked, known }: Payment.Payment): Payment.Payment['refundsAsked'] => {
  const answered = new Set(known.refunds.map(({ refundId }) => refundId))
  return refundsAsked.filter(({ refundId }) => !answered.has(refundId))
}

/** Where Stripe keeps a non-answer for its key, a refund that is not there will not be made. */
const settleRefundAtLast = async (
  account: Account,
  subject: Subject,
  asked: RefundAsked,
): Promise<Settlement> => {
  const settled = await settleRefund(account, subject, asked)
  const id = subject.payment.known.providerPaymentId
  if (settled._tag !== 'Unknown' || !settled.kept || id === undefined) return settled
  return foundRefund(account, { ...asked, id, code: 'api_error' })
}

const moneyOf = (amount: Money.Price, currency: Money.AnyMoney['currency']): Money.AnyMoney => ({
  amount: amount as number as Money.Amount,
  currency,
})

const knowing = (subject: Subject, { providerPaymentId }: Statement): Subject => {
  const { payment } = subject
  return { ...subject, payment: { ...payment, known: { ...payment.known, providerPaymentId } } }
}

/** The payment as Stripe holds it in the end. */
const resolution = async (
  account: Account,
  { stream, payment, sinceMs }: Subject,
  refunds: ReadonlyArray<Statement>,
): Promise<Resolution> => {
  let id: string | undefined = payment.known.providerPaymentId
  if (id === undefined) {
    const found = await findIntent(account, streamParts(stream).id, sinceMs)
    if (found._tag !== 'Answered') return blind(found)
    if (found.value === undefined) return { _tag: 'Resolved' }
    ;({ id } = found.value)
  }
  const held = await picture(account, id)
  if (held._tag !== 'Answered') return blind(held)
  const settled = said(held.value)
  return settled._tag === 'Said'
    ? { _tag: 'Resolved', statement: withRefunds(settled.statement, refunds) }
    : settled
}
