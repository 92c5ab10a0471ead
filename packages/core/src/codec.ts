/**
 * Codecs of what crosses a wire: io-ts types that refuse unknown fields, say where a fault is, and
 * carry enough of their shape for JSON Schema and for test data to be derived from them.
 *
 * Every codec made here decodes to the very value it was given (`is` implies `decode` is the identity),
 * so that a stored value costs one check and no copy.
 */
import * as t from 'io-ts'
import { E } from './fp.ts'

/** What Everfold needs of an io-ts type; every `t.Type<A>` is one. */
export interface Codec<A> {
  readonly name: string
  readonly is: (input: unknown) => input is A
  decode(input: unknown): t.Validation<A>
  encode(value: A): unknown
  readonly _A: A
}
export type TypeOf<C extends { readonly _A: unknown }> = C['_A']

/** One fault of an input: where (a JSON pointer, RFC 6901) and what. */
export interface InputFault {
  readonly pointer: string
  readonly detail: string
}

/** A codec said no. Never mixed with a rejection (the domain said no) or a fault (infrastructure failed). */
export interface InvalidInput {
  readonly _tag: 'InvalidInput'
  readonly errors: ReadonlyArray<InputFault>
}

/** The value, or every fault of the input with its path. */
export const decode = <A>(codec: Codec<A>, input: unknown): E.Either<InvalidInput, A> => {
  if (codec.is(input) && codec.encode === t.identity) return E.right(input)
  const decoded = codec.decode(input)
  if (E.isRight(decoded)) return decoded
  return E.left({ _tag: 'InvalidInput', errors: decoded.left.map(inputFault) })
}

