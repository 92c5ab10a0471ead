/** From bytes and text to values that a codec can judge; whatever does not parse is a problem, never an exception. */
import { bytesToUtf8 } from '@noble/ciphers/utils.js'
import { type Codec, decode, IntegerType, RecordType } from './codec.ts'
import { E } from './fp.ts'
import { type HttpRequest, MAX_BODY_BYTES } from './http.ts'
import { invalid, type Problem, problem } from './problem.ts'
import type { Route } from './route.ts'

/** The segments of a path, decoded; a malformed escape is a problem. */
export const pathSegments = (path: string): E.Either<Problem, ReadonlyArray<string>> =>
  E.tryCatch(
    () => path.split('/').slice(1).map(decodeURIComponent),
    () =>
      problem(400, 'Invalid input', {
        errors: [{ pointer: '/path', detail: 'is not percent-encoded UTF-8' }],
      }),
  )

/** The parameters of a path that fits the template, or undefined. */
export const matchPath = (
  template: string,
  segments: ReadonlyArray<string>,
): { readonly [name: string]: string } | undefined => {
  const parts = template.split('/').slice(1)
  if (parts.length !== segments.length) return undefined
  const params: Array<readonly [string, string]> = []
  for (const [at, part] of parts.entries()) {
    const segment = segments[at] ?? ''
    if (part.startsWith('{')) params.push([part.slice(1, -1), segment])
    else if (part !== segment) return undefined
  }
  return Object.fromEntries(params)
}

export interface Matched {
  readonly route: Route
  readonly params: { readonly [name: string]: string }
}

/** The route of a request: 404 where no path fits, 405 where only the method does not. */
export const matchRoute = (
  routes: ReadonlyArray<Route>,
  method: string,
  segments: ReadonlyArray<string>,
): E.Either<Problem & { readonly allow?: string }, Matched> => {
  const fitting = routes.flatMap((route) => {
    const params = matchPath(route.path, segments)
    return params === undefined ? [] : [{ route, params }]
  })
  const matched = fitting.find(({ route }) => route.method === method)
  if (matched !== undefined) return E.right(matched)
  if (fitting.length === 0) return E.left(problem(404, 'Not found', { detail: 'No such path.' }))
  const allow = fitting.map(({ route }) => route.method).join(', ')
  return E.left({ ...problem(405, 'Method not allowed', { detail: `Here: ${allow}.` }), allow })
}

/** A query's fields as text, or as whole numbers where the codec asks for them; a field given twice is a fault. */
export const decodeQuery = <Query>(codec: Codec<Query>, search: string): E.Either<Problem, Query> => {
  const fields: Array<readonly [string, unknown]> = []
  const seen = new Set<string>()
  for (const pair of search === '' ? [] : search.split('&')) {
    const [name, value] = decodePair(pair)
    if (name === undefined || value === undefined)
      return E.left(invalid([{ pointer: '/query', detail: 'is not percent-encoded UTF-8' }]))
    if (seen.has(name)) return E.left(invalid([{ pointer: `/query/${name}`, detail: 'is given twice' }]))
    seen.add(name)
    fields.push([name, wantsInteger(codec, name) && /^-?\d{1,15}$/.test(value) ? Number(value) : value])
  }
  const decoded = decode(codec, Object.fromEntries(fields))
  return E.isRight(decoded) ? decoded : E.left(invalid(under('/query', decoded.left.errors)))
}

const decodePair = (pair: string): ReadonlyArray<string | undefined> => {
  const at = pair.indexOf('=')
  const parts = at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)]
  return parts.map((part) =>
    E.getOrElse((): string | undefined => undefined)(
      E.tryCatch<undefined, string | undefined>(
        () => decodeURIComponent(part.replaceAll('+', ' ')),
        () => undefined,
      ),
    ),
  )
}

const wantsInteger = (codec: Codec<unknown>, name: string): boolean =>
  codec instanceof RecordType && (codec.required[name] ?? codec.optional[name]) instanceof IntegerType

const under = (root: string, errors: ReadonlyArray<{ readonly pointer: string; readonly detail: string }>) =>
  errors.map(({ pointer, detail }) => ({ pointer: `${root}${pointer}`, detail }))

/** The JSON body as the codec has it, whatever it calls itself (`curl -d` says: a form); none is an empty object. */
export const decodeBody = <Body>(codec: Codec<Body>, request: HttpRequest): E.Either<Problem, Body> => {
  const { body, bodyTooLarge = false } = request
  if (bodyTooLarge || body.length > MAX_BODY_BYTES)
    return E.left(problem(413, 'Too large', { detail: `A body has at most ${MAX_BODY_BYTES} bytes.` }))
  const parsed = E.tryCatch(
    () => (body.length === 0 ? {} : (JSON.parse(bytesToUtf8(body)) as unknown)),
    () => invalid([{ pointer: '', detail: 'is not JSON in UTF-8' }]),
  )
  if (E.isLeft(parsed)) return parsed
  const decoded = decode(codec, parsed.right)
  return E.isRight(decoded) ? decoded : E.left(invalid(decoded.left.errors))
}
