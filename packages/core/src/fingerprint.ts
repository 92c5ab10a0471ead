/**
 * Fingerprints: short names of a value's content, to tell the same payload from another under one command id.
 *
 * Law: two values have one fingerprint where they have one canonical form, and, but for one chance in 2^64, only there.
 *
 * A fingerprint is computed for every command, so it is no cryptographic hash, which would cost more than all the rest
 * of a command. It defends an honest caller against a mistake. A caller who forges two payloads of one fingerprint, and
 * sends both under one id, gets the first one's answer for the second instead of a refusal: he could have sent the first
 * one twice. Ids are scoped by caller, so he meets nobody else's. What must resist forgery (ids, entity tags) uses
 * `digest`, and what must not be guessed from its fingerprint is sealed before it comes here.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import { base64urlnopad } from '@scure/base'

export type Fingerprint = string

/**
 * JSON with sorted keys: two values that differ only in the order of keys have one canonical form. It is RFC 8785 for
 * what JSON can hold (keys sorted by UTF-16 units, no white space).
 */
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

/** Covers exactly what the caller sent; never pass what we added on the way. Begins with the version of this scheme. */
export const fingerprint = (value: unknown): Fingerprint => {
  begin()
  absorb(value)
  return `1${hashed()}`
}

/** Each value begins with its kind and says where it ends, so no two values give the same words. */
const absorb = (value: unknown): void => {
  if (typeof value === 'string') {
    absorbWord(Kind.text)
    absorbText(value)
  } else if (typeof value === 'number' && Number.isFinite(value)) absorbNumber(value)
  else if (typeof value === 'boolean') absorbWord(value ? Kind.true : Kind.false)
  else if (Array.isArray(value)) {
    absorbWord(Kind.list)
    absorbWord(value.length)
    for (const item of value) absorb(item)
  } else if (typeof value === 'object' && value !== null) absorbRecord(value)
  else absorbWord(Kind.null)
}

const Kind = { null: 0, false: 1, true: 2, integer: 3, number: 4, text: 5, list: 6, record: 7 } as const

/** Each field is hashed by itself and their hashes are added up, so that their order does not count. */
const absorbRecord = (value: object): void => {
  const before = [one, other, words] as const
  let sum = 0
  let otherSum = 0
  for (const key in value) {
    const field = (value as Record<string, unknown>)[key]
    if (field === undefined) continue
    begin()
    absorbText(key)
    absorb(field)
    sum = (sum + finished(one)) | 0
    otherSum = (otherSum + finished(other)) | 0
  }
  ;[one, other, words] = before
  absorbWord(Kind.record)
  absorbWord(sum)
  absorbWord(otherSum)
}

const absorbNumber = (value: number): void => {
  // Also true of -0, which JSON writes as 0.
  if ((value | 0) === value) {
    absorbWord(Kind.integer)
    absorbWord(value)
  } else {
    absorbWord(Kind.number)
    absorbText(String(value))
  }
}

const absorbText = (text: string): void => {
  absorbWord(text.length)
  const even = text.length & ~1
  for (let at = 0; at < even; at += 2) absorbWord(text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16))
  if (even < text.length) absorbWord(text.charCodeAt(even))
}

/** Both halves of the hash while it is made; one for all, because nothing else runs before it is done. */
let one = 0
let other = 0
let words = 0

const begin = (): void => {
  one = 0
  other = 0x2f0b4c47
  words = 0
}

/** A block of MurmurHash3 (x86, 32 bits) under two seeds at once. Source: Austin Appleby, SMHasher. */
const absorbWord = (word: number): void => {
  const scrambled = Math.imul(rotated(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593)
  one = (Math.imul(rotated(one ^ scrambled, 13), 5) + 0xe6546b64) | 0
  other = (Math.imul(rotated(other ^ scrambled, 13), 5) + 0xe6546b64) | 0
  words += 1
}

/** The 64 bits in base64url, 11 characters. */
const hashed = (): string => {
  const high = finished(one ^ (words * 4))
  const low = finished(other ^ (words * 4))
  return String.fromCharCode(
    digit(high >>> 26),
    digit(high >>> 20),
    digit(high >>> 14),
    digit(high >>> 8),
    digit(high >>> 2),
    digit((high << 4) | (low >>> 28)),
    digit(low >>> 22),
    digit(low >>> 16),
    digit(low >>> 10),
    digit(low >>> 4),
    digit(low << 2),
  )
}

const rotated = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits))

const finished = (word: number): number => {
  let mixed = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** The code unit of the digit for the six lowest bits. */
const digit = (bits: number): number => DIGITS.charCodeAt(bits & 63)

/** SHA-256 of `input` in base64url, 43 characters. */
export const hash = (input: string): string => base64urlnopad.encode(digest(input))

export const digest = (input: string): Uint8Array => sha256(utf8ToBytes(input))
