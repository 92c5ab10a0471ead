/**
 * Fingerprints: short names of a value's content, to tell the same payload from another under one command id.
 *
 * Canonical form is RFC 8785 for what JSON can hold (keys sorted by UTF-16 units, no white space); the hash is the
 * first 72 bits of SHA-256, in base64url behind the version of this scheme.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import { base64urlnopad } from '@scure/base'

export type Fingerprint = string

/** JSON with sorted keys: two values that differ only in the order of keys have one canonical form. */
export const canonical = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  let form = ''
  for (const key of Object.keys(value).toSorted()) {
    const field = (value as Record<string, unknown>)[key]
    if (field !== undefined) form += `${form === '' ? '' : ','}${JSON.stringify(key)}:${canonical(field)}`
  }
  return `{${form}}`
}

/** Covers exactly what the caller sent; never pass what we added on the way. */
export const fingerprint = (value: unknown): Fingerprint =>
  `1${base64urlnopad.encode(digest(canonical(value)).subarray(0, 9))}`

/** SHA-256 of `input` in base64url, 43 characters. */
export const hash = (input: string): string => base64urlnopad.encode(digest(input))

export const digest = (input: string): Uint8Array => sha256(utf8ToBytes(input))
