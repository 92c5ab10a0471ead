/**
 * The catalogue: what is for sale, listed by category and by page, with its prices and what is left.
 *
 *     PK            SK                          row
 *     PRODUCT#<id>  METADATA                    the product and its variants
 *     PRODUCT#<id>  CATALOGUE, CATEGORY#<name>  listings, while it is published; the inverted index reads them
 *     SKU#<sku>     PRODUCT#<id>                a product that it is a variant of, and whether it is still sold there
 *     SKU#<sku>     PRICE#<channel>#<currency>  its price list
 *     SKU#<sku>     STOCK                       its available units at the default location
 *
 * Every row is folded from one stream, so the order between streams cannot matter; a page joins rows as it is read.
 */
import {
  E,
  type Fault,
  from,
  type Json,
  type Projection,
  type Reader,
  type RowChange,
  streamParts,
} from '@everfold/core'
import type { CurrencyCode } from './currency.ts'
import * as PriceList from './price-list.ts'
import * as Product from './product.ts'
import type { Channel, ProductId, Sku } from './quantities.ts'
import * as Stock from './stock.ts'

export const NAME = 'catalogue'

export const projection: Projection = {
  name: NAME,
  generation: '1',
  sources: [
    from(Product.aggregate, ({ event, stream }) => productRows(streamParts(stream).id, event)),
    from(PriceList.aggregate, ({ event, stream }) => {
      const { sku, channel, currency } = PriceList.listOf(streamParts(stream).id)
      const change = (value: Json | undefined) =>
        PriceList.evolve((value ?? PriceList.initial) as PriceList.PriceList, event) as Json
      return [{ ...priceKey(sku, { channel, currency }), change }]
    }),
    from(Stock.aggregate, ({ event, stream }) => {
      const { sku, location } = Stock.itemOf(streamParts(stream).id)
      const change = (value: Json | undefined) => Number(value ?? 0) + availability(event)
      return location === undefined ? [{ ...stockKey(sku), change }] : []
    }),
  ],
}

const METADATA = 'METADATA'
const ALL = 'CATALOGUE'
const categorySk = (category: string): string => `CATEGORY#${category}`
const productPk = (productId: string): string => `PRODUCT#${productId}`

/** Where a price holds. */
export interface Market {
  readonly channel: Channel
  readonly currency: CurrencyCode
}

const skuPk = (sku: Sku): string => `SKU#${sku}`
const priceKey = (sku: Sku, { channel, currency }: Market) => ({
  pk: skuPk(sku),
  sk: `PRICE#${channel}#${currency}`,
})
const stockKey = (sku: Sku) => ({ pk: skuPk(sku), sk: 'STOCK' })

/** The product as it is, and an entry in the listings for as long as it is published. */
const productRows = (id: string, event: Product.ProductEvent): ReadonlyArray<RowChange> => {
  const pk = productPk(id)
  const change = (value: Json | undefined) =>
    Product.evolve((value ?? Product.initial) as Product.Product, event) as Json
  const listed = (entry: Json | undefined, category: string): ReadonlyArray<RowChange> =>
    [ALL, categorySk(category)].map((sk) => ({ pk, sk, change: () => entry }))
  switch (event._tag) {
    case 'ProductPublished':
      return [{ pk, sk: METADATA, change }, ...listed({ productId: id }, event.category)]
    case 'ProductUnpublished':
      return [{ pk, sk: METADATA, change }, ...listed(undefined, event.category)]
    case 'VariantAdded':
      return [{ pk, sk: METADATA, change }, variantRow(event.sku, id, 'sold')]
    case 'VariantDiscontinued':
      return [{ pk, sk: METADATA, change }, variantRow(event.sku, id, 'discontinued')]
    case 'ProductCreated':
    case 'VariantAttributesChanged':
      return [{ pk, sk: METADATA, change }]
  }
}

const variantRow = (sku: Sku, productId: string, sale: Product.Variant['sale']): RowChange => ({
  pk: skuPk(sku),
  sk: productPk(productId),
  change: () => ({ sale }),
})

