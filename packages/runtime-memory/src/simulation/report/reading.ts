/** Reads values out of JSON that somebody may have written by hand, and keeps every fault with its path. */
import { E, type InputFault, type InvalidInput, type Json } from '@everfold/core'

/** One value of the input, and where it is. */
export interface Reading {
  readonly value: unknown
  /** A JSON pointer (RFC 6901). */
  readonly pointer: string
  readonly faults: Array<InputFault>
}

/** What `read` makes of a JSON text, or all that is wrong with it. */
export const readText = <A>(text: string, read: (input: Reading) => A): E.Either<InvalidInput, A> => {
  const faults: Array<InputFault> = []
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return invalid([{ pointer: '', detail: `is not JSON: ${error instanceof Error ? error.message : ''}` }])
  }
  const result = read({ value, pointer: '', faults })
  return faults.length === 0 ? E.right(result) : invalid(faults)
}

const invalid = (errors: ReadonlyArray<InputFault>): E.Either<InvalidInput, never> =>
  E.left({ _tag: 'InvalidInput', errors })

/** Every fault in words. */
export const wordsOfFaults = ({ errors }: InvalidInput): string =>
  errors.map(({ pointer, detail }) => `${pointer === '' ? 'the input' : pointer} ${detail}`).join('; ')

const refuse = ({ pointer, faults }: Reading, detail: string): void => void faults.push({ pointer, detail })

const at = ({ pointer, faults }: Reading, name: string | number, value: unknown): Reading => ({
  value,
  pointer: `${pointer}/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`,
  faults,
})

export type Fields = (name: string) => Reading

/** The fields of an object that has all of `required`, and no others but `optional`. */
export const fieldsOf = (
  input: Reading,
  required: ReadonlyArray<string>,
  optional: ReadonlyArray<string> = [],
): Fields | undefined => {
  const entries = entriesOf(input)
  if (entries === undefined) return undefined
  const fields = new Map(entries)
  const missing = required.filter((name) => !fields.has(name))
  for (const name of missing) refuse(at(input, name, undefined), 'is required')
  for (const [name, field] of fields)
    if (!required.includes(name) && !optional.includes(name)) refuse(field, 'is not a known field')
  return missing.length > 0 ? undefined : (name) => fields.get(name) ?? at(input, name, undefined)
}

/** The members of an object, whatever their names. */
export const entriesOf = (input: Reading): ReadonlyArray<readonly [string, Reading]> | undefined => {
  const { value } = input
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return Object.entries(value).map(([name, member]) => [name, at(input, name, member)] as const)
  refuse(input, 'is not an object')
  return undefined
}

export const listOf = <A>(input: Reading, read: (item: Reading) => A): ReadonlyArray<A> => {
  const { value } = input
  if (Array.isArray(value)) return value.map((item, index) => read(at(input, index, item)))
  refuse(input, 'is not a list')
  return []
}

export const textOf = (input: Reading): string => {
  if (typeof input.value === 'string') return input.value
  refuse(input, 'is not text')
  return ''
}

/** Text that this codec accepts. */
export const textLike = <A extends string>(
  input: Reading,
  codec: { readonly name: string; readonly is: (value: unknown) => value is A },
): A => {
  if (!codec.is(input.value)) refuse(input, `is not a ${codec.name}`)
  return input.value as A
}

export const durationOf = (input: Reading): number => {
  const { value } = input
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value
  refuse(input, 'is not a number of milliseconds')
  return 0
}

/** Whatever JSON has been parsed is JSON. */
export const jsonOf = ({ value }: Reading): Json => value as Json

/** The version of what was written, of which this code reads one. */
export const versionOf = (input: Reading, version: number): void => {
  if (input.value !== version) refuse(input, `is not ${version}, the version that can be read`)
}
