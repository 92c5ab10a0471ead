/** The catalogue over HTTP: open to all to read, and to administrators to fill. */
import {
  type CommandId,
  Cursor,
  command,
  cursorOf,
  E,
  integer,
  list,
  notFound,
  placeOf,
  query,
  type Route,
  record,
  type TypeOf,
} from '@everfold/core'
import * as t from 'io-ts'
import * as Catalogue from './catalogue.ts'
import * as PriceList from './price-list.ts'
import * as Product from './product.ts'
import { Category, Channel, Count, Location, ProductId, Sku, TaxClass, Units } from './quantities.ts'
import * as Stock from './stock.ts'
import type { Terms } from './terms.ts'

const admin = { role: 'admin' } as const
const NoParams = record('NoParams', {})
const NoQuery = record('NoQuery', {})

const ListedProduct = record('Product', {
  productId: ProductId,
  name: Product.ProductName,
  category: Category,
  variants: list(
    record('Variant', {
      sku: Sku,
      attributes: Product.Attributes,
      price: PriceList.UnitPrice,
      available: Count,
    }),
  ),
})

/** A fresh page may be a minute old at the edge; afterwards its `ETag` is asked. */
const CACHE = 'public, max-age=10, s-maxage=60, stale-while-revalidate=60'

export const catalogueRoutes = (terms: Terms): ReadonlyArray<Route> => [
  listProducts(terms),
  getProduct(terms),
  createProduct,
  setPublished('publish', 'PublishProduct'),
  setPublished('unpublish', 'UnpublishProduct'),
  setPrice(terms),
  receiveStock,
]

const listProducts = (market: Terms): Route =>
  query({
    path: '/ecommerce/products',
    summary: 'Published products, by category and by page.',
    access: 'public',
    params: NoParams,
    query: record(
      'ProductsQuery',
      {},
      { category: Category, limit: integer('Limit', 1, 100), cursor: Cursor },
    ),
    replies: {
      status: 200,
      body: record('Products', { items: list(ListedProduct) }, { nextCursor: Cursor }),
    },
    reads: [Catalogue.NAME],
    cache: CACHE,
    answer: async ({ query: { category, limit = 20, cursor }, timeMs }, read) => {
      const scope = ['products', category ?? ''] as const
      const after = cursor === undefined ? E.right(undefined) : placeOf(cursor, ...scope)
      if (E.isLeft(after)) return after
      const page = await Catalogue.page(read, {
        market,
        timeMs,
        limit,
        ...(category === undefined ? {} : { category }),
        ...(after.right === undefined ? {} : { after: after.right }),
      })
      if (E.isLeft(page)) return page
      const { items, after: next } = page.right
      return E.right(next === undefined ? { items } : { items, nextCursor: cursorOf(next, ...scope) })
    },
  })

const ProductParams = record('ProductParams', { productId: ProductId })

const getProduct = (market: Terms): Route =>
  query({
    path: '/ecommerce/products/{productId}',
    summary: 'One published product with its prices and stock.',
    access: 'public',
    params: ProductParams,
    query: NoQuery,
    replies: { status: 200, body: ListedProduct },
    reads: [Catalogue.NAME],
    cache: CACHE,
    answer: async ({ params: { productId }, timeMs }, read) => {
      const found = await Catalogue.product(read, productId, { market, timeMs })
      if (E.isLeft(found)) return found
      return found.right === undefined ? E.left(notFound(`product ${productId}`)) : E.right(found.right)
    },
  })

const NewProduct = record(
  'NewProduct',
  {
    name: Product.ProductName,
    category: Category,
    variants: list(record('NewVariant', { sku: Sku }, { attributes: Product.Attributes }), 1, 100),
  },
  {
    /** Made up where it is left out. */
    productId: ProductId,
    /** True where it is left out. */
    publish: t.boolean,
  },
)

const createProduct: Route = command(Product.aggregate)({
  method: 'POST',
  path: '/ecommerce/products',
  summary: 'Creates a product with its variants, and publishes it unless told otherwise.',
  access: admin,
  params: NoParams,
  body: NewProduct,
  replies: { status: 201, body: record('ProductCreated', { productId: ProductId }) },
  claims: true,
  id: ({ body, commandId }) => newProductId(body, commandId),
  prepare: ({ body, commandId }) =>
    E.right({
      _tag: 'CreateProduct',
      productId: newProductId(body, commandId),
      name: body.name,
      category: body.category,
      variants: body.variants.map(({ sku, attributes = [] }) => ({ sku, attributes })),
      publish: body.publish ?? true,
    }),
  reply: (_events, { body, commandId }) => ({ productId: newProductId(body, commandId) }),
})

const newProductId = ({ productId }: TypeOf<typeof NewProduct>, commandId: CommandId): ProductId =>
  productId ?? (commandId as string as ProductId)

const setPublished = (verb: string, tag: 'PublishProduct' | 'UnpublishProduct'): Route =>
  command(Product.aggregate)({
    method: 'POST',
    path: `/ecommerce/products/{productId}/${verb}`,
    summary: `${verb === 'publish' ? 'Puts a product into' : 'Takes a product out of'} the catalogue.`,
    access: admin,
    params: ProductParams,
    body: record('NoBody', {}),
    replies: { status: 200, body: record('ProductChanged', { productId: ProductId }) },
    id: ({ params }) => params.productId,
    prepare: () => E.right({ _tag: tag }),
    reply: (_events, { params }) => params,
  })

const NewPrice = record(
  'NewPrice',
  { sku: Sku, price: PriceList.UnitPrice },
  {
    /** The shop's own where it is left out. */
    channel: Channel,
    /** `standard` where it is left out. */
    taxClass: TaxClass,
    /** False where it is left out. */
    taxIncluded: t.boolean,
  },
)

const setPrice = (terms: Terms): Route =>
  command(PriceList.aggregate)({
    method: 'POST',
    path: '/ecommerce/prices',
    summary: 'Sets the regular price of a SKU in a channel and currency.',
    access: admin,
    params: NoParams,
    body: NewPrice,
    replies: { status: 200, body: record('PriceSet', { sku: Sku, price: PriceList.UnitPrice }) },
    claims: true,
    id: ({ body: { sku, price, channel = terms.channel } }) =>
      PriceList.streamId({ sku, channel, currency: price.currency }),
    prepare: ({ body: { price, taxClass = 'standard', taxIncluded = false } }) =>
      E.right({ _tag: 'SetPrice', price, taxClass, taxIncluded }),
    reply: (_events, { body: { sku, price } }) => ({ sku, price }),
  })

const receiveStock: Route = command(Stock.aggregate)({
  method: 'POST',
  path: '/ecommerce/stock/{sku}/receipts',
  summary: 'Receives units of a SKU.',
  access: admin,
  params: record('StockParams', { sku: Sku }),
  body: record('Receipt', { units: Units }, { location: Location }),
  replies: { status: 201, body: record('Received', { sku: Sku, units: Units }) },
  claims: true,
  id: ({ params: { sku }, body: { location } }) =>
    Stock.streamId(location === undefined ? { sku } : { sku, location }),
  prepare: ({ body: { units } }) => E.right({ _tag: 'ReceiveStock', units }),
  reply: (_events, { params: { sku }, body: { units } }) => ({ sku, units }),
})