/** What an event does to the units that nobody was promised. */
const availability = (event: Stock.StockEvent): number => {
  switch (event._tag) {
    case 'StockReceived':
    case 'StockRestocked':
    case 'ReservationReleased':
    case 'ReservationExpired':
    case 'StockDeallocated':
      return event.units
    case 'StockAdjusted':
      return event.delta
    case 'StockReserved':
      return (event.replaces ?? 0) - event.units
    // A reservation that is allocated, and an allocation that is shipped, were taken off when they were reserved.
    case 'StockAllocated':
    case 'StockShipped':
    case 'ReservationExtended':
    case 'BackorderPolicySet':
    case 'StockDepleted':
      return 0
  }
}

// Reading

/** Whether the SKU was taken out of sale wherever it stood; one that the view does not know yet was not. */
export const discontinued = async (read: Reader, sku: Sku): Promise<E.Either<Fault, boolean>> => {
  const found = await read.rows(NAME, { pk: skuPk(sku), skPrefix: productPk(''), limit: MAX_PRODUCTS })
  if (E.isLeft(found)) return found
  const sales = found.right.rows.map(({ value }) => (value as Pick<Product.Variant, 'sale'>).sale)
  return E.right(sales.length > 0 && sales.every((sale) => sale === 'discontinued'))
}

/** A SKU stands in one product as a rule; more than these are not looked at. */
const MAX_PRODUCTS = 100

export interface ListedVariant {
  readonly sku: Sku
  readonly attributes: Product.Attributes
  readonly price: PriceList.UnitPrice
  /** Units that can be bought now; a promise beyond the stock shows as none. */
  readonly available: number
}

export interface ListedProduct {
  readonly productId: ProductId
  readonly name: string
  readonly category: string
  /** Those that are sold and have a price in this market. */
  readonly variants: ReadonlyArray<ListedVariant>
}

export interface Page {
  readonly items: ReadonlyArray<ListedProduct>
  /** Pass it back for the next page. */
  readonly after?: string
}

export interface Asked {
  readonly market: Market
  readonly timeMs: number
}

/** Published products in the order of their ids. */
export const page = async (
  read: Reader,
  { category, limit, after, ...asked }: Asked & { category?: string; limit: number; after?: string },
): Promise<E.Either<Fault, Page>> => {
  const pk = category === undefined ? ALL : categorySk(category)
  const found = await read.rows(NAME, {
    index: 'inverted',
    pk,
    limit,
    ...(after === undefined ? {} : { after }),
  })
  if (E.isLeft(found)) return found
  const products = await Promise.all(
    found.right.rows.map(({ pk: key }) => product(read, key.slice(productPk('').length) as ProductId, asked)),
  )
  const items: Array<ListedProduct> = []
  for (const one of products) {
    if (E.isLeft(one)) return one
    if (one.right !== undefined) items.push(one.right)
  }
  return E.right(found.right.after === undefined ? { items } : { items, after: found.right.after })
}

/** One published product, or undefined. */
export const product = async (
  read: Reader,
  productId: ProductId,
  asked: Asked,
): Promise<E.Either<Fault, ListedProduct | undefined>> => {
  const row = await read.row(NAME, { pk: productPk(productId), sk: METADATA })
  if (E.isLeft(row)) return row
  const found = row.right as Product.Product | undefined
  if (found?.listing !== 'published') return E.right(undefined)
  const variants: Array<ListedVariant> = []
  for (const variant of await Promise.all(
    Product.sold(found).map((one) => listedVariant(read, one, asked)),
  )) {
    if (E.isLeft(variant)) return variant
    if (variant.right !== undefined) variants.push(variant.right)
  }
  return E.right({ productId, name: found.name ?? '', category: found.category ?? '', variants })
}

const listedVariant = async (
  read: Reader,
  { sku, attributes }: Product.Variant,
  { market, timeMs }: Asked,
): Promise<E.Either<Fault, ListedVariant | undefined>> => {
  const [prices, stock] = await Promise.all([
    read.row(NAME, priceKey(sku, market)),
    read.row(NAME, stockKey(sku)),
  ])
  if (E.isLeft(prices)) return prices
  if (E.isLeft(stock)) return stock
  const inForce = PriceList.priceAt((prices.right ?? PriceList.initial) as PriceList.PriceList, timeMs)
  if (inForce === undefined) return E.right(undefined)
  return E.right({ sku, attributes, price: inForce.price, available: Math.max(0, Number(stock.right ?? 0)) })
}
