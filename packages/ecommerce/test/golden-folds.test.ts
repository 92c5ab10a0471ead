/**
 * One history per aggregate with every event that it has, as stored, and a literal for what it folds to. Where one
 * fails, `evolve` has changed: raise the aggregate's `reducer`, then write the new literal here.
 */
import { type Aggregate, type StoredEvent, UnionType } from '@everfold/core'
import { goldenFold, valid } from '@everfold/core/testing'
import { Cart, Notification, Order, Payment, PriceList, Product, Stock } from '@everfold/ecommerce'
import { describe, expect, test } from 'vitest'

type AnyHistory = ReadonlyArray<StoredEvent>

const sealed = { _tag: 'Sealed', subject: 'ann', box: 'YQ' }
const rounding = { level: 'line', rounding: 'half-up' }
const taxRates = { standard: 2000, reduced: 700, shipping: 2000 }

const product: AnyHistory = [
  { _tag: 'ProductCreated', productId: 'p-1', name: 'Tea', category: 'drinks' },
  { _tag: 'VariantAdded', sku: 'tea-s', attributes: [{ name: 'size', value: 'S' }] },
  { _tag: 'VariantAdded', sku: 'tea-l', attributes: [] },
  { _tag: 'VariantAttributesChanged', sku: 'tea-l', attributes: [{ name: 'size', value: 'L' }] },
  { _tag: 'ProductPublished', category: 'drinks' },
  { _tag: 'VariantDiscontinued', sku: 'tea-s' },
  { _tag: 'ProductUnpublished', category: 'drinks' },
]

const offer = (amount: number) => ({
  price: { amount, currency: 'USD' },
  taxClass: 'standard',
  taxIncluded: false,
})
const period = (validFromMs: number, validUntilMs: number, scheduledAtMs: number) => ({
  validFromMs,
  validUntilMs,
  scheduledAtMs,
})
const priceList: AnyHistory = [
  { _tag: 'PriceSet', version: 1, ...offer(500) },
  { _tag: 'PriceScheduled', version: 2, ...offer(400), ...period(10, 20, 0) },
  { _tag: 'PriceScheduled', version: 3, ...offer(300), ...period(30, 40, 0) },
  { _tag: 'PriceScheduled', version: 4, ...offer(200), ...period(50, 60, 25) },
  { _tag: 'PriceRemoved', version: 3 },
  { _tag: 'PriceRemoved', version: 1 },
]

const reservation = (at: number) => ({ reservationId: `o-${at}:tea`, orderId: `o-${at}` })
const reserved = (at: number, units: number, more: object = {}) => ({
  _tag: 'StockReserved',
  ...reservation(at),
  units,
  backordered: 0,
  expiresAtMs: 1000 + at,
  ...more,
})
const stock: AnyHistory = [
  { _tag: 'StockReceived', units: 20 },
  { _tag: 'StockAdjusted', delta: -2, reason: 'broken' },
  { _tag: 'BackorderPolicySet', limit: 3 },
  reserved(1, 2, { shopper: 'ann' }),
  reserved(2, 3),
  reserved(3, 4),
  reserved(4, 5, { backordered: 1 }),
  { _tag: 'StockDepleted', available: 0 },
  reserved(5, 1, { shopper: 'ann' }),
  { _tag: 'ReservationExtended', ...reservation(1), expiresAtMs: 2000 },
  { _tag: 'ReservationReleased', ...reservation(2), units: 3, reason: 'regret' },
  { _tag: 'ReservationExpired', ...reservation(3), units: 4 },
  { _tag: 'StockAllocated', ...reservation(4), units: 5 },
  { _tag: 'StockAllocated', ...reservation(1), units: 2 },
  { _tag: 'StockShipped', ...reservation(4), units: 2 },
  { _tag: 'StockDeallocated', ...reservation(1), units: 2, reason: 'canceled' },
  { _tag: 'StockRestocked', orderId: 'o-4', units: 1 },
]

