/**
 * Orders as their owners see them.
 *
 *     PK           SK                      row
 *     USER#<id>    ORDER#<placedAt>#<id>   order summary (list my orders)
 *     ORDER#<id>   CHECKOUT                owner and purchase, from the checkout on: before the order is placed
 *     ORDER#<id>   METADATA                the order, once it is placed
 *     ORDER#<id>   ITEM#<n>                SKU, quantity, price
 *     ORDER#<id>   PAYMENT                 what is known of its payment
 *
 * Every row is folded from one stream, so the order between streams cannot matter.
 */
import {
  E,
  type Fault,
  from,
  type Json,
  type Projection,
  type Reader,
  type RowChange,
  streamParts,
} from '@everfold/core'
import * as Cart from './cart.ts'
import type { AnyMoney } from './money.ts'
import * as Order from './order.ts'
import * as Payment from './payment.ts'
import type { Purchase } from './purchase.ts'
import type { OrderId, UserId } from './quantities.ts'

export const NAME = 'orders'

/** What is known of an order from the moment its cart is checked out. */
export interface Checkout {
  readonly orderId: OrderId
  readonly userId: UserId
  readonly placedAtMs: number
  readonly currency: Purchase['currency']
  readonly lines: ReadonlyArray<Order.OrderLine>
  readonly totals: Order.OrderTotals
}

export const projection: Projection = {
  name: NAME,
  generation: '1',
  sources: [
    from(Cart.aggregate, ({ event, timeMs }) =>
      event._tag === 'CartCheckedOut' ? checkoutRows(event.orderId, event.purchase, timeMs) : [],
    ),
    from(Order.aggregate, ({ event, stream }) => orderRows(streamParts(stream).id, event)),
    from(Payment.aggregate, ({ event, stream }) => [
      {
        pk: orderPk(streamParts(stream).id),
        sk: PAYMENT,
        change: (value) => Payment.evolve((value ?? Payment.initial) as Payment.Payment, event),
      },
    ]),
  ],
}

const CHECKOUT = 'CHECKOUT'
const METADATA = 'METADATA'
const PAYMENT = 'PAYMENT'
const orderPk = (id: string): string => `ORDER#${id}`
const userPk = (id: string): string => `USER#${id}`

/** Fixed width, so that text sorts as time does. */
const summarySk = (placedAtMs: number, id: string): string =>
  `ORDER#${String(placedAtMs).padStart(15, '0')}#${id}`

/** A purchase that cannot be added up never becomes an order, and is not listed as one. */
const checkoutRows = (orderId: OrderId, purchase: Purchase, placedAtMs: number): ReadonlyArray<RowChange> => {
  const frozen = Order.freeze(purchase)
  if (E.isLeft(frozen)) return []
  const { userId, currency } = purchase
  const { lines, totals } = frozen.right
  const checkout: Checkout = { orderId, userId, placedAtMs, currency, lines, totals }
  const summary = { orderId, placedAtMs, total: { amount: totals.total, currency } }
  return [
    { pk: orderPk(orderId), sk: CHECKOUT, change: () => checkout as unknown as Json },
    { pk: userPk(userId), sk: summarySk(placedAtMs, orderId), change: () => summary },
  ]
}

const orderRows = (id: string, event: Order.OrderEvent): ReadonlyArray<RowChange> => {
  const pk = orderPk(id)
  const state = {
    pk,
    sk: METADATA,
    change: (value: Json | undefined) =>
      Order.evolve((value ?? Order.initial) as unknown as Order.OrderState, event) as unknown as Json,
  }
  if (event._tag !== 'OrderPlaced') return [state]
  const items = event.lines.map(({ sku, quantity, unitPrice }, at) => ({
    pk,
    sk: `ITEM#${String(at + 1).padStart(4, '0')}`,
    change: () => ({ sku, quantity, unitPrice }),
  }))
  return [state, ...items]
}

// Reading

export type Status = Order.OrderStatus | 'action_required' | 'shipped'

/** An order waits for its shopper's bank only while it is not decided. */
export const statusOf = (
  order: Order.OrderStatus | undefined,
  payment: Payment.Payment | undefined,
): Status => {
  const status = order ?? 'placed'
  const waits = payment !== undefined && Payment.statusOf(payment) === 'requires_action'
  return status === 'placed' && waits ? 'action_required' : status
}

export interface Summary {
  readonly orderId: OrderId
  readonly placedAtMs: number
  readonly total: AnyMoney
  readonly status: Status
}

/** A user's orders, the latest first. */
export const page = async (
  read: Reader,
  { userId, limit, after }: { readonly userId: string; readonly limit: number; readonly after?: string },
): Promise<E.Either<Fault, { readonly items: ReadonlyArray<Summary>; readonly after?: string }>> => {
  const found = await read.rows(NAME, {
    pk: userPk(userId),
    skPrefix: 'ORDER#',
    descending: true,
    limit,
    ...(after === undefined ? {} : { after }),
  })
  if (E.isLeft(found)) return found
  const items: Array<Summary> = []
  for (const { value } of found.right.rows) {
    const summary = value as unknown as Omit<Summary, 'status'>
    const [order, payment] = await Promise.all([
      read.row(NAME, { pk: orderPk(summary.orderId), sk: METADATA }),
      read.row(NAME, { pk: orderPk(summary.orderId), sk: PAYMENT }),
    ])
    if (E.isLeft(order)) return order
    if (E.isLeft(payment)) return payment
    const state = order.right as unknown as Order.OrderState | undefined
    items.push({
      ...summary,
      status: statusOf(
        state?._tag === 'Order' ? state.status : undefined,
        payment.right as unknown as Payment.Payment | undefined,
      ),
    })
  }
  return E.right(found.right.after === undefined ? { items } : { items, after: found.right.after })
}

/** The checkout an order came from, or undefined where the view knows none. */
export const checkoutOf = async (
  read: Reader,
  orderId: OrderId,
): Promise<E.Either<Fault, Checkout | undefined>> => {
  const row = await read.row(NAME, { pk: orderPk(orderId), sk: CHECKOUT })
  return E.isLeft(row) ? row : E.right(row.right as unknown as Checkout | undefined)
}
