/**
 * What may go wrong at the simulated Stripe, as decision points of a simulated run: so a plan names it, a replay repeats
 * it and a shrunk one leaves it out.
 */
import type { SurroundingsPorts } from '@everfold/runtime-memory/simulation'
import type { Faults, RequestFault, WebhookFault } from '@everfold/stripe-sim'

const MINUTE_MS = 60_000

/**
 * The words are part of plans that are kept: they change no more. The SDK gives up after 80 seconds.
 *
 * There is no 500 after the work that is not kept for its key: Stripe keeps what an endpoint answers once it has begun,
 * 500 included, and against anything else no client could protect itself.
 * Source: https://docs.stripe.com/api/idempotent_requests (2026-11).
 */
const REQUEST_FAULTS: { readonly [deviation: string]: RequestFault } = {
  'connection broken before': { _tag: 'DropBeforeApply' },
  'connection broken after': { _tag: 'DropResponse' },
  'done 30 s late': { _tag: 'Delay', ms: MINUTE_MS / 2, side: 'before' },
  'done 2 min late': { _tag: 'Delay', ms: 2 * MINUTE_MS, side: 'before' },
  'answered 2 min late': { _tag: 'Delay', ms: 2 * MINUTE_MS, side: 'after' },
  '500 before, kept': { _tag: 'ServerError', when: 'before' },
  '500 before': { _tag: 'ServerError', when: 'before', saved: false },
  '500 after, kept': { _tag: 'ServerError', when: 'after' },
  '429': { _tag: 'RateLimit' },
  'lock timeout': { _tag: 'LockTimeout' },
  'key in use': { _tag: 'KeyInUse' },
}

const WEBHOOK_FAULTS: { readonly [deviation: string]: WebhookFault } = {
  'told twice': { _tag: 'DuplicateWebhook' },
  'told out of order': { _tag: 'ReorderWebhook' },
  'told 1 min late': { _tag: 'DelayWebhook', ms: MINUTE_MS },
  'told 5 h late': { _tag: 'DelayWebhook', ms: 300 * MINUTE_MS },
  'never told': { _tag: 'DropWebhook' },
}

const OF_REQUESTS = Object.keys(REQUEST_FAULTS)
const SURELY_TOLD = Object.keys(WEBHOOK_FAULTS).filter((deviation) => deviation !== 'never told')
const OF_WEBHOOKS = Object.keys(WEBHOOK_FAULTS)

/** `lossy`: an event may never be told, as when an endpoint is down for the three days in which Stripe tries. */
export const chosenFaults = (
  { kernel, choose, draw, tell }: SurroundingsPorts,
  lossy: (type: string) => boolean,
): Faults => {
  const counts = new Map<string, number>()
  const numbered = (what: string): string => {
    const count = (counts.get(what) ?? 0) + 1
    counts.set(what, count)
    return `${what} #${count}`
  }
  const chosen = (key: string, offers: ReadonlyArray<string>, operation: string): string | undefined => {
    const deviation = choose(key, offers, { port: 'stripe', operation })
    if (deviation !== undefined) tell({ lane: 'stripe', operation, subject: key, key, deviation })
    return deviation
  }
  let draws = 0
  return {
    forRequest: ({ method, path }) => {
      const operation = operationOf(method, path)
      const key = numbered(`${kernel.current().name}: stripe.${operation}`)
      const deviation = chosen(key, OF_REQUESTS, operation)
      const fault = deviation === undefined ? undefined : REQUEST_FAULTS[deviation]
      return fault === undefined ? [] : [fault]
    },
    forWebhook: ({ type }) => {
      const key = numbered(`stripe: tells ${type}`)
      const deviation = chosen(key, lossy(type) ? OF_WEBHOOKS : SURELY_TOLD, 'webhook')
      const fault = deviation === undefined ? undefined : WEBHOOK_FAULTS[deviation]
      return fault === undefined ? [] : [fault]
    },
    fired: () => [],
    draw: () => draw(`stripe's order ${(draws += 1)}`),
  }
}

/** `POST /v1/payment_intents/:id/capture`: without ids, which are no names to keep. */
export const operationOf = (method: string, path: string): string =>
  `${method} ${path.replace(/\?.*$/s, '').replaceAll(/\/[a-z]+_3[^/]+/g, '/:id')}`
