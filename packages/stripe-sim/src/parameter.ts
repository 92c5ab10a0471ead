/**
 * What an endpoint takes: typed parameters read from a form, or Stripe's own complaint about the first wrong one.
 *
 * A parameter that is not listed is refused, also when Stripe itself knows it: a test must not pass because the
 * simulator quietly ignored something.
 *
 * Source: https://docs.stripe.com/error-codes (parameter_missing, parameter_unknown, parameter_invalid_integer ...)
 */
import { invalid, ok, type Result } from './api-error.ts'
import type { FormValue } from './form.ts'

export interface Parameter<A> {
  readonly read: (value: FormValue, name: string) => Result<A>
}

type Schema = Readonly<Record<string, Parameter<unknown>>>
export type ValueOf<P> = P extends Parameter<infer A> ? A : never
export type FieldsOf<S extends Schema> = { readonly [K in keyof S]?: ValueOf<S[K]> | undefined }

const scalar = (value: FormValue, name: string): Result<string> =>
  typeof value === 'string' ? ok(value) : invalid('Invalid string', 'parameter_invalid', name)

export const string = (maxLength = 5_000): Parameter<string> => ({
  read: (value, name) => {
    const text = scalar(value, name)
    if (!text.ok) return text
    if (text.value.length > maxLength)
      return invalid(`Invalid string: longer than ${maxLength} characters`, 'parameter_invalid', name)
    return text
  },
})

/** A string that must say something. */
export const filled = (maxLength = 5_000): Parameter<string> => ({
  read: (value, name) =>
    value === ''
      ? invalid(`You passed an empty string for '${name}'.`, 'parameter_invalid_empty', name)
      : string(maxLength).read(value, name),
})

export const integer: Parameter<number> = {
  read: (value, name) => {
    const text = scalar(value, name)
    if (!text.ok) return text
    if (!/^-?\d{1,15}$/.test(text.value))
      return invalid(`Invalid integer: ${text.value}`, 'parameter_invalid_integer', name)
    return ok(Number(text.value))
  },
}

export const boolean: Parameter<boolean> = {
  read: (value, name) => {
    if (value === 'true' || value === 'false') return ok(value === 'true')
    return invalid(`Invalid boolean: ${typeof value === 'string' ? value : 'object'}`, undefined, name)
  },
}

export const oneOf = <const A extends string>(...values: ReadonlyArray<A>): Parameter<A> => ({
  read: (value, name) => {
    const found = values.find((each) => each === value)
    if (found !== undefined) return ok(found)
    return invalid(`Invalid ${name}: must be one of ${values.join(', ')}`, undefined, name)
  },
})

export const list = <A>(item: Parameter<A>): Parameter<ReadonlyArray<A>> => ({
  read: (value, name) => {
    if (typeof value === 'string')
      return value === '' ? ok([]) : invalid('Invalid array', 'parameter_invalid', name)
    const items: Array<A> = []
    for (const [key, each] of value) {
      if (!/^\d+$/.test(key)) return invalid('Invalid array', 'parameter_invalid', name)
      const read = item.read(each, `${name}[${key}]`)
      if (!read.ok) return read
      items.push(read.value)
    }
    return ok(items)
  },
})

/** Up to fifty pairs; an empty value unsets its key, and an empty `metadata` unsets them all. */
export const metadata: Parameter<ReadonlyMap<string, string> | ''> = {
  read: (value, name) => {
    if (value === '') return ok('')
    if (typeof value === 'string') return invalid('Invalid hash', 'parameter_invalid', name)
    const pairs = new Map<string, string>()
    for (const [key, each] of value) {
      const text = string(500).read(each, `${name}[${key}]`)
      if (!text.ok) return text
      if (key.length > 40) return invalid('Metadata keys can have up to 40 characters', undefined, name)
      pairs.set(key, text.value)
    }
    if (pairs.size > 50) return invalid('Metadata can have up to 50 keys', undefined, name)
    return ok(pairs)
  },
}

/** Nested parameters; `required` names those that must be there. */
export const fields = <S extends Schema, R extends keyof S & string = never>(
  schema: S,
  ...required: ReadonlyArray<R>
): Parameter<FieldsOf<S> & { readonly [K in R]: ValueOf<S[K]> }> => ({
  read: (value, name) => {
    if (typeof value === 'string') return invalid('Invalid hash', 'parameter_invalid', name)
    const at = (key: string): string => (name === '' ? key : `${name}[${key}]`)
    const out: Record<string, unknown> = {}
    for (const [key, each] of value) {
      const parameter = Object.hasOwn(schema, key) ? schema[key] : undefined
      if (parameter === undefined)
        return invalid(`Received unknown parameter: ${at(key)}`, 'parameter_unknown', at(key))
      const read = parameter.read(each, at(key))
      if (!read.ok) return read
      out[key] = read.value
    }
    for (const key of required)
      if (!Object.hasOwn(out, key))
        return invalid(`Missing required param: ${at(key)}.`, 'parameter_missing', at(key))
    return ok(out as FieldsOf<S> & { readonly [K in R]: ValueOf<S[K]> })
  },
})