const snapshot = (unitAmount: number, priceListVersion = 1) => ({
  unitAmount,
  currency: 'USD',
  taxClass: 'standard',
  priceListVersion,
  capturedAtMs: 5,
})
const cartLine = (sku: string, quantity: number) => ({ sku, quantity, price: snapshot(700), changedAtMs: 6 })
const bought = {
  lineId: 'tea',
  sku: 'tea',
  quantity: 5,
  unitPrice: 450,
  taxClass: 'standard',
  priceListVersion: 2,
  discount: 225,
}
const cart: AnyHistory = [
  { _tag: 'CartCreated', cartId: 'c-1', owner: 'ann', currency: 'USD' },
  { _tag: 'LineAdded', sku: 'tea', quantity: 2, price: snapshot(500), atMs: 1 },
  { _tag: 'LineAdded', sku: 'jam', quantity: 1, price: snapshot(300), atMs: 2 },
  { _tag: 'LineQuantityChanged', sku: 'tea', quantity: 3, atMs: 3 },
  { _tag: 'LineRemoved', sku: 'jam' },
  {
    _tag: 'LineDiscountApplied',
    sku: 'tea',
    discount: { _tag: 'PercentOff', basisPoints: 1000 },
    reason: 'sale',
  },
  { _tag: 'ShippingSet', shipping: { amount: 250, method: 'post' } },
  { _tag: 'CartRepriced', prices: [{ sku: 'tea', price: snapshot(450, 2) }] },
  { _tag: 'CartAbandoned' },
  { _tag: 'CartReactivated' },
  {
    _tag: 'CartMerged',
    from: 'guest',
    policy: 'sum',
    added: [cartLine('rye', 1)],
    changed: [{ sku: 'tea', quantity: 5, changedAtMs: 9 }],
  },
  {
    _tag: 'CartCheckedOut',
    orderId: 'o-1',
    purchase: {
      cartId: 'c-1',
      userId: 'ann',
      currency: 'USD',
      lines: [bought],
      orderDiscount: 0,
      rounding,
      taxRates,
      email: sealed,
      address: sealed,
      paymentMethod: 'pm_card_visa',
    },
  },
  { _tag: 'CartMergedAway', from: 'c-1', into: 'c-2', policy: 'keep-user', lines: [cartLine('tea', 5)] },
]

const order: AnyHistory = [
  {
    _tag: 'OrderPlaced',
    orderId: 'o-1',
    cartId: 'c-1',
    userId: 'ann',
    currency: 'USD',
    lines: [{ ...bought, orderDiscount: 25, net: 2000, tax: 400 }],
    totals: { net: 2000, tax: 400, shipping: 250, shippingTax: 50, total: 2700 },
    rounding,
    taxRates,
    email: sealed,
    address: sealed,
    paymentMethod: 'pm_card_visa',
    placedAtMs: 7,
    shippingMethod: 'post',
  },
  { _tag: 'OrderLinesBackordered', lines: ['tea'] },
  { _tag: 'OrderOnHold', reason: 'fraud?' },
  { _tag: 'OrderLinesBackordered', lines: ['jam'] },
  { _tag: 'OrderConfirmed' },
  { _tag: 'OrderCompleted' },
  { _tag: 'OrderCanceled', reason: 'regret', by: 'shopper' },
]

