import { accept, type Context, decodeEvent, E, fold, reject, type Sealed } from '@everfold/core'
import { anyContext, given, valid } from '@everfold/core/testing'
import { Cart, Money, Pricing, Quantities } from '@everfold/ecommerce'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'

type CartEvent = Cart.CartEvent
type CartCommand = Cart.CartCommand

const command = valid(Cart.CartCommand)
const event = valid(Cart.CartEvent)
const cart = given(Cart.decider)
const at = (timeMs: number): Context => ({ ...anyContext, timeMs })

const price = (unitAmount: number, more: object = {}) => ({
  unitAmount,
  currency: 'USD',
  taxClass: 'standard',
  priceListVersion: 1,
  capturedAtMs: 0,
  ...more,
})
const sealed: Sealed = { _tag: 'Sealed', subject: 'ann', box: 'YQ' }
const created = event({ _tag: 'CartCreated', cartId: 'c-1', owner: 'ann', currency: 'USD' })
const added = (sku: string, quantity: number, unitAmount: number, atMs = 0) =>
  event({ _tag: 'LineAdded', sku, quantity, price: price(unitAmount), atMs })
const discounted = (discount: object, sku = 'tea') =>
  event({ _tag: 'LineDiscountApplied', sku, discount, reason: 'sale' })
const tenOff = { _tag: 'PercentOff', basisPoints: 1000 }
const line = (sku: string, quantity: number, unitAmount: number, changedAtMs = 0) => ({
  sku,
  quantity,
  price: price(unitAmount),
  changedAtMs,
})
const add = (sku: string, quantity: number, snapshot: object = price(500)) =>
  command({ _tag: 'AddLine', sku, quantity, price: snapshot })
const merge = (from: string, policy: Cart.MergePolicy, ...lines: ReadonlyArray<object>) =>
  command({ _tag: 'MergeCart', from, policy, lines })
const create = (owner: string) => command({ _tag: 'CreateCart', cartId: 'c-1', owner, currency: 'USD' })
const checkout = (prices: ReadonlyArray<object>, more: object = {}) =>
  command({
    _tag: 'CheckoutCart',
    orderId: 'o-1',
    prices,
    rounding: { level: 'line', rounding: 'half-up' },
    taxRates: { standard: 0, reduced: 0, shipping: 0 },
    email: sealed,
    address: sealed,
    paymentMethod: 'pm_card_visa',
    ...more,
  })
const open = (state: Cart.CartState): Cart.Cart => {
  if (state._tag === 'NoCart') throw new Error('no cart')
  return state
}
const totalsOf = (state: Cart.CartState, policy?: Pricing.RoundingPolicy): Cart.Totals => {
  const totals = Cart.totals(open(state), policy)
  if (E.isLeft(totals)) throw new Error(JSON.stringify(totals.left))
  return totals.right
}

/** Everything that happened, each command decided on what the ones before it left, a second apart. */
const history = (commands: ReadonlyArray<CartCommand>, from: ReadonlyArray<CartEvent> = [created]) => {
  const events = [...from]
  for (const [index, next] of commands.entries()) {
    const decision = Cart.decide(next, fold(Cart.decider, events), at(index * 1000))
    if (E.isRight(decision)) events.push(...decision.right)
  }
  return events
}

const anySku = fc.constantFrom('tea', 'jam', 'rye', 'ham')
const anyUnits = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 1_000_000 }))
const anyPrice = fc
  .record({
    unitAmount: fc.oneof(fc.integer({ min: 0, max: 999 }), fc.integer({ min: 0, max: 999_999_999_999 })),
    priceListVersion: fc.integer({ min: 0, max: 3 }),
    taxClass: fc.constantFrom('standard', 'reduced'),
  })
  .map(({ unitAmount, ...more }) => price(unitAmount, more))
