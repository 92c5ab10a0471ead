/**
 * The part of fp-ts this repository uses, under the names it uses.
 *
 * The only file that spells fp-ts's own paths: fp-ts 2 ships no `exports` map, so Node's ESM
 * resolver accepts `fp-ts/lib/Either.js` and nothing shorter.
 */
export * as E from 'fp-ts/lib/Either.js'
export { pipe } from 'fp-ts/lib/function.js'
export * as TE from 'fp-ts/lib/TaskEither.js'
