/** Capturing what is authorized, whole or in parts. */
import type { Money, Payment } from '@everfold/ecommerce'
import { type Account, captureIntent } from './account.ts'
import type { Subject } from './attempt.ts'
import { retrieveIntent } from './lookup.ts'
import {
  blind,
  codeOf,
  EXPIRED,
  refusal,
  type Settlement,
  said,
  unanswered,
  unlessAnswered,
} from './settlement.ts'
import { allowsParts, ofIntent } from './statement.ts'

export type CaptureAsked = Pick<Payment.Payment['capturesOpen'][number], 'number' | 'final'> & {
  readonly amount: Money.AnyMoney
}

export const settleCapture = async (
  account: Account,
  { stream, payment, lookUpOnly }: Subject,
  { number, final, amount }: CaptureAsked,
): Promise<Settlement> => {
  const id = payment.known.providerPaymentId
  if (id === undefined) return refusal('resource_missing')
  // One that is open no more was answered: any look at the intent shows it.
  const upTo = payment.capturesOpen.find((open) => open.number === number)?.upTo ?? 0
  const orElse = async (code: string): Promise<Settlement> =>
    unlessAnswered(
      await retrieveIntent(account, id),
      code,
      ({ status }, { captured = 0 }) => captured >= upTo || status === 'canceled',
    )
  if (lookUpOnly) return orElse(EXPIRED)
  let parts = false
  if (!final) {
    const intent = await retrieveIntent(account, id)
    if (intent._tag !== 'Answered') return blind(intent)
    parts = allowsParts(intent.value)
  }
  const outcome = await captureIntent(account, stream, { id, amount, capture: { number, final }, parts })
  if (outcome._tag === 'Answered') return said(ofIntent(outcome.value))
  return unanswered(outcome) ?? orElse(codeOf(outcome))
}