const anyDiscount = fc.oneof(
  fc.record({ _tag: fc.constant('PercentOff'), basisPoints: fc.integer({ min: 0, max: 10_000 }) }),
  fc.record({ _tag: fc.constant('AmountOff'), amount: fc.integer({ min: 0, max: 2000 }) }),
)
const anyPolicy = fc.constantFrom('sum', 'keep-newest', 'keep-user')
const anyMerge = fc.record({
  _tag: fc.constant('MergeCart'),
  from: fc.constantFrom('g-1', 'g-2', 'c-1'),
  policy: anyPolicy,
  lines: fc.array(
    fc.record(
      {
        sku: anySku,
        quantity: anyUnits,
        price: anyPrice,
        changedAtMs: fc.integer({ min: 0, max: 20_000 }),
        discount: anyDiscount,
      },
      { requiredKeys: ['sku', 'quantity', 'price', 'changedAtMs'] },
    ),
    { maxLength: 4 },
  ),
})
const anyPrices = fc.array(fc.record({ sku: anySku, price: anyPrice }), { maxLength: 4 })
const tag = <Tag extends CartCommand['_tag']>(name: Tag) => fc.constant(name)
const editing = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ _tag: tag('AddLine'), sku: anySku, quantity: anyUnits, price: anyPrice }),
  },
  fc.record({ _tag: tag('ChangeQuantity'), sku: anySku, quantity: anyUnits }),
  fc.record({ _tag: tag('RemoveLine'), sku: anySku }),
  {
    weight: 2,
    arbitrary: fc.record({
      _tag: tag('ApplyLineDiscount'),
      sku: anySku,
      discount: anyDiscount,
      reason: fc.constant('sale'),
    }),
  },
  fc.record({
    _tag: tag('SetShipping'),
    shipping: fc.record({
      amount: fc.integer({ min: 0, max: 5000 }),
      method: fc.constantFrom('post', 'van'),
    }),
  }),
  fc.record({ _tag: tag('RefreshPrices'), prices: anyPrices }),
  anyMerge,
  fc.record({ _tag: tag('AbandonCart') }),
  fc.record({ _tag: tag('ReactivateCart') }),
)
const closing = fc.oneof(
  fc.record({
    _tag: tag('MarkMergedAway'),
    into: fc.constantFrom('c-1', 'c-2', 'c-3'),
    policy: fc.constantFrom('sum', 'keep-newest', 'keep-user'),
  }),
  fc
    .record({ prices: anyPrices, orderId: fc.constantFrom('o-1', 'o-2') })
    .map(({ prices, orderId }) => checkout(prices, { orderId })),
  fc.record({
    _tag: tag('CreateCart'),
    cartId: fc.constant('c-1'),
    owner: fc.constantFrom('ann', 'ben'),
    currency: fc.constantFrom('USD', 'EUR'),
  }),
)
const anyEdit = editing.map(command)
const anyCommand = fc.oneof({ weight: 9, arbitrary: editing }, { weight: 1, arbitrary: closing }).map(command)
const edits = fc.array(anyEdit, { maxLength: 20 })
const commands = fc.array(anyCommand, { maxLength: 20 })

