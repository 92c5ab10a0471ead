import { accept, E, fold, processAggregate } from '@everfold/core'
import { anyContext, givenHeard, happened, laws, recordedOf, valid } from '@everfold/core/testing'
import { Cart, Checkout, Order, Purchase } from '@everfold/ecommerce'
import { fc } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { commandsOf } from './order-life.ts'

type Told = Parameters<typeof Checkout.process.evolve>[1]

const sealed = { _tag: 'Sealed', subject: 'ann', box: 'YQ' }
const purchase = valid(Purchase.Purchase)({
  cartId: 'c-1',
  userId: 'ann',
  currency: 'USD',
  lines: [
    {
      lineId: 'tea',
      sku: 'tea',
      quantity: 2,
      unitPrice: 500,
      taxClass: 'reduced',
      priceListVersion: 1,
      discount: 100,
    },
  ],
  orderDiscount: 0,
  rounding: { level: 'line', rounding: 'half-up' },
  taxRates: { standard: 2000, reduced: 1000, shipping: 0 },
  email: sealed,
  address: sealed,
  paymentMethod: 'pm_card_visa',
})
const told = (event: object): Told => {
  const [recorded] = recordedOf(Cart.aggregate, 'c-1')(valid(Cart.CartEvent)(event))
  if (recorded === undefined) throw new Error('one event')
  return happened(recorded)
}
const checkedOut = told({ _tag: 'CartCheckedOut', orderId: 'o-1', purchase })
const abandoned = told({ _tag: 'CartAbandoned' })
const given = givenHeard(Checkout.process)
const placing = { _tag: 'PlaceOrder', orderId: 'o-1', purchase }

describe('a cart that is checked out', () => {
  test('has its purchase placed as it stands, under the id that was chosen with it', () => {
    expect(commandsOf(given().when(checkedOut))).toEqual([{ of: 'order/o-1', command: placing }])
  })
  test('becomes one order, however often it is placed', () => {
    const command = valid(Order.OrderCommand)(placing)
    const first = Order.decide(command, Order.initial, anyContext)
    if (E.isLeft(first)) throw new Error('refused')
    expect(first.right).toMatchObject([{ _tag: 'OrderPlaced', orderId: 'o-1', totals: { total: 990 } }])
    const after = fold(Order.decider, first.right)
    expect(Order.decide(command, after, anyContext)).toEqual(accept())
    const canceled = fold(
      Order.decider,
      [valid(Order.OrderEvent)({ _tag: 'OrderCanceled', reason: 'regret', by: 'shopper' })],
      after,
    )
    expect(Order.decide(command, canceled, anyContext)).toEqual(accept())
  })
  test('is heard by its own checkout, and nothing else of it is', () => {
    const [hearing] = Checkout.process.hears
    const instances = [checkedOut, abandoned].map((heard) =>
      heard._tag === 'Happened' ? hearing?.correlate(heard.recorded) : undefined,
    )
    expect(instances).toEqual(['c-1', undefined])
  })
})

const anyTold: fc.Arbitrary<Told> = fc.constantFrom<Told>(checkedOut, abandoned, {
  _tag: 'Elapsed',
  timer: 'any',
  dueMs: 0,
})

describe('it keeps the laws of aggregates', () => {
  const aggregate = processAggregate(Checkout.process)
  const event = anyTold.map((heard) => ({ _tag: 'Heard' as const, heard }))
  test.each(laws(aggregate, { command: anyTold, event }))('$title', async ({ check }) => {
    await expect(check(20)).resolves.toBeUndefined()
  })
  test('and asks nothing but to place what was checked out', () => {
    expect(given(checkedOut).when(abandoned)).toEqual([])
    expect(given().when({ _tag: 'Elapsed', timer: 'any', dueMs: 0 })).toEqual([])
  })
})
