/**
 * CartMerge: whatever closed a cart in favour of another, its lines arrive there.
 *
 * Stream `cart-merge/{fromCartId}`. The merge is idempotent by the cart it takes, so it does not matter that whoever
 * closed the cart usually merges it himself at once.
 */
import { ask, type Heard, hear, type Process, streamParts } from '@everfold/core'
import * as Cart from './cart.ts'

type Told = Heard<Cart.CartEvent, Cart.CartRejection>

export const process: Process<null, Cart.CartEvent, Cart.CartRejection> = {
  name: 'cart-merge',
  hears: [
    hear(Cart.aggregate, ({ event, stream }) =>
      event._tag === 'CartMergedAway' ? streamParts(stream).id : undefined,
    ),
  ],
  asks: [Cart.aggregate],
  initial: null,
  evolve: (state) => state,
  react: (_before, _after, heard: Told) => {
    if (heard._tag !== 'Happened' || heard.recorded.event._tag !== 'CartMergedAway') return []
    const { from, into, policy, lines } = heard.recorded.event
    return [ask(Cart.aggregate, into, { _tag: 'MergeCart', from, policy, lines })]
  },
}
