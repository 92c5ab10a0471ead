import { accept, type Context, decodeEvent, E, fold, reject, type Sealed } from '@everfold/core'
import { anyContext, given, valid } from '@everfold/core/testing'
import { type Currency, Money, Order, type Pricing, Purchase, Quantities, Refund } from '@everfold/ecommerce'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { type Draw, everyCurrency, million, PATIENCE_MS } from './draw.ts'

type OrderEvent = Order.OrderEvent
type OrderCommand = Order.OrderCommand

const command = valid(Order.OrderCommand)
const event = valid(Order.OrderEvent)
const order = given(Order.decider)
const at = (timeMs: number): Context => ({ ...anyContext, timeMs })
const right = <A>(either: E.Either<unknown, A>): A => {
  if (E.isLeft(either)) throw new Error(JSON.stringify(either.left))
  return either.right
}

const sealed: Sealed = { _tag: 'Sealed', subject: 'ann', box: 'YQ' }
const bought = (lineId: string, quantity: number, unitPrice: number, more: object = {}) => ({
  lineId,
  sku: lineId,
  quantity,
  unitPrice,
  taxClass: 'standard',
  priceListVersion: 1,
  discount: 0,
  ...more,
})
const purchase = (lines: ReadonlyArray<object>, more: object = {}) =>
  valid(Purchase.Purchase)({
    cartId: 'c-1',
    userId: 'ann',
    currency: 'USD',
    lines,
    orderDiscount: 0,
    rounding: { level: 'line', rounding: 'half-up' },
    taxRates: { standard: 2000, reduced: 700, shipping: 2000 },
    email: sealed,
    address: sealed,
    paymentMethod: 'pm_card_visa',
    ...more,
  })
const backorder = (...lines: ReadonlyArray<string>) => command({ _tag: 'BackorderLines', lines })
const place = (what: Purchase.Purchase) => command({ _tag: 'PlaceOrder', orderId: 'o-1', purchase: what })

const twoLines = purchase(
  [bought('tea', 3, 333, { discount: 99 }), bought('jam', 1, 500, { taxClass: 'reduced' })],
  {
    orderDiscount: 100,
    shipping: { amount: 250, method: 'post' },
  },
)
// Nets before the discount of 100 on the order: 900 and 500, so that it falls apart into 64 and 36.
const placed = event({
  _tag: 'OrderPlaced',
  orderId: 'o-1',
  cartId: 'c-1',
  userId: 'ann',
  currency: 'USD',
  lines: [
    { ...bought('tea', 3, 333, { discount: 99 }), orderDiscount: 64, net: 836, tax: 167 },
    { ...bought('jam', 1, 500, { taxClass: 'reduced' }), orderDiscount: 36, net: 464, tax: 32 },
  ],
  totals: { net: 1300, tax: 199, shipping: 250, shippingTax: 50, total: 1799 },
  rounding: { level: 'line', rounding: 'half-up' },
  taxRates: { standard: 2000, reduced: 700, shipping: 2000 },
  email: sealed,
  address: sealed,
  paymentMethod: 'pm_card_visa',
  placedAtMs: 7,
  shippingMethod: 'post',
})
const confirmed = event({ _tag: 'OrderConfirmed' })
const held = event({ _tag: 'OrderOnHold', reason: 'fraud?' })
const backordered = event({ _tag: 'OrderLinesBackordered', lines: ['jam'] })
const canceled = event({ _tag: 'OrderCanceled', reason: 'changed my mind', by: 'shopper' })
const completed = event({ _tag: 'OrderCompleted' })

const LEVELS = ['unit', 'line', 'order'] as const
const CLASSES = ['standard', 'reduced', 'zero'] as const
const IDS = ['a', 'b', 'c', 'd', 'e'] as ReadonlyArray<string> as ReadonlyArray<Quantities.LineId>

