/** Cursors of pages: opaque to callers, so that what they stand for may change. */
import { bytesToUtf8, utf8ToBytes } from '@noble/ciphers/utils.js'
import { base64urlnopad } from '@scure/base'
import { text } from './codec.ts'
import { E } from './fp.ts'
import { invalid, type Problem } from './problem.ts'

export const Cursor = text('Cursor', { maxLength: 2048, pattern: /^[A-Za-z0-9_-]+$/ })

export const cursorOf = (place: string): string => base64urlnopad.encode(utf8ToBytes(place))

/** The place a cursor stands for; one that we did not make is invalid input. */
export const placeOf = (cursor: string): E.Either<Problem, string> =>
  E.tryCatch(
    () => bytesToUtf8(base64urlnopad.decode(cursor)),
    () => invalid([{ pointer: '/query/cursor', detail: 'is no cursor of ours' }]),
  )
