/** What a conformance suite is made of: cases for any test runner, which fail by throwing. */
import { canonical } from '../fingerprint.ts'
import { E } from '../fp.ts'

export interface Case {
  readonly title: string
  run(this: void): Promise<void>
}

/** The cases of one port, to be run one by one: `for (const { title, run } of suite) test(title, run)`. */
export type Suite = ReadonlyArray<Case>

export interface Time {
  /** Lets so much of the implementation's time pass, and all that is due in it happen. */
  advance(this: void, ms: number): Promise<void>
}

/** Cases from their titles and bodies; each gets a fresh implementation and a name that no other case has. */
export const suite = <Harness>(
  make: () => Promise<Harness>,
  run: string,
  cases: { readonly [title: string]: (harness: Harness, name: string) => Promise<void> },
): Suite =>
  Object.entries(cases).map(([title, body], index) => ({
    title,
    run: async () => body(await make(), `${run}-${index}`),
  }))

export const holds = (condition: boolean, claim: string): void => {
  if (!condition) throw new Error(`does not hold: ${claim}`)
}

/** The same JSON, whatever the order of the keys. */
export const same = (actual: unknown, expected: unknown, claim: string): void => {
  if (canonical(actual) !== canonical(expected))
    throw new Error(`${claim}\n  expected ${canonical(expected)}\n  received ${canonical(actual)}`)
}

/** The value of an answer that must not be a failure. */
export const rightOf = <A>(answer: E.Either<unknown, A>): A => {
  if (E.isLeft(answer)) throw new Error(`failed: ${JSON.stringify(answer.left)}`)
  return answer.right
}

export const leftOf = <A>(answer: E.Either<A, unknown>): A => {
  if (E.isRight(answer)) throw new Error(`should have failed: ${JSON.stringify(answer.right)}`)
  return answer.left
}

/** Asks again, a second of the implementation's time apart, until there is an answer. */
export const eventually = async <A>(
  { advance }: Time,
  claim: string,
  ask: () => Promise<A | undefined>,
): Promise<A> => {
  for (let attempt = 0; attempt < 60; attempt += 1) {
    const answer = await ask()
    if (answer !== undefined) return answer
    await advance(1000)
  }
  throw new Error(`never: ${claim}`)
}