/** Drawn without its codec, which would cost more than the law; another test says that what is drawn is valid. */
const drawPurchase = (currency: Currency.CurrencyCode, draw: Draw): Purchase.Purchase => {
  const lines = IDS.slice(0, 1 + draw.below(3)).map((lineId) => {
    const quantity = 1 + draw.size(99)
    const unitPrice = draw.size(1_000_000_000_000)
    return {
      lineId,
      sku: lineId as string as Quantities.Sku,
      quantity: quantity as Quantities.Units,
      unitPrice: unitPrice as Money.Price,
      taxClass: CLASSES[draw.below(3)] ?? 'zero',
      priceListVersion: 1 as Quantities.Count,
      discount: (draw.below(2) * draw.size(quantity * unitPrice)) as Money.Price,
    }
  })
  const subtotal = lines.reduce((sum, line) => sum + line.quantity * line.unitPrice - line.discount, 0)
  const rate = () => draw.below(10_001) as Quantities.BasisPoints
  return {
    ...twoLines,
    currency,
    lines,
    orderDiscount: (draw.below(2) * draw.size(subtotal)) as Money.Price,
    rounding: {
      level: LEVELS[draw.below(3)] ?? 'line',
      rounding: draw.below(2) === 0 ? 'half-up' : 'half-even',
    },
    taxRates: { standard: rate(), reduced: rate(), shipping: rate() },
    shipping: { amount: draw.size(1_000_000) as Money.Price, method: 'post' as Purchase.ShippingMethod },
  }
}

/** What is wrong with the frozen amounts, if anything. */
const wrong = (what: Purchase.Purchase, { lines, totals }: Order.Frozen): string | undefined => {
  const sum = (of: (line: Order.OrderLine) => number) => lines.reduce((total, line) => total + of(line), 0)
  const net = sum((line) => line.net)
  const tax = sum((line) => line.tax)
  const exact = totals.total === net + tax + totals.shipping + totals.shippingTax
  const parts = totals.net === net && totals.tax === tax && totals.shipping === what.shipping?.amount
  const whole = sum((line) => line.orderDiscount) === what.orderDiscount
  const each = lines.every(
    (line) =>
      line.net === line.quantity * line.unitPrice - line.discount - line.orderDiscount &&
      line.net >= 0 &&
      line.orderDiscount >= 0 &&
      isNear(line, what),
  )
  return exact && parts && whole && each ? undefined : JSON.stringify([what, lines, totals])
}

/** A tax is within a minor unit of the exact one, or within half of one per unit where units are rounded. */
const isNear = ({ taxClass, net, tax, quantity }: Order.OrderLine, what: Purchase.Purchase): boolean => {
  const basisPoints = taxClass === 'zero' ? 0 : what.taxRates[taxClass]
  const off =
    net < 1e11
      ? Math.abs(tax * 10_000 - net * basisPoints)
      : Math.abs(Number(BigInt(tax) * 10_000n - BigInt(net) * BigInt(basisPoints)))
  if (tax < 0 || tax > net) return false
  return what.rounding.level === 'unit' ? off <= 5000 * quantity : off < 10_000
}

describe('amounts', () => {
  property.prop([fc.integer()], million)(
    'M4 order.total = sum of line net + line tax + shipping + shipping tax, exactly',
    (seed) => {
      everyCurrency(seed, ({ code }, draw) => {
        const what = drawPurchase(code, draw)
        return wrong(what, right(Order.freeze(what)))
      })
    },
    PATIENCE_MS,
  )

  property.prop([fc.integer()])(
    'what is placed survives its codec, and is refunded to the last minor unit',
    (seed) => {
      everyCurrency(
        seed,
        (currency, draw) => {
          const what = drawPurchase(currency.code, draw)
          const events = right(order().when(place(what)))
          const [first] = events
          if (!Order.OrderEvent.is(first) || first._tag !== 'OrderPlaced') return JSON.stringify(events)
          const refund = Refund.refundRest(Order.components(currency, first))
          const refunded = refund.parts.reduce((sum, { amount }) => sum + amount, 0)
          return refunded === first.totals.total ? undefined : JSON.stringify([first, refund])
        },
        20,
      )
    },
  )

  test.each([
    // 1.5 of tax for each of three units; 4.5 for each line; 9 for both.
    { level: 'unit', taxes: [6, 6] },
    { level: 'line', taxes: [5, 5] },
    { level: 'order', taxes: [5, 4] },
  ] as ReadonlyArray<{ level: Pricing.RoundingLevel; taxes: ReadonlyArray<number> }>)(
    'tax rounded per $level',
    ({ level, taxes }) => {
      const what = purchase([bought('b', 3, 15), bought('a', 3, 15)], {
        rounding: { level, rounding: 'half-up' },
        taxRates: { standard: 1000, reduced: 0, shipping: 0 },
      })
      const byId = right(Order.freeze(what)).lines.toSorted((one, other) =>
        one.lineId < other.lineId ? -1 : 1,
      )
      expect(byId.map(({ tax }) => tax)).toEqual(taxes)
    },
  )
})

