/**
 * A snapshot's remembered ids as bytes: 17 or 18 for an id as a rule, half of what JSON needs.
 *
 * Each entry is a number (twice the distance from the snapshot's commit to the one that answers, plus one where the id
 * is undated; base 128, lowest digits first), then the id's 26 digits of Crockford's base 32 as 16 bytes, or as 17 and
 * its stamp as 6 where it is undated. Law: what was packed is unpacked to the same entries in the same order.
 */
import type { CommandId, Remembered } from '@everfold/core'

const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const VALUES = Uint8Array.from({ length: 128 }, (_, unit) =>
  Math.max(0, DIGITS.indexOf(String.fromCharCode(unit))),
)

/** An id's digits: 130 bits, of which a ULID leaves the first two empty. */
const ID_DIGITS = 26
const DATED_BYTES = 16
const UNDATED_BYTES = 17
const STAMP_BYTES = 6

export const packIds = (ids: ReadonlyArray<Remembered>, number: number): Uint8Array => {
  const bytes: Array<number> = []
  for (const [id, commit, stampMs] of ids) {
    const undated = id.length > ID_DIGITS
    packNumber(bytes, (number - commit) * 2 + (undated ? 1 : 0))
    packDigits(bytes, undated ? id.slice(1) : id, undated ? UNDATED_BYTES : DATED_BYTES)
    if (undated) packStamp(bytes, stampMs ?? 0)
  }
  return Uint8Array.from(bytes)
}

/** Undefined where the bytes are not what `packIds` makes. */
export const unpackIds = (bytes: Uint8Array, number: number): ReadonlyArray<Remembered> | undefined => {
  const ids: Array<Remembered> = []
  let at = 0
  while (at < bytes.length) {
    let packed = 0
    let factor = 1
    for (let byte = 128; byte >= 128; factor *= 128) {
      byte = bytes[at] ?? 0
      packed += (byte % 128) * factor
      at += 1
      if (at > bytes.length || factor > Number.MAX_SAFE_INTEGER) return undefined
    }
    const undated = packed % 2 === 1
    const commit = number - (packed - (undated ? 1 : 0)) / 2
    const length = undated ? UNDATED_BYTES : DATED_BYTES
    if (commit < 1 || at + length + (undated ? STAMP_BYTES : 0) > bytes.length) return undefined
    const digits = digitsOf(bytes, at, length)
    at += length
    if (undated) {
      ids.push([`k${digits}` as CommandId, commit, stampOf(bytes, at)])
      at += STAMP_BYTES
    } else ids.push([digits as CommandId, commit])
  }
  return ids
}

const packNumber = (bytes: Array<number>, number: number): void => {
  let rest = number
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push(128 + (rest % 128))
  bytes.push(rest)
}

/** From the last digit on, so that the empty bits are the first ones. */
const packDigits = (bytes: Array<number>, digits: string, length: number): void => {
  const start = bytes.length
  let place = start + length
  let bits = 0
  let held = 0
  for (let digit = ID_DIGITS - 1; digit >= 0; digit -= 1) {
    held |= (VALUES[digits.charCodeAt(digit)] ?? 0) << bits
    bits += 5
    if (bits < 8) continue
    bytes[--place] = held & 255
    held >>= 8
    bits -= 8
  }
  if (place > start) bytes[start] = held
}

const digitsOf = (bytes: Uint8Array, from: number, length: number): string => {
  let place = from + length
  let bits = 0
  let held = 0
  let digits = ''
  for (let digit = 0; digit < ID_DIGITS; digit += 1) {
    if (bits < 5 && place > from) {
      held |= (bytes[--place] ?? 0) << bits
      bits += 8
    }
    digits = (DIGITS[held & 31] ?? '') + digits
    held >>= 5
    bits -= 5
  }
  return digits
}

const packStamp = (bytes: Array<number>, stampMs: number): void => {
  for (let power = STAMP_BYTES - 1; power >= 0; power -= 1)
    bytes.push(Math.floor(stampMs / 256 ** power) % 256)
}

const stampOf = (bytes: Uint8Array, from: number): number => {
  let stampMs = 0
  for (let at = from; at < from + STAMP_BYTES; at += 1) stampMs = stampMs * 256 + (bytes[at] ?? 0)
  return stampMs
}
