/** How the effects of ports fail: their callers hear that the port was unavailable, and know no more. */
import { E, type Fault, unavailable } from '@everfold/core'
import type { Failing } from './effect.ts'

export interface Failures {
  readonly reading: Failing<E.Either<Fault, never>>
  readonly writing: Failing<E.Either<Fault, never>>
}

/** Of the port that is called `what`. */
export const failuresOf = (what: string): Failures => {
  const unanswered = () => E.left(unavailable(what))
  return { reading: { unanswered, reads: true }, writing: { unanswered } }
}