describe('placing', () => {
  test('freezes the lines, with their shares of the discount and their tax', () => {
    expect(order().when(place(twoLines), at(7))).toEqual(accept(placed))
  })
  test('again changes nothing, whatever has become of the order', () => {
    expect(order(placed).when(place(twoLines))).toEqual(accept())
    expect(order(placed, canceled).when(place(twoLines))).toEqual(accept())
  })
  test('another cart under the same id is refused', () => {
    expect(order(placed).when(place({ ...twoLines, cartId: valid(Quantities.CartId)('c-2') }))).toEqual(
      reject({ _tag: 'OrderExists', cartId: 'c-1' }),
    )
  })
  test('two lines of one id are refused', () => {
    expect(order().when(place(purchase([bought('a', 1, 1), bought('a', 1, 1)])))).toEqual(
      reject({ _tag: 'LineIdRepeated', lineId: 'a' }),
    )
  })
  test('more discount than there is to pay is refused', () => {
    expect(order().when(place(purchase([bought('a', 2, 50, { discount: 101 })])))).toEqual(
      reject({ _tag: 'DiscountTooLarge', lineId: 'a', discount: 101, most: 100 }),
    )
    expect(order().when(place(purchase([bought('a', 2, 50)], { orderDiscount: 101 })))).toEqual(
      reject({ _tag: 'DiscountTooLarge', discount: 101, most: 100 }),
    )
  })
  test.each([
    { lines: [bought('a', 1_000_000, Money.MAX_AMOUNT)] },
    { lines: [bought('a', 1, Money.MAX_AMOUNT), bought('b', 1, 1)] },
    { lines: [bought('a', 1, 900_000_000_000_000)] },
  ])('an order beyond fifteen digits is refused', ({ lines }) => {
    expect(order().when(place(purchase(lines)))).toEqual(reject({ _tag: 'AmountTooLarge', currency: 'USD' }))
  })
})

const statusAfter = (...events: ReadonlyArray<OrderEvent>) => {
  const state = fold(Order.decider, events)
  return state._tag === 'NoOrder' ? undefined : state.status
}
const closed = (status: string) => reject({ _tag: 'StatusForbids', status })

describe('confirming', () => {
  const confirm = command({ _tag: 'ConfirmOrder' })
  test.each([[[placed]], [[placed, held]], [[placed, backordered]]])(
    'is for an open order, held or not',
    (history) => {
      expect(order(...history).when(confirm)).toEqual(accept(confirmed))
    },
  )
  test('a canceled order is refused', () => {
    expect(order(placed, canceled).when(confirm)).toEqual(closed('canceled'))
  })
  test('a second time changes nothing', () => {
    expect(order(placed, confirmed).when(confirm)).toEqual(accept())
    expect(order(placed, confirmed, completed).when(confirm)).toEqual(accept())
  })
  test('comes after placing', () => {
    expect(order().when(confirm)).toEqual(reject({ _tag: 'UnknownOrder' }))
  })
})

describe('holding', () => {
  const hold = command({ _tag: 'HoldOrder', reason: 'fraud?' })
  test('keeps the reason', () => {
    expect(order(placed).when(hold)).toEqual(accept(held))
    expect(fold(Order.decider, [placed, held])).toMatchObject({ status: 'on_hold', reason: 'fraud?' })
  })
  test('a closed order is refused, a held one stays', () => {
    expect(order(placed, canceled).when(hold)).toEqual(closed('canceled'))
    expect(order(placed, held).when(hold)).toEqual(accept())
  })
})

describe('backordering', () => {
  test('names the lines that did not wait yet', () => {
    expect(order(placed).when(backorder('jam', 'jam'))).toEqual(accept(backordered))
    expect(order(placed, backordered).when(backorder('jam'))).toEqual(accept())
    expect(statusAfter(placed, backordered)).toBe('backordered')
  })
  test('a line of another order is refused', () => {
    expect(order(placed).when(backorder('rye'))).toEqual(reject({ _tag: 'LineNotFound', lineId: 'rye' }))
  })
  test('does not lift a hold', () => {
    expect(statusAfter(placed, held, backordered)).toBe('on_hold')
  })
})

describe('canceling', () => {
  const cancel = command({ _tag: 'CancelOrder', reason: 'changed my mind', by: 'shopper' })
  test('ends the order, once', () => {
    expect(order(placed, held).when(cancel)).toEqual(accept(canceled))
    expect(order(placed, canceled).when(cancel)).toEqual(accept())
  })
  test('a completed order is refused', () => {
    expect(order(placed, confirmed, completed).when(cancel)).toEqual(closed('completed'))
  })
})

