/** Problems: errors as `application/problem+json` (RFC 9457). HTTP's numbers exist here and at the front door only. */
import type { InputFault } from './codec.ts'
import type { Fault, Refusal } from './fault.ts'

export interface Problem {
  readonly _tag: 'Problem'
  readonly status: number
  /** A short sentence, the same for every problem of this kind. */
  readonly title: string
  /** What is particular to this one. */
  readonly detail?: string
  /** Each fault of the input, with its path. */
  readonly errors?: ReadonlyArray<InputFault>
  /** The domain's no, as data. */
  readonly rejection?: unknown
  /** When to try again, in seconds. */
  readonly retryAfterS?: number
  /** The methods that the resource has, where the request's is none of them. */
  readonly allow?: string
}

export const problem = (status: number, title: string, more: Partial<Problem> = {}): Problem => ({
  _tag: 'Problem',
  status,
  title,
  ...more,
})

export const notFound = (what: string): Problem =>
  problem(404, 'Not found', { detail: `There is no ${what}.` })
export const forbidden = (detail: string): Problem => problem(403, 'Forbidden', { detail })
export const invalid = (errors: ReadonlyArray<InputFault>): Problem =>
  problem(400, 'Invalid input', { errors })
export const conflict = (rejection: unknown): Problem => problem(409, 'Refused', { rejection })

/** The caller may send the same request again, with the same key. */
export const retryLater = (detail: string): Problem => problem(503, 'Try again', { detail, retryAfterS: 1 })

export const faultProblem = (fault: Fault): Problem => {
  switch (fault._tag) {
    case 'Unavailable':
      return retryLater(`${fault.what} is not available.`)
    case 'Unsettled':
      return retryLater('Nobody knows yet whether this was recorded; the same Idempotency-Key tells.')
    case 'Contended':
      return retryLater('Too many writers at once.')
    case 'TooLarge':
      return tooLarge(fault.limitBytes)
    case 'Impossible':
      return problem(500, 'Impossible', { detail: `${fault.what} cannot be.` })
    case 'Undecodable':
    case 'MissingCommit':
      return problem(500, 'A history cannot be read', { detail: `The stream ${fault.stream} stops here.` })
  }
}

export const tooLarge = (limitBytes: number): Problem =>
  problem(413, 'Too large', { detail: `At most ${limitBytes} bytes are taken at once.` })

export const refusalProblem = (refusal: Refusal): Problem => {
  switch (refusal._tag) {
    case 'IdReused':
      return problem(422, 'Key reused', { detail: 'This Idempotency-Key came with another payload before.' })
    case 'IdFromTheFuture':
      return retryLater('This Idempotency-Key is dated in the future.')
    case 'IdTooOld':
      return problem(422, 'Key too old', { detail: 'This Idempotency-Key is dated more than 35 days ago.' })
    case 'TooMany':
      return problem(413, 'Too many', {
        detail: `At most ${refusal.limitActions} changes are made at once, and this takes ${refusal.actions}.`,
      })
    case 'TooLarge':
      return tooLarge(refusal.limitBytes)
  }
}
