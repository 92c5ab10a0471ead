/** What a service answers: the output of an operation, or why it was refused, under the names of its API. */
export interface Output<Value> {
  readonly _tag: 'Output'
  readonly output: Value
}

export interface Refused {
  readonly _tag: 'Refused'
  /** The exception's name. */
  readonly error: string
  readonly message: string
}

export type Answer<Value> = Output<Value> | Refused

export const output = <Value>(value: Value): Output<Value> => ({ _tag: 'Output', output: value })

export const refused = (error: string, message: string): Refused => ({ _tag: 'Refused', error, message })

export const isRefused = (answer: unknown): answer is Refused =>
  typeof answer === 'object' && answer !== null && '_tag' in answer && answer._tag === 'Refused'