describe('whatever is asked', () => {
  property.prop([edits, anyMerge.map(command), edits])(
    'C1 a merge is idempotent and the guest cart is terminal after it',
    (before, merging, after) => {
      const merged = history([...before, merging])
      const later = history(after, merged)
      const taken = merged.some((each) => each._tag === 'CartMerged' && each.from === fromOf(merging))
      if (taken) expect(cart(...later).when(merging)).toEqual(accept())

      const guest = history(before)
      const closed = history([command({ _tag: 'MarkMergedAway', into: 'c-9', policy: 'sum' })], guest)
      expect(closed.at(-1)).toMatchObject({ _tag: 'CartMergedAway', into: 'c-9', policy: 'sum' })
      expect(cart(...closed).when(command({ _tag: 'MarkMergedAway', into: 'c-9', policy: 'sum' }))).toEqual(
        accept(),
      )
      expect(
        history([...after, merging, command({ _tag: 'MarkMergedAway', into: 'c-2', policy: 'sum' })], closed),
      ).toEqual(closed)
    },
  )

  property.prop([edits, anyMerge, anyPolicy])(
    "C2 the merge policy is a parameter (sum, keep newest, keep user's)",
    (before, input, policy) => {
      const state = open(fold(Cart.decider, history(before)))
      const merging = command({ ...input, policy, from: 'g-9' })
      const decision = Cart.decide(merging, state, at(0))
      if (E.isLeft(decision) || merging._tag !== 'MergeCart') return
      const after = open(fold(Cart.decider, decision.right, state))
      const theirs = new Map(merging.lines.map((other) => [other.sku, other]))
      for (const { sku, quantity } of after.lines) {
        const ours = state.lines.find((other) => other.sku === sku)
        expect(quantity).toBe(mergedQuantity(policy, ours, theirs.get(sku)))
      }
      expect(after.lines.length).toBe(new Set([...state.lines.map(({ sku }) => sku), ...theirs.keys()]).size)
    },
  )

  property.prop([commands])('C3 a price snapshot changes only through CartRepriced', (asked) => {
    const events = history(asked)
    let before: Cart.CartState = Cart.initial
    for (const next of events) {
      const after = Cart.evolve(before, next)
      if (before._tag === 'Cart' && after._tag === 'Cart' && next._tag !== 'CartRepriced')
        for (const { sku, price: was } of before.lines) {
          const now = after.lines.find((other) => other.sku === sku)
          if (now !== undefined) expect(now.price).toBe(was)
        }
      before = after
    }
  })

  property.prop([edits, anyPrices, fc.boolean()])(
    'C3 checkout shows every difference',
    (asked, prices, complete) => {
      const state = open(fold(Cart.decider, history(asked)))
      fc.pre(state.lines.length > 0)
      // Half of the time today's prices are those of the cart, but for what `prices` says.
      const shown = complete ? state.lines.map(({ sku, price: is }) => ({ sku, price: is })) : []
      const asking = checkout([...shown, ...prices])
      const current = new Map([...shown, ...prices].map(({ sku, price: is }) => [sku as string, is]))
      const decision = Cart.decide(asking, state, at(0))
      const differing = state.lines.filter(({ sku, price: was }) => {
        const is = current.get(sku)
        return is === undefined || is.unitAmount !== was.unitAmount || is.taxClass !== was.taxClass
      })
      if (differing.length === 0) expect(E.isRight(decision)).toBe(true)
      else
        expect(decision).toEqual(
          reject({
            _tag: 'PricesChanged',
            differences: differing.map(({ sku, price: was }) => {
              const is = current.get(sku)
              return is === undefined ? { sku, was } : { sku, was, is }
            }),
          }),
        )
    },
  )

  property.prop([
    commands,
    fc.constantFrom('unit', 'line', 'order'),
    fc.constantFrom('half-up', 'half-even'),
  ])('C4 totals equal the sum of lines after any history', (asked, level, rounding) => {
    const state = open(fold(Cart.decider, history(asked)))
    const { lines, subtotal, shipping, total } = totalsOf(state, { level, rounding })
    expect(BigInt(total)).toBe(lines.reduce((sum, each) => sum + BigInt(each.total), BigInt(shipping)))
    expect(total - shipping).toBe(subtotal)
    for (const each of lines) {
      expect(BigInt(each.total)).toBe(BigInt(each.unitPrice) * BigInt(each.quantity) - BigInt(each.discount))
      expect(each.discount).toBeGreaterThanOrEqual(0)
      expect(each.total).toBeGreaterThanOrEqual(0)
    }
  })

  property.prop([commands])('every event and every snapshot survives its codec', (asked) => {
    const events = history(asked)
    for (const each of events) expect(decodeEvent(Cart.aggregate, each)).toEqual(E.right(each))
    const state = fold(Cart.decider, events)
    expect(Cart.CartState.decode(state)).toEqual(E.right(state))
  })

  property.prop([commands, anyCommand])('every rejection survives its codec', (asked, last) => {
    const decision = cart(...history(asked)).when(last)
    if (E.isLeft(decision)) expect(Cart.CartRejection.decode(decision.left)).toEqual(E.right(decision.left))
  })

  property.prop([commands, anyCommand])('what already holds changes nothing', (asked, last) => {
    fc.pre(last._tag !== 'AddLine')
    const once = history([last], history(asked))
    const again = cart(...once).when(last)
    if (E.isRight(again)) expect(again).toEqual(accept())
  })
})

