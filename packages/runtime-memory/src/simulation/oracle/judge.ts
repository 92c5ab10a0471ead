/** Keeps the first thing that did not hold: what comes after it may follow from it. */
import type { Violation } from '../run.ts'

export interface Judge {
  /** `S3`, and what contradicts it. */
  broken(this: void, invariant: string, message: string, stack?: string): void
  readonly violation: Violation | undefined
}

/** Of what is `unjudged` nothing is said, so that what lies behind it comes to light. */
export const judgeOf = (stepNumber: () => number, unjudged: ReadonlyArray<string> = []): Judge => {
  const judge = {
    violation: undefined as Violation | undefined,
    broken: (invariant: string, message: string, stack?: string) => {
      if (unjudged.includes(invariant)) return
      judge.violation ??= {
        invariant,
        message,
        step: stepNumber(),
        ...(stack === undefined ? {} : { stack }),
      }
    },
  }
  return judge
}