const about = { orderId: 'o-1' }
const usd = (amount: number) => ({ ...about, amount: { amount, currency: 'USD' } })
const statement = (createdAtMs: number, more: object) => ({
  _tag: 'ProviderStatementRecorded',
  ...about,
  statement: { providerPaymentId: 'pi_1', currency: 'USD', createdAtMs, ...more },
})
const requested = (attempt: number) => ({
  _tag: 'PaymentRequested',
  ...usd(100),
  paymentMethod: 'pm_card_visa',
  captureMethod: 'manual',
  attempt,
})
const disputed = { ...usd(5), disputeId: 'dp_1' }
const dispute = { disputeId: 'dp_1', amount: 5, status: 'won', withdrawn: 5, reinstated: 5 }
const refund = (refundId: string, status: string) => ({ refundId, amount: 10, status })
const payment: AnyHistory = [
  requested(1),
  statement(1, { status: 'requires_payment_method', declineCode: 'expired_card', sequence: 1 }),
  { _tag: 'PaymentFailed', ...about, declineCode: 'expired_card' },
  requested(2),
  { _tag: 'OperationRefused', ...about, operation: 'payment', code: 'down' },
  requested(3),
  { _tag: 'PaymentOutcomeUnknown', ...about, operation: 'payment' },
  { _tag: 'PaymentOutcomeResolved', ...about, found: false },
  requested(4),
  statement(2, {
    status: 'requires_action',
    sequence: 4,
    nextAction: { redirectUrl: 'https://bank.example' },
  }),
  { _tag: 'PaymentActionRequired', ...about },
  statement(3, { status: 'processing', sequence: 4 }),
  { _tag: 'PaymentProcessing', ...about },
  { _tag: 'CancelRequested', ...about, reason: 'regret' },
  { _tag: 'OperationRefused', ...about, operation: 'cancel', code: 'processing' },
  statement(4, { status: 'requires_capture', sequence: 4, authorized: 100, captureBeforeMs: 99 }),
  { _tag: 'PaymentAuthorized', ...usd(100), captureBeforeMs: 99 },
  { _tag: 'CaptureRequested', ...usd(60), number: 1, final: true },
  { _tag: 'OperationRefused', ...about, operation: 'capture', code: 'busy' },
  { _tag: 'CaptureRequested', ...usd(70), number: 2, final: false, providerPaymentId: 'pi_1' },
  { _tag: 'PaymentOutcomeUnknown', ...about, operation: 'capture' },
  { _tag: 'PaymentOutcomeResolved', ...about, found: true },
  { _tag: 'CaptureRequested', ...usd(80), number: 3, final: true },
  statement(5, { status: 'succeeded', sequence: 4, captured: 80 }),
  { _tag: 'PaymentCaptured', ...usd(80) },
  { _tag: 'RefundRequested', ...usd(10), refundId: 'r-1', reason: 'returned' },
  { _tag: 'RefundRequested', ...usd(10), refundId: 'r-2', reason: 'returned' },
  statement(6, { refunds: [refund('r-1', 'succeeded'), refund('r-2', 'pending')], refunded: 20 }),
  { _tag: 'RefundSucceeded', ...usd(10), refundId: 'r-1' },
  statement(7, { refunds: [refund('r-2', 'failed')], disputes: [dispute] }),
  { _tag: 'RefundFailed', ...usd(10), refundId: 'r-2' },
  { _tag: 'DisputeOpened', ...disputed },
  { _tag: 'DisputeFundsWithdrawn', ...disputed },
  { _tag: 'DisputeFundsReinstated', ...disputed },
  { _tag: 'DisputeClosed', ...disputed, outcome: 'won' },
  { _tag: 'PaymentOutcomeUnknown', ...about, operation: 'refund' },
  { _tag: 'PaymentCanceled', ...about },
  { _tag: 'AuthorizationExpired', ...about },
]

const notification: AnyHistory = [
  {
    _tag: 'EmailRequested',
    ...about,
    template: 'order-confirmed',
    cause: 'confirmed',
    to: sealed,
    data: [{ name: 'total', value: '2700' }],
  },
  { _tag: 'EmailOutcomeUnknown', ...about },
  { _tag: 'EmailSent', ...about, providerMessageId: 'm-1' },
  { _tag: 'EmailSent', ...about, providerMessageId: 'm-2' },
  { _tag: 'EmailBounced', ...about, providerMessageId: 'm-1', reason: 'mailbox full' },
  { _tag: 'EmailSuppressed', ...about, reason: 'asked not to' },
]

