/**
 * Idempotency keys. A key is a function of what is asked of which payment, and of nothing else: not of when, by which
 * process or for which time it is asked. So whoever asks the same again, also to find out what became of it, asks by
 * the same key, and Stripe gives the first answer.
 */
import { hash, type StreamName } from '@everfold/core'

/** At most 52 characters; Stripe takes 255. */
export const keyOf = (stream: StreamName, ...asked: ReadonlyArray<string | number>): string =>
  `everfold-${hash(JSON.stringify([stream, ...asked]))}`
