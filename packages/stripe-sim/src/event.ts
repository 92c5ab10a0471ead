/**
 * Events: the account's log of what happened, each with a snapshot of its object.
 *
 * Invariant: folding the events' objects by id, oldest first, gives the money and the state of every object.
 * Stripe sends nothing for `payment_intents.update`, and so neither does this.
 *
 * Source: https://docs.stripe.com/api/events and https://docs.stripe.com/api/events/types
 */
import { Stripe } from 'stripe'
import { type AccountEvent, type Subject, seconds, type Turn } from './account.ts'

/** The keys in which `after` differs, with the values of `before`, as `previous_attributes` has them. */
const changed = (before: Subject, after: Subject): Readonly<Record<string, unknown>> => {
  const later = new Map<string, unknown>(Object.entries(after))
  return Object.fromEntries(
    Object.entries(before).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(later.get(key))),
  )
}

export const emit = (turn: Turn, type: string, object: Subject, before?: Subject): AccountEvent => {
  const event: AccountEvent = {
    id: turn.account.random.id('evt'),
    object: 'event',
    api_version: Stripe.API_VERSION,
    created: seconds(turn),
    data: { object, ...(before !== undefined && { previous_attributes: changed(before, object) }) },
    livemode: false,
    pending_webhooks: 0,
    request: turn.request ?? { id: null, idempotency_key: null },
    type,
  }
  turn.account.events.set(event.id, event)
  turn.emitted(turn, event)
  return event
}
