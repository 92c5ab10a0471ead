/**
 * Faults as data: which requests and webhooks go wrong, and how.
 *
 * A rule counts the requests (or events) that match it, and fires on the n-th of them, on every one, or at a rate
 * drawn from the script's own seed; the same script over the same calls fires the same faults, and each firing is
 * recorded.
 *
 * Source: the failures of https://docs.stripe.com/error-low-level and https://docs.stripe.com/webhooks (deliveries
 * may be late, repeated and out of order).
 */
import { matches } from './pattern.ts'
import { createRandom } from './random.ts'

export type RequestFault =
  /** The connection breaks before the request arrives: nothing happens. */
  | { readonly _tag: 'DropBeforeApply' }
  /** The request is carried out and its answer is lost. */
  | { readonly _tag: 'DropResponse' }
  /** The request waits before it is carried out, or its answer does after; its idempotency key is in use meanwhile. */
  | { readonly _tag: 'Delay'; readonly ms: number; readonly side?: 'before' | 'after' }
  /** 500, and as Stripe does, kept for the idempotency key unless `saved` is false. */
  | { readonly _tag: 'ServerError'; readonly when: 'before' | 'after'; readonly saved?: boolean }
  /** 429 before anything. */
  | { readonly _tag: 'RateLimit' }
  /** 429 lock_timeout: another request holds the object. */
  | { readonly _tag: 'LockTimeout' }
  /** 409 idempotency_key_in_use. */
  | { readonly _tag: 'KeyInUse' }

export type WebhookFault =
  | { readonly _tag: 'DuplicateWebhook' }
  /** Never sent, and still in `events.list`. */
  | { readonly _tag: 'DropWebhook' }
  | { readonly _tag: 'DelayWebhook'; readonly ms: number }
  /** Sent before some of those that wait already. */
  | { readonly _tag: 'ReorderWebhook' }

interface When {
  /** Fires on these matches only, counted from 1. */
  readonly nth?: number | ReadonlyArray<number>
  /** Fires at most so often. */
  readonly times?: number
  /** Fires with this probability; 1 if left out. */
  readonly rate?: number
}

export interface RequestRule extends When {
  readonly on: 'request'
  readonly fault: RequestFault
  readonly method?: string
  /** Without the query; `*` stands for any characters: `/v1/payment_intents/*` + `/capture`. */
  readonly path?: string
  readonly idempotencyKey?: string
}

export interface WebhookRule extends When {
  readonly on: 'webhook'
  readonly fault: WebhookFault
  /** The event's type; `*` stands for any characters. */
  readonly type?: string
}

export interface FaultScript {
  readonly rules: ReadonlyArray<RequestRule | WebhookRule>
  readonly seed?: string | number
}

export interface FaultFired {
  /** Its place in the script. */
  readonly rule: number
  readonly fault: RequestFault | WebhookFault
  /** `POST /v1/refunds`, or an event's id. */
  readonly subject: string
  readonly atMs: number
}

interface RequestFacts {
  readonly method: string
  readonly path: string
  readonly idempotencyKey: string | undefined
  readonly atMs: number
}

interface WebhookFacts {
  readonly type: string
  readonly eventId: string
  readonly atMs: number
}

/** What goes wrong, as the account asks for it: by a script, or by somebody else's choice. */
export interface Faults {
  readonly forRequest: (facts: RequestFacts) => ReadonlyArray<RequestFault>
  readonly forWebhook: (facts: WebhookFacts) => ReadonlyArray<WebhookFault>
  readonly fired: () => ReadonlyArray<FaultFired>
  /** Uniform in [0, 1), for the place of a reordered webhook. */
  readonly draw: () => number
}

const ofRequest = (rule: RequestRule, facts: RequestFacts): boolean =>
  (rule.method === undefined || rule.method === facts.method) &&
  (rule.idempotencyKey === undefined || rule.idempotencyKey === facts.idempotencyKey) &&
  matches(rule.path, facts.path)

const includes = (nth: number | ReadonlyArray<number> | undefined, count: number): boolean =>
  nth === undefined || (typeof nth === 'number' ? nth === count : nth.includes(count))

/** Reads a script; the counters live as long as the account. */
export const createFaults = (script: FaultScript): Faults => {
  const random = createRandom(script.seed ?? 'faults')
  const matched = script.rules.map(() => 0)
  const times = script.rules.map(() => 0)
  const fired: Array<FaultFired> = []

  const fires = (rule: RequestRule | WebhookRule, at: number): boolean => {
    const count = (matched[at] ?? 0) + 1
    matched[at] = count
    if (!includes(rule.nth, count) || (times[at] ?? 0) >= (rule.times ?? Number.POSITIVE_INFINITY))
      return false
    return rule.rate === undefined || random.next() < rule.rate
  }
  const record = (firing: FaultFired): void => {
    times[firing.rule] = (times[firing.rule] ?? 0) + 1
    fired.push(firing)
  }

  return {
    forRequest: (facts) =>
      script.rules.flatMap((rule, at) => {
        if (rule.on !== 'request' || !ofRequest(rule, facts) || !fires(rule, at)) return []
        const subject = `${facts.method} ${facts.path}`
        record({ rule: at, fault: rule.fault, subject, atMs: facts.atMs })
        return [rule.fault]
      }),
    forWebhook: (facts) =>
      script.rules.flatMap((rule, at) => {
        if (rule.on !== 'webhook' || !matches(rule.type, facts.type) || !fires(rule, at)) return []
        record({ rule: at, fault: rule.fault, subject: facts.eventId, atMs: facts.atMs })
        return [rule.fault]
      }),
    fired: () => [...fired],
    draw: random.next,
  }
}