describe('closing', () => {
  const close = command({ _tag: 'CloseOrder' })
  test('completes a confirmed order, once', () => {
    expect(order(placed, confirmed).when(close)).toEqual(accept(completed))
    expect(order(placed, confirmed, completed).when(close)).toEqual(accept())
  })
  test('is refused before', () => {
    expect(order(placed).when(close)).toEqual(closed('placed'))
  })
})

const anyCommand: fc.Arbitrary<OrderCommand> = fc
  .oneof(
    fc.record({ _tag: fc.constantFrom('ConfirmOrder', 'CloseOrder') }),
    fc.record({ _tag: fc.constant('HoldOrder'), reason: fc.constantFrom('fraud?', 'address?') }),
    fc.record({
      _tag: fc.constant('BackorderLines'),
      lines: fc.array(fc.constantFrom('tea', 'jam', 'rye'), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({
      _tag: fc.constant('CancelOrder'),
      reason: fc.constant('changed my mind'),
      by: fc.constantFrom('shopper', 'shop', 'system'),
    }),
    fc
      .constantFrom('c-1', 'c-2')
      .map((cartId) => ({ _tag: 'PlaceOrder', orderId: 'o-1', purchase: { ...twoLines, cartId } })),
  )
  .map(command)
const history = (commands: ReadonlyArray<OrderCommand>) => {
  const events: Array<OrderEvent> = []
  for (const next of commands) {
    const decision = order(...events).when(next)
    if (E.isRight(decision)) events.push(...decision.right)
  }
  return events
}
const commands = fc.array(anyCommand, { maxLength: 12 }).map((later) => [place(twoLines)].concat(later))

describe('whatever is asked', () => {
  property.prop([commands, anyCommand])(
    'a canceled order and a completed one are terminal',
    (asked, last) => {
      const events = history(asked)
      const status = statusAfter(...events)
      if (status !== 'canceled' && status !== 'completed') return
      const decision = order(...events).when(last)
      if (E.isRight(decision)) expect(decision).toEqual(accept())
    },
  )
  property.prop([commands, anyCommand])('a repeat of what already holds changes nothing', (asked, last) => {
    const again = order(...history([...asked, last])).when(last)
    if (E.isRight(again)) expect(again).toEqual(accept())
  })
  property.prop([commands, anyCommand])(
    'events, snapshots and rejections survive their codecs',
    (asked, last) => {
      const events = history(asked)
      for (const each of events) expect(decodeEvent(Order.aggregate, each)).toEqual(E.right(each))
      const state = fold(Order.decider, events)
      expect(Order.OrderState.decode(state)).toEqual(E.right(state))
      const decision = order(...events).when(last)
      if (E.isLeft(decision))
        expect(Order.OrderRejection.decode(decision.left)).toEqual(E.right(decision.left))
    },
  )
})

const stored = [
  {
    _tag: 'OrderPlaced',
    orderId: 'o-1',
    cartId: 'c-1',
    userId: 'ann',
    currency: 'USD',
    lines: [
      {
        lineId: 'tea',
        sku: 'tea',
        quantity: 3,
        unitPrice: 333,
        taxClass: 'standard',
        priceListVersion: 1,
        discount: 99,
        orderDiscount: 64,
        net: 836,
        tax: 167,
      },
    ],
    totals: { net: 836, tax: 167, shipping: 250, shippingTax: 50, total: 1303 },
    rounding: { level: 'line', rounding: 'half-up' },
    taxRates: { standard: 2000, reduced: 700, shipping: 2000 },
    email: { _tag: 'Sealed', subject: 'ann', box: 'YQ' },
    address: { _tag: 'Sealed', subject: 'ann', box: 'YQ' },
    paymentMethod: 'pm_card_visa',
    placedAtMs: 7,
    shippingMethod: 'post',
  },
  { _tag: 'OrderConfirmed' },
  { _tag: 'OrderOnHold', reason: 'fraud?' },
  { _tag: 'OrderLinesBackordered', lines: ['jam'] },
  { _tag: 'OrderCanceled', reason: 'changed my mind', by: 'shopper' },
  { _tag: 'OrderCompleted' },
]

describe('the wire', () => {
  test.each(stored)('$_tag, as once stored, still decodes', (literal) => {
    expect(decodeEvent(Order.aggregate, literal)).toEqual(E.right(literal))
  })
  test('names every event', () => {
    expect(new Set(stored.map(({ _tag }) => _tag))).toEqual(new Set(Order.OrderEvent.variants.keys()))
  })
})
