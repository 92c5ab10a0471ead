/**
 * Test data from codecs: values that a codec accepts, edges first, and near misses that it refuses.
 */
import * as fc from 'fast-check'
import * as t from 'io-ts'
import { type Codec, IntegerType, ListType, RecordType, TextType, UnionType } from '../codec.ts'

/** Arbitraries for codecs whose shape is not known, or whose values should meet more often. */
export type Overrides = ReadonlyMap<Codec<unknown>, fc.Arbitrary<unknown>>

/** Values that `codec` accepts. Throws for a codec whose shape is not known: pass an override for it. */
export const arbitrary = <A>(codec: Codec<A>, overrides: Overrides = new Map()): fc.Arbitrary<A> =>
  (overrides.get(codec) ?? ofShape(codec, overrides)) as fc.Arbitrary<A>

const ofShape = (codec: Codec<unknown>, overrides: Overrides): fc.Arbitrary<unknown> => {
  const of = (part: unknown) => arbitrary(part as Codec<unknown>, overrides)
  if (codec instanceof TextType) return texts(codec)
  if (codec instanceof IntegerType) return integers(codec)
  if (codec instanceof ListType)
    return fc.array(of(codec.item), { minLength: codec.minItems, maxLength: codec.maxItems })
  if (codec instanceof RecordType) return records(codec, of)
  if (codec instanceof UnionType) return fc.oneof(...[...codec.variants.values()].map(of))
  if (codec instanceof t.UnionType) return fc.oneof(...(codec.types as ReadonlyArray<unknown>).map(of))
  if (codec instanceof t.ArrayType || codec instanceof t.ReadonlyArrayType) return fc.array(of(codec.type))
  if (codec instanceof t.TupleType) return fc.tuple(...(codec.types as ReadonlyArray<unknown>).map(of))
  if (codec instanceof t.DictionaryType)
    return fc
      .dictionary(of(codec.domain) as fc.Arbitrary<string>, of(codec.codomain), { noNullPrototype: true })
      .filter((value) => codec.is(value))
  if (codec instanceof t.RefinementType) return of(codec.type).filter((value) => codec.is(value))
  return leaf(codec)
}

const leaf = (codec: Codec<unknown>): fc.Arbitrary<unknown> => {
  if (codec instanceof t.LiteralType) return fc.constant(codec.value as unknown)
  if (codec instanceof t.KeyofType) return fc.constantFrom(...Object.keys(codec.keys as object))
  if (codec instanceof t.BooleanType) return fc.boolean()
  if (codec instanceof t.NullType) return fc.constant(null)
  if (codec instanceof t.StringType) return fc.string()
  if (codec instanceof t.NumberType) return fc.double({ noNaN: true, noDefaultInfinity: true })
  if (codec instanceof t.UnknownType) return jsonValue
  if (codec instanceof t.AnyDictionaryType)
    return fc.dictionary(fc.string(), jsonValue, { noNullPrototype: true })
  throw new Error(`no arbitrary is known for ${codec.name}: pass one for it`)
}

/** What survives JSON: a parsed text, so no negative zero and no number out of range. */
const jsonValue: fc.Arbitrary<unknown> = fc.json().map((json) => JSON.parse(json) as unknown)

/** Words that trip careless code: names that plain objects inherit, blanks, and characters of two units. */
const TRICKY = [
  'a',
  'b',
  'constructor',
  '__proto__',
  'toString',
  '0',
  '-',
  ' ',
  ' a ',
  'é',
  '\u{1f98a}',
  '\0',
]

const texts = (codec: TextType<string>): fc.Arbitrary<unknown> => {
  const { minLength, maxLength, pattern } = codec
  const edges = [...TRICKY, 'x'.repeat(minLength), 'x'.repeat(maxLength), '0'.repeat(maxLength)].filter(
    codec.is,
  )
  const any = pattern === undefined ? fc.string({ unit: 'binary', minLength, maxLength }) : matching(codec)
  const accepted = any.filter(codec.is)
  if (edges.length === 0) return accepted
  return fc.oneof({ weight: 3, arbitrary: accepted }, { weight: 2, arbitrary: fc.constantFrom(...edges) })
}

const matching = ({ name, maxLength, pattern }: TextType<string>): fc.Arbitrary<string> => {
  try {
    return fc.stringMatching(pattern ?? /^$/, { maxLength })
  } catch (cause) {
    throw new Error(`no arbitrary is known for the pattern of ${name}: pass one for it`, { cause })
  }
}

const integers = ({ min, max, is }: IntegerType<string>): fc.Arbitrary<unknown> => {
  const edges = fc.constantFrom(...[min, min + 1, max - 1, max, -1, 0, 1, 2].filter(is))
  const near = [Math.max(min, -1000), Math.min(max, 1000)] as const
  return fc.oneof(
    { weight: 2, arbitrary: near[0] <= near[1] ? wholes(...near) : edges },
    { weight: 1, arbitrary: wholes(min, max) },
    { weight: 1, arbitrary: edges },
  )
}

/** Big integers carry a range that is wider than what safe integers can count. */
const wholes = (min: number, max: number): fc.Arbitrary<number> =>
  fc.bigInt({ min: BigInt(min), max: BigInt(max) }).map(Number)

const records = (
  { required, optional }: RecordType<unknown>,
  of: (part: unknown) => fc.Arbitrary<unknown>,
): fc.Arbitrary<unknown> => {
  const fields = Object.entries({ ...required, ...optional }).map(([key, codec]) => [key, of(codec)] as const)
  return fc.record(Object.fromEntries(fields), {
    requiredKeys: Object.keys(required),
    noNullPrototype: true,
  })
}
