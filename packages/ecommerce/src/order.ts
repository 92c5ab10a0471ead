/**
 * An order: a purchase with its amounts frozen, and how far it has come.
 *
 * Stream `order/{orderId}`.
 *
 * Invariants:
 * - M4 order.total = sum of line net + line tax + shipping + shipping tax, exactly.
 * - The rounding policy that made the amounts is stored with them; nothing is ever computed anew from prices.
 * - A canceled order and a completed one are terminal; a repeat of what already holds changes nothing.
 */
import {
  accept,
  aggregate as aggregateOf,
  type Context,
  type Decider,
  type Decision,
  E,
  list,
  oneOf,
  plainSnapshot,
  record,
  reject,
  Sealed,
  type TypeOf,
  union,
  variant,
} from '@everfold/core'
import { type Currency, CurrencyCode, inCurrency } from './currency.ts'
import { type Amount, AmountTooLarge, allocate, MAX_AMOUNT, money, Price } from './money.ts'
import { percentages, RoundingPolicy } from './pricing.ts'
import { MAX_LINES, Purchase, PurchasedLine, ShippingMethod, TaxRates } from './purchase.ts'
import { CartId, LineId, OrderId, PaymentMethod, Reason, TimeMs, UserId } from './quantities.ts'
import type { Component, ComponentId } from './refund.ts'

/** A line as it was sold; amounts are of the whole line. */
export const OrderLine = record('OrderLine', {
  ...PurchasedLine.required,
  /** Its share of the discount on the order. */
  orderDiscount: Price,
  /** Unit price times quantity, less both discounts. */
  net: Price,
  tax: Price,
})
export type OrderLine = TypeOf<typeof OrderLine>

export const OrderTotals = record('OrderTotals', {
  net: Price,
  tax: Price,
  shipping: Price,
  shippingTax: Price,
  /** What the shopper pays. */
  total: Price,
})
export type OrderTotals = TypeOf<typeof OrderTotals>

export const Canceler = oneOf('Canceler', 'shopper', 'shop', 'system')
export type Canceler = TypeOf<typeof Canceler>

const Lines = list(OrderLine, 1, MAX_LINES)
const LineIds = list(LineId, 1, MAX_LINES)

// Events. Stored forever: never rename, never remove; a new field needs a default.

export const OrderEvent = union(
  'OrderEvent',
  variant(
    'OrderPlaced',
    {
      orderId: OrderId,
      cartId: CartId,
      userId: UserId,
      currency: CurrencyCode,
      lines: Lines,
      totals: OrderTotals,
      rounding: RoundingPolicy,
      taxRates: TaxRates,
      email: Sealed,
      address: Sealed,
      paymentMethod: PaymentMethod,
      placedAtMs: TimeMs,
    },
    { shippingMethod: ShippingMethod },
  ),
  variant('OrderConfirmed'),
  variant('OrderOnHold', { reason: Reason }),
  variant('OrderLinesBackordered', { lines: LineIds }),
  variant('OrderCanceled', { reason: Reason, by: Canceler }),
  variant('OrderCompleted'),
)
export type OrderEvent = TypeOf<typeof OrderEvent>
type OrderPlaced = Extract<OrderEvent, { readonly _tag: 'OrderPlaced' }>

// State

/** The last two are terminal. */
export const OrderStatus = oneOf(
  'OrderStatus',
  'placed',
  'confirmed',
  'on_hold',
  'backordered',
  'completed',
  'canceled',
)
export type OrderStatus = TypeOf<typeof OrderStatus>

/** `NoOrder` before the first event. */
export const OrderState = union(
  'OrderState',
  variant('NoOrder'),
  variant(
    'Order',
    {
      orderId: OrderId,
      cartId: CartId,
      userId: UserId,
      status: OrderStatus,
      currency: CurrencyCode,
      lines: Lines,
      totals: OrderTotals,
      /** Lines that wait for stock. */
      backordered: list(LineId, 0, MAX_LINES),
      placedAtMs: TimeMs,
    },
    /** Why it was last held, or canceled. */
    { reason: Reason },
  ),
)
export type OrderState = TypeOf<typeof OrderState>
export type Order = Extract<OrderState, { readonly _tag: 'Order' }>

