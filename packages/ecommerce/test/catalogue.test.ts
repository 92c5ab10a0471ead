import { type Codec, deriveId, E, envelope, streamName } from '@everfold/core'
import { arbitrary, givenRows, projectionLaws } from '@everfold/core/testing'
import { Catalogue, PriceList, Product, Quantities, Stock } from '@everfold/ecommerce'
import { readerOf } from '@everfold/runtime-memory'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { cartOf, SHOP, sell, storefront } from './storefront.ts'
import { told } from './told.ts'

/** Few names, so that commands meet. */
const overrides = new Map<Codec<unknown>, fc.Arbitrary<unknown>>([
  [Quantities.Sku, fc.constantFrom('green', 'black')],
  [Quantities.ProductId, fc.constant('one')],
  [Quantities.Category, fc.constantFrom('tea', 'other')],
  [Quantities.ReservationId, fc.constantFrom('r-1', 'r-2')],
  [Quantities.OrderId, fc.constantFrom('o-1', 'o-2')],
  [Quantities.Units, fc.integer({ min: 1, max: 9 })],
  [Product.ProductName, fc.constant('Tea')],
  [Product.Attributes, fc.constantFrom([], [{ name: 'size', value: 'L' }])],
])
const commands = {
  product: arbitrary(Product.ProductCommand, overrides),
  price: arbitrary(PriceList.PriceCommand, overrides),
  stock: arbitrary(Stock.StockCommand, overrides),
}
/** Reservations that meet on what little there is. */
const reserving = Stock.StockCommand.variants.get('ReserveStock')
const stocking = fc.oneof(
  { weight: 1, arbitrary: commands.stock },
  { weight: 2, arbitrary: arbitrary(reserving ?? Stock.StockCommand, overrides) },
)
const many = <Command>(command: fc.Arbitrary<Command>) => fc.array(command, { maxLength: 40 })

describe('the catalogue', () => {
  test.each(projectionLaws(Catalogue.projection, { commands }))('$title', async ({ check }) => {
    await expect(check()).resolves.toBeUndefined()
  })

  // Two products may list one SKU, so their commands are to meet more often than among all others.
  const [products] = Catalogue.projection.sources
  const listings = { ...Catalogue.projection, sources: products === undefined ? [] : [products] }
  test.each(projectionLaws(listings, { commands }))('of products alone: $title', async ({ check }) => {
    await expect(check(300)).resolves.toBeUndefined()
  })

  const rows = givenRows(Catalogue.projection)()

  property.prop([many(stocking)])('shows the units that are available, after any history', (asked) => {
    const { state, events } = told(Stock.aggregate, 'green', asked)
    const [row] = rows.when(...events)
    expect(row?.value ?? 0).toBe(Stock.available(state))
  })

  property.prop([many(commands.stock)])('does not count what lies elsewhere', (asked) => {
    expect(rows.when(...told(Stock.aggregate, 'green@east', asked).events)).toEqual([])
  })

  property.prop([many(commands.product)])(
    'lists a product just while it is published, under its category',
    (asked) => {
      const { state, events } = told(Product.aggregate, 'one', asked)
      const listed = rows.when(...events).filter(({ sk }) => /^(CATALOGUE|CATEGORY#.*)$/.test(sk))
      const expected = ['CATALOGUE', `CATEGORY#${state.category}`]
      expect(listed.map(({ sk }) => sk)).toEqual(state.listing === 'published' ? expected : [])
    },
  )

  property.prop([many(commands.product)])('knows of each SKU whether it is still sold', (asked) => {
    const { state, events } = told(Product.aggregate, 'one', asked)
    const ofSkus = rows.when(...events).filter(({ pk }) => pk.startsWith('SKU#'))
    expect(Object.fromEntries(ofSkus.map(({ pk, value }) => [pk, value]))).toEqual(
      Object.fromEntries(state.variants.map(({ sku, sale }) => [`SKU#${sku}`, { sale }])),
    )
  })
})

test('a SKU is out of sale once no product sells it any more', async () => {
  const shop = storefront()
  await sell(shop, 'green')
  const twin = { productId: 'twin', name: 'Twin', category: 'tea', variants: [{ sku: 'green' }] }
  await shop.ask('POST', `${SHOP}/products`, { as: 'root', body: twin })
  const read = readerOf(shop.runtime)
  const add = async () => {
    const line = { as: 'ann', body: { sku: 'green', quantity: 1 } }
    return (await shop.ask('POST', `${SHOP}/carts/${await cartOf(shop, 'ann')}/lines`, line)).json.rejection
      ?._tag
  }
  for (const [productId, gone] of [
    ['p-green', false],
    ['twin', true],
  ] as const) {
    const command = { _tag: 'DiscontinueVariant', sku: 'green' }
    const timeMs = shop.kernel.nowMs()
    const asked = envelope<unknown>(command, { id: deriveId(timeMs, productId), timeMs })
    await shop.runtime.execute(Product.aggregate, streamName('product', productId), asked)()
    await shop.runtime.idle()
    expect(await Catalogue.discontinued(read, 'green' as Quantities.Sku)).toEqual(E.right(gone))
    expect(await add()).toBe(gone ? 'NotForSale' : undefined)
  }
})

describe('a cursor of the products', () => {
  test('opens the next page of the listing it was made for, and of no other', async () => {
    const shop = storefront()
    await sell(shop, 'green')
    await sell(shop, 'black')
    const { json } = await shop.ask('GET', `${SHOP}/products?category=tea&limit=1`)
    const next = (filter: string) =>
      shop.ask('GET', `${SHOP}/products?limit=1&cursor=${json.nextCursor}${filter}`)
    expect((await next('&category=tea')).status).toBe(200)
    for (const filter of ['', '&category=other']) {
      const refused = await next(filter)
      expect([refused.status, refused.json.errors[0].pointer]).toEqual([400, '/query/cursor'])
    }
  })

  test('that was made up opens none', async () => {
    const shop = storefront()
    await sell(shop, 'green')
    for (const cursor of ['AAAA', '_-8', 'UFJPRFVDVCNvbmU'])
      expect((await shop.ask('GET', `${SHOP}/products?cursor=${cursor}`)).status).toBe(400)
  })
})
