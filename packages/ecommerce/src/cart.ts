/**
 * A cart: what a shopper means to buy, at prices captured when each line was added.
 *
 * Stream `cart/{cartId}`. A cart has one owner and one currency, and one line per SKU.
 *
 * Invariants:
 * - C1 a merge is idempotent and the guest cart is terminal after it.
 * - C2 the merge policy is a parameter (sum, keep newest, keep user's).
 * - C3 a price snapshot changes only through CartRepriced, and checkout shows every difference.
 * - C4 totals equal the sum of lines after any history.
 *
 * A merge takes two streams: close the guest cart first (`MarkMergedAway`), then merge the lines it ended with
 * (`MergeCart`), and no line added in between is lost; a process makes sure that the second follows the first. Whether the caller owns the cart is asked at the door, by `owner`.
 */
import {
  accept,
  aggregate as aggregateOf,
  type Context,
  type Decider,
  type Decision,
  E,
  fold,
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
import { CurrencyCode, inCurrency } from './currency.ts'
import { AmountTooLarge, CurrencyDiffers, MAX_AMOUNT, Price } from './money.ts'
import { freeze } from './order.ts'
import { Discount, type PricedLine, perLineHalfUp, priceLines, RoundingPolicy } from './pricing.ts'
import { MAX_LINES, Purchase, Shipping, TaxRates } from './purchase.ts'
import {
  CartId,
  Count,
  LineId,
  OrderId,
  PaymentMethod,
  Reason,
  Sku,
  TaxClass,
  TimeMs,
  Units,
  UserId,
} from './quantities.ts'

/** A price as it was when the shopper saw it. */
export const PriceSnapshot = record('PriceSnapshot', {
  unitAmount: Price,
  currency: CurrencyCode,
  taxClass: TaxClass,
  priceListVersion: Count,
  capturedAtMs: TimeMs,
})
export type PriceSnapshot = TypeOf<typeof PriceSnapshot>

export const SkuPrice = record('SkuPrice', { sku: Sku, price: PriceSnapshot })
export type SkuPrice = TypeOf<typeof SkuPrice>

export const CartLine = record(
  'CartLine',
  {
    sku: Sku,
    quantity: Units,
    price: PriceSnapshot,
    /** When the line was added or its quantity last changed. */
    changedAtMs: TimeMs,
  },
  { discount: Discount },
)
export type CartLine = TypeOf<typeof CartLine>

/** What a line holds when both carts have its SKU. */
export const MergePolicy = oneOf('MergePolicy', 'sum', 'keep-newest', 'keep-user')
export type MergePolicy = TypeOf<typeof MergePolicy>

// Events. Stored forever: never rename, never remove; a new field needs a default.

export const CartEvent = union(
  'CartEvent',
  variant('CartCreated', { cartId: CartId, owner: UserId, currency: CurrencyCode }),
  variant('LineAdded', { sku: Sku, quantity: Units, price: PriceSnapshot, atMs: TimeMs }),
  variant('LineQuantityChanged', { sku: Sku, quantity: Units, atMs: TimeMs }),
  variant('LineRemoved', { sku: Sku }),
  variant('LineDiscountApplied', { sku: Sku, discount: Discount, reason: Reason }),
  variant('ShippingSet', { shipping: Shipping }),
  variant('CartRepriced', { prices: list(SkuPrice, 1, MAX_LINES) }),
  variant('CartMerged', {
    from: CartId,
    policy: MergePolicy,
    /** Lines that only the other cart had. */
    added: list(CartLine, 0, MAX_LINES),
    changed: list(record('MergedQuantity', { sku: Sku, quantity: Units, changedAtMs: TimeMs }), 0, MAX_LINES),
  }),
  /** With the lines it ended with, for the cart that takes them over. */
  variant('CartMergedAway', {
    from: CartId,
    into: CartId,
    policy: MergePolicy,
    lines: list(CartLine, 0, MAX_LINES),
  }),
  variant('CartCheckedOut', { orderId: OrderId, purchase: Purchase }),
  variant('CartAbandoned'),
  variant('CartReactivated'),
)
export type CartEvent = TypeOf<typeof CartEvent>

// State

/** The last two are terminal. Any change to an abandoned cart brings it back. */
export const CartStatus = oneOf('CartStatus', 'open', 'abandoned', 'merged', 'checked_out')
export type CartStatus = TypeOf<typeof CartStatus>

const MAX_MERGES = 1000

/** `NoCart` before the first event. */
export const CartState = union(
  'CartState',
  variant('NoCart'),
  variant(
    'Cart',
    {
      cartId: CartId,
      owner: UserId,
      currency: CurrencyCode,
      status: CartStatus,
      /** In the order they were added. */
      lines: list(CartLine, 0, MAX_LINES),
      mergedFrom: list(CartId, 0, MAX_MERGES),
    },
    { shipping: Shipping, mergedInto: CartId, orderId: OrderId },
  ),
)
export type CartState = TypeOf<typeof CartState>
export type Cart = Extract<CartState, { readonly _tag: 'Cart' }>

export const initial: CartState = { _tag: 'NoCart' }

export const evolve = (state: CartState, event: CartEvent): CartState => {
  if (event._tag === 'CartCreated') {
    const { cartId, owner, currency } = event
    return { _tag: 'Cart', cartId, owner, currency, status: 'open', lines: [], mergedFrom: [] }
  }
  return state._tag === 'Cart' ? evolveCart(state, event) : state
}

const evolveCart = (cart: Cart, event: Exclude<CartEvent, { _tag: 'CartCreated' }>): Cart => {
  switch (event._tag) {
    case 'LineAdded': {
      const { sku, quantity, price, atMs } = event
      return withLines(cart, [...cart.lines, { sku, quantity, price, changedAtMs: atMs }])
    }
    case 'LineQuantityChanged':
      return withQuantities(cart, [{ ...event, changedAtMs: event.atMs }])
    case 'LineRemoved':
      return withLines(
        cart,
        cart.lines.filter(({ sku }) => sku !== event.sku),
      )
    case 'LineDiscountApplied':
      return withLines(
        cart,
        cart.lines.map((line) => (line.sku === event.sku ? { ...line, discount: event.discount } : line)),
      )
    case 'ShippingSet':
      return { ...cart, status: 'open', shipping: event.shipping }
    case 'CartRepriced': {
      const prices = pricesOf(event.prices)
      return withLines(
        cart,
        cart.lines.map((line) => ({ ...line, price: prices.get(line.sku) ?? line.price })),
      )
    }
    case 'CartMerged': {
      const merged = withQuantities(cart, event.changed)
      return {
        ...withLines(merged, [...merged.lines, ...event.added]),
        mergedFrom: [...cart.mergedFrom, event.from],
      }
    }
    case 'CartMergedAway':
      return { ...cart, status: 'merged', mergedInto: event.into }
    case 'CartCheckedOut':
      return { ...cart, status: 'checked_out', orderId: event.orderId }
    case 'CartAbandoned':
      return { ...cart, status: 'abandoned' }
    case 'CartReactivated':
      return { ...cart, status: 'open' }
  }
}

const withLines = (cart: Cart, lines: ReadonlyArray<CartLine>): Cart => ({ ...cart, status: 'open', lines })

const withQuantities = (
  cart: Cart,
  changes: ReadonlyArray<{ readonly sku: Sku; readonly quantity: Units; readonly changedAtMs: TimeMs }>,
): Cart => {
  const changed = new Map(changes.map((change) => [change.sku, change]))
  const lines = cart.lines.map((line) => {
    const change = changed.get(line.sku)
    return change === undefined
      ? line
      : { ...line, quantity: change.quantity, changedAtMs: change.changedAtMs }
  })
  return withLines(cart, lines)
}

const pricesOf = (prices: ReadonlyArray<SkuPrice>): ReadonlyMap<Sku, PriceSnapshot> =>
  new Map(prices.map(({ sku, price }) => [sku, price]))

export interface LineTotal {
  readonly sku: Sku
  readonly quantity: Units
  readonly unitPrice: Price
  readonly discount: Price
  /** Unit price times quantity, less the discount. */
  readonly total: Price
}

export interface Totals {
  readonly currency: CurrencyCode
  readonly lines: ReadonlyArray<LineTotal>
  /** The sum of the line totals. */
  readonly subtotal: Price
  readonly shipping: Price
  /** Before tax. */
  readonly total: Price
}

/** What the cart costs; too large only for lines that `decide` would not have let in. */
export const totals = (
  { currency, lines, shipping }: Pick<Cart, 'currency' | 'lines' | 'shipping'>,
  policy: RoundingPolicy = perLineHalfUp,
): E.Either<AmountTooLarge, Totals> => {
  const priced = inCurrency(currency, (one): E.Either<AmountTooLarge, ReadonlyArray<LineTotal>> => {
    const inputs = lines.map((line) => ({
      lineId: lineIdOf(line.sku),
      quantity: line.quantity,
      unitPrice: line.price.unitAmount,
      ...(line.discount === undefined ? {} : { discount: line.discount }),
    }))
    const result = priceLines(one, inputs, policy)
    return E.isLeft(result)
      ? result
      : E.right(result.right.map((line, index) => lineTotal(lines, line, index)))
  })
  if (E.isLeft(priced)) return priced
  const subtotal = priced.right.reduce((sum, line) => sum + line.total, 0)
  const total = subtotal + (shipping?.amount ?? 0)
  return total > MAX_AMOUNT
    ? E.left({ _tag: 'AmountTooLarge', currency })
    : E.right({
        currency,
        lines: priced.right,
        subtotal: subtotal as Price,
        shipping: shipping?.amount ?? (0 as Price),
        total: total as Price,
      })
}

const lineTotal = <Code extends CurrencyCode>(
  lines: ReadonlyArray<CartLine>,
  { discount, net }: PricedLine<Code>,
  index: number,
): LineTotal => {
  const { sku, quantity, price } = lines[index] as CartLine
  return {
    sku,
    quantity,
    unitPrice: price.unitAmount,
    discount: discount.amount as number as Price,
    total: net.amount as number as Price,
  }
}

/** A cart has one line per SKU, so the SKU names the line in the order too. */
const lineIdOf = (sku: Sku): LineId => sku as string as LineId

// Commands

export const CartCommand = union(
  'CartCommand',
  variant('CreateCart', { cartId: CartId, owner: UserId, currency: CurrencyCode }),
  /**
   * Adds to the quantity where the cart has the SKU; the line then keeps the price it was added at. Without a price
   * the SKU is not for sale, and the refusal is on record like any other.
   */
  variant('AddLine', { sku: Sku, quantity: Units }, { price: PriceSnapshot }),
  variant('ChangeQuantity', { sku: Sku, quantity: Units }),
  variant('RemoveLine', { sku: Sku }),
  /** Takes the place of the line's earlier discount. */
  variant('ApplyLineDiscount', { sku: Sku, discount: Discount, reason: Reason }),
  variant('SetShipping', { shipping: Shipping }),
  /** Today's prices; SKUs that are not in the cart are passed over. */
  variant('RefreshPrices', { prices: list(SkuPrice, 0, MAX_LINES) }),
  variant('MergeCart', { from: CartId, lines: list(CartLine, 0, MAX_LINES), policy: MergePolicy }),
  variant('MarkMergedAway', { into: CartId, policy: MergePolicy }),
  variant('CheckoutCart', {
    orderId: OrderId,
    prices: list(SkuPrice, 0, MAX_LINES),
    rounding: RoundingPolicy,
    taxRates: TaxRates,
    email: Sealed,
    address: Sealed,
    paymentMethod: PaymentMethod,
  }),
  variant('AbandonCart'),
  variant('ReactivateCart'),
)
export type CartCommand = TypeOf<typeof CartCommand>

// Rejections

/** Without `is`, the SKU has no price any more. */
export const PriceDifference = record(
  'PriceDifference',
  { sku: Sku, was: PriceSnapshot },
  { is: PriceSnapshot },
)
export type PriceDifference = TypeOf<typeof PriceDifference>

export const CartRejection = union(
  'CartRejection',
  variant('UnknownCart'),
  variant('CartExists', { owner: UserId }),
  variant('CartClosed', { status: CartStatus }, { orderId: OrderId, mergedInto: CartId }),
  variant('NotForSale', { sku: Sku }),
  variant('LineNotFound', { sku: Sku }),
  variant('QuantityTooLarge', { sku: Sku, requested: Count, most: Units }),
  variant('CartFull', { most: Count }),
  variant('CannotMergeWithItself', { cartId: CartId }),
  variant('CartEmpty'),
  /** Every line whose price is not what the shopper was shown. */
  variant('PricesChanged', { differences: list(PriceDifference, 1, MAX_LINES) }),
  CurrencyDiffers,
  AmountTooLarge,
)
export type CartRejection = TypeOf<typeof CartRejection>

type CartDecision = Decision<CartRejection, CartEvent>
type CommandNamed<Tag extends CartCommand['_tag']> = Extract<CartCommand, { readonly _tag: Tag }>

/** What already holds changes nothing; no accepted change makes totals beyond counting. */
export const decide = (command: CartCommand, state: CartState, context: Context): CartDecision => {
  if (command._tag === 'CreateCart') return decideCreate(command, state)
  if (state._tag === 'NoCart') return reject({ _tag: 'UnknownCart' })
  const closed = decideClosed(command, state)
  if (closed !== undefined) return closed
  const decision = decideOpen(command, state, context.timeMs as TimeMs)
  if (E.isLeft(decision)) return decision
  const after = fold<CartState, CartEvent>({ initial, evolve }, decision.right, state)
  const priced = after._tag === 'Cart' ? totals(after) : E.right(undefined)
  return E.isLeft(priced) ? priced : decision
}

const decideCreate = (
  { cartId, owner, currency }: CommandNamed<'CreateCart'>,
  state: CartState,
): CartDecision => {
  if (state._tag === 'NoCart') return accept({ _tag: 'CartCreated', cartId, owner, currency })
  return state.owner === owner && state.currency === currency
    ? accept()
    : reject({ _tag: 'CartExists', owner: state.owner })
}

/** A closed cart answers only the command that closed it. */
const decideClosed = (
  command: CartCommand,
  { status, orderId, mergedInto }: Cart,
): CartDecision | undefined => {
  if (status === 'open' || status === 'abandoned') return undefined
  if (command._tag === 'CheckoutCart' && command.orderId === orderId) return accept()
  if (command._tag === 'MarkMergedAway' && command.into === mergedInto) return accept()
  return reject({
    _tag: 'CartClosed',
    status,
    ...(orderId === undefined ? {} : { orderId }),
    ...(mergedInto === undefined ? {} : { mergedInto }),
  })
}

const decideOpen = (
  command: Exclude<CartCommand, { _tag: 'CreateCart' }>,
  cart: Cart,
  atMs: TimeMs,
): CartDecision => {
  switch (command._tag) {
    case 'AddLine':
      return decideAdd(command, cart, atMs)
    case 'ChangeQuantity':
      return decideQuantity(command, cart, atMs)
    case 'RemoveLine':
      return lineOf(cart, command.sku) === undefined
        ? accept()
        : accept({ _tag: 'LineRemoved', sku: command.sku })
    case 'ApplyLineDiscount':
      return decideDiscount(command, cart)
    case 'SetShipping':
      return cart.shipping?.amount === command.shipping.amount &&
        cart.shipping.method === command.shipping.method
        ? accept()
        : accept({ _tag: 'ShippingSet', shipping: command.shipping })
    case 'RefreshPrices':
      return decideRefresh(command, cart)
    case 'MergeCart':
      return decideMerge(command, cart)
    case 'MarkMergedAway':
      return command.into === cart.cartId
        ? reject({ _tag: 'CannotMergeWithItself', cartId: cart.cartId })
        : accept({
            _tag: 'CartMergedAway',
            from: cart.cartId,
            into: command.into,
            policy: command.policy,
            lines: cart.lines,
          })
    case 'CheckoutCart':
      return decideCheckout(command, cart)
    case 'AbandonCart':
      return cart.status === 'abandoned' ? accept() : accept({ _tag: 'CartAbandoned' })
    case 'ReactivateCart':
      return cart.status === 'open' ? accept() : accept({ _tag: 'CartReactivated' })
  }
}

const lineOf = ({ lines }: Cart, sku: Sku): CartLine | undefined => lines.find((line) => line.sku === sku)

const MAX_QUANTITY = Units.max as Units

const decideAdd = (
  { sku, quantity, price }: CommandNamed<'AddLine'>,
  cart: Cart,
  atMs: TimeMs,
): CartDecision => {
  if (price === undefined) return reject({ _tag: 'NotForSale', sku })
  if (price.currency !== cart.currency) return currencyDiffers(cart, price)
  const line = lineOf(cart, sku)
  if (line !== undefined) {
    const requested = line.quantity + quantity
    return requested > MAX_QUANTITY
      ? reject({ _tag: 'QuantityTooLarge', sku, requested: requested as Count, most: MAX_QUANTITY })
      : accept({ _tag: 'LineQuantityChanged', sku, quantity: requested as Units, atMs })
  }
  return cart.lines.length >= MAX_LINES ? cartFull : accept({ _tag: 'LineAdded', sku, quantity, price, atMs })
}

const cartFull: CartDecision = reject({ _tag: 'CartFull', most: MAX_LINES as Count })

const currencyDiffers = (cart: Cart, price: PriceSnapshot): CartDecision =>
  reject({ _tag: 'CurrencyDiffers', expected: cart.currency, actual: price.currency })

const decideQuantity = (
  { sku, quantity }: CommandNamed<'ChangeQuantity'>,
  cart: Cart,
  atMs: TimeMs,
): CartDecision => {
  const line = lineOf(cart, sku)
  if (line === undefined) return reject({ _tag: 'LineNotFound', sku })
  return line.quantity === quantity ? accept() : accept({ _tag: 'LineQuantityChanged', sku, quantity, atMs })
}

const decideDiscount = (
  { sku, discount, reason }: CommandNamed<'ApplyLineDiscount'>,
  cart: Cart,
): CartDecision => {
  const line = lineOf(cart, sku)
  if (line === undefined) return reject({ _tag: 'LineNotFound', sku })
  return line.discount !== undefined && sameDiscount(line.discount, discount)
    ? accept()
    : accept({ _tag: 'LineDiscountApplied', sku, discount, reason })
}

const sameDiscount = (a: Discount, b: Discount): boolean =>
  a._tag === 'PercentOff'
    ? b._tag === 'PercentOff' && a.basisPoints === b.basisPoints
    : b._tag === 'AmountOff' && a.amount === b.amount

/** A new version of the price list with the same price is no difference. */
const samePrice = (a: PriceSnapshot, b: PriceSnapshot): boolean =>
  a.unitAmount === b.unitAmount && a.currency === b.currency && a.taxClass === b.taxClass

const decideRefresh = ({ prices }: CommandNamed<'RefreshPrices'>, cart: Cart): CartDecision => {
  const current = pricesOf(prices)
  const changed: Array<SkuPrice> = []
  for (const { sku, price: was } of cart.lines) {
    const price = current.get(sku)
    if (price === undefined || samePrice(was, price)) continue
    if (price.currency !== cart.currency) return currencyDiffers(cart, price)
    changed.push({ sku, price })
  }
  return changed.length === 0 ? accept() : accept({ _tag: 'CartRepriced', prices: changed })
}

const decideMerge = (command: CommandNamed<'MergeCart'>, cart: Cart): CartDecision => {
  const { from, policy } = command
  if (from === cart.cartId) return reject({ _tag: 'CannotMergeWithItself', cartId: from })
  if (cart.mergedFrom.includes(from)) return accept()
  const added: Array<CartLine> = []
  const changed: Array<Pick<CartLine, 'sku' | 'quantity' | 'changedAtMs'>> = []
  for (const theirs of new Map(command.lines.map((line) => [line.sku, line])).values()) {
    if (theirs.price.currency !== cart.currency) return currencyDiffers(cart, theirs.price)
    const ours = lineOf(cart, theirs.sku)
    if (ours === undefined) {
      added.push(theirs)
      continue
    }
    const { sku } = ours
    const quantity = mergedQuantity(ours, theirs, policy)
    if (quantity > MAX_QUANTITY)
      return reject({ _tag: 'QuantityTooLarge', sku, requested: quantity as Count, most: MAX_QUANTITY })
    const changedAtMs = Math.max(ours.changedAtMs, theirs.changedAtMs) as TimeMs
    if (quantity !== ours.quantity) changed.push({ sku, quantity: quantity as Units, changedAtMs })
  }
  if (cart.lines.length + added.length > MAX_LINES || cart.mergedFrom.length >= MAX_MERGES) return cartFull
  return accept({ _tag: 'CartMerged', from, policy, added, changed })
}

/** The price and the discount stay those of the user's line: a price snapshot changes only through CartRepriced. */
const mergedQuantity = (ours: CartLine, theirs: CartLine, policy: MergePolicy): number => {
  switch (policy) {
    case 'sum':
      return ours.quantity + theirs.quantity
    case 'keep-newest':
      return theirs.changedAtMs > ours.changedAtMs ? theirs.quantity : ours.quantity
    case 'keep-user':
      return ours.quantity
  }
}

const decideCheckout = (command: CommandNamed<'CheckoutCart'>, cart: Cart): CartDecision => {
  if (cart.lines.length === 0) return reject({ _tag: 'CartEmpty' })
  const current = pricesOf(command.prices)
  const differences = cart.lines.flatMap(({ sku, price: was }): ReadonlyArray<PriceDifference> => {
    const is = current.get(sku)
    if (is === undefined) return [{ sku, was }]
    return samePrice(was, is) ? [] : [{ sku, was, is }]
  })
  if (differences.length > 0) return reject({ _tag: 'PricesChanged', differences })
  const priced = totals(cart, command.rounding)
  if (E.isLeft(priced)) return priced
  const purchase = purchaseOf(command, cart, priced.right)
  // What cannot be added up with its tax could never be placed as an order.
  if (E.isLeft(freeze(purchase))) return reject({ _tag: 'AmountTooLarge', currency: cart.currency })
  return accept({ _tag: 'CartCheckedOut', orderId: command.orderId, purchase })
}

const purchaseOf = (
  { rounding, taxRates, email, address, paymentMethod }: CommandNamed<'CheckoutCart'>,
  { cartId, owner, currency, lines, shipping }: Cart,
  priced: Totals,
): Purchase => ({
  cartId,
  userId: owner,
  currency,
  lines: lines.map(({ sku, quantity, price }, index) => ({
    lineId: lineIdOf(sku),
    sku,
    quantity,
    unitPrice: price.unitAmount,
    taxClass: price.taxClass,
    priceListVersion: price.priceListVersion,
    discount: priced.lines[index]?.discount ?? (0 as Price),
  })),
  orderDiscount: 0 as Price,
  rounding,
  taxRates,
  email,
  address,
  paymentMethod,
  ...(shipping === undefined ? {} : { shipping }),
})

export const decider: Decider<CartCommand, CartState, CartEvent, CartRejection> = { initial, evolve, decide }

export const aggregate = aggregateOf({
  ...decider,
  name: 'cart',
  command: CartCommand,
  event: CartEvent,
  rejection: CartRejection,
  snapshot: plainSnapshot(CartState),
  reducer: 1,
})