const fromOf = (merging: CartCommand) => (merging._tag === 'MergeCart' ? merging.from : undefined)

const mergedQuantity = (policy: string, ours?: Cart.CartLine, theirs?: Cart.CartLine): number | undefined => {
  if (ours === undefined || theirs === undefined) return (ours ?? theirs)?.quantity
  if (policy === 'sum') return ours.quantity + theirs.quantity
  return policy === 'keep-newest' && theirs.changedAtMs > ours.changedAtMs ? theirs.quantity : ours.quantity
}

describe('creating', () => {
  test('gives the cart its owner and its currency', () => {
    expect(cart().when(create('ann'))).toEqual(accept(created))
    expect(cart(created).when(create('ann'))).toEqual(accept())
  })
  test('a cart that another one owns is refused', () => {
    expect(cart(created).when(create('ben'))).toEqual(reject({ _tag: 'CartExists', owner: 'ann' }))
  })
  test('comes before anything else', () => {
    expect(cart().when(add('tea', 1))).toEqual(reject({ _tag: 'UnknownCart' }))
  })
})

describe('lines', () => {
  test('of a SKU that is there already add up, at the price it was first added at', () => {
    expect(cart(created, added('tea', 2, 500)).when(add('tea', 3, price(700)), at(9))).toEqual(
      accept({ _tag: 'LineQuantityChanged', sku: 'tea', quantity: 5, atMs: 9 }),
    )
  })
  test('of another currency are refused', () => {
    expect(cart(created).when(add('tea', 1, price(500, { currency: 'EUR' })))).toEqual(
      reject({ _tag: 'CurrencyDiffers', expected: 'USD', actual: 'EUR' }),
    )
  })
  test('beyond a million units or fifteen digits are refused', () => {
    expect(cart(created, added('tea', 1_000_000, 1)).when(add('tea', 1))).toEqual(
      reject({ _tag: 'QuantityTooLarge', sku: 'tea', requested: 1_000_001, most: 1_000_000 }),
    )
    expect(cart(created).when(add('tea', 2, price(Money.MAX_AMOUNT)))).toEqual(
      reject({ _tag: 'AmountTooLarge', currency: 'USD' }),
    )
    expect(cart(created, added('jam', 1, 1)).when(add('tea', 1, price(Money.MAX_AMOUNT)))).toEqual(
      reject({ _tag: 'AmountTooLarge', currency: 'USD' }),
    )
  })
  test('that are not there cannot change, and are already removed', () => {
    expect(cart(created).when(command({ _tag: 'ChangeQuantity', sku: 'tea', quantity: 1 }))).toEqual(
      reject({ _tag: 'LineNotFound', sku: 'tea' }),
    )
    expect(cart(created).when(command({ _tag: 'RemoveLine', sku: 'tea' }))).toEqual(accept())
  })
  test('bring an abandoned cart back', () => {
    const state = fold(Cart.decider, [created, event({ _tag: 'CartAbandoned' }), added('tea', 1, 500)])
    expect(open(state).status).toBe('open')
  })
})

