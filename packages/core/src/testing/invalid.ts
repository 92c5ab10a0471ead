/** Near misses: inputs with exactly one fault, and where it is. */
import * as fc from 'fast-check'
import * as t from 'io-ts'
import { type Codec, IntegerType, ListType, RecordType, TextType, UnionType } from '../codec.ts'
import { arbitrary, type Overrides } from './arbitrary.ts'

export interface NearMiss {
  readonly input: unknown
  /** The JSON pointer of the fault. */
  readonly pointer: string
}

/** Inputs that `codec` refuses for one fault only; fails for a codec that refuses nothing. */
export const invalid = (codec: Codec<unknown>, overrides: Overrides = new Map()): fc.Arbitrary<NearMiss> => {
  const faults = faultsOf(codec, overrides)
  if (faults.length === 0) throw new Error(`no near miss is known for ${codec.name}`)
  return fc.oneof(...faults)
}

type Faults = ReadonlyArray<fc.Arbitrary<NearMiss>>

const here = (...inputs: ReadonlyArray<unknown>): Faults =>
  inputs.length === 0 ? [] : [fc.constantFrom(...inputs).map((input) => ({ input, pointer: '' }))]

const JSON_VALUES: ReadonlyArray<unknown> = [null, true, 0, 1.5, '', 'text', [], ['a'], {}, { a: 1 }]

/** JSON values that the codec refuses as a whole. */
const others = (codec: Codec<unknown>, kind: (value: unknown) => boolean): Faults =>
  here(...JSON_VALUES.filter((value) => !kind(value) && !codec.is(value)))

const faultsOf = (codec: Codec<unknown>, overrides: Overrides): Faults => {
  if (codec instanceof TextType) return [...others(codec, () => false), ...textFaults(codec)]
  if (codec instanceof IntegerType) {
    const beyond = [codec.min - 1, codec.max + 1, 2 ** 53, codec.min + 0.5, Number.NaN, `${codec.min}`]
    return [...others(codec, () => false), ...here(...beyond.filter((value) => !codec.is(value)))]
  }
  if (codec instanceof ListType) return listFaults(codec, overrides)
  if (codec instanceof RecordType) return [...others(codec, isObject), ...recordFaults(codec, overrides)]
  if (codec instanceof UnionType) return unionFaults(codec, overrides)
  if (codec instanceof t.UnknownType || codec instanceof t.AnyDictionaryType) return []
  return others(codec, () => codec instanceof t.UnionType || codec instanceof t.DictionaryType)
}

const textFaults = (codec: TextType<string>): Faults => {
  const { minLength, maxLength } = codec
  const wrong = [
    'x'.repeat(Math.max(0, minLength - 1)),
    'x'.repeat(maxLength + 1),
    `${'x'.repeat(minLength)}\ud800`,
  ]
  return here(...wrong.filter((value) => !codec.is(value)))
}

const listFaults = (codec: ListType<unknown>, overrides: Overrides): Faults => {
  const { item, minItems, maxItems } = codec
  const whole = others(codec, Array.isArray)
  const items = arbitrary(item, overrides)
  const few =
    minItems === 0 ? [] : [fc.array(items, { minLength: minItems - 1, maxLength: minItems - 1 }).map(atTop)]
  const many =
    maxItems > 20 ? [] : [fc.array(items, { minLength: maxItems + 1, maxLength: maxItems + 1 }).map(atTop)]
  if (faultsOf(item, overrides).length === 0 || maxItems === 0) return [...whole, ...few, ...many]
  const one = fc
    .tuple(
      fc.array(items, { minLength: Math.max(1, minItems), maxLength: maxItems }),
      fc.nat(),
      invalid(item, overrides),
    )
    .map(([list, place, miss]) => {
      const at = place % list.length
      return { input: list.with(at, miss.input), pointer: `/${at}${miss.pointer}` }
    })
  return [...whole, ...few, ...many, one]
}

const atTop = (input: unknown): NearMiss => ({ input, pointer: '' })

const recordFaults = (codec: RecordType<unknown>, overrides: Overrides): Faults => {
  const valid = arbitrary(codec, overrides) as fc.Arbitrary<Record<string, unknown>>
  const fields = Object.entries({ ...codec.required, ...codec.optional })
  const known = new Set(fields.map(([key]) => key))
  const unknown = ['extra', 'constructor', '__proto__', 'a/b', '~', ''].filter((key) => !known.has(key))
  const added = fc
    .tuple(valid, fc.constantFrom(...unknown))
    .map(([value, key]) => ({ input: withField(value, key, 1), pointer: stepTo(key) }))
  const missing = Object.keys(codec.required).map((key) =>
    valid.map((value) => ({ input: without(value, key), pointer: stepTo(key) })),
  )
  const wrong = fields.flatMap(([key, field]) =>
    faultsOf(field, overrides).length === 0
      ? []
      : [
          fc.tuple(valid, invalid(field, overrides)).map(([value, miss]) => ({
            input: withField(value, key, miss.input),
            pointer: `${stepTo(key)}${miss.pointer}`,
          })),
        ],
  )
  return [added, ...missing, ...wrong]
}

const unionFaults = (codec: UnionType<{ readonly _tag: string }>, overrides: Overrides): Faults => {
  const variants = [...codec.variants.values()]
  const tagged = fc
    .tuple(
      fc.oneof(...variants.map((one) => arbitrary(one, overrides))),
      fc.constantFrom('Unknown', '', 1, null),
    )
    .map(([value, tag]) => ({ input: withField({ ...value }, '_tag', tag), pointer: '/_tag' }))
  const inside = variants.map((one) =>
    // A fault at the tag, or of the whole, would make it no case of this union at all.
    invalid(one, overrides).filter(({ pointer }) => pointer !== '/_tag' && pointer !== ''),
  )
  return [...others(codec, isObject), tagged, ...inside]
}

const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const stepTo = (key: string): string => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`

/** A key may be `__proto__`, as in any JSON text, so it is defined and not assigned. */
const withField = (value: Record<string, unknown>, key: string, field: unknown): Record<string, unknown> =>
  Object.fromEntries([...Object.entries(value).filter(([name]) => name !== key), [key, field]])

const without = (value: Record<string, unknown>, key: string): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).filter(([name]) => name !== key))