export const initial: OrderState = { _tag: 'NoOrder' }

export const evolve = (state: OrderState, event: OrderEvent): OrderState => {
  if (event._tag === 'OrderPlaced') return placed(event)
  return state._tag === 'Order' ? evolveOrder(state, event) : state
}

const placed = ({ orderId, cartId, userId, currency, lines, totals, placedAtMs }: OrderPlaced): Order => ({
  _tag: 'Order',
  orderId,
  cartId,
  userId,
  status: 'placed',
  currency,
  lines,
  totals,
  backordered: [],
  placedAtMs,
})

const evolveOrder = (order: Order, event: Exclude<OrderEvent, OrderPlaced>): Order => {
  switch (event._tag) {
    case 'OrderConfirmed':
      return { ...order, status: 'confirmed', backordered: [] }
    case 'OrderOnHold':
      return { ...order, status: 'on_hold', reason: event.reason }
    case 'OrderLinesBackordered':
      return {
        ...order,
        // A hold is stronger: it ends by confirming or canceling only.
        status: order.status === 'on_hold' ? 'on_hold' : 'backordered',
        backordered: [...order.backordered, ...event.lines],
      }
    case 'OrderCanceled':
      return { ...order, status: 'canceled', backordered: [], reason: event.reason }
    case 'OrderCompleted':
      return { ...order, status: 'completed' }
  }
}

/** What was paid, component by component, as refunds take it back. */
export const components = <Code extends CurrencyCode>(
  currency: Currency<Code>,
  { lines, totals }: Pick<Order, 'lines' | 'totals'>,
): ReadonlyArray<Component<Code>> => {
  const component = (id: string, units: number, amount: Price): Component<Code> => ({
    id: id as ComponentId,
    units,
    amount: money(currency, amount),
  })
  return [
    ...lines.flatMap(({ lineId, quantity, net, tax }) => [
      component(`net:${lineId}`, quantity, net),
      component(`tax:${lineId}`, quantity, tax),
    ]),
    component('shipping', 1, totals.shipping),
    component('shippingTax', 1, totals.shippingTax),
  ]
}

// Commands

export const OrderCommand = union(
  'OrderCommand',
  variant('PlaceOrder', { orderId: OrderId, purchase: Purchase }),
  /** Also ends a hold and a backorder. */
  variant('ConfirmOrder'),
  variant('HoldOrder', { reason: Reason }),
  variant('BackorderLines', { lines: LineIds }),
  /** The order as a whole. */
  variant('CancelOrder', { reason: Reason, by: Canceler }),
  variant('CloseOrder'),
)
export type OrderCommand = TypeOf<typeof OrderCommand>

// Rejections

export const OrderRejection = union(
  'OrderRejection',
  variant('UnknownOrder'),
  variant('OrderExists', { cartId: CartId }),
  /** The order's status allows no such step. */
  variant('StatusForbids', { status: OrderStatus }),
  variant('LineNotFound', { lineId: LineId }),
  variant('LineIdRepeated', { lineId: LineId }),
  variant('DiscountTooLarge', { discount: Price, most: Price }, { lineId: LineId }),
  AmountTooLarge,
)
export type OrderRejection = TypeOf<typeof OrderRejection>

type OrderDecision = Decision<OrderRejection, OrderEvent>
type CommandNamed<Tag extends OrderCommand['_tag']> = Extract<OrderCommand, { readonly _tag: Tag }>

export const decide = (command: OrderCommand, state: OrderState, context: Context): OrderDecision => {
  if (command._tag === 'PlaceOrder') return decidePlace(command, state, context.timeMs as TimeMs)
  if (state._tag === 'NoOrder') return reject({ _tag: 'UnknownOrder' })
  switch (command._tag) {
    case 'ConfirmOrder':
      return decideConfirm(state)
    case 'HoldOrder':
      return decideHold(command, state)
    case 'BackorderLines':
      return decideBackorder(command, state)
    case 'CancelOrder':
      return decideCancel(command, state)
    case 'CloseOrder':
      return decideClose(state)
  }
}

