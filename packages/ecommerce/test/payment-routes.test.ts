/** What the routes tell of an order's payment, and what becomes of what its provider says to them. */
import { type AnyAggregate, deriveId, E, type HookBinding, streamName } from '@everfold/core'
import { Payment, Shop } from '@everfold/ecommerce'
import { memoryDoor } from '@everfold/runtime-memory'
import { describe, expect, test } from 'vitest'
import { orderOf, SHOP, sell, storefront } from './storefront.ts'

const bought = async (paymentMethod: string) => {
  const shop = storefront()
  await sell(shop, 'green')
  const { orderId } = await orderOf(shop, 'ann', { green: 1 }, { paymentMethod })
  await shop.runtime.idle()
  const read = async () => (await shop.ask('GET', `${SHOP}/orders/${orderId}`, { as: 'ann' })).json
  return { shop, orderId, read }
}

describe('an order tells', () => {
  test('why it was canceled, and how its card was declined, after all was taken back', async () => {
    const { read } = await bought('pm_declined')
    expect(await read()).toMatchObject({
      status: 'canceled',
      reason: 'The payment failed: card_declined.',
      payment: { status: 'canceled', declineCode: 'card_declined' },
    })
  })
  test('the reason that its shopper gave for canceling it', async () => {
    const { shop, orderId, read } = await bought('pm_card_visa')
    expect(await read()).not.toHaveProperty('reason')
    const body = { reason: 'too late' }
    await shop.ask('POST', `${SHOP}/orders/${orderId}/cancel`, { as: 'ann', body })
    await shop.runtime.idle()
    const order = await read()
    expect(order).toMatchObject({ status: 'canceled', reason: 'too late' })
    expect(order.payment).not.toHaveProperty('declineCode')
  })
  test('where the shopper goes on', async () => {
    const { read } = await bought('pm_action')
    expect((await read()).payment.nextAction).toEqual({ redirectUrl: 'https://bank.example' })
  })
})

/** A webhook says of a payment that it is, at the provider, the one of this name. */
const hear =
  (id: string, providerPaymentId: string, createdAtMs: number): HookBinding =>
  () => {
    const statement = { providerPaymentId, currency: 'USD', createdAtMs, status: 'succeeded' }
    const command = { _tag: 'RecordProviderEvent', statement }
    const commandId = deriveId(createdAtMs, 'stripe', 'evt_1')
    return E.right([{ aggregate: Payment.aggregate as AnyAggregate, id, command, commandId }])
  }

test('a webhook of another payment of the provider’s is 200, and its rejection is on record, once', async () => {
  const { shop, orderId } = await bought('pm_card_visa')
  const stream = streamName(Payment.aggregate.name, orderId)
  const rejections = () =>
    shop.runtime.ports.log
      .filter((commit) => commit.stream === stream)
      .flatMap(({ answers }) => answers)
      .flatMap(({ rejection }) => (rejection === undefined ? [] : [rejection]))
  const door = memoryDoor(shop.runtime, {
    authenticate: async () => E.right(undefined),
    hooks: { [Shop.STRIPE_HOOK]: hear(orderId, 'pi_other', shop.kernel.nowMs()) },
  })
  const webhook = {
    method: 'POST',
    url: `${SHOP}/webhooks/stripe`,
    headers: {},
    body: new Uint8Array(),
  }
  expect(rejections()).toEqual([])
  expect((await door(webhook)).status).toBe(200)
  expect((await door(webhook)).status).toBe(200)
  expect(rejections()).toEqual([
    { _tag: 'ProviderPaymentDiffers', expected: `pi_payment_${orderId}`, actual: 'pi_other' },
  ])
})
