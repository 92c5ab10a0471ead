/** A law: a property with its wording, for any test runner. */
import * as fc from 'fast-check'
import { canonical } from '../fingerprint.ts'

export interface Law {
  readonly title: string
  /** Throws with the smallest counterexample found; 100 runs unless told. */
  check(this: void, numRuns?: number): Promise<void>
}

export type Laws = ReadonlyArray<Law>

export const law = <A>(
  title: string,
  arbitrary: fc.Arbitrary<A>,
  predicate: (value: A) => void | Promise<void>,
): Law => ({
  title,
  check: async (numRuns = 100) => {
    const property = fc.asyncProperty(arbitrary, async (value) => {
      await predicate(value)
    })
    await fc.assert(property, { numRuns })
  },
})

/** The same JSON, whatever the order of the keys. */
export const agree = (actual: unknown, expected: unknown, claim: string): void => {
  if (canonical(actual) !== canonical(expected))
    throw new Error(`${claim}\n  expected ${canonical(expected)}\n  received ${canonical(actual)}`)
}

/** What JSON makes of a value on its way to storage and back. */
export const throughJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown
