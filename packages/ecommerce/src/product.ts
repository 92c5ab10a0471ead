/**
 * A product of the catalogue and the variants in which it is sold, each under a SKU of its own.
 *
 * Stream `product/{productId}`. Invariants: a published product has a variant that is sold; a SKU stands once in a
 * product, and a discontinued one never returns.
 */
import {
  accept,
  aggregate as aggregateOf,
  type Decider,
  type Decision,
  E,
  list,
  oneOf,
  plainSnapshot,
  record,
  reject,
  type TypeOf,
  text,
  union,
  variant,
} from '@everfold/core'
import * as t from 'io-ts'
import { Category, ProductId, Sku } from './quantities.ts'

export const ProductName = text('ProductName')
export type ProductName = TypeOf<typeof ProductName>

/** What tells a variant from its siblings, such as a size. */
export const Attribute = record('Attribute', {
  name: text('AttributeName', { maxLength: 64 }),
  value: text('AttributeValue'),
})
export type Attribute = TypeOf<typeof Attribute>

export const Attributes = list(Attribute, 0, 50)
export type Attributes = TypeOf<typeof Attributes>

const MAX_VARIANTS = 500

// Events. Stored forever: never rename, never remove; a new field needs a default.

export const ProductEvent = union(
  'ProductEvent',
  variant('ProductCreated', { productId: ProductId, name: ProductName, category: Category }),
  variant('VariantAdded', { sku: Sku, attributes: Attributes }),
  variant('VariantAttributesChanged', { sku: Sku, attributes: Attributes }),
  variant('ProductPublished', { category: Category }),
  variant('ProductUnpublished', { category: Category }),
  variant('VariantDiscontinued', { sku: Sku }),
)
export type ProductEvent = TypeOf<typeof ProductEvent>

// State

const Variant = record('Variant', {
  sku: Sku,
  attributes: Attributes,
  sale: oneOf('Sale', 'sold', 'discontinued'),
})
export type Variant = TypeOf<typeof Variant>

const Product = record(
  'Product',
  {
    listing: oneOf('Listing', 'none', 'draft', 'published'),
    /** In the order in which they were added. */
    variants: list(Variant, 0, MAX_VARIANTS),
  },
  { name: ProductName, category: Category },
)
export type Product = TypeOf<typeof Product>

export const initial: Product = { listing: 'none', variants: [] }

export const evolve = (product: Product, event: ProductEvent): Product => {
  switch (event._tag) {
    case 'ProductCreated':
      return { ...product, listing: 'draft', name: event.name, category: event.category }
    case 'VariantAdded': {
      const { sku, attributes } = event
      return { ...product, variants: [...product.variants, { sku, attributes, sale: 'sold' }] }
    }
    case 'VariantAttributesChanged':
      return changed(product, event.sku, { attributes: event.attributes })
    case 'VariantDiscontinued':
      return changed(product, event.sku, { sale: 'discontinued' })
    case 'ProductPublished':
      return { ...product, listing: 'published' }
    case 'ProductUnpublished':
      return { ...product, listing: 'draft' }
  }
}

const changed = (product: Product, sku: Sku, change: Partial<Variant>): Product => ({
  ...product,
  variants: product.variants.map((one) => (one.sku === sku ? Object.assign({}, one, change) : one)),
})

export const variantOf = (product: Product, sku: Sku): Variant | undefined =>
  product.variants.find((one) => one.sku === sku)

export const sold = (product: Product): ReadonlyArray<Variant> =>
  product.variants.filter(({ sale }) => sale === 'sold')

// Commands

export const ProductCommand = union(
  'ProductCommand',
  variant(
    'CreateProduct',
    { productId: ProductId, name: ProductName, category: Category },
    {
      variants: list(record('NewVariant', { sku: Sku, attributes: Attributes }), 0, 100),
      /** At once, with these variants. */
      publish: t.boolean,
    },
  ),
  variant('AddVariant', { sku: Sku, attributes: Attributes }),
  variant('ChangeVariantAttributes', { sku: Sku, attributes: Attributes }),
  variant('PublishProduct'),
  variant('UnpublishProduct'),
  variant('DiscontinueVariant', { sku: Sku }),
)
export type ProductCommand = TypeOf<typeof ProductCommand>

// Rejections

export const ProductRejection = union(
  'ProductRejection',
  variant('UnknownProduct'),
  variant('ProductExists', { name: ProductName, category: Category }),
  variant('UnknownVariant', { sku: Sku }),
  variant('VariantExists', { sku: Sku, attributes: Attributes }),
  /** A discontinued variant neither changes nor returns. */
  variant('VariantEnded', { sku: Sku }),
  variant('AttributeRepeated', { sku: Sku, name: Attribute.required.name }),
  variant('TooManyVariants', { sku: Sku }),
  variant('NothingToSell'),
)
export type ProductRejection = TypeOf<typeof ProductRejection>

type ProductDecision = Decision<ProductRejection, ProductEvent>
type CommandNamed<Tag extends ProductCommand['_tag']> = Extract<ProductCommand, { readonly _tag: Tag }>

/** Idempotent: what already holds changes nothing. */
export const decide = (command: ProductCommand, product: Product): ProductDecision => {
  if (command._tag === 'CreateProduct') return decideCreate(command, product)
  const { listing, category } = product
  if (listing === 'none' || category === undefined) return reject({ _tag: 'UnknownProduct' })
  switch (command._tag) {
    case 'AddVariant':
      return decideAdd(command, product)
    case 'ChangeVariantAttributes':
      return decideChange(command, product)
    case 'PublishProduct':
      if (listing === 'published') return accept()
      return sold(product).length === 0
        ? reject({ _tag: 'NothingToSell' })
        : accept({ _tag: 'ProductPublished', category })
    case 'UnpublishProduct':
      return listing === 'published' ? accept({ _tag: 'ProductUnpublished', category }) : accept()
    case 'DiscontinueVariant':
      return decideDiscontinue(command, product, category)
  }
}

/** All of its variants or nothing at all. */
const decideCreate = (command: CommandNamed<'CreateProduct'>, product: Product): ProductDecision => {
  const { productId, name, category, variants = [] } = command
  const events: Array<ProductEvent> = []
  if (product.name !== undefined && product.category !== undefined) {
    if (product.name !== name || product.category !== category)
      return reject({ _tag: 'ProductExists', name: product.name, category: product.category })
  } else events.push({ _tag: 'ProductCreated', productId, name, category })
  let state = events.reduce(evolve, product)
  for (const { sku, attributes } of variants) {
    const decision = decideAdd({ _tag: 'AddVariant', sku, attributes }, state)
    if (E.isLeft(decision)) return decision
    events.push(...decision.right)
    state = decision.right.reduce(evolve, state)
  }
  if (command.publish !== true || state.listing === 'published') return accept(...events)
  return sold(state).length === 0
    ? reject({ _tag: 'NothingToSell' })
    : accept(...events, { _tag: 'ProductPublished', category })
}

const decideAdd = ({ sku, attributes }: CommandNamed<'AddVariant'>, product: Product): ProductDecision => {
  const former = variantOf(product, sku)
  if (former?.sale === 'discontinued') return reject({ _tag: 'VariantEnded', sku })
  if (former !== undefined)
    return sameAttributes(former.attributes, attributes)
      ? accept()
      : reject({ _tag: 'VariantExists', sku, attributes: former.attributes })
  const name = repeated(attributes)
  if (name !== undefined) return reject({ _tag: 'AttributeRepeated', sku, name })
  if (product.variants.length >= MAX_VARIANTS) return reject({ _tag: 'TooManyVariants', sku })
  return accept({ _tag: 'VariantAdded', sku, attributes })
}

const decideChange = (
  { sku, attributes }: CommandNamed<'ChangeVariantAttributes'>,
  product: Product,
): ProductDecision => {
  const former = variantOf(product, sku)
  if (former === undefined) return reject({ _tag: 'UnknownVariant', sku })
  if (former.sale === 'discontinued') return reject({ _tag: 'VariantEnded', sku })
  const name = repeated(attributes)
  if (name !== undefined) return reject({ _tag: 'AttributeRepeated', sku, name })
  return sameAttributes(former.attributes, attributes)
    ? accept()
    : accept({ _tag: 'VariantAttributesChanged', sku, attributes })
}

/** The last variant takes its product out of the catalogue. */
const decideDiscontinue = (
  { sku }: CommandNamed<'DiscontinueVariant'>,
  product: Product,
  category: Category,
): ProductDecision => {
  const former = variantOf(product, sku)
  if (former === undefined) return reject({ _tag: 'UnknownVariant', sku })
  if (former.sale === 'discontinued') return accept()
  const last = sold(product).length === 1 && product.listing === 'published'
  const unpublished: ReadonlyArray<ProductEvent> = last ? [{ _tag: 'ProductUnpublished', category }] : []
  return accept({ _tag: 'VariantDiscontinued', sku }, ...unpublished)
}

const sameAttributes = (ones: Attributes, others: Attributes): boolean =>
  ones.length === others.length &&
  ones.every(({ name, value }, index) => others[index]?.name === name && others[index].value === value)

const repeated = (attributes: Attributes): Attribute['name'] | undefined =>
  attributes.find(({ name }, index) => attributes.findIndex((one) => one.name === name) !== index)?.name

export const decider: Decider<ProductCommand, Product, ProductEvent, ProductRejection> = {
  initial,
  evolve,
  decide,
}

export const aggregate = aggregateOf({
  ...decider,
  name: 'product',
  command: ProductCommand,
  event: ProductEvent,
  rejection: ProductRejection,
  snapshot: plainSnapshot(Product),
  reducer: 1,
})
