/**
 * A client that sends a request until it has an answer that is final: again with the same key after a 5xx, a 429 and no
 * answer at all, with a pause that doubles, up to so many attempts.
 */
import type { HttpResponse } from './event.ts'

export interface ClientPolicy {
  /** The first one included. */
  readonly attempts: number
  /** How long it waits for an answer. */
  readonly patienceMs: number
  /** The pause after the first attempt; it doubles. */
  readonly firstBackoffMs: number
  readonly longestBackoffMs: number
}

/** What most HTTP clients with retries do; their patience is longer than a gateway's. */
export const usualClient: ClientPolicy = {
  attempts: 5,
  patienceMs: 35_000,
  firstBackoffMs: 200,
  longestBackoffMs: 10_000,
}

export type ClientDecision =
  | { readonly _tag: 'Done'; readonly response: HttpResponse }
  | { readonly _tag: 'Again'; readonly afterMs: number }
  /** Whether it took effect is not known. */
  | { readonly _tag: 'GaveUp' }

/** What the client does after the answer to its attempt (1, 2, 3, ...); undefined where none came in time. */
export const afterAttempt = (
  policy: ClientPolicy,
  attempt: number,
  response: HttpResponse | undefined,
): ClientDecision => {
  if (response !== undefined && response.statusCode !== 429 && response.statusCode < 500)
    return { _tag: 'Done', response }
  if (attempt >= policy.attempts) return { _tag: 'GaveUp' }
  const afterMs = Math.min(policy.longestBackoffMs, policy.firstBackoffMs * 2 ** Math.min(30, attempt - 1))
  return { _tag: 'Again', afterMs }
}
