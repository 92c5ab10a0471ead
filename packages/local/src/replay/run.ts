/** Takes every sale of a file through cart, checkout, reservation, payment and capture, at its own date. */
import {
  type AnyAggregate,
  type CommandId,
  deriveId,
  E,
  envelope,
  type StreamName,
  streamName,
} from '@everfold/core'
import { Cart, PriceList, type Quantities, type Shop } from '@everfold/ecommerce'
import { readerOf, type VirtualKernel } from '@everfold/runtime-memory'
import type { House } from '../house.ts'
import { closing, opening, preparation, type Step, skuOf, supply } from './plan.ts'
import type { OrderRow, ProductRow, Sale } from './sales.ts'

export interface Sales {
  readonly products: ReadonlyArray<ProductRow>
  readonly sales: ReadonlyArray<Sale>
}

export interface Replay {
  readonly house: House
  readonly kernel: VirtualKernel
  readonly terms: Shop.Terms
}

const DAY_MS = 24 * 3_600_000
const MINUTE_MS = 60_000

/** Orders of one day stand a minute apart, in the file's order. */
const timesOf = (sales: ReadonlyArray<Sale>): ReadonlyArray<number> => {
  let timeMs = 0
  return sales.map(({ dateMs }) => (timeMs = Math.max(dateMs, timeMs + MINUTE_MS)))
}

export const openingMs = (sales: ReadonlyArray<Sale>): number => (sales[0]?.dateMs ?? DAY_MS) - DAY_MS

export const run = async (replay: Replay, { products, sales }: Sales, onOrder: () => void): Promise<void> => {
  const { terms, kernel } = replay
  const { missing } = supply(products, sales)
  const times = timesOf(sales)
  await all(replay, opening(products, terms, openingMs(sales)))
  for (const [at, sale] of sales.entries()) {
    const timeMs = times[at] ?? sale.dateMs
    await kernel.settle(timeMs)
    await all(replay, preparation(sale, missing.get(sale.orderId) ?? new Map(), terms, timeMs))
    await shop(replay, sale, timeMs)
    await replay.house.idle()
    onOrder()
  }
  await all(replay, closing(products, (times.at(-1) ?? 0) + DAY_MS))
  await replay.house.idle()
}

const all = async (replay: Replay, steps: ReadonlyArray<Step>): Promise<void> => {
  for (const { aggregate, key, id, timeMs, command } of steps)
    await send(replay, { aggregate, key, id, timeMs, sent: command }, command)
}

interface Sending {
  readonly aggregate: AnyAggregate
  readonly key: string
  readonly id: CommandId
  readonly timeMs: number
  readonly sent: unknown
}

/** The shop does not take what the files ask of it, though every sale of theirs really took place. */
export class Refused extends Error {}

/** One command, answered; a rejection ends the replay. */
const send = async (
  { house }: Replay,
  { aggregate, key, id, timeMs, sent }: Sending,
  command: unknown,
): Promise<void> => {
  const stream: StreamName = streamName(aggregate.name, key)
  const answered = await house.runtime.execute(aggregate, stream, envelope(command, { id, timeMs, sent }))()
  if (E.isRight(answered) && E.isRight(answered.right) && E.isRight(answered.right.right.outcome)) return
  throw new Refused(`${stream} refused ${JSON.stringify(sent)}: ${JSON.stringify(answered)}`)
}

/** A shopper's way: fill a cart at the present prices, take the discounts, check out. */
const shop = async (replay: Replay, sale: Sale, timeMs: number): Promise<void> => {
  const { house, terms } = replay
  const { orderId, customerId, freightCents, lines } = sale
  const cartId = `cart-${orderId}`
  const read = readerOf(house.runtime)
  const cart = (cause: string, sent: unknown, command: unknown = sent) =>
    send(
      replay,
      { aggregate: Cart.aggregate, key: cartId, timeMs, sent, id: idOf(cartId, cause, timeMs) },
      command,
    )
  await cart('create', { _tag: 'CreateCart', cartId, owner: customerId, currency: terms.currency })
  const prices: Array<Cart.SkuPrice> = []
  for (const line of lines) {
    const price = await priceOf(read, line, terms, timeMs)
    prices.push(price)
    const { sku } = price
    const add = { _tag: 'AddLine', sku, quantity: line.quantity }
    await cart(`add ${sku}`, add, { ...add, price: price.price })
    if (line.discount_percent > 0) await cart(`discount ${sku}`, discountOf(sku, line))
  }
  await cart('shipping', { _tag: 'SetShipping', shipping: { amount: freightCents, method: 'freight' } })
  const checkout = { _tag: 'CheckoutCart', orderId: `order-${orderId}`, paymentMethod: 'pm_card_visa' }
  await cart('checkout', checkout, {
    ...checkout,
    prices,
    rounding: terms.rounding,
    taxRates: terms.taxRates,
    ...(await personal(read, sale)),
  })
}

const idOf = (cartId: string, cause: string, timeMs: number): CommandId =>
  deriveId(timeMs, 'replay', cartId, cause)

const discountOf = (sku: Quantities.Sku, { discount_percent: percent }: OrderRow) => ({
  _tag: 'ApplyLineDiscount',
  sku,
  discount: { _tag: 'PercentOff', basisPoints: percent * 100 },
  reason: 'as sold',
})

type Read = ReturnType<typeof readerOf>

const priceOf = async (
  read: Read,
  { product_id: id }: OrderRow,
  { channel, currency }: Shop.Terms,
  timeMs: number,
): Promise<Cart.SkuPrice> => {
  const sku = skuOf(id)
  const found = await read.state(PriceList.aggregate, PriceList.streamId({ sku, channel, currency }))
  const price = E.isRight(found) ? PriceList.priceAt(found.right.state, timeMs) : undefined
  if (price === undefined) throw new Error(`${sku} has no price at ${new Date(timeMs).toISOString()}`)
  return {
    sku,
    price: {
      unitAmount: price.price.amount,
      currency,
      taxClass: price.taxClass,
      priceListVersion: price.version,
      capturedAtMs: timeMs as Quantities.TimeMs,
    },
  }
}

/** The file names customers and countries only; the rest is made up. */
const personal = async (read: Read, { customerId, country }: Sale) => {
  const email = await read.seal(customerId, `${customerId.toLowerCase()}@example.com`)
  const address = await read.seal(customerId, {
    name: customerId,
    line1: '1 Market Square',
    city: 'Capital',
    postalCode: '10000',
    country,
  })
  if (E.isLeft(email) || E.isLeft(address)) throw new Error(`the data of ${customerId} cannot be sealed`)
  return { email: email.right, address: address.right }
}