/** An aggregate's golden fold, and the events of its union that its history lacks. */
const goldenOf = <Command, State, Event extends StoredEvent, Rejection>(
  aggregate: Aggregate<Command, State, Event, Rejection>,
  history: AnyHistory,
) => {
  if (!(aggregate.event instanceof UnionType)) throw new Error('its events are a union')
  const tags = new Set(history.map(({ _tag }) => _tag))
  const missing = [...aggregate.event.variants.keys()].filter((tag) => !tags.has(tag))
  return { name: aggregate.name, fold: goldenFold(aggregate, history), missing }
}

describe('a golden fold', () => {
  test.each([
    [goldenOf(Product.aggregate, product), '1:1VcTwtMu9cp8'],
    [goldenOf(PriceList.aggregate, priceList), '1:1YYuZkjzmZ1Q'],
    [goldenOf(Stock.aggregate, stock), '1:1Razcu-dRwhI'],
    [goldenOf(Cart.aggregate, cart), '1:1o0AZIQQl-l4'],
    [goldenOf(Order.aggregate, order), '1:1yN4-ifLWC5A'],
    [goldenOf(Payment.aggregate, payment), '2:1VheJjjwEDWQ'],
    [goldenOf(Notification.aggregate, notification), '1:1BciUsQxG63Q'],
  ])('of every event of $name is what it was', ({ fold, missing }, golden) => {
    expect(missing).toEqual([])
    expect(fold).toBe(golden)
  })
})

const COUNT = 5000
const throughJson = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown

describe('a large state survives its codec', () => {
  test('stock with 5,000 reservations and as many allocations', () => {
    let state = Stock.initial
    const event = valid(Stock.StockEvent)
    state = Stock.evolve(state, event({ _tag: 'StockReceived', units: 1_000_000 }))
    for (let at = 0; at < 2 * COUNT; at += 1) {
      const shopper = at % 3 === 0 ? { shopper: `shopper-${at % 7}` } : {}
      state = Stock.evolve(state, event(reserved(at, 1 + (at % 9), shopper)))
      if (at % 2 === 0)
        state = Stock.evolve(
          state,
          event({ _tag: 'StockAllocated', ...reservation(at), units: 1 + (at % 9) }),
        )
    }
    const codec = Stock.aggregate.snapshot
    if (codec === undefined) throw new Error('it has one')
    const stored = throughJson(codec.encode(state))
    expect(codec.stored.is(stored)).toBe(true)
    const back = codec.decode(stored)
    expect(throughJson(codec.encode(back))).toEqual(stored)
    expect(back.reservations.size).toBe(COUNT)
    expect(back.allocations.size).toBe(COUNT)
    const { reserved: held, allocated } = state
    expect([back.reserved, back.allocated, Stock.available(back)]).toEqual([
      held,
      allocated,
      Stock.available(state),
    ])
    expect(back.owned.toJS()).toEqual(state.owned.toJS())
  })

  test('a payment with a thousand refunds', () => {
    let state = Payment.initial
    const event = valid(Payment.PaymentEvent)
    for (const one of payment) state = Payment.evolve(state, event(one))
    for (let at = 0; at < 1000; at += 1) {
      const one = { refundId: `r-${at}`, ...usd(1), reason: 'returned' }
      state = Payment.evolve(state, event({ _tag: 'RefundRequested', ...one }))
      const refunds = [{ refundId: `r-${at}`, amount: 1, status: at % 2 === 0 ? 'succeeded' : 'failed' }]
      state = Payment.evolve(state, event(statement(100 + at, { refunds })))
    }
    const codec = Payment.aggregate.snapshot
    const stored = throughJson(codec?.encode(state))
    expect(codec?.stored.is(stored)).toBe(true)
    expect(codec?.decode(stored)).toEqual(state)
  })
})
