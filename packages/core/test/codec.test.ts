import {
  decode,
  E,
  integer,
  jsonSchema,
  list,
  oneOf,
  record,
  StreamName,
  type TypeOf,
  text,
  union,
  variant,
} from '@everfold/core'
import { arbitrary, invalid } from '@everfold/core/testing'
import { fc, test as property } from '@fast-check/vitest'
import * as t from 'io-ts'
import { describe, expect, expectTypeOf, test } from 'vitest'

const Name = text('Name', { maxLength: 8 })
const Code = text('Code', { minLength: 2, maxLength: 6, pattern: /^[A-Z][A-Z0-9-]*$/ })
const Count = integer('Count', -3, 12)
const Colour = oneOf('Colour', 'red', 'green', 'constructor')
const Shape = union(
  'Shape',
  variant('Circle', { radius: Count }, { name: Name }),
  variant('Polygon', { corners: list(record('Corner', { x: Count, y: Count }), 3, 5) }),
  variant('Nothing'),
)
const Everything = record(
  'Everything',
  {
    name: Name,
    code: Code,
    'a/b~c': Count,
    colour: Colour,
    on: t.boolean,
    maybe: t.union([Name, t.null]),
    shapes: list(Shape, 0, 4),
    notes: t.record(t.string, Name),
  },
  { count: Count, words: t.array(Name) },
)

const codecs = [Name, Code, Count, Colour, Shape, Everything, StreamName] as const
const named = codecs.map((codec) => ({ name: codec.name, codec }))

describe.each(named)('$name', ({ codec }) => {
  property.prop([fc.anything({ withNullPrototype: true, withSparseArray: true })])(
    'decoding anything is total, and accepts only what it is',
    (input) => {
      const decoded = decode<unknown>(codec, input)
      expect(E.isRight(decoded)).toBe(codec.is(input))
      if (E.isRight(decoded)) expect(decoded.right).toBe(input)
      else expect(decoded.left.errors.length).toBeGreaterThan(0)
    },
  )
  property.prop([arbitrary<unknown>(codec)])('accepts what is made for it, as it is', (value) => {
    expect(decode<unknown>(codec, value)).toEqual(E.right(value))
    expect(decode<unknown>(codec, JSON.parse(JSON.stringify(value)))).toEqual(
      E.right(JSON.parse(JSON.stringify(value))),
    )
  })
  property.prop([invalid(codec)], { numRuns: 300 })(
    'refuses a near miss, at the place of the fault and nowhere else',
    ({ input, pointer }) => {
      const decoded = decode<unknown>(codec, input)
      if (E.isRight(decoded)) throw new Error('it was accepted')
      expect([...new Set(decoded.left.errors.map((error) => error.pointer))]).toEqual([pointer])
    },
  )
})

const faultsOf = (input: unknown) => {
  const decoded = decode<unknown>(Everything, input)
  return E.isLeft(decoded) ? decoded.left.errors : []
}

describe('faults', () => {
  const valid = {
    name: 'n',
    code: 'AB',
    'a/b~c': 1,
    colour: 'red',
    on: true,
    maybe: null,
    shapes: [],
    notes: {},
  }
  test('are all told, each with its pointer', () => {
    const input = {
      ...valid,
      name: '',
      'a/b~c': 1.5,
      shapes: [{ _tag: 'Nothing' }, { _tag: 'Circle', radius: 99, more: 1 }],
      words: ['ok', 7],
      extra: true,
    }
    expect(faultsOf(input)).toEqual([
      { pointer: '/name', detail: 'is not text of 1 to 8 characters' },
      { pointer: '/a~1b~0c', detail: 'is not a whole number from -3 to 12' },
      { pointer: '/shapes/1/radius', detail: 'is not a whole number from -3 to 12' },
      { pointer: '/shapes/1/more', detail: 'is not a known field' },
      { pointer: '/words/1', detail: 'is not text of 1 to 8 characters' },
      { pointer: '/extra', detail: 'is not a known field' },
    ])
  })
  test('of a union without tags lie where its value is', () => {
    expect(faultsOf({ ...valid, maybe: 7 }).map(({ pointer }) => pointer)).toEqual(['/maybe', '/maybe'])
  })
  test('name a required field that is missing', () => {
    const { name: _, ...rest } = valid
    expect(faultsOf(rest)).toEqual([{ pointer: '/name', detail: 'is required' }])
  })
  test('inherited and __proto__ fields are neither known nor taken for required ones', () => {
    const Plain = record('Plain', {}, { a: Count })
    const Inheriting = record('Inheriting', { toString: Name } as never)
    expect(E.isLeft(decode(Plain, JSON.parse('{"__proto__":{"a":1}}')))).toBe(true)
    expect(E.isLeft(decode(Plain, { constructor: 1 }))).toBe(true)
    expect(E.isLeft(decode(Inheriting, {}))).toBe(true)
    expect(E.isLeft(decode(Shape, { _tag: 'constructor' }))).toBe(true)
    expect(E.isLeft(decode(Shape, { _tag: '__proto__' }))).toBe(true)
    expect(E.isLeft(decode(Colour, 'toString'))).toBe(true)
    expect(E.isRight(decode(Colour, 'constructor'))).toBe(true)
  })
  test('text that is not well formed is refused', () => {
    expect(E.isLeft(decode(Name, '\ud800'))).toBe(true)
    expect(E.isRight(decode(Name, '\u{1f98a}'))).toBe(true)
  })
})

test('the schema says what the codec accepts', () => {
  expect(jsonSchema(Everything)).toMatchObject({
    type: 'object',
    required: ['name', 'code', 'a/b~c', 'colour', 'on', 'maybe', 'shapes', 'notes'],
    additionalProperties: false,
    properties: {
      code: { type: 'string', minLength: 2, maxLength: 6, pattern: '^[A-Z][A-Z0-9-]*$' },
      colour: { enum: ['red', 'green', 'constructor'] },
      maybe: { anyOf: [{ type: 'string' }, { type: 'null' }] },
      shapes: { type: 'array', maxItems: 4, items: { oneOf: [{}, {}, {}] } },
    },
  })
})

test('types', () => {
  type Colour = TypeOf<typeof Colour>
  expectTypeOf<Colour>().toEqualTypeOf<'red' | 'green' | 'constructor'>()
  expectTypeOf<TypeOf<typeof Shape>['_tag']>().toEqualTypeOf<'Circle' | 'Polygon' | 'Nothing'>()
  expectTypeOf<TypeOf<typeof Count>>().not.toEqualTypeOf<number>()
})
