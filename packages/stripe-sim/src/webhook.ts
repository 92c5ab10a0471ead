/**
 * Webhooks: events on their way to those who asked for them, signed, and sent again until they are taken.
 *
 * At least once and in no promised order, as Stripe's. The raw body is indented JSON, so that a receiver who parses
 * and prints it again before verifying fails here too.
 *
 * Source: https://docs.stripe.com/webhooks (signatures, retries for up to three days, ordering)
 */
import { Stripe } from 'stripe'
import {
  type Account,
  type AccountEvent,
  type Delivery,
  type Endpoint,
  seconds,
  type Turn,
} from './account.ts'
import { invalid, ok, type Result } from './api-error.ts'
import type { Faults } from './fault-script.ts'
import { fields, filled, list, metadata, string } from './parameter.ts'

const FIRST_RETRY_MS = 60_000
const LAST_RETRY_MS = 12 * 60 * 60 * 1_000
const GIVES_UP_AFTER_MS = 3 * 24 * 60 * 60 * 1_000

/** One attempt, ready to be sent. */
export interface WebhookAttempt {
  readonly deliveryId: string
  readonly endpointId: string
  readonly eventId: string
  readonly type: string
  /** Null for the program that holds the simulator. */
  readonly url: string | null
  readonly attempt: number
  /** When the first attempt could have been made. */
  readonly firstDueMs: number
  readonly rawBody: string
  readonly headers: Readonly<Record<string, string>>
}

const wants = (endpoint: Endpoint, type: string): boolean =>
  endpoint.enabledEvents.includes('*') || endpoint.enabledEvents.includes(type)

/** Queues an event for each endpoint that wants it; says how many. */
export const enqueue = (turn: Turn, event: AccountEvent, faults: Faults): number => {
  const { account, nowMs } = turn
  const endpoints = [...account.endpoints.values()].filter((endpoint) => wants(endpoint, event.type))
  if (endpoints.length === 0) return 0
  const fired = faults.forWebhook({ type: event.type, eventId: event.id, atMs: nowMs })
  const has = (tag: string): boolean => fired.some((fault) => fault._tag === tag)
  const lateMs = fired.reduce((sum, fault) => sum + (fault._tag === 'DelayWebhook' ? fault.ms : 0), 0)
  if (has('DropWebhook')) return endpoints.length
  for (const endpoint of endpoints)
    for (let copy = 0; copy < (has('DuplicateWebhook') ? 2 : 1); copy += 1) {
      const at = has('ReorderWebhook')
        ? Math.floor(faults.draw() * account.outbox.length)
        : account.outbox.length
      account.outbox.splice(at, 0, {
        id: `${event.id}_${endpoint.id}_${copy}`,
        event: { ...event, pending_webhooks: endpoints.length },
        endpointId: endpoint.id,
        attempt: 1,
        firstDueMs: nowMs,
        dueMs: nowMs + lateMs,
      })
    }
  return endpoints.length
}

const sign = (rawBody: string, secret: string, nowMs: number): string =>
  Stripe.webhooks.generateTestHeaderString({
    payload: rawBody,
    secret,
    // The SDK reads 0 as «now», by the machine's clock.
    timestamp: Math.max(1, Math.floor(nowMs / 1_000)),
  })

const prepare = (account: Account, delivery: Delivery, nowMs: number): WebhookAttempt | undefined => {
  const endpoint = account.endpoints.get(delivery.endpointId)
  if (endpoint === undefined) return undefined
  const rawBody = JSON.stringify(delivery.event, null, 2)
  return {
    deliveryId: delivery.id,
    endpointId: delivery.endpointId,
    eventId: delivery.event.id,
    type: delivery.event.type,
    url: endpoint.url,
    attempt: delivery.attempt,
    firstDueMs: delivery.firstDueMs,
    rawBody,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'stripe-signature': sign(rawBody, endpoint.secret, nowMs),
      'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
    },
  }
}

const countPending = (account: Account, eventId: string, change: 1 | -1): void => {
  const event = account.events.get(eventId)
  if (event === undefined) return
  account.events.set(event.id, { ...event, pending_webhooks: Math.max(0, event.pending_webhooks + change) })
}

/** Hands out what is due and `wanted`, in the order of delivery, and counts it as delivered until it is retried. */
export const take = (
  account: Account,
  nowMs: number,
  wanted: (endpoint: Endpoint) => boolean,
): ReadonlyArray<WebhookAttempt> => {
  const due = account.outbox.filter((delivery) => {
    const endpoint = account.endpoints.get(delivery.endpointId)
    return delivery.dueMs <= nowMs && (endpoint === undefined || wanted(endpoint))
  })
  if (due.length === 0) return []
  const taken = new Set(due)
  account.outbox = account.outbox.filter((delivery) => !taken.has(delivery))
  return due.flatMap((delivery) => {
    countPending(account, delivery.event.id, -1)
    const attempt = prepare(account, delivery, nowMs)
    return attempt === undefined ? [] : [attempt]
  })
}

/** Queues a failed attempt again, ever later; after three days Stripe gives up. */
export const retry = (account: Account, attempt: WebhookAttempt, nowMs: number): void => {
  const waitMs = Math.min(FIRST_RETRY_MS * 4 ** (attempt.attempt - 1), LAST_RETRY_MS)
  const event = account.events.get(attempt.eventId)
  if (event === undefined || nowMs + waitMs - attempt.firstDueMs > GIVES_UP_AFTER_MS) return
  countPending(account, event.id, 1)
  const delivery: Delivery = {
    id: attempt.deliveryId,
    event,
    endpointId: attempt.endpointId,
    attempt: attempt.attempt + 1,
    firstDueMs: attempt.firstDueMs,
    dueMs: nowMs + waitMs,
  }
  account.outbox.push(delivery)
}

export const endpointParameters = fields(
  {
    description: string(),
    enabled_events: list(filled()),
    expand: list(string()),
    metadata,
    url: filled(),
  },
  'enabled_events',
  'url',
)

export const checkUrl = (url: string): Result<null> =>
  URL.canParse(url) && /^https?:/.test(url) ? ok(null) : invalid('Invalid URL', 'url_invalid', 'url')

export const createEndpoint = (
  turn: Turn,
  { url, enabled_events }: { readonly url: string; readonly enabled_events: ReadonlyArray<string> },
): Endpoint => {
  const endpoint: Endpoint = {
    id: turn.account.random.id('we'),
    url,
    secret: turn.account.random.id('whsec'),
    enabledEvents: enabled_events,
    created: seconds(turn),
  }
  turn.account.endpoints.set(endpoint.id, endpoint)
  return endpoint
}

/** The wire form; the secret is told once, when the endpoint is made. */
export const endpointObject = (endpoint: Endpoint, withSecret: boolean) => ({
  id: endpoint.id,
  object: 'webhook_endpoint',
  api_version: null,
  application: null,
  created: endpoint.created,
  description: null,
  enabled_events: endpoint.enabledEvents,
  livemode: false,
  metadata: {},
  ...(withSecret && { secret: endpoint.secret }),
  status: 'enabled',
  url: endpoint.url,
})
