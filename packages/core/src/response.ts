/** Responses: JSON, problems, and the positions that writes answer with. */
import type { Position } from './commit.ts'
import type { Fault } from './fault.ts'
import { E } from './fp.ts'
import type { HttpResponse } from './http.ts'
import { faultProblem, type Problem } from './problem.ts'
import { StreamName } from './stream-name.ts'

export type Failure = Problem | Fault
type Headers = { readonly [name: string]: string }

export const POSITION_HEADER = 'everfold-position'

export const positionText = ({ stream, commit }: Position): string =>
  `${encodeURIComponent(stream)}@${commit}`

export const parsePosition = (header: string): Position | undefined => {
  const [, name = '', commit = ''] = /^(.{1,4096})@(\d{1,15})$/.exec(header) ?? []
  const stream = E.tryCatch(
    () => decodeURIComponent(name),
    () => undefined,
  )
  return E.isRight(stream) && StreamName.is(stream.right)
    ? { stream: stream.right, commit: Number(commit) }
    : undefined
}

export const jsonResponse = (status: number, body: unknown, headers: Headers = {}): HttpResponse => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
})

/** The response of a problem or a fault; nothing of a fault's cause leaves the house. */
export const problemResponse = (failure: Failure, headers: Headers = {}): HttpResponse => {
  const { _tag, retryAfterS, allow, ...body } = failure._tag === 'Problem' ? failure : faultProblem(failure)
  return {
    status: body.status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) }),
      ...(allow === undefined ? {} : { allow }),
      ...(body.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
      ...headers,
    },
    body: JSON.stringify({ type: 'about:blank', ...body }),
  }
}
