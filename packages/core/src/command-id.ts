/**
 * Command ids and their dates.
 *
 * An id with a date is a ULID (its first 48 bits are milliseconds since 1970). An id derived from another fact is a
 * ULID too: the date of that fact, then 80 bits of a hash, so the same fact always derives the same id. A key
 * without a date becomes an id that begins with `k` (no ULID of our era does), and its date is its arrival.
 */
import { base32crockford } from '@scure/base'
import { encodeTime } from 'ulid'
import { type Codec, type Scalar, text } from './codec.ts'
import { digest } from './fingerprint.ts'

export type CommandId = Scalar<string, 'CommandId'>
export const CommandId: Codec<CommandId> = text('CommandId', {
  minLength: 26,
  maxLength: 27,
  pattern: /^(k[0-9A-HJKMNP-TV-Z]{26}|[0-7][0-9A-HJKMNP-TV-Z]{25})$/,
})

/** Crockford's base 32, as ULIDs use it. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** The digits' values by their code units. */
const VALUES = Uint8Array.from({ length: 128 }, (_, unit) =>
  Math.max(0, ALPHABET.indexOf(String.fromCharCode(unit))),
)

/** The date an id carries, in milliseconds since 1970; undefined for a key without one. */
export const dateOf = (id: CommandId): number | undefined => {
  if (id.length !== 26) return undefined
  let dateMs = 0
  for (let digit = 0; digit < 10; digit += 1) dateMs = dateMs * 32 + (VALUES[id.charCodeAt(digit)] ?? 0)
  return dateMs
}

const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/i

/** A caller's ULID as it stands, or undefined where the text is none. */
export const fromUlid = (input: string): CommandId | undefined =>
  ULID.test(input) ? (input.toUpperCase() as CommandId) : undefined

/** A fresh id, made at arrival for a command that came without one. `random` gives numbers in [0, 1). */
export const freshId = (timeMs: number, random: () => number): CommandId => {
  let id = encodeTime(timeMs)
  for (let digit = 0; digit < 16; digit += 1) id += ALPHABET[Math.floor(random() * 32)]
  return id as CommandId
}

/** The same parts and date always derive the same id. */
export const deriveId = (dateMs: number, ...parts: ReadonlyArray<string>): CommandId =>
  (encodeTime(dateMs) + base32crockford.encode(digest(JSON.stringify(parts)).subarray(0, 10))) as CommandId

/** The id of a key that carries no date, such as a caller's own `Idempotency-Key`. */
export const undatedId = (...parts: ReadonlyArray<string>): CommandId =>
  `k${base32crockford.encode(digest(JSON.stringify(parts)).subarray(0, 16))}` as CommandId

/**
 * The id of a caller's key within its scope: caller, method and path. A key that is a ULID keeps its date; any other
 * has none.
 */
export const idOfKey = (key: string, ...scope: ReadonlyArray<string>): CommandId => {
  const ulid = fromUlid(key)
  const dateMs = ulid === undefined ? undefined : dateOf(ulid)
  return dateMs === undefined ? undatedId(...scope, key) : deriveId(dateMs, ...scope, key)
}