/** One cart becomes one order: placing it again changes nothing, whatever has become of it. */
const decidePlace = (
  { orderId, purchase }: CommandNamed<'PlaceOrder'>,
  state: OrderState,
  placedAtMs: TimeMs,
): OrderDecision => {
  if (state._tag === 'Order')
    return state.cartId === purchase.cartId ? accept() : reject({ _tag: 'OrderExists', cartId: state.cartId })
  const frozen = freeze(purchase)
  if (E.isLeft(frozen)) return frozen
  const { cartId, userId, currency, rounding, taxRates, email, address, paymentMethod, shipping } = purchase
  return accept({
    _tag: 'OrderPlaced',
    orderId,
    cartId,
    userId,
    currency,
    ...frozen.right,
    rounding,
    taxRates,
    email,
    address,
    paymentMethod,
    placedAtMs,
    ...(shipping === undefined ? {} : { shippingMethod: shipping.method }),
  })
}

/** A hold is lifted and a backorder filled by confirming. */
const decideConfirm = ({ status }: Order): OrderDecision => {
  if (status === 'confirmed' || status === 'completed') return accept()
  return status === 'canceled' ? forbidden(status) : accept({ _tag: 'OrderConfirmed' })
}

const decideHold = ({ reason }: CommandNamed<'HoldOrder'>, { status }: Order): OrderDecision => {
  if (status === 'on_hold') return accept()
  return isClosed(status) ? forbidden(status) : accept({ _tag: 'OrderOnHold', reason })
}

const decideBackorder = (command: CommandNamed<'BackorderLines'>, order: Order): OrderDecision => {
  if (isClosed(order.status)) return forbidden(order.status)
  const ids = new Set(order.lines.map(({ lineId }) => lineId))
  const stranger = command.lines.find((lineId) => !ids.has(lineId))
  if (stranger !== undefined) return reject({ _tag: 'LineNotFound', lineId: stranger })
  const known = new Set(order.backordered)
  const lines = [...new Set(command.lines)].filter((lineId) => !known.has(lineId))
  return lines.length === 0 ? accept() : accept({ _tag: 'OrderLinesBackordered', lines })
}

const decideCancel = ({ reason, by }: CommandNamed<'CancelOrder'>, { status }: Order): OrderDecision => {
  if (status === 'canceled') return accept()
  return status === 'completed' ? forbidden(status) : accept({ _tag: 'OrderCanceled', reason, by })
}

const decideClose = ({ status }: Order): OrderDecision => {
  if (status === 'completed') return accept()
  return status === 'confirmed' ? accept({ _tag: 'OrderCompleted' }) : forbidden(status)
}

const isClosed = (status: OrderStatus): boolean => status === 'canceled' || status === 'completed'

const forbidden = (status: OrderStatus): OrderDecision => reject({ _tag: 'StatusForbids', status })

// Freezing

export interface Frozen {
  readonly lines: ReadonlyArray<OrderLine>
  readonly totals: OrderTotals
}

type Priced = Pick<Purchase, 'currency' | 'lines' | 'orderDiscount' | 'rounding' | 'taxRates' | 'shipping'>

/** The purchase with every amount settled: the discount on the order and the tax stand on the lines. */
export const freeze = (purchase: Priced): E.Either<OrderRejection, Frozen> => {
  const nets = lineNets(purchase)
  if (E.isLeft(nets)) return nets
  const subtotal = nets.right.reduce((sum, net) => sum + net, 0)
  if (subtotal > MAX_AMOUNT) return E.left({ _tag: 'AmountTooLarge', currency: purchase.currency })
  if (purchase.orderDiscount > subtotal)
    return E.left({ _tag: 'DiscountTooLarge', discount: purchase.orderDiscount, most: subtotal as Price })
  return inCurrency(purchase.currency, (currency) => settle(currency, purchase, nets.right))
}

