/**
 * One attempt to pay. There is at most one intent per payment, so a later attempt confirms the one that is there, also
 * where we have not heard of it yet.
 *
 * The same attempt may be made any number of times within the key horizon: it has one effect.
 */
import { type StreamName, streamParts } from '@everfold/core'
import type { Payment } from '@everfold/ecommerce'
import type { Stripe } from 'stripe'
import { type Account, confirmIntent, createIntent } from './account.ts'
import { findIntent, retrieveIntent } from './lookup.ts'
import { answered, type Outcome } from './outcome.ts'
import {
  absent,
  blind,
  codeOf,
  EXPIRED,
  refusal,
  type Settlement,
  said,
  unanswered,
  unlessAnswered,
} from './settlement.ts'
import { MARK, numberIn, ofIntent } from './statement.ts'

/** A payment about which something is asked. */
export interface Subject {
  readonly stream: StreamName
  readonly payment: Payment.Payment
  /** Before that, nothing of what is asked can have been created. */
  readonly sinceMs: number
  /** Keys may have been forgotten: nothing may be repeated. */
  readonly lookUpOnly: boolean
}

export type PaymentRequest = NonNullable<Payment.Payment['request']>

export const settlePayment = async (
  account: Account,
  subject: Subject,
  request: PaymentRequest,
): Promise<Settlement> => {
  const known = subject.payment.known.providerPaymentId
  const answers = (intent: Stripe.PaymentIntent) => !isWaiting(intent) || isAbout(intent, request)
  if (subject.lookUpOnly) {
    const found = await intentOf(account, subject)
    if (found._tag !== 'Answered') return blind(found)
    if (found.value === undefined) return absent(EXPIRED)
    return answers(found.value) ? said(ofIntent(found.value)) : refusal(EXPIRED)
  }
  const outcome = await pay(account, subject, request)
  if (outcome._tag === 'Answered') return said(ofIntent(outcome.value))
  if (outcome._tag === 'Declined') return said(ofIntent(outcome.intent))
  const none = unanswered(outcome)
  if (none !== undefined) return none
  const code = codeOf(outcome)
  if (known === undefined) return absent(code)
  return unlessAnswered(await retrieveIntent(account, known), code, (intent) => !isWaiting(intent))
}

const pay = async (
  account: Account,
  subject: Subject,
  request: PaymentRequest,
): Promise<Outcome<Stripe.PaymentIntent>> => {
  const { stream } = subject
  if (request.attempt === 1) return createIntent(account, stream, request)
  const former = await intentOf(account, subject)
  if (former._tag !== 'Answered') return former
  const intent = former.value
  if (intent === undefined) return createIntent(account, stream, request)
  // This very attempt created it, or it has gone on without us: what it is now is the answer.
  if (numberIn(intent, MARK.firstAttempt) === request.attempt || !isWaiting(intent)) return answered(intent)
  return confirmIntent(account, stream, { id: intent.id, request })
}

/** The payment's intent as it is now, if there is one. */
export const intentOf = async (
  account: Account,
  { stream, payment, sinceMs }: Subject,
): Promise<Outcome<Stripe.PaymentIntent | undefined>> => {
  const { providerPaymentId } = payment.known
  return providerPaymentId === undefined
    ? findIntent(account, streamParts(stream).id, sinceMs)
    : retrieveIntent(account, providerPaymentId)
}

/** For an attempt. */
const isWaiting = ({ status }: Stripe.PaymentIntent): boolean =>
  status === 'requires_payment_method' || status === 'requires_confirmation'

const isAbout = (intent: Stripe.PaymentIntent, { attempt }: PaymentRequest): boolean =>
  (numberIn(intent, MARK.attempt) ?? attempt) >= attempt
