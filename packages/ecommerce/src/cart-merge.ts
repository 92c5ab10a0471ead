/**
 * CartMerge: whatever closed a cart in favour of another, its lines arrive there.
 *
 * Stream `cart-merge/{fromCartId}`. The merge is idempotent by the cart it takes, so it does not matter that whoever
 * closed the cart usually merges it himself at once. A cart that was itself merged away meanwhile passes the lines on
 * to the one that it went into.
 */
import { ask, type Heard, hear, type Output, type Process, streamParts } from '@everfold/core'
import * as Cart from './cart.ts'
import type { CartId } from './quantities.ts'

type Told = Heard<Cart.CartEvent, Cart.CartRejection>
type Closed = Extract<Cart.CartEvent, { readonly _tag: 'CartMergedAway' }>

// State

interface Merging {
  readonly closed?: Closed
  /** The carts that were asked to take the lines, in turn. */
  readonly asked: ReadonlyArray<CartId>
}

export const initial: Merging = { asked: [] }

export const evolve = (state: Merging, heard: Told): Merging => {
  if (heard._tag === 'Refused') {
    const next = heard.rejection._tag === 'CartClosed' ? heard.rejection.mergedInto : undefined
    return next === undefined ? state : withAsked(state, next)
  }
  return heard._tag === 'Happened' && heard.recorded.event._tag === 'CartMergedAway'
    ? withAsked({ ...state, closed: heard.recorded.event }, heard.recorded.event.into)
    : state
}

/** No cart twice: two that were merged into each other are both closed. */
const withAsked = (state: Merging, cartId: CartId): Merging =>
  state.closed === undefined || state.closed.from === cartId || state.asked.includes(cartId)
    ? state
    : { ...state, asked: [...state.asked, cartId] }

// Rules

export const react = (before: Merging, { closed, asked }: Merging): ReadonlyArray<Output> => {
  if (closed === undefined) return []
  const { from, policy, lines } = closed
  return asked
    .slice(before.asked.length)
    .map((into) => ask(Cart.aggregate, into, { _tag: 'MergeCart', from, policy, lines }))
}

export const process: Process<Merging, Cart.CartEvent, Cart.CartRejection> = {
  name: 'cart-merge',
  hears: [
    hear(Cart.aggregate, ({ event, stream }) =>
      event._tag === 'CartMergedAway' ? streamParts(stream).id : undefined,
    ),
  ],
  asks: [Cart.aggregate],
  initial,
  evolve,
  react,
}
