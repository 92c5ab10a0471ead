/**
 * Orders through the memory runtime, for the same stock, with shoppers who cancel and a provider that declines, asks,
 * loses answers and keeps silent. Each run is one seed: it decides how every effect interleaves.
 */
import { type AnyAggregate, bind, deriveId, E, envelope, type Service, streamName } from '@everfold/core'
import { valid } from '@everfold/core/testing'
import { Cart, Notification, Order, Shop, Stock } from '@everfold/ecommerce'
import {
  type MemoryRuntime,
  memoryRuntime,
  readerOf,
  type VirtualKernel,
  virtualKernel,
} from '@everfold/runtime-memory'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { type Bank, bank, type Conduct, refundedBy } from './bank.ts'

const HOUR_MS = 3_600_000
const UNIT_PRICE = 1000
const IN_STOCK = { tea: 4, jam: 3 } as const
type SkuName = keyof typeof IN_STOCK

interface Shopping {
  readonly basket: { readonly [sku in SkuName]?: number }
  readonly conduct: Conduct
  /** When the shopper acts where the bank asks him to, in minutes after the checkout, and whether it is in order. */
  readonly acts: { readonly afterMinutes: number; readonly succeeds: boolean } | undefined
  /** When he cancels, in seconds after the checkout, if ever. */
  readonly cancelsAfter: number | undefined
}

const anyUnits = fc.integer({ min: 1, max: 2 })
const rarely = fc.constantFrom(0, 0, 0, 1, 2)
const anyShopping: fc.Arbitrary<Shopping> = fc.record({
  basket: fc.oneof(
    fc.record({ tea: anyUnits }),
    fc.record({ jam: anyUnits }),
    fc.record({ tea: anyUnits, jam: anyUnits }),
  ),
  conduct: fc.record({
    attempt: fc.constantFrom(
      'authorized',
      'authorized',
      'authorized',
      'action',
      'declined',
      'refused',
      'made in silence',
      'lost in silence',
    ),
    lostCaptures: rarely,
    lostCancels: rarely,
    failedRefunds: rarely,
  }),
  acts: fc.option(fc.record({ afterMinutes: fc.constantFrom(1, 20, 50, 90), succeeds: fc.boolean() }), {
    nil: undefined,
    freq: 3,
  }),
  cancelsAfter: fc.constantFrom(undefined, undefined, undefined, 0, 1, 2, 30, 3600, 7200),
})

interface Run {
  readonly kernel: VirtualKernel
  readonly runtime: MemoryRuntime
  readonly bank: Bank
}

const whole = Shop.service()
const service: Service = { ...whole, projections: [], routes: [] }
const orderId = (at: number) => `order-${at}`

const send = async ({ kernel, runtime }: Run, aggregate: AnyAggregate, key: string, input: object) => {
  const command = valid(aggregate.command)(input)
  const timeMs = kernel.nowMs()
  const id = deriveId(timeMs, aggregate.name, key, JSON.stringify(command))
  const answered = await runtime.execute(
    aggregate,
    streamName(aggregate.name, key),
    envelope(command, { id, timeMs }),
  )()
  expect(E.isRight(answered)).toBe(true)
}

const sealed = { _tag: 'Sealed', subject: 'ann', box: 'YQ' }
const { rounding, taxRates } = Shop.defaultTerms
const price = {
  unitAmount: UNIT_PRICE,
  currency: 'USD',
  taxClass: 'zero',
  priceListVersion: 1,
  capturedAtMs: 1,
}

const checkOut = async (run: Run, { basket }: Shopping, at: number): Promise<void> => {
  const cartId = `cart-${at}`
  const skus = Object.entries(basket)
  const aggregate = Cart.aggregate
  await send(run, aggregate, cartId, { _tag: 'CreateCart', cartId, owner: `shopper-${at}`, currency: 'USD' })
  for (const [sku, quantity] of skus)
    await send(run, aggregate, cartId, { _tag: 'AddLine', sku, quantity, price })
  await send(run, aggregate, cartId, {
    _tag: 'CheckoutCart',
    orderId: orderId(at),
    prices: skus.map(([sku]) => ({ sku, price })),
    rounding,
    taxRates,
    email: sealed,
    address: sealed,
    paymentMethod: 'pm_card_visa',
  })
}