/** Before the discount on the order; every line stands for itself. */
const lineNets = ({ currency, lines }: Priced): E.Either<OrderRejection, ReadonlyArray<number>> => {
  const ids = new Set<LineId>()
  const nets: Array<number> = []
  for (const { lineId, quantity, unitPrice, discount } of lines) {
    if (ids.has(lineId)) return E.left({ _tag: 'LineIdRepeated', lineId })
    ids.add(lineId)
    // A product beyond the safe integers is inexact, but never small enough to be taken.
    const gross = quantity * unitPrice
    if (gross > MAX_AMOUNT) return E.left({ _tag: 'AmountTooLarge', currency })
    if (discount > gross) return E.left({ _tag: 'DiscountTooLarge', lineId, discount, most: gross as Price })
    nets.push(gross - discount)
  }
  return E.right(nets)
}

const settle = <Code extends CurrencyCode>(
  currency: Currency<Code>,
  { lines, orderDiscount, rounding, taxRates, shipping }: Priced,
  before: ReadonlyArray<number>,
): E.Either<AmountTooLarge, Frozen> => {
  const weights = lines.map(({ lineId }, index) => ({ lineId, weight: before[index] ?? 0 }))
  const shares = allocate(money(currency, orderDiscount), weights)
  // The discount is at most the sum of the weights, so there is something to weigh or nothing to divide.
  const discounts = E.isLeft(shares) ? [] : shares.right.map(({ share }) => share.amount as number)
  const nets = before.map((net, index) => net - (discounts[index] ?? 0))
  const taxes = percentages(
    currency,
    lines.map(({ lineId, quantity, taxClass }, index) => ({
      lineId,
      quantity,
      amount: money(currency, (nets[index] ?? 0) as Amount),
      basisPoints: taxClass === 'zero' ? 0 : taxRates[taxClass],
    })),
    rounding,
  )
  const frozen = lines.map((line, index) => ({
    ...line,
    orderDiscount: (discounts[index] ?? 0) as Price,
    net: (nets[index] ?? 0) as Price,
    tax: (taxes[index]?.amount ?? 0) as number as Price,
  }))
  const totals = totalsOf(currency, frozen, { taxRates, rounding, ...(shipping && { shipping }) })
  return totals.total > MAX_AMOUNT
    ? E.left({ _tag: 'AmountTooLarge', currency: currency.code })
    : E.right({ lines: frozen, totals })
}

const totalsOf = <Code extends CurrencyCode>(
  currency: Currency<Code>,
  lines: ReadonlyArray<OrderLine>,
  { shipping, taxRates, rounding }: Pick<Priced, 'shipping' | 'taxRates' | 'rounding'>,
): OrderTotals => {
  const freight = shipping?.amount ?? 0
  const [tax] = percentages(
    currency,
    [
      {
        lineId: 'shipping' as LineId,
        quantity: 1,
        amount: money(currency, freight as Amount),
        basisPoints: taxRates.shipping,
      },
    ],
    rounding,
  )
  const net = lines.reduce((sum, line) => sum + line.net, 0)
  const lineTax = lines.reduce((sum, line) => sum + line.tax, 0)
  const shippingTax = tax?.amount ?? 0
  return {
    net: net as Price,
    tax: lineTax as Price,
    shipping: freight as Price,
    shippingTax: shippingTax as number as Price,
    total: (net + lineTax + freight + shippingTax) as Price,
  }
}

export const decider: Decider<OrderCommand, OrderState, OrderEvent, OrderRejection> = {
  initial,
  evolve,
  decide,
}

export const aggregate = aggregateOf({
  ...decider,
  name: 'order',
  command: OrderCommand,
  event: OrderEvent,
  rejection: OrderRejection,
  snapshot: plainSnapshot(OrderState),
  reducer: 1,
})
