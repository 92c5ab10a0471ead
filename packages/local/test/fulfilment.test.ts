/**
 * Orders through the whole house, under a Stripe that loses answers, refuses for a while and repeats its webhooks.
 *
 * Each run is one seed: the interleaving of every effect, the faults, what shoppers do. Then the faults stop, time
 * passes, and everything must have come to rest.
 */
import { type AnyAggregate, deriveId, E, envelope, fold, recordedEvents, streamName } from '@everfold/core'
import { Cart, Order, type Quantities, Shop, Stock } from '@everfold/ecommerce'
import { readerOf, type VirtualKernel, virtualKernel } from '@everfold/runtime-memory'
import type { FaultScript } from '@everfold/stripe-sim'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { type House, house } from '../src/house.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const TIMEOUT_MS = 120_000

interface Shopping {
  readonly quantity: number
  readonly method: string
  /** When the shopper cancels, in minutes after the checkout, if ever. */
  readonly cancelAfter: number | undefined
  /** What he does where his bank asks. */
  readonly challenge: 'succeed' | 'fail' | 'never'
}

const anyShopping: fc.Arbitrary<Shopping> = fc.record({
  quantity: fc.integer({ min: 1, max: 3 }),
  method: fc.constantFrom(
    'pm_card_visa',
    'pm_card_visa',
    'pm_card_chargeDeclined',
    'pm_card_authenticationRequired',
    'pm_card_unknown',
  ),
  cancelAfter: fc.option(fc.integer({ min: 0, max: 90 }), { nil: undefined, freq: 3 }),
  challenge: fc.constantFrom('succeed', 'fail', 'never'),
})

const requestFault = fc.constantFrom(
  { _tag: 'DropBeforeApply' } as const,
  { _tag: 'DropResponse' } as const,
  { _tag: 'ServerError', when: 'before' } as const,
  { _tag: 'ServerError', when: 'after' } as const,
  { _tag: 'ServerError', when: 'after', saved: false } as const,
  { _tag: 'RateLimit' } as const,
  { _tag: 'LockTimeout' } as const,
  { _tag: 'KeyInUse' } as const,
)
const webhookFault = fc.constantFrom(
  { _tag: 'DuplicateWebhook' } as const,
  { _tag: 'DropWebhook' } as const,
  { _tag: 'ReorderWebhook' } as const,
  { _tag: 'DelayWebhook', ms: 5 * HOUR_MS } as const,
)
/** Every rule runs out, so the faults stop. */
const anyFaults: fc.Arbitrary<FaultScript> = fc
  .array(
    fc.oneof(
      fc.record({
        on: fc.constant('request' as const),
        fault: requestFault,
        nth: fc.integer({ min: 1, max: 8 }),
        times: fc.integer({ min: 1, max: 8 }),
      }),
      fc.record({
        on: fc.constant('webhook' as const),
        fault: webhookFault,
        nth: fc.integer({ min: 1, max: 8 }),
        times: fc.integer({ min: 1, max: 8 }),
      }),
    ),
    { maxLength: 4 },
  )
  .map((rules) => ({ rules }))

const SKU = 'tea' as Quantities.Sku
const IN_STOCK = 5

interface Run {
  readonly kernel: VirtualKernel
  readonly shop: House
}

const send = async ({ kernel, shop }: Run, aggregate: AnyAggregate, key: string, command: unknown) => {
  const timeMs = kernel.nowMs()
  const id = deriveId(timeMs, 'test', aggregate.name, key, JSON.stringify(command))
  return shop.runtime.execute(aggregate, streamName(aggregate.name, key), envelope(command, { id, timeMs }))()
}

const checkout = async (run: Run, { quantity, method }: Shopping, at: number): Promise<void> => {
  const read = readerOf(run.shop.runtime)
  const owner = `shopper-${at}`
  const cartId = `cart-${at}`
  const price = {
    unitAmount: 1000,
    currency: 'USD',
    taxClass: 'standard',
    priceListVersion: 1,
    capturedAtMs: run.kernel.nowMs(),
  }
  await send(run, Cart.aggregate, cartId, { _tag: 'CreateCart', cartId, owner, currency: 'USD' })
  await send(run, Cart.aggregate, cartId, { _tag: 'AddLine', sku: SKU, quantity, price })
  const email = await read.seal(owner, 'someone@example.com')
  const address = await read.seal(owner, {})
  if (E.isLeft(email) || E.isLeft(address)) throw new Error('cannot seal')
  const { rounding, taxRates } = Shop.defaultTerms
  await send(run, Cart.aggregate, cartId, {
    _tag: 'CheckoutCart',
    orderId: `order-${at}`,
    prices: [{ sku: SKU, price }],
    rounding,
    taxRates,
    email: email.right,
    address: address.right,
    paymentMethod: method,
  })
}