const shop = async (run: Run, shopping: Shopping, at: number): Promise<void> => {
  const { acts, cancelsAfter } = shopping
  await run.kernel.sleep(run.kernel.random() * 2000)
  await checkOut(run, shopping, at)
  const canceling = async () => {
    if (cancelsAfter === undefined) return
    await run.kernel.sleep(1000 * cancelsAfter)
    const regret = { _tag: 'CancelOrder', reason: 'regret', by: 'shopper' }
    await send(run, Order.aggregate, orderId(at), regret)
  }
  const acting = async () => {
    if (acts === undefined) return
    await run.kernel.sleep(60_000 * acts.afterMinutes)
    run.bank.act(orderId(at), acts.succeeds)
    const statement = run.bank.statementOf(orderId(at))
    if (statement !== undefined) await send(run, PAYMENT, orderId(at), statement)
  }
  await Promise.all([canceling(), acting()])
}

const PAYMENT = Shop.payments.aggregate

/** Sends what it is asked to. */
const post = bind(
  Shop.mails,
  ({ recorded: { event, id } }) =>
    async () =>
      E.right(
        event._tag === 'EmailRequested'
          ? valid(Notification.NotificationCommand)({ _tag: 'RecordSent', providerMessageId: id })
          : undefined,
      ),
)

/** They shop at once; then days pass, more than an authorization holds. */
const live = async (seed: number, shoppings: ReadonlyArray<Shopping>): Promise<Run> => {
  const kernel = virtualKernel({ seed, mode: 'stepped' })
  const conducts = new Map(shoppings.map(({ conduct }, at) => [orderId(at), conduct]))
  const provider = bank(kernel, (id) => conducts.get(id) as Conduct)
  const runtime = memoryRuntime({ service, kernel, gateways: () => [provider.binding, post] })
  const run = { kernel, runtime, bank: provider }
  await kernel.run(async () => {
    for (const [sku, units] of Object.entries(IN_STOCK))
      await send(run, Stock.aggregate, sku, { _tag: 'ReceiveStock', units })
    await Promise.all(shoppings.map((one, at) => kernel.as(`shopper ${at}`, () => shop(run, one, at))))
  })
  await kernel.settle(kernel.nowMs() + 9 * 24 * HOUR_MS)
  return run
}

const orderOf = async ({ kernel, runtime }: Run, at: number): Promise<Order.Order> => {
  const found = await kernel.run(() => readerOf(runtime).state(Order.aggregate, orderId(at)))
  if (E.isLeft(found) || found.right.state._tag !== 'Order') throw new Error(`there is no ${orderId(at)}`)
  return found.right.state
}

const stockOf = async ({ kernel, runtime }: Run, sku: string): Promise<Stock.StockItem> => {
  const found = await kernel.run(() => readerOf(runtime).state(Stock.aggregate, sku))
  if (E.isLeft(found)) throw new Error(`cannot read the stock of ${sku}`)
  return found.right.state
}

const unitsOf = ({ lines }: Order.Order, sku: string): number =>
  lines.reduce((sum, line) => (line.sku === sku ? sum + line.quantity : sum), 0)

const anyRun = [fc.nat(), fc.array(anyShopping, { minLength: 2, maxLength: 6 })] as const
const TIMEOUT_MS = 60_000

describe('orders that compete for the same stock', () => {
  property.prop([...anyRun], { numRuns: 50 })(
    'come to rest: each is confirmed or canceled, holds the units it was confirmed for, and is paid or paid back',
    async (seed, shoppings) => {
      const run = await live(seed, shoppings)
      const orders: Array<Order.Order> = []
      for (const at of shoppings.keys()) orders.push(await orderOf(run, at))
      for (const [at, { status, totals }] of orders.entries()) {
        const intent = run.bank.intents.get(orderId(at))
        expect(['confirmed', 'canceled']).toContain(status)
        const kept = intent === undefined ? 0 : intent.captured - refundedBy(intent)
        expect([status, kept]).toEqual([status, status === 'confirmed' ? totals.total : 0])
        expect(intent?.status).not.toBe('requires_capture')
      }
      for (const [sku, units] of Object.entries(IN_STOCK)) {
        const confirmed = orders.filter(({ status }) => status === 'confirmed')
        const promised = confirmed.reduce((sum, one) => sum + unitsOf(one, sku), 0)
        const { reserved, allocated } = await stockOf(run, sku)
        expect({ sku, reserved, allocated, fits: allocated <= units }).toEqual({
          sku,
          reserved: 0,
          allocated: promised,
          fits: true,
        })
      }
      expect(run.runtime.deadLetters).toEqual([])
    },
    TIMEOUT_MS,
  )

  property.prop([...anyRun], { numRuns: 5 })(
    'go the same way again from the same seed',
    async (seed, shoppings) => {
      const [one, other] = [await live(seed, shoppings), await live(seed, shoppings)]
      expect(one.kernel.traceHash()).toBe(other.kernel.traceHash())
    },
    TIMEOUT_MS,
  )
})
