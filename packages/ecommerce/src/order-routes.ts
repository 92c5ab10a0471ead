/** Orders over HTTP: each belongs to its user, and administrators may read them all. */
import {
  type Caller,
  Cursor,
  command,
  cursorOf,
  E,
  type Fault,
  forbidden,
  hook,
  integer,
  list,
  notFound,
  notOurs,
  oneOf,
  type Problem,
  placeOf,
  query,
  type Reader,
  type Route,
  record,
  retryLater,
  type TypeOf,
  text,
} from '@everfold/core'
import * as t from 'io-ts'
import { AnyMoney } from './money.ts'
import * as Order from './order.ts'
import * as Orders from './orders.ts'
import * as Payment from './payment.ts'
import { NextAction } from './provider-statement.ts'
import { LineId, OrderId, Reason, Sku, TimeMs, Units } from './quantities.ts'

const OrderParams = record('OrderParams', { orderId: OrderId })
type OrderParams = TypeOf<typeof OrderParams>

const OrderViewStatus = oneOf(
  'OrderViewStatus',
  'placed',
  'action_required',
  'confirmed',
  'on_hold',
  'backordered',
  'shipped',
  'completed',
  'canceled',
)

/** The name under which a runtime binds the verification of Stripe's webhooks. */
export const STRIPE_HOOK = 'stripe'

export const orderRoutes = (): ReadonlyArray<Route> => [
  listOrders,
  getOrder,
  cancelOrder,
  getHistory,
  hook({
    path: '/ecommerce/webhooks/stripe',
    summary: "Stripe's signed webhooks.",
    hook: STRIPE_HOOK,
  }),
]

const OrderSummary = record('OrderSummary', {
  orderId: OrderId,
  placedAtMs: TimeMs,
  total: AnyMoney,
  status: OrderViewStatus,
})

const listOrders: Route = query({
  path: '/ecommerce/orders',
  summary: "The caller's orders, the latest first.",
  access: 'user',
  params: record('NoParams', {}),
  query: record('OrdersQuery', {}, { limit: integer('Limit', 1, 100), cursor: Cursor }),
  replies: { status: 200, body: record('Orders', { items: list(OrderSummary) }, { nextCursor: Cursor }) },
  reads: [Orders.NAME],
  answer: async ({ query: { limit = 20, cursor }, caller }, read) => {
    const userId = caller?.userId ?? ''
    const after = cursor === undefined ? E.right(undefined) : placeOf(cursor, 'orders', userId)
    if (E.isLeft(after)) return after
    const page = await Orders.page(read, {
      userId,
      limit,
      ...(after.right === undefined ? {} : { after: after.right }),
    })
    if (E.isLeft(page)) return page
    const { items, after: next } = page.right
    return E.right(next === undefined ? { items } : { items, nextCursor: cursorOf(next, 'orders', userId) })
  },
})

/** An order from its checkout on, by its own stream as soon as it is placed. */
type Found = Orders.Checkout & { readonly status?: Order.OrderStatus; readonly reason?: Reason }

const findOrder = async (
  orderId: OrderId,
  caller: Caller | undefined,
  read: Reader,
): Promise<E.Either<Problem | Fault, Found>> => {
  const order = await read.state(Order.aggregate, orderId)
  if (E.isLeft(order)) return order
  const { state } = order.right
  const checkout = state._tag === 'Order' ? E.right(state) : await Orders.checkoutOf(read, orderId)
  if (E.isLeft(checkout)) return checkout
  const found: Found | undefined = checkout.right
  if (found === undefined) return E.left(notFound(`order ${orderId}`))
  const allowed = found.userId === caller?.userId || caller?.roles.includes('admin') === true
  return allowed ? E.right(found) : E.left(forbidden('This order belongs to another user.'))
}

const authorize = async (
  { params, caller }: { readonly params: OrderParams; readonly caller: Caller | undefined },
  read: Reader,
): Promise<E.Either<Problem | Fault, void>> =>
  E.map(() => undefined)(await findOrder(params.orderId, caller, read))

const OrderView = record(
  'OrderView',
  {
    orderId: OrderId,
    status: OrderViewStatus,
    placedAtMs: TimeMs,
    lines: list(
      record('OrderViewLine', {
        lineId: LineId,
        sku: Sku,
        quantity: Units,
        unitPrice: AnyMoney,
        lineTotal: AnyMoney,
      }),
    ),
    shipping: AnyMoney,
    tax: AnyMoney,
    total: AnyMoney,
    payment: record(
      'OrderViewPayment',
      { status: text('PaymentViewStatus'), authorized: AnyMoney, captured: AnyMoney, refunded: AnyMoney },
      {
        nextAction: NextAction,
        /** Why it was last declined, while no issuer allowed it. */
        declineCode: text('DeclineCode'),
      },
    ),
  },
  /** Why it is held, or was canceled. */
  { reason: Reason },
)

