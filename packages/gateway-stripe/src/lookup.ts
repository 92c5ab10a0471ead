/** Asking Stripe what is there: nothing is changed, so nothing needs a key and everything may be asked again. */
import type { ProviderStatement, Quantities } from '@everfold/ecommerce'
import type { Stripe } from 'stripe'
import { type Account, ONCE } from './account.ts'
import { answered, ask, type Outcome } from './outcome.ts'
import { MARK, ofIntent, paymentIdOf } from './statement.ts'

const PAGE = 100

export const retrieveIntent = (
  { stripe, clock }: Account,
  id: string,
): Promise<Outcome<Stripe.PaymentIntent>> =>
  ask(clock, () => stripe.paymentIntents.retrieve(id, { expand: ['latest_charge'] }, ONCE))

/**
 * The intent of a payment by our mark on it, all pages of those created since. Lists know at once what was created;
 * Stripe's search does not.
 */
export const findIntent = async (
  account: Account,
  paymentId: Quantities.PaymentId | string,
  sinceMs: number,
): Promise<Outcome<Stripe.PaymentIntent | undefined>> => {
  const { stripe } = account
  const created = { gte: Math.max(0, Math.floor(sinceMs / 1_000)) }
  const expand = ['data.latest_charge']
  const found = await everyPage(account, (page) =>
    stripe.paymentIntents.list({ ...page, created, expand }, ONCE),
  )
  if (found._tag !== 'Answered') return found
  // Newest first: were there two, the first one made is the payment's.
  return answered(found.value.findLast((intent) => paymentIdOf(intent) === paymentId))
}

const refundsOf = (account: Account, id: string): Promise<Outcome<ReadonlyArray<Stripe.Refund>>> =>
  everyPage(account, (page) => account.stripe.refunds.list({ ...page, payment_intent: id }, ONCE))

const disputesOf = (account: Account, id: string): Promise<Outcome<ReadonlyArray<Stripe.Dispute>>> =>
  everyPage(account, (page) => account.stripe.disputes.list({ ...page, payment_intent: id }, ONCE))

/** Whether the provider has this refund of ours. */
export const findRefund = async (
  account: Account,
  id: string,
  refundId: string,
): Promise<Outcome<Stripe.Refund | undefined>> => {
  const refunds = await refundsOf(account, id)
  if (refunds._tag !== 'Answered') return refunds
  return answered(refunds.value.find(({ metadata }) => metadata?.[MARK.refundId] === refundId))
}

/** All that Stripe knows of one payment; undefined where it cannot be read. */
export const picture = async (
  account: Account,
  id: string,
): Promise<Outcome<ProviderStatement.ProviderStatement | undefined>> => {
  const intent = await retrieveIntent(account, id)
  if (intent._tag !== 'Answered') return intent
  if (intent.value.amount_received === 0) return answered(ofIntent(intent.value))
  const refunds = await refundsOf(account, id)
  if (refunds._tag !== 'Answered') return refunds
  const disputes = await disputesOf(account, id)
  if (disputes._tag !== 'Answered') return disputes
  return answered(ofIntent(intent.value, { refunds: refunds.value, disputes: disputes.value }))
}

const everyPage = async <Item extends { readonly id: string }>(
  { clock }: Account,
  list: (page: { limit: number; starting_after?: string }) => Promise<Stripe.ApiList<Item>>,
): Promise<Outcome<ReadonlyArray<Item>>> => {
  const items: Array<Item> = []
  for (;;) {
    const last = items.at(-1)?.id
    const page = await ask(clock, () =>
      list({ limit: PAGE, ...(last !== undefined && { starting_after: last }) }),
    )
    if (page._tag !== 'Answered') return page
    items.push(...page.value.data)
    if (!page.value.has_more || page.value.data.length === 0) return answered(items)
  }
}
