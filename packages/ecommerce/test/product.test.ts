import { accept, decodeEvent, E, fold, reject } from '@everfold/core'
import { anyContext, given, laws, valid } from '@everfold/core/testing'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { Product, Quantities } from '../src/index.ts'

const command = valid(Product.ProductCommand)
const event = valid(Product.ProductEvent)
const product = given(Product.decider)

const created = event({ _tag: 'ProductCreated', productId: 'tea', name: 'Tea', category: 'Drinks' })
const small = event({ _tag: 'VariantAdded', sku: 'tea-s', attributes: [{ name: 'size', value: 'S' }] })
const large = event({ _tag: 'VariantAdded', sku: 'tea-l', attributes: [] })
const published = event({ _tag: 'ProductPublished', category: 'Drinks' })
const create = (more: object = {}) =>
  command({ _tag: 'CreateProduct', productId: 'tea', name: 'Tea', category: 'Drinks', ...more })
const discontinue = (sku: string) => command({ _tag: 'DiscontinueVariant', sku })

const anySku = fc.constantFrom('tea-s', 'tea-m', 'tea-l').map(valid(Quantities.Sku))
const anyAttributes = fc
  .array(fc.record({ name: fc.constantFrom('size', 'colour'), value: fc.constantFrom('S', 'L') }), {
    maxLength: 3,
  })
  .map(valid(Product.Attributes))
const anyCommand: fc.Arbitrary<Product.ProductCommand> = fc.oneof(
  fc
    .array(fc.record({ sku: anySku, attributes: anyAttributes }), { maxLength: 3 })
    .map((variants) => create({ variants })),
  fc.record({ _tag: fc.constant('AddVariant' as const), sku: anySku, attributes: anyAttributes }),
  fc.record({
    _tag: fc.constant('ChangeVariantAttributes' as const),
    sku: anySku,
    attributes: anyAttributes,
  }),
  fc.constant(command({ _tag: 'PublishProduct' })),
  fc.constant(command({ _tag: 'UnpublishProduct' })),
  anySku.map(discontinue),
)
const anyCommands = fc.array(anyCommand, { maxLength: 30, size: 'max' })

/** The state after each command, and what was decided. */
const steps = (commands: ReadonlyArray<Product.ProductCommand>) => {
  let state = Product.initial
  return commands.map((asked) => {
    const decision = Product.decide(asked, state)
    if (E.isRight(decision)) state = fold(Product.decider, decision.right, state)
    return { asked, decision, state }
  })
}

describe('laws', () => {
  test.each(laws(Product.aggregate, { command: anyCommand }))('$title', async ({ check }) => {
    await expect(check(50)).resolves.toBeUndefined()
  })
})

describe('a product, whatever is asked', () => {
  property.prop([anyCommands])('a published product has a variant that is sold', (commands) => {
    for (const { state } of steps(commands))
      if (state.listing === 'published') expect(Product.sold(state)).not.toEqual([])
  })
  property.prop([anyCommands])(
    'a SKU stands once in a product, and a discontinued one never returns',
    (commands) => {
      const ended = new Set<string>()
      for (const { state } of steps(commands)) {
        const skus = state.variants.map(({ sku }) => sku)
        expect(skus).toEqual([...new Set(skus)])
        for (const { sku } of Product.sold(state)) expect(ended.has(sku)).toBe(false)
        for (const { sku, sale } of state.variants) if (sale === 'discontinued') ended.add(sku)
      }
    },
  )
  property.prop([anyCommands])('what was accepted is so when it is asked again', (commands) => {
    for (const { asked, decision, state } of steps(commands))
      if (E.isRight(decision)) expect(Product.decide(asked, state)).toEqual(accept())
  })
})

describe('creating', () => {
  test('brings the product and its variants', () => {
    const variants = [
      { sku: 'tea-s', attributes: [{ name: 'size', value: 'S' }] },
      { sku: 'tea-l', attributes: [] },
    ]
    expect(product().when(create({ variants }))).toEqual(accept(created, small, large))
  })
  test('again adds only what is missing', () => {
    expect(product(created).when(create({ variants: [{ sku: 'tea-l', attributes: [] }] }))).toEqual(
      accept(large),
    )
  })
  test('under a taken id with another name is refused', () => {
    expect(product(created).when(create({ name: 'Coffee' }))).toEqual(
      reject({ _tag: 'ProductExists', name: 'Tea', category: 'Drinks' }),
    )
  })
  test('one variant that cannot be added keeps all of it out', () => {
    const attributes = [
      { name: 'size', value: 'S' },
      { name: 'size', value: 'L' },
    ]
    expect(product().when(create({ variants: [{ sku: 'tea-s', attributes }] }))).toEqual(
      reject({ _tag: 'AttributeRepeated', sku: 'tea-s', name: 'size' }),
    )
  })
})

describe('variants', () => {
  test('an attribute changes', () => {
    const change = command({ _tag: 'ChangeVariantAttributes', sku: 'tea-s', attributes: [] })
    expect(product(created, small).when(change)).toEqual(
      accept(event({ _tag: 'VariantAttributesChanged', sku: 'tea-s', attributes: [] })),
    )
    expect(product(created).when(change)).toEqual(reject({ _tag: 'UnknownVariant', sku: 'tea-s' }))
  })
  test('the last one sold takes a published product out of the catalogue', () => {
    const gone = event({ _tag: 'VariantDiscontinued', sku: 'tea-s' })
    expect(product(created, small, large, published).when(discontinue('tea-s'))).toEqual(accept(gone))
    expect(product(created, small, large, published, gone).when(discontinue('tea-l'))).toEqual(
      accept(
        event({ _tag: 'VariantDiscontinued', sku: 'tea-l' }),
        event({ _tag: 'ProductUnpublished', category: 'Drinks' }),
      ),
    )
  })
  test('no more are added than a product can hold', () => {
    const many = Array.from({ length: 500 }, (_, index) =>
      event({ _tag: 'VariantAdded', sku: `tea-${index}`, attributes: [] }),
    )
    expect(
      product(created, ...many).when(command({ _tag: 'AddVariant', sku: 'tea-l', attributes: [] })),
    ).toEqual(reject({ _tag: 'TooManyVariants', sku: 'tea-l' }))
  })
})

describe('publishing', () => {
  const publish = command({ _tag: 'PublishProduct' })
  test('a product with a variant', () => {
    expect(product(created, small).when(publish, anyContext)).toEqual(accept(published))
  })
  test('is refused while there is nothing to sell', () => {
    expect(product(created).when(publish)).toEqual(reject({ _tag: 'NothingToSell' }))
    expect(product().when(publish)).toEqual(reject({ _tag: 'UnknownProduct' }))
  })
})

describe('the wire', () => {
  test.each([
    { _tag: 'ProductCreated', productId: 'tea', name: 'Tea', category: 'Drinks' },
    { _tag: 'VariantAdded', sku: 'tea-s', attributes: [{ name: 'size', value: 'S' }] },
    { _tag: 'VariantAttributesChanged', sku: 'tea-s', attributes: [] },
    { _tag: 'ProductPublished', category: 'Drinks' },
    { _tag: 'ProductUnpublished', category: 'Drinks' },
    { _tag: 'VariantDiscontinued', sku: 'tea-s' },
  ])('$_tag, as once stored, still decodes', (stored) => {
    expect(decodeEvent(Product.aggregate, stored)).toEqual(E.right(stored))
  })
})