const getOrder: Route = query({
  path: '/ecommerce/orders/{orderId}',
  summary: 'One order with its lines and its payment.',
  access: 'user',
  params: OrderParams,
  query: record('NoQuery', {}),
  replies: { status: 200, body: OrderView },
  reads: [Orders.NAME],
  authorize,
  answer: async ({ params: { orderId }, caller }, read) => {
    const order = await findOrder(orderId, caller, read)
    if (E.isLeft(order)) return order
    const payment = await read.state(Payment.aggregate, orderId)
    if (E.isLeft(payment)) return payment
    return E.right(orderView(order.right, payment.right.state))
  },
})

const orderView = (order: Found, payment: Payment.Payment) => {
  const { orderId, placedAtMs, currency, totals } = order
  const money = (amount: number) => ({ amount, currency })
  const paymentStatus = Payment.statusOf(payment)
  const { nextAction } = payment.known.standing ?? {}
  const declineCode = Payment.lastDeclineCode(payment)
  const status = Orders.statusOf(order.status, payment)
  // An order that was held and then confirmed has its reason behind it.
  const reason = status === 'on_hold' || status === 'canceled' ? order.reason : undefined
  return {
    orderId,
    status,
    ...(reason === undefined ? {} : { reason }),
    placedAtMs,
    lines: order.lines.map(({ lineId, sku, quantity, unitPrice, net }) => ({
      lineId,
      sku,
      quantity,
      unitPrice: money(unitPrice),
      lineTotal: money(net),
    })),
    shipping: money(totals.shipping),
    tax: money(totals.tax + totals.shippingTax),
    total: money(totals.total),
    payment: {
      status: paymentStatus ?? 'none',
      authorized: money(Payment.authorized(payment)),
      captured: money(Payment.captured(payment)),
      refunded: money(Payment.refunded(payment)),
      ...(nextAction === undefined ? {} : { nextAction }),
      ...(declineCode === undefined ? {} : { declineCode }),
    },
  }
}

const cancelOrder: Route = command(Order.aggregate)({
  method: 'POST',
  path: '/ecommerce/orders/{orderId}/cancel',
  summary: 'Cancels the order; stock and payment are taken back afterwards.',
  access: 'user',
  params: OrderParams,
  body: record('Cancellation', { reason: Reason }),
  replies: { status: 202, body: record('OrderCanceled', { orderId: OrderId }) },
  reads: [Orders.NAME],
  authorize,
  id: ({ params }) => params.orderId,
  prepare: async ({ params: { orderId }, body: { reason }, caller }, read) => {
    const order = await findOrder(orderId, caller, read)
    if (E.isLeft(order)) return order
    // Checked out, and not yet placed: a refusal would stand on record for an order that is about to be.
    if (order.right.status === undefined) return E.left(retryLater('The order is being placed.'))
    const by = order.right.userId === caller?.userId ? 'shopper' : 'shop'
    return E.right({ _tag: 'CancelOrder', reason, by })
  },
  reply: (_events, { params }) => params,
})

const HISTORY_COMMITS = 100

const getHistory: Route = query({
  path: '/ecommerce/orders/{orderId}/history',
  summary: 'What happened to the order, oldest first; personal data stay sealed.',
  access: 'user',
  params: OrderParams,
  query: record('HistoryQuery', {}, { cursor: Cursor }),
  replies: {
    status: 200,
    body: record(
      'History',
      {
        events: list(
          record('HistoryEvent', {
            id: t.string,
            version: integer('Version', 1),
            timeMs: TimeMs,
            event: t.UnknownRecord,
          }),
        ),
      },
      { nextCursor: Cursor },
    ),
  },
  reads: [Orders.NAME],
  authorize,
  answer: async ({ params: { orderId }, query: { cursor } }, read) => {
    const place = cursor === undefined ? E.right('0') : placeOf(cursor, 'history', orderId)
    if (E.isLeft(place)) return place
    if (!/^\d{1,15}$/.test(place.right)) return E.left(notOurs)
    const after = Number(place.right)
    const found = await read.history(Order.aggregate, orderId, { after, limit: HISTORY_COMMITS })
    if (E.isLeft(found)) return found
    const events = found.right.events.map(({ id, version, timeMs, event }) => ({
      id,
      version,
      timeMs,
      event,
    }))
    const { next } = found.right
    return E.right(
      next === undefined ? { events } : { events, nextCursor: cursorOf(String(next), 'history', orderId) },
    )
  },
})
