import { E } from '@everfold/core'

/** The value of an answer that a test cannot go on without. */
export const must = <A>(outcome: E.Either<unknown, A>): A => {
  if (E.isLeft(outcome)) throw new Error(`failed: ${JSON.stringify(outcome.left)}`)
  return outcome.right
}
