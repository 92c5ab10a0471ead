/**
 * Idempotency keys: the second request with a key gets the first one's answer.
 *
 * Invariant: one key has at most one effect in 24 hours. An answer is kept once an endpoint has begun to execute,
 * declines and 500s included; a refused parameter or a conflict is not, and may be sent again.
 *
 * Source: https://docs.stripe.com/api/idempotent_requests
 */
import type { ApiError } from './api-error.ts'

const KEPT_MS = 24 * 60 * 60 * 1_000
export const MAX_KEY_LENGTH = 255

export interface SavedAnswer {
  readonly status: number
  readonly body: string
  readonly requestId: string
}

type Entry =
  | { readonly _tag: 'InFlight'; readonly fingerprint: string }
  | {
      readonly _tag: 'Saved'
      readonly fingerprint: string
      readonly atMs: number
      readonly answer: SavedAnswer
    }

export type KeyStore = Map<string, Entry>

export type Admission =
  | { readonly _tag: 'Fresh' }
  | { readonly _tag: 'Replay'; readonly answer: SavedAnswer }
  | { readonly _tag: 'Refused'; readonly error: ApiError }

const mismatch = (key: string): ApiError => ({
  status: 400,
  saved: false,
  body: {
    type: 'idempotency_error',
    message:
      'Keys for idempotent requests can only be used with the same parameters they were first used with. ' +
      `Try using a key other than '${key}' if you meant to execute a different request.`,
  },
})

export const keyInUse = (key: string): ApiError => ({
  status: 409,
  saved: false,
  body: {
    type: 'idempotency_error',
    code: 'idempotency_key_in_use',
    message:
      `There is currently another in-progress request using this Idempotent Key: ${key} (that probably means you ` +
      'submitted twice, and the other request is still going through). Please try again later.',
  },
})

/** Takes the key for a fresh request, which must then be kept or released. */
export const admit = (
  store: KeyStore,
  key: string,
  { fingerprint, nowMs }: { readonly fingerprint: string; readonly nowMs: number },
): Admission => {
  const entry = store.get(key)
  const live = entry?._tag === 'InFlight' || (entry !== undefined && nowMs - entry.atMs < KEPT_MS)
  if (entry === undefined || !live) {
    store.set(key, { _tag: 'InFlight', fingerprint })
    return { _tag: 'Fresh' }
  }
  if (entry.fingerprint !== fingerprint) return { _tag: 'Refused', error: mismatch(key) }
  if (entry._tag === 'InFlight') return { _tag: 'Refused', error: keyInUse(key) }
  return { _tag: 'Replay', answer: entry.answer }
}

export const release = (store: KeyStore, key: string): void => {
  store.delete(key)
}

export const keep = (
  store: KeyStore,
  key: string,
  saved: { readonly fingerprint: string; readonly atMs: number; readonly answer: SavedAnswer },
): void => {
  store.set(key, { _tag: 'Saved', ...saved })
}
