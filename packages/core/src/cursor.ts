/** Cursors of pages: opaque to callers, so that what they stand for may change. */
import { utf8ToBytes } from '@noble/ciphers/utils.js'
import { base64urlnopad } from '@scure/base'
import { text } from './codec.ts'
import { E } from './fp.ts'
import { utf8Of } from './parse.ts'
import { invalid, type Problem } from './problem.ts'

export const Cursor = text('Cursor', { maxLength: 2048, pattern: /^[A-Za-z0-9_-]+$/ })

export const cursorOf = (place: string): string => base64urlnopad.encode(utf8ToBytes(place))

/** The place a cursor stands for; one that we did not make is invalid input. */
export const placeOf = (cursor: string): E.Either<Problem, string> => {
  const bytes = E.tryCatch(
    () => base64urlnopad.decode(cursor),
    () => undefined,
  )
  const place = E.isLeft(bytes) ? undefined : utf8Of(bytes.right)
  return place === undefined ? E.left(notOurs) : E.right(place)
}

/** For places that hold more than text. */
export const notOurs: Problem = invalid([{ pointer: '/query/cursor', detail: 'is no cursor of ours' }])
