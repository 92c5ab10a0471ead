/**
 * Cursors of pages: opaque to callers, so that what they stand for may change.
 *
 * A cursor is bound to its scope, the listing and whatever it is of (a filter, an owner). One that was made for another
 * listing, or made up, is invalid input; without that it would be a page from some place nobody asked for. The check is
 * no secret, so a cursor never says what its bearer may read.
 *
 * Law: a cursor gives its place back in the scope it was made for, and nowhere else, but for one chance in 2^48.
 */
import { concatBytes, utf8ToBytes } from '@noble/ciphers/utils.js'
import { base64urlnopad } from '@scure/base'
import { text } from './codec.ts'
import { digest } from './fingerprint.ts'
import { E } from './fp.ts'
import { utf8Of } from './parse.ts'
import { invalid, type Problem } from './problem.ts'

export const Cursor = text('Cursor', { maxLength: 2048, pattern: /^[A-Za-z0-9_-]+$/ })

/** The listing's name, and whatever it is of. */
type Scope = readonly [listing: string, ...of: ReadonlyArray<string>]

/** `cursorOf(place, 'products', category)`: for the next page of just that listing. */
export const cursorOf = (place: string, ...scope: Scope): string =>
  base64urlnopad.encode(concatBytes(checkOf(place, scope), utf8ToBytes(place)))

/** The place a cursor stands for; one that was not made for this scope is invalid input. */
export const placeOf = (cursor: string, ...scope: Scope): E.Either<Problem, string> => {
  const bytes = E.tryCatch(
    () => base64urlnopad.decode(cursor),
    () => undefined,
  )
  const place = E.isLeft(bytes) ? undefined : utf8Of(bytes.right.subarray(CHECK_BYTES))
  return place === undefined || cursorOf(place, ...scope) !== cursor ? E.left(notOurs) : E.right(place)
}

const CHECK_BYTES = 6

const checkOf = (place: string, scope: Scope): Uint8Array =>
  digest(JSON.stringify([place, ...scope])).subarray(0, CHECK_BYTES)

/** For places that hold more than text. */
export const notOurs: Problem = invalid([{ pointer: '/query/cursor', detail: 'is no cursor of ours' }])
