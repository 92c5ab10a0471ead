/** Giving back. A refund that Stripe will not make has failed, and is said so by its id. */
import type { Money } from '@everfold/ecommerce'
import { type Account, createRefund } from './account.ts'
import type { Subject } from './attempt.ts'
import { findRefund } from './lookup.ts'
import { blind, codeOf, EXPIRED, refusal, type Settlement, said, unanswered } from './settlement.ts'
import { ofRefund, ofRefusedRefund } from './statement.ts'

export interface RefundAsked {
  readonly refundId: string
  readonly amount: Money.AnyMoney
}

export const settleRefund = async (
  account: Account,
  subject: Subject,
  asked: RefundAsked,
): Promise<Settlement> => {
  const id = subject.payment.known.providerPaymentId
  if (id === undefined) return refusal('resource_missing')
  if (subject.lookUpOnly) return foundRefund(account, { ...asked, id, code: EXPIRED })
  const outcome = await createRefund(account, subject.stream, { ...asked, id })
  if (outcome._tag === 'Answered') return said(ofRefund(outcome.value))
  return unanswered(outcome) ?? foundRefund(account, { ...asked, id, code: codeOf(outcome) })
}

/** What became of a refund that is not being made: it is there all the same, or it has failed by this code. */
export const foundRefund = async (
  account: Account,
  { id, code, ...asked }: RefundAsked & { readonly id: string; readonly code: string },
): Promise<Settlement> => {
  const found = await findRefund(account, id, asked.refundId)
  if (found._tag !== 'Answered') return blind(found)
  return said(found.value === undefined ? ofRefusedRefund(id, { ...asked, code }) : ofRefund(found.value))
}
