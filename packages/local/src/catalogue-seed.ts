/** What is on the shelves when the local shop opens. */
import { type AnyAggregate, deriveId, E, envelope, streamName } from '@everfold/core'
import { PriceList, Product, type Quantities, type Shop, Stock } from '@everfold/ecommerce'
import type { Runtime } from '@everfold/runtime-memory'

interface Shelf {
  readonly productId: string
  readonly name: string
  readonly category: string
  readonly variants: ReadonlyArray<{
    readonly sku: string
    readonly size?: string
    readonly cents: number
    readonly units: number
  }>
}

const shelves: ReadonlyArray<Shelf> = [
  {
    productId: 'tea-assam',
    name: 'Assam, second flush',
    category: 'tea',
    variants: [
      { sku: 'tea-assam-100', size: '100 g', cents: 890, units: 120 },
      { sku: 'tea-assam-500', size: '500 g', cents: 3900, units: 40 },
    ],
  },
  {
    productId: 'tea-sencha',
    name: 'Sencha, first harvest',
    category: 'tea',
    variants: [{ sku: 'tea-sencha-100', size: '100 g', cents: 1450, units: 60 }],
  },
  {
    productId: 'coffee-sidamo',
    name: 'Sidamo, washed',
    category: 'coffee',
    variants: [
      { sku: 'coffee-sidamo-250', size: '250 g', cents: 1190, units: 80 },
      { sku: 'coffee-sidamo-1000', size: '1 kg', cents: 4200, units: 25 },
    ],
  },
  {
    productId: 'kettle-iron',
    name: 'Cast-iron kettle',
    category: 'kitchen',
    variants: [{ sku: 'kettle-iron', cents: 8900, units: 12 }],
  },
  {
    productId: 'cup-celadon',
    name: 'Celadon cup',
    category: 'kitchen',
    variants: [{ sku: 'cup-celadon', cents: 1800, units: 3 }],
  },
]

/** Idempotent: the ids derive from what is put on the shelf. */
export const seed = async (runtime: Runtime, terms: Shop.Terms): Promise<void> => {
  const { channel, currency } = terms
  const send = async (aggregate: AnyAggregate, key: string, command: unknown): Promise<void> => {
    const timeMs = runtime.kernel.nowMs()
    const id = deriveId(timeMs, 'seed', aggregate.name, key, JSON.stringify(command))
    const stream = streamName(aggregate.name, key)
    const sent = await runtime.execute(aggregate, stream, envelope(command, { id, timeMs }))()
    if (E.isLeft(sent) || E.isLeft(sent.right) || E.isLeft(sent.right.right.outcome))
      throw new Error(`the seed was refused: ${JSON.stringify(sent)}`)
  }
  for (const { variants, ...product } of shelves) {
    const attributed = variants.map(({ sku, size }) => ({
      sku,
      attributes: size === undefined ? [] : [{ name: 'size', value: size }],
    }))
    const create = { _tag: 'CreateProduct', ...product, variants: attributed, publish: true }
    await send(Product.aggregate, product.productId, create)
    for (const { sku, cents, units } of variants) {
      const named = { sku: sku as Quantities.Sku, channel, currency }
      const price = { amount: cents, currency }
      await send(PriceList.aggregate, PriceList.streamId(named), {
        _tag: 'SetPrice',
        price,
        taxClass: 'standard',
        taxIncluded: false,
      })
      await send(Stock.aggregate, Stock.streamId({ sku: named.sku }), { _tag: 'ReceiveStock', units })
    }
  }
}
