/** From bytes and text to values that a codec can judge; whatever does not parse is a problem, never an exception. */
import { bytesToUtf8, utf8ToBytes } from '@noble/ciphers/utils.js'
import { type Codec, decode, type InputFault, IntegerType, RecordType } from './codec.ts'
import { E } from './fp.ts'
import { type HttpRequest, MAX_BODY_BYTES } from './http.ts'
import { invalid, type Problem, problem, tooLarge } from './problem.ts'
import type { Route } from './route.ts'

/** The text that these bytes spell, or undefined where they are no UTF-8. */
export const utf8Of = (bytes: Uint8Array): string | undefined => {
  const text = bytesToUtf8(bytes)
  // The decoder puts U+FFFD in the place of what it cannot read; a text that really has one spells the same bytes.
  if (!text.includes('\ufffd')) return text
  const spelled = utf8ToBytes(text)
  return spelled.length === bytes.length && spelled.every((byte, at) => byte === bytes[at]) ? text : undefined
}

/** The segments of a path, decoded; a malformed escape is a problem. */
export const pathSegments = (path: string): E.Either<Problem, ReadonlyArray<string>> =>
  path.startsWith('/')
    ? E.tryCatch(
        () => path.slice(1).split('/').map(decodeURIComponent),
        () => badPath('is not percent-encoded UTF-8'),
      )
    : E.left(badPath('does not begin with a slash'))

const badPath = (detail: string): Problem => invalid([{ pointer: '/path', detail }])

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
): E.Either<Problem, Matched> => {
  const fitting = routes.flatMap((route) => {
    const params = matchPath(route.path, segments)
    return params === undefined ? [] : [{ route, params }]
  })
  const matched = fitting.find(({ route }) => route.method === method)
  if (matched !== undefined) return E.right(matched)
  if (fitting.length === 0) return E.left(problem(404, 'Not found', { detail: 'No such path.' }))
  const methods = fitting.flatMap(({ route }) => (route.method === 'GET' ? ['GET', 'HEAD'] : [route.method]))
  const allow = [...new Set(methods)].join(', ')
  return E.left(problem(405, 'Method not allowed', { detail: `Here: ${allow}.`, allow }))
}

/** A query's fields as text, or as whole numbers where the codec asks for them; a field given twice is a fault. */
export const decodeQuery = <Query>(codec: Codec<Query>, search: string): E.Either<Problem, Query> => {
  const fields: Array<readonly [string, unknown]> = []
  const seen = new Set<string>()
  for (const pair of search === '' ? [] : search.split('&')) {
    const [name, value] = decodePair(pair)
    if (name === undefined || value === undefined)
      return E.left(invalid([{ pointer: '/query', detail: 'is not percent-encoded UTF-8' }]))
    if (seen.has(name))
      return E.left(invalid([{ pointer: `/query/${escaped(name)}`, detail: 'is given twice' }]))
    seen.add(name)
    fields.push([name, wantsInteger(codec, name) && /^-?\d{1,15}$/.test(value) ? Number(value) : value])
  }
  const decoded = decode(codec, Object.fromEntries(fields))
  return E.isRight(decoded) ? decoded : E.left(refused('/query', decoded.left.errors))
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

/** A reference token of a JSON pointer. Source: RFC 6901, section 3. */
const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1')

/** More faults than these tell a caller nothing, and would make the answer longer than what he sent. */
const MAX_FAULTS = 100

const refused = (root: string, errors: ReadonlyArray<InputFault>): Problem =>
  invalid(
    errors.slice(0, MAX_FAULTS).map(({ pointer, detail }) => ({ pointer: `${root}${pointer}`, detail })),
  )

/** The JSON body as the codec has it, whatever it calls itself (`curl -d` says: a form); none is an empty object. */
export const decodeBody = <Body>(codec: Codec<Body>, request: HttpRequest): E.Either<Problem, Body> => {
  const { body, bodyTooLarge = false } = request
  if (bodyTooLarge || body.length > MAX_BODY_BYTES) return E.left(tooLarge(MAX_BODY_BYTES))
  const text = body.length === 0 ? '{}' : utf8Of(body)
  if (text === undefined) return E.left(notJson)
  const parsed = E.tryCatch(
    () => JSON.parse(text) as unknown,
    () => notJson,
  )
  if (E.isLeft(parsed)) return parsed
  const decoded = decode(codec, parsed.right)
  return E.isRight(decoded) ? decoded : E.left(refused('', decoded.left.errors))
}

const notJson: Problem = invalid([{ pointer: '', detail: 'is not JSON in UTF-8' }])
