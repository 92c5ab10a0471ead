/**
 * Checkout: a cart that is checked out becomes one order.
 *
 * Stream `checkout/{cartId}`. The order's id was chosen with the checkout, so placing it again changes nothing.
 */
import { ask, type Heard, hear, type Process, streamParts } from '@everfold/core'
import * as Cart from './cart.ts'
import * as Order from './order.ts'

type Told = Heard<Cart.CartEvent, Order.OrderRejection>

export const process: Process<null, Cart.CartEvent, Order.OrderRejection> = {
  name: 'checkout',
  hears: [
    hear(Cart.aggregate, ({ event, stream }) =>
      event._tag === 'CartCheckedOut' ? streamParts(stream).id : undefined,
    ),
  ],
  asks: [Order.aggregate],
  initial: null,
  evolve: (state) => state,
  react: (_before, _after, heard: Told) => {
    if (heard._tag !== 'Happened' || heard.recorded.event._tag !== 'CartCheckedOut') return []
    const { orderId, purchase } = heard.recorded.event
    return [ask(Order.aggregate, orderId, { _tag: 'PlaceOrder', orderId, purchase })]
  },
}
