import type { Codec } from '@everfold/core'
import { arbitrary, givenRows, projectionLaws } from '@everfold/core/testing'
import { Cart, Order, Orders, Payment, ProviderStatement, Purchase, Quantities } from '@everfold/ecommerce'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { orderOf, SHOP, sell, storefront } from './storefront.ts'
import { told } from './told.ts'

const sealed = { _tag: 'Sealed', subject: 'ann', box: 'YQ' }
const line = (lineId: string, unitPrice: number) => ({
  lineId,
  sku: lineId,
  quantity: 2,
  unitPrice,
  taxClass: 'standard',
  priceListVersion: 1,
  discount: 0,
})
const purchase = {
  cartId: 'one',
  userId: 'ann',
  currency: 'USD',
  orderDiscount: 0,
  rounding: { level: 'line', rounding: 'half-up' },
  taxRates: { standard: 1000, reduced: 0, shipping: 0 },
  email: sealed,
  address: sealed,
  paymentMethod: 'pm_card_visa',
}

/** Few names, so that commands meet; a purchase of one line or two, at times beyond counting. */
const overrides = new Map<Codec<unknown>, fc.Arbitrary<unknown>>([
  [Quantities.OrderId, fc.constantFrom('one', 'other')],
  [Quantities.CartId, fc.constantFrom('one', 'other')],
  [Quantities.UserId, fc.constantFrom('ann', 'ben')],
  [Quantities.Sku, fc.constantFrom('green', 'black')],
  [Quantities.LineId, fc.constantFrom('green', 'black')],
  [
    Purchase.Purchase,
    fc
      .uniqueArray(fc.constantFrom('green', 'black'), { minLength: 1 })
      .chain((ids) =>
        fc.tuple(...ids.map((id) => fc.constantFrom(line(id, 500), line(id, 999_999_999_999_999)))),
      )
      .map((lines) => Object.assign({ lines }, purchase)),
  ],
  [ProviderStatement.ProviderId, fc.constant('pi_1')],
])
const commands = {
  cart: arbitrary(Cart.CartCommand, overrides),
  order: arbitrary(Order.OrderCommand, overrides),
  payment: arbitrary(Payment.PaymentCommand, overrides),
}

describe('the orders', () => {
  test.each(projectionLaws(Orders.projection, { commands, maxCommands: 10 }))('$title', async ({ check }) => {
    await expect(check(40)).resolves.toBeUndefined()
  })

  const rows = givenRows(Orders.projection)()

  property.prop([fc.array(commands.payment, { maxLength: 12 })], { numRuns: 500 })(
    'wait for the shopper just while his payment does, after any history',
    (asked) => {
      const { state, events } = told(Payment.aggregate, 'one', asked)
      const row = rows.when(...events).find(({ sk }) => sk === 'PAYMENT')
      expect(Orders.statusOf('placed', row?.value as Payment.Payment | undefined)).toBe(
        Payment.statusOf(state) === 'requires_action' ? 'action_required' : 'placed',
      )
    },
  )
})

test("a cursor of one's orders opens nobody else's, nor an order's history", async () => {
  const shop = storefront()
  await sell(shop, 'green')
  for (const as of ['ann', 'ann', 'bob']) await orderOf(shop, as, { green: 1 })
  const { json } = await shop.ask('GET', `${SHOP}/orders?limit=1`, { as: 'ann' })
  const [{ orderId }] = json.items
  const statusOf = async (as: string, path: string) =>
    (await shop.ask('GET', `${SHOP}${path}cursor=${json.nextCursor}`, { as })).status
  expect(await statusOf('ann', '/orders?limit=1&')).toBe(200)
  expect(await statusOf('bob', '/orders?limit=1&')).toBe(400)
  expect(await statusOf('ann', `/orders/${orderId}/history?`)).toBe(400)
})