/** Shoppers act, then the faults have run out, and nine days pass: longer than an authorization holds. */
const live = async (
  seed: number,
  shoppings: ReadonlyArray<Shopping>,
  stripeFaults: FaultScript,
): Promise<Run> => {
  const kernel = virtualKernel({ seed, mode: 'stepped' })
  const shop = await house({
    kernel,
    seed: String(seed),
    stripeFaults,
    authenticate: () => Promise.resolve(E.right(undefined)),
  })
  const run = { kernel, shop }
  await kernel.run(async () => {
    await send(run, Stock.aggregate, SKU, { _tag: 'ReceiveStock', units: IN_STOCK })
    await Promise.all(
      shoppings.map((shopping, at) => kernel.as(`shopper ${at}`, () => checkout(run, shopping, at))),
    )
    for (let minute = 0; minute <= 120; minute += 10) {
      for (const [at, { cancelAfter }] of shoppings.entries())
        if (cancelAfter !== undefined && cancelAfter >= minute && cancelAfter < minute + 10)
          await send(run, Order.aggregate, `order-${at}`, {
            _tag: 'CancelOrder',
            reason: 'regret',
            by: 'shopper',
          })
      act(run, shoppings)
      await shop.stripe.deliverWebhooks()
      await kernel.sleep(10 * 60_000)
    }
    for (let hours = 0; hours < 9 * 24; hours += 6) {
      await shop.stripe.deliverWebhooks()
      await kernel.sleep(6 * HOUR_MS)
    }
  })
  await kernel.settle(kernel.nowMs() + DAY_MS)
  return run
}

const act = ({ shop }: Run, shoppings: ReadonlyArray<Shopping>): void => {
  for (const { id, status, metadata } of shop.stripe.ledger().intents) {
    const challenge = shoppings[Number(metadata['orderId']?.replace('order-', ''))]?.challenge ?? 'never'
    if (status === 'requires_action' && challenge !== 'never')
      shop.stripe.completeAuthentication(id, challenge)
  }
}

const anyRun = [fc.nat(), fc.array(anyShopping, { minLength: 1, maxLength: 4 }), anyFaults] as const

const orderOf = async ({ kernel, shop }: Run, at: number): Promise<Order.Order> => {
  const found = await kernel.run(() => readerOf(shop.runtime).state(Order.aggregate, `order-${at}`))
  if (E.isLeft(found) || found.right.state._tag !== 'Order') throw new Error(`there is no order ${at}`)
  return found.right.state
}

describe('whatever Stripe does', () => {
  property.prop([...anyRun], { numRuns: 200 })(
    'P3 at most one charge per order at the provider, and at rest captured - refunded is its total or 0',
    async (seed, shoppings, faults) => {
      const run = await live(seed, shoppings, faults)
      for (const at of shoppings.keys()) {
        const { status, totals } = await orderOf(run, at)
        const intents = run.shop.stripe
          .ledger()
          .intents.filter(({ metadata }) => metadata['orderId'] === `order-${at}`)
        const [captured, refunded] = [
          sum(intents.map((one) => one.captured)),
          sum(intents.map((one) => one.refunded)),
        ]
        expect(intents.filter((one) => one.captured > 0).length).toBeLessThanOrEqual(1)
        expect(['confirmed', 'canceled', 'on_hold']).toContain(status)
        expect(captured - refunded).toBe(status === 'confirmed' ? totals.total : 0)
        expect(intents.filter((one) => one.status === 'requires_capture')).toEqual([])
      }
      expect(run.shop.runtime.deadLetters).toEqual([])
    },
    TIMEOUT_MS,
  )

  property.prop([...anyRun], { numRuns: 200 })(
    'K2 available = onHand - reserved - allocated >= -backorderLimit, after every prefix; at rest confirmed orders hold their units and no other',
    async (seed, shoppings, faults) => {
      const run = await live(seed, shoppings, faults)
      let stock = Stock.initial
      for (const commit of run.shop.runtime.ports.log ?? []) {
        if (commit.stream !== streamName('stock', SKU)) continue
        const events = recordedEvents(Stock.aggregate, commit)
        if (E.isLeft(events)) throw new Error('a stock commit does not decode')
        for (const { event } of events.right) {
          stock = fold(Stock.decider, [event], stock)
          expect(Stock.available(stock)).toBeGreaterThanOrEqual(0)
        }
      }
      const held: Array<Order.Order> = []
      for (const at of shoppings.keys()) held.push(await orderOf(run, at))
      const units = sum(
        held.map(({ status, lines }) =>
          status === 'canceled' ? 0 : sum(lines.map((line) => line.quantity)),
        ),
      )
      expect([stock.reserved, stock.allocated]).toEqual([0, units])
    },
    TIMEOUT_MS,
  )

  property.prop([...anyRun], { numRuns: 40 })(
    'a run repeats from its seed',
    async (seed, shoppings, faults) => {
      const [one, other] = [await live(seed, shoppings, faults), await live(seed, shoppings, faults)]
      expect(one.kernel.traceHash()).toBe(other.kernel.traceHash())
    },
    TIMEOUT_MS,
  )
})

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((total, number) => total + number, 0)
