/**
 * Everything the simulated Stripe account holds, and the moment in which something happens to it.
 *
 * Objects are in Stripe's own wire form and are replaced, never changed: an event may therefore hold the object
 * itself as its snapshot. Maps keep the order of creation, oldest first.
 */
import type { Stripe } from 'stripe'
import type { Random } from './random.ts'
import type { TestMethod } from './test-method.ts'

export type PaymentIntent = Readonly<Stripe.PaymentIntent> & {
  readonly latest_charge: string | null
  readonly payment_method: string | null
}
export type Charge = Readonly<Stripe.Charge> & { readonly payment_intent: string | null }
export type Refund = Readonly<Stripe.Refund> & {
  readonly charge: string | null
  readonly payment_intent: string | null
}
export type Dispute = Readonly<Stripe.Dispute> & {
  readonly charge: string
  readonly payment_intent: string | null
}
export type MeterEvent = Readonly<Stripe.Billing.MeterEvent>
export type PaymentMethod = Readonly<Stripe.PaymentMethod>
export type Subject = PaymentIntent | Charge | Refund | Dispute

/** An event as it is stored and sent; the object is the snapshot at the time of the event. */
export interface AccountEvent {
  readonly id: string
  readonly object: 'event'
  readonly api_version: string
  readonly created: number
  readonly data: {
    readonly object: Subject
    readonly previous_attributes?: Readonly<Record<string, unknown>>
  }
  readonly livemode: false
  readonly pending_webhooks: number
  readonly request: { readonly id: string | null; readonly idempotency_key: string | null } | null
  readonly type: string
}

export interface HeldMethod {
  readonly object: PaymentMethod
  readonly behaviour: TestMethod
}

/** Where events are sent; the endpoint without a URL is the program that holds the simulator. */
export interface Endpoint {
  readonly id: string
  readonly url: string | null
  readonly secret: string
  readonly enabledEvents: ReadonlyArray<string>
  readonly created: number
}

/** One attempt to tell one endpoint of one event. */
export interface Delivery {
  readonly id: string
  readonly event: AccountEvent
  readonly endpointId: string
  readonly attempt: number
  readonly firstDueMs: number
  readonly dueMs: number
}

/** Something that will happen by itself. */
export type Timer =
  | { readonly _tag: 'AuthorizationExpires'; readonly atMs: number; readonly id: string }
  | { readonly _tag: 'RefundSettles'; readonly atMs: number; readonly id: string }
  | { readonly _tag: 'DebitSettles'; readonly atMs: number; readonly id: string }

export interface Account {
  readonly random: Random
  readonly intents: Map<string, PaymentIntent>
  readonly charges: Map<string, Charge>
  readonly refunds: Map<string, Refund>
  readonly disputes: Map<string, Dispute>
  readonly methods: Map<string, HeldMethod>
  /** The latest with each identifier. */
  readonly meterEvents: Map<string, MeterEvent>
  readonly events: Map<string, AccountEvent>
  readonly endpoints: Map<string, Endpoint>
  /** In the order of delivery. */
  outbox: Array<Delivery>
  /** Soonest first. */
  timers: Array<Timer>
}

export const openAccount = (random: Random): Account => ({
  random,
  intents: new Map(),
  charges: new Map(),
  refunds: new Map(),
  disputes: new Map(),
  methods: new Map(),
  meterEvents: new Map(),
  events: new Map(),
  endpoints: new Map(),
  outbox: [],
  timers: [],
})

/** One thing happening to the account: when, at whose request, and what listens to its events. */
export interface Turn {
  readonly account: Account
  readonly nowMs: number
  /** The API's own base address as the caller sees it, for the pages a shopper is sent to. */
  readonly origin: string
  readonly request: { readonly id: string; readonly idempotency_key: string | null } | null
  readonly emitted: (turn: Turn, event: AccountEvent) => void
}

export const seconds = (turn: Turn): number => Math.floor(turn.nowMs / 1_000)

/** Replaces an object by a copy with `patch`. */
export const revise = <A extends { readonly id: string }>(
  store: Map<string, A>,
  object: A,
  patch: Partial<A>,
): A => {
  const next = { ...object, ...patch }
  store.set(next.id, next)
  return next
}

export const setTimer = ({ timers }: Account, timer: Timer): void => {
  const after = timers.findLastIndex((each) => each.atMs <= timer.atMs)
  timers.splice(after + 1, 0, timer)
}

export const unsetTimers = (account: Account, id: string): void => {
  account.timers = account.timers.filter((timer) => timer.id !== id)
}
