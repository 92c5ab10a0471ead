/**
 * `application/x-www-form-urlencoded` with nested brackets, as Stripe's version 1 API takes its parameters.
 *
 * Trees are maps and not objects, so that a key such as `__proto__` is only a key. Depth, length and the number of
 * pairs are bounded: a body is refused, never half read.
 *
 * Source: https://docs.stripe.com/api (request bodies) and RFC 3986 section 2.1 for percent encoding.
 */
import { invalid, ok, type Result } from './api-error.ts'

export type FormValue = string | FormTree
export type FormTree = ReadonlyMap<string, FormValue>
type Branch = Map<string, string | Branch>

export const MAX_BODY_BYTES = 256 * 1024
const MAX_PAIRS = 1_000
const MAX_DEPTH = 8
const KEY = /^([^[\]]+)((?:\[[^[\]]*\])*)$/

const malformed = (why: string): Result<never> => invalid(`Invalid request: ${why}`)

const decode = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}

const segments = (key: string): ReadonlyArray<string> | undefined => {
  const match = KEY.exec(key)
  if (match === null) return undefined
  const [, head = '', rest = ''] = match
  return [head, ...[...rest.matchAll(/\[([^[\]]*)\]/g)].map((each) => each[1] ?? '')]
}

const insert = (root: Branch, path: ReadonlyArray<string>, value: string): boolean => {
  let branch = root
  for (const [depth, name] of path.entries()) {
    const key = name === '' ? String(branch.size) : name
    const existing = branch.get(key)
    if (depth === path.length - 1) {
      if (existing instanceof Map) return false
      branch.set(key, value)
      return true
    }
    if (typeof existing === 'string') return false
    const next: Branch = existing ?? new Map()
    branch.set(key, next)
    branch = next
  }
  return false
}

/** Reads `a[b]=1&c[0]=2`; a repeated scalar keeps its last value. */
export const parseForm = (text: string): Result<FormTree> => {
  if (text.length > MAX_BODY_BYTES) return malformed('too large')
  const pairs = text.split('&').filter((pair) => pair !== '')
  if (pairs.length > MAX_PAIRS) return malformed('too many parameters')
  const root: Branch = new Map()
  for (const pair of pairs) {
    const equals = pair.indexOf('=')
    const key = decode(equals < 0 ? pair : pair.slice(0, equals))
    const value = decode(equals < 0 ? '' : pair.slice(equals + 1))
    if (key === undefined || value === undefined || value.includes('\0')) return malformed('bad encoding')
    const path = segments(key)
    if (path === undefined || path.length > MAX_DEPTH) return invalid(`Invalid parameter name: ${key}`)
    if (!insert(root, path, value)) return invalid(`Conflicting parameter: ${key}`)
  }
  return ok(root)
}

/** One text for one set of parameters, whatever the order they were written in. */
export const canonical = (value: FormValue): string =>
  typeof value === 'string'
    ? JSON.stringify(value)
    : `{${[...value]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, each]) => `${JSON.stringify(key)}:${canonical(each)}`)
        .join(',')}}`