describe('discounts', () => {
  test('the line total is rounded half up, not the discount', () => {
    const state = fold(Cart.decider, [
      created,
      added('tea', 1, 1050),
      discounted({ _tag: 'PercentOff', basisPoints: 500 }),
    ])
    expect(totalsOf(state)).toMatchObject({ lines: [{ discount: 52, total: 998 }], total: 998 })
  })
  test('of more than the line is worth make it free', () => {
    const state = fold(Cart.decider, [
      created,
      added('tea', 1, 500),
      discounted({ _tag: 'AmountOff', amount: 501 }),
    ])
    expect(totalsOf(state)).toMatchObject({ lines: [{ discount: 500, total: 0 }], total: 0 })
  })
  test('differ by where they are rounded', () => {
    const state = fold(Cart.decider, [
      created,
      added('jam', 3, 15),
      added('tea', 1, 15),
      discounted(tenOff, 'jam'),
      discounted(tenOff),
    ])
    const total = (level: Pricing.RoundingLevel) => totalsOf(state, { level, rounding: 'half-up' }).total
    // 13.5 a unit: 14 four times; 40.5 and 13.5: 41 and 14; 54 together.
    expect([total('unit'), total('line'), total('order')]).toEqual([56, 55, 54])
  })
})

describe('merging', () => {
  const events = [created, added('tea', 2, 500, 10), added('jam', 1, 300, 10)]
  const theirs = [line('tea', 5, 700, 20), line('rye', 1, 900, 20)]

  test.each([
    { policy: 'sum', changed: [{ sku: 'tea', quantity: 7, changedAtMs: 20 }] },
    { policy: 'keep-newest', changed: [{ sku: 'tea', quantity: 5, changedAtMs: 20 }] },
    { policy: 'keep-user', changed: [] },
  ] as const)('by $policy', ({ policy, changed }) => {
    expect(cart(...events).when(merge('g-1', policy, ...theirs))).toEqual(
      accept({ _tag: 'CartMerged', from: 'g-1', policy, added: [line('rye', 1, 900, 20)], changed }),
    )
  })
  test('a cart with itself is refused', () => {
    expect(cart(...events).when(merge('c-1', 'sum'))).toEqual(
      reject({ _tag: 'CannotMergeWithItself', cartId: 'c-1' }),
    )
    expect(cart(...events).when(command({ _tag: 'MarkMergedAway', into: 'c-1', policy: 'sum' }))).toEqual(
      reject({ _tag: 'CannotMergeWithItself', cartId: 'c-1' }),
    )
  })
  test('a merged cart says where its lines went', () => {
    expect(
      cart(
        ...events,
        event({ _tag: 'CartMergedAway', from: 'c-1', into: 'c-2', policy: 'sum', lines: [] }),
      ).when(add('tea', 1)),
    ).toEqual(reject({ _tag: 'CartClosed', status: 'merged', mergedInto: 'c-2' }))
  })
})

describe('checking out', () => {
  const events = [
    created,
    added('tea', 2, 500),
    event({ _tag: 'ShippingSet', shipping: { amount: 250, method: 'post' } }),
  ]
  const purchase = {
    cartId: 'c-1',
    userId: 'ann',
    currency: 'USD',
    lines: [
      {
        lineId: 'tea',
        sku: 'tea',
        quantity: 2,
        unitPrice: 500,
        taxClass: 'standard',
        priceListVersion: 1,
        discount: 0,
      },
    ],
    orderDiscount: 0,
    rounding: { level: 'line', rounding: 'half-up' },
    taxRates: { standard: 0, reduced: 0, shipping: 0 },
    email: sealed,
    address: sealed,
    paymentMethod: 'pm_card_visa',
    shipping: { amount: 250, method: 'post' },
  }
  const asking = checkout([{ sku: 'tea', price: price(500, { priceListVersion: 2 }) }])
  const checkedOut = event({ _tag: 'CartCheckedOut', orderId: 'o-1', purchase })

  test('freezes what the order needs', () => {
    expect(cart(...events).when(asking)).toEqual(accept(checkedOut))
  })
  test('once is enough, and there is no other order', () => {
    expect(cart(...events, checkedOut).when(asking)).toEqual(accept())
    expect(cart(...events, checkedOut).when(checkout([], { orderId: 'o-2' }))).toEqual(
      reject({ _tag: 'CartClosed', status: 'checked_out', orderId: 'o-1' }),
    )
  })
  test('an empty cart is refused', () => {
    expect(cart(created).when(checkout([]))).toEqual(reject({ _tag: 'CartEmpty' }))
  })
  test('a cart that can be added up, but not with its tax, is refused', () => {
    const dear = [created, added('tea', 1, 900_000_000_000_000)]
    const taxed = checkout([{ sku: 'tea', price: price(900_000_000_000_000) }], {
      taxRates: { standard: 2000, reduced: 700, shipping: 2000 },
    })
    expect(totalsOf(fold(Cart.decider, dear)).total).toBe(900_000_000_000_000)
    expect(cart(...dear).when(taxed)).toEqual(reject({ _tag: 'AmountTooLarge', currency: 'USD' }))
  })
  test('works after the prices are refreshed', () => {
    const prices = [{ sku: 'tea', price: price(600) }]
    const refreshed = history([command({ _tag: 'RefreshPrices', prices })], events)
    expect(refreshed.at(-1)).toEqual({ _tag: 'CartRepriced', prices })
    expect(E.isRight(cart(...refreshed).when(checkout(prices)))).toBe(true)
  })
})