const inputFault = ({ context, message }: t.ValidationError): InputFault => ({
  pointer: context
    // io-ts counts the members of a union or an intersection as steps of the path; the input has no such step.
    .filter((_, at) => at > 0 && !isMembership(context[at - 1]?.type))
    .map(({ key }) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join(''),
  detail: message ?? `is not ${context.at(-1)?.type.name ?? 'valid'}`,
})

const isMembership = (type: unknown): boolean =>
  type instanceof t.UnionType || type instanceof t.IntersectionType

/** A scalar's name in the type system: two brands never mix. */
export type Named<Name extends string> = { readonly [Key in Name]: true }
export type Scalar<A, Name extends string> = t.Branded<A, Named<Name>>

export interface TextRange {
  /** 1 unless told. */
  readonly minLength?: number
  /** In UTF-16 units; 255 unless told. */
  readonly maxLength?: number
  readonly pattern?: RegExp
}

export class TextType<Name extends string> extends t.Type<Scalar<string, Name>, unknown> {
  readonly _tag = 'TextType' as const
  readonly minLength: number
  readonly maxLength: number
  readonly pattern: RegExp | undefined

  constructor(name: Name, { minLength = 1, maxLength = 255, pattern }: TextRange) {
    const is = (input: unknown): input is Scalar<string, Name> =>
      typeof input === 'string' &&
      input.length >= minLength &&
      input.length <= maxLength &&
      input.isWellFormed() &&
      (pattern === undefined || pattern.test(input))
    const like = pattern === undefined ? '' : ` that matches ${pattern.source}`
    const expected = `is not text of ${minLength} to ${maxLength} characters${like}`
    super(name, is, refusing(is, expected), t.identity)
    this.minLength = minLength
    this.maxLength = maxLength
    this.pattern = pattern
  }
}

/** A branded string. A pattern must be anchored and without the `g` flag. */
export const text = <Name extends string>(name: Name, range: TextRange = {}): TextType<Name> =>
  new TextType(name, range)

export class IntegerType<Name extends string> extends t.Type<Scalar<number, Name>, unknown> {
  readonly _tag = 'IntegerType' as const
  readonly min: number
  readonly max: number

  constructor(name: Name, min: number, max: number) {
    const is = (input: unknown): input is Scalar<number, Name> =>
      Number.isSafeInteger(input) && (input as number) >= min && (input as number) <= max
    super(name, is, refusing(is, `is not a whole number from ${min} to ${max}`), t.identity)
    this.min = min
    this.max = max
  }
}

/** A branded safe integer within [min, max]. */
export const integer = <Name extends string>(
  name: Name,
  min: number = Number.MIN_SAFE_INTEGER,
  max: number = Number.MAX_SAFE_INTEGER,
): IntegerType<Name> => new IntegerType(name, min, max)

type Props = { readonly [key: string]: Codec<unknown> }
type Simplify<A> = { readonly [Key in keyof A]: A[Key] }
type RecordOf<Required extends Props, Optional extends Props> = Simplify<
  { readonly [Key in keyof Required]: TypeOf<Required[Key]> } & {
    readonly [Key in keyof Optional]?: TypeOf<Optional[Key]>
  }
>

export class RecordType<A, Required extends Props = Props, Optional extends Props = Props> extends t.Type<
  A,
  unknown
> {
  readonly _tag = 'RecordType' as const
  readonly required: Required
  readonly optional: Optional

  constructor(name: string, required: Required, optional: Optional) {
    const optionals = new Map(Object.entries(optional))
    const fields = Object.entries({ ...required, ...optional }).map(([key, { is: check }]) => ({
      key,
      check,
      counts: Object.hasOwn(required, key) ? 1 : 0,
    }))
    const byKey = new Map(fields.map((field) => [field.key, field]))
    const requiredCount = Object.keys(required).length
    const is = (input: unknown): input is A => {
      if (!isPlainObject(input)) return false
      let at = 0
      let found = 0
      for (const key in input) {
        const next = fields[at]
        // As a rule fields come in the codec's own order, and need not be looked up.
        const field = next?.key === key ? next : byKey.get(key)
        if (field === undefined || !field.check(input[key])) return false
        at += 1
        found += field.counts
      }
      return found === requiredCount
    }
    const validate = (input: unknown, context: t.Context): t.Validation<A> => {
      if (is(input)) return t.success(input)
      if (!isPlainObject(input)) return t.failure(input, context, 'is not an object')
      return t.failures(recordFaults(input, context, required, optionals))
    }
    super(name, is, validate, t.identity)
    this.required = required
    this.optional = optional
  }
}

const recordFaults = (
  input: Record<string, unknown>,
  context: t.Context,
  required: Props,
  optional: ReadonlyMap<string, Codec<unknown>>,
): t.Errors => {
  const faults: Array<t.ValidationError> = []
  const check = (key: string, codec: Codec<unknown>) => {
    const validated = (codec as t.Mixed).validate(input[key], t.appendContext(context, key, codec as t.Mixed))
    if (E.isLeft(validated)) faults.push(...validated.left)
  }
  for (const [key, codec] of Object.entries(required)) {
    if (Object.hasOwn(input, key)) check(key, codec)
    else faults.push(faultAt(context, key, undefined, 'is required'))
  }
  for (const key of Object.keys(input)) {
    if (Object.hasOwn(required, key)) continue
    const codec = optional.get(key)
    if (codec === undefined) faults.push(faultAt(context, key, input[key], 'is not a known field'))
    else check(key, codec)
  }
  return faults
}

const faultAt = (context: t.Context, key: string, value: unknown, message: string): t.ValidationError => ({
  value,
  context: t.appendContext(context, key, t.unknown),
  message,
})

const isPlainObject = (input: unknown): input is Record<string, unknown> =>
  typeof input === 'object' && input !== null && !Array.isArray(input)

/** An object of exactly these fields: an unknown one is refused, a missing optional one is absent. */
export const record = <Required extends Props, Optional extends Props = Record<never, never>>(
  name: string,
  required: Required,
  optional: Optional = {} as Optional,
): RecordType<RecordOf<Required, Optional>, Required, Optional> => new RecordType(name, required, optional)

/** One case of a union: a record whose `_tag` is its name. */
export const variant = <
  Tag extends string,
  Required extends Props = Record<never, never>,
  Optional extends Props = Record<never, never>,
>(
  tag: Tag,
  required: Required = {} as Required,
  optional: Optional = {} as Optional,
) => record(tag, { _tag: t.literal(tag), ...required }, optional)

type Variant = Codec<{ readonly _tag: string }>

export class UnionType<A extends { readonly _tag: string }> extends t.Type<A, unknown> {
  readonly _tag = 'TaggedUnionType' as const
  readonly variants: ReadonlyMap<string, Codec<A>>

  constructor(name: string, cases: ReadonlyArray<Codec<A>>) {
    const variants = new Map(cases.map((codec) => [codec.name, codec]))
    const variantOf = (input: unknown) =>
      isPlainObject(input) && typeof input['_tag'] === 'string' ? variants.get(input['_tag']) : undefined
    const is = (input: unknown): input is A => variantOf(input)?.is(input) ?? false
    const validate = (input: unknown, context: t.Context): t.Validation<A> => {
      const codec = variantOf(input)
      if (codec !== undefined) return (codec as unknown as t.Type<A>).validate(input, context)
      if (!isPlainObject(input)) return t.failure(input, context, 'is not an object')
      const message = `is not one of ${[...variants.keys()].join(', ')}`
      return t.failures([faultAt(context, '_tag', input['_tag'], message)])
    }
    super(name, is, validate, t.identity)
    this.variants = variants
  }
}

/** A union told apart by `_tag` in constant time. */
export const union = <Cases extends ReadonlyArray<Variant>>(
  name: string,
  ...cases: Cases
): UnionType<TypeOf<Cases[number]>> =>
  new UnionType(name, cases as ReadonlyArray<Codec<unknown>> as ReadonlyArray<Codec<TypeOf<Cases[number]>>>)

export class ListType<A> extends t.Type<ReadonlyArray<A>, unknown> {
  readonly _tag = 'ListType' as const
  readonly item: Codec<A>
  readonly minItems: number
  readonly maxItems: number

  constructor(item: Codec<A>, minItems: number, maxItems: number) {
    const is = (input: unknown): input is ReadonlyArray<A> =>
      Array.isArray(input) &&
      input.length >= minItems &&
      input.length <= maxItems &&
      input.every((value) => item.is(value))
    const validate = (input: unknown, context: t.Context): t.Validation<ReadonlyArray<A>> => {
      if (is(input)) return t.success(input)
      if (!Array.isArray(input) || input.length < minItems || input.length > maxItems)
        return t.failure(input, context, `is not a list of ${minItems} to ${maxItems} items`)
      const faults = input.flatMap((value, index) => {
        const at = t.appendContext(context, String(index), item as unknown as t.Mixed)
        const validated = (item as unknown as t.Mixed).validate(value, at)
        return E.isLeft(validated) ? validated.left : []
      })
      return t.failures(faults)
    }
    super(`List<${item.name}>`, is, validate, t.identity)
    this.item = item
    this.minItems = minItems
    this.maxItems = maxItems
  }
}

/** A list with bounds, so that no caller makes us hold an endless one. */
export const list = <A>(item: Codec<A>, minItems: number = 0, maxItems: number = 1000): ListType<A> =>
  new ListType(item, minItems, maxItems)

/** One of these words. */
export const oneOf = <Words extends ReadonlyArray<string>>(
  name: string,
  ...words: Words
): t.KeyofC<{ [Word in Words[number]]: unknown }> =>
  t.keyof(Object.fromEntries(words.map((word) => [word, null])) as { [Word in Words[number]]: unknown }, name)

const refusing =
  <A>(is: (input: unknown) => input is A, message: string) =>
  (input: unknown, context: t.Context): t.Validation<A> =>
    is(input) ? t.success(input) : t.failure(input, context, message)
