/** Compares what is stored with what it should be. */
import { canonical } from '@everfold/core'

/** Whether two values are the same JSON. Mostly their keys have one order, so it is tried first: that is far cheaper. */
export const isSame = (one: unknown, other: unknown): boolean =>
  one === other || JSON.stringify(one) === JSON.stringify(other) || canonical(one) === canonical(other)
