/** Canceling: what is authorized is released, and what is not yet paid can be paid no more. */
import { type Account, cancelIntent, createIntent } from './account.ts'
import { intentOf, type Subject } from './attempt.ts'
import { retrieveIntent } from './lookup.ts'
import {
  absent,
  blind,
  codeOf,
  EXPIRED,
  type Settlement,
  said,
  unanswered,
  unlessAnswered,
} from './settlement.ts'
import { ofIntent } from './statement.ts'

export const settleCancel = async (account: Account, subject: Subject, key: string): Promise<Settlement> => {
  const known = subject.payment.known.providerPaymentId
  const id = known ?? (await idToCancel(account, subject))
  if (typeof id !== 'string') return id
  const outcome = await cancelIntent(account, id, key)
  if (outcome._tag === 'Answered') return said(ofIntent(outcome.value))
  return (
    unanswered(outcome) ??
    unlessAnswered(
      await retrieveIntent(account, id),
      codeOf(outcome),
      ({ status }, { captured = 0 }) => status === 'canceled' || captured > 0,
    )
  )
}

/**
 * The intent of a payment that has not answered yet. Where none is to be seen the creation is asked again by its own
 * key: whether it went through before, goes through now or is still on its way, there is then one intent to cancel.
 */
const idToCancel = async (account: Account, subject: Subject): Promise<string | Settlement> => {
  const found = await intentOf(account, subject)
  if (found._tag !== 'Answered') return blind(found)
  if (found.value !== undefined) return found.value.id
  const { request } = subject.payment
  if (subject.lookUpOnly || request === undefined) return absent(EXPIRED)
  const created = await createIntent(account, subject.stream, request)
  if (created._tag === 'Answered') return created.value.id
  if (created._tag === 'Declined') return created.intent.id
  return unanswered(created) ?? absent(codeOf(created))
}