const stored = [
  { _tag: 'CartCreated', cartId: 'c-1', owner: 'ann', currency: 'USD' },
  { _tag: 'LineAdded', sku: 'tea', quantity: 2, price: price(500), atMs: 5 },
  { _tag: 'LineQuantityChanged', sku: 'tea', quantity: 3, atMs: 6 },
  { _tag: 'LineRemoved', sku: 'tea' },
  {
    _tag: 'LineDiscountApplied',
    sku: 'tea',
    discount: { _tag: 'PercentOff', basisPoints: 500 },
    reason: 'sale',
  },
  { _tag: 'LineDiscountApplied', sku: 'tea', discount: { _tag: 'AmountOff', amount: 10 }, reason: 'sale' },
  { _tag: 'ShippingSet', shipping: { amount: 250, method: 'post' } },
  { _tag: 'CartRepriced', prices: [{ sku: 'tea', price: price(600) }] },
  {
    _tag: 'CartMerged',
    from: 'g-1',
    policy: 'sum',
    added: [line('rye', 1, 900, 20)],
    changed: [{ sku: 'tea', quantity: 7, changedAtMs: 20 }],
  },
  { _tag: 'CartMergedAway', from: 'c-1', into: 'c-2', policy: 'sum', lines: [line('rye', 1, 900, 20)] },
  {
    _tag: 'CartCheckedOut',
    orderId: 'o-1',
    purchase: {
      cartId: 'c-1',
      userId: 'ann',
      currency: 'USD',
      lines: [
        {
          lineId: 'tea',
          sku: 'tea',
          quantity: 2,
          unitPrice: 500,
          taxClass: 'standard',
          priceListVersion: 1,
          discount: 0,
        },
      ],
      orderDiscount: 0,
      rounding: { level: 'line', rounding: 'half-up' },
      taxRates: { standard: 2000, reduced: 700, shipping: 2000 },
      email: { _tag: 'Sealed', subject: 'ann', box: 'YQ' },
      address: { _tag: 'Sealed', subject: 'ann', box: 'YQ' },
      paymentMethod: 'pm_card_visa',
      shipping: { amount: 250, method: 'post' },
    },
  },
  { _tag: 'CartAbandoned' },
  { _tag: 'CartReactivated' },
]

describe('the wire', () => {
  test.each(stored)('$_tag, as once stored, still decodes', (literal) => {
    expect(decodeEvent(Cart.aggregate, literal)).toEqual(E.right(literal))
  })
  test('names every event', () => {
    expect(new Set(stored.map(({ _tag }) => _tag))).toEqual(new Set(Cart.CartEvent.variants.keys()))
  })
  test('an id of a SKU is an id of a line', () => {
    expect([Quantities.LineId.pattern, Quantities.LineId.maxLength]).toEqual([
      Quantities.Sku.pattern,
      Quantities.Sku.maxLength,
    ])
  })
})
