/**
 * What a shop's assistants and shoppers would have done to make the sales of a file: commands with their times.
 *
 * Pure, and the same for the same files: a second run names every command again, and nothing happens twice.
 */
import { type AnyAggregate, type CommandId, deriveId } from '@everfold/core'
import { PriceList, Product, type Quantities, type Shop, Stock } from '@everfold/ecommerce'
import { netCents, type ProductRow, type Sale } from './sales.ts'

/** A command whose content the file alone decides. */
export interface Step {
  readonly aggregate: AnyAggregate
  readonly key: string
  readonly id: CommandId
  readonly timeMs: number
  readonly command: unknown
}

export const skuOf = (productId: string): Quantities.Sku => `sku-${productId}` as Quantities.Sku

const step = (
  aggregate: AnyAggregate,
  key: string,
  timeMs: number,
  command: unknown,
  cause: string,
): Step => ({
  aggregate,
  key,
  id: deriveId(timeMs, 'replay', aggregate.name, key, cause),
  timeMs,
  command,
})

/** Products with their first price and what was in stock. */
export const opening = (
  products: ReadonlyArray<ProductRow>,
  terms: Shop.Terms,
  timeMs: number,
): ReadonlyArray<Step> =>
  products.flatMap((product) => {
    const sku = skuOf(product.product_id)
    const productId = `product-${product.product_id}`
    const create = {
      _tag: 'CreateProduct',
      productId,
      name: product.name,
      category: product.category,
      variants: [{ sku, attributes: [] }],
      publish: true,
    }
    return [
      step(Product.aggregate, productId, timeMs, create, 'opening'),
      priceStep(sku, product.unit_price_cents, terms, timeMs, 'opening'),
      ...receipt(sku, product.units_in_stock, timeMs, 'opening'),
    ]
  })

/** What was taken out of sale, at the end. */
export const closing = (products: ReadonlyArray<ProductRow>, timeMs: number): ReadonlyArray<Step> =>
  products
    .filter(({ discontinued }) => discontinued === 1)
    .map(({ product_id: id }) => {
      const command = { _tag: 'DiscontinueVariant', sku: skuOf(id) }
      return step(Product.aggregate, `product-${id}`, timeMs, command, 'closing')
    })

/** Before an order: the prices it was sold at, and the units that were missing. */
export const preparation = (
  { orderId, lines }: Sale,
  missing: ReadonlyMap<string, number>,
  terms: Shop.Terms,
  timeMs: number,
): ReadonlyArray<Step> =>
  lines.flatMap(({ product_id: id, unit_price_cents: cents }) => [
    priceStep(skuOf(id), cents, terms, timeMs, orderId),
    ...receipt(skuOf(id), missing.get(id) ?? 0, timeMs, orderId),
  ])

const priceStep = (
  sku: Quantities.Sku,
  cents: number,
  { channel, currency }: Shop.Terms,
  timeMs: number,
  cause: string,
): Step => {
  const price = { amount: cents, currency }
  const command = { _tag: 'SetPrice', price, taxClass: 'standard', taxIncluded: false }
  return step(PriceList.aggregate, PriceList.streamId({ sku, channel, currency }), timeMs, command, cause)
}

const receipt = (sku: Quantities.Sku, units: number, timeMs: number, cause: string): ReadonlyArray<Step> =>
  units === 0
    ? []
    : [step(Stock.aggregate, Stock.streamId({ sku }), timeMs, { _tag: 'ReceiveStock', units }, cause)]

/** What an order lacks of each product, and what is left of each after all orders. */
export interface Supply {
  readonly missing: ReadonlyMap<string, ReadonlyMap<string, number>>
  readonly left: ReadonlyMap<string, number>
  readonly sold: ReadonlyMap<string, number>
}

export const supply = (products: ReadonlyArray<ProductRow>, sales: ReadonlyArray<Sale>): Supply => {
  const left = new Map<string, number>(
    products.map(({ product_id: id, units_in_stock: units }) => [id, units]),
  )
  const sold = new Map<string, number>()
  const missing = new Map<string, ReadonlyMap<string, number>>()
  for (const { orderId, lines } of sales) {
    const lacks = new Map<string, number>()
    for (const { product_id: id, quantity } of lines) {
      const here = left.get(id) ?? 0
      lacks.set(id, Math.max(0, quantity - here))
      left.set(id, Math.max(0, here - quantity))
      sold.set(id, (sold.get(id) ?? 0) + quantity)
    }
    missing.set(orderId, lacks)
  }
  return { missing, left, sold }
}

/** What the sales come to by the file alone: each line net of its discount, rounded half up, in cents. */
export const expectedRevenue = (sales: ReadonlyArray<Sale>): number =>
  sales.flatMap(({ lines }) => lines).reduce((sum, line) => sum + netCents(line), 0)

export const expectedFreight = (sales: ReadonlyArray<Sale>): number =>
  sales.reduce((sum, { freightCents }) => sum + freightCents, 0)
