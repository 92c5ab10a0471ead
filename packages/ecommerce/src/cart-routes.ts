/** Carts over HTTP: each belongs to its user, and a guest's can be merged into his once he has signed in. */
import {
  type Caller,
  type CommandId,
  command,
  E,
  type Fault,
  forbidden,
  list,
  notFound,
  type Problem,
  problem,
  query,
  type Reader,
  type Route,
  record,
  type Sealed,
  type TypeOf,
  text,
} from '@everfold/core'
import * as Cart from './cart.ts'
import * as Catalogue from './catalogue.ts'
import { AnyMoney } from './money.ts'
import * as PriceList from './price-list.ts'
import { CartId, OrderId, PaymentMethod, Sku, type TimeMs, Units, type UserId } from './quantities.ts'
import type { Terms } from './terms.ts'

const CartParams = record('CartParams', { cartId: CartId })
type CartParams = TypeOf<typeof CartParams>
const LineParams = record('LineParams', { cartId: CartId, sku: Sku })
const NoBody = record('NoBody', {})
const CartChanged = record('CartChanged', { cartId: CartId })

export const cartRoutes = (terms: Terms): ReadonlyArray<Route> => [
  createCart(terms),
  getCart,
  addLine(terms),
  changeQuantity,
  removeLine,
  reprice(terms),
  mergeCart,
  checkout(terms),
]

type Allowed = E.Either<Problem | Fault, void>

/** The cart as its owner may see it: 404 where there is none, 403 where it is another's. */
const ownCart = async (
  cartId: CartId,
  caller: Caller | undefined,
  read: Reader,
): Promise<E.Either<Problem | Fault, Cart.Cart>> => {
  const found = await read.state(Cart.aggregate, cartId)
  if (E.isLeft(found)) return found
  const { state } = found.right
  if (state._tag === 'NoCart') return E.left(notFound(`cart ${cartId}`))
  return state.owner === caller?.userId
    ? E.right(state)
    : E.left(forbidden('This cart belongs to another user.'))
}

const authorize = async (
  { params, caller }: { readonly params: CartParams; readonly caller: Caller | undefined },
  read: Reader,
): Promise<Allowed> => E.map(() => undefined)(await ownCart(params.cartId, caller, read))

const createCart = (terms: Terms): Route =>
  command(Cart.aggregate)({
    method: 'POST',
    path: '/ecommerce/carts',
    summary: "Creates an empty cart in the shop's currency.",
    access: 'user',
    params: record('NoParams', {}),
    body: NoBody,
    replies: {
      status: 201,
      body: record('CartCreated', { cartId: CartId, lines: list(Sku, 0, 0), total: AnyMoney }),
    },
    id: ({ commandId }) => commandId,
    prepare: ({ commandId, caller }) =>
      E.right({
        _tag: 'CreateCart',
        cartId: cartIdOf(commandId),
        owner: caller?.userId as UserId,
        currency: terms.currency,
      }),
    reply: (events, { commandId }) => {
      const created = events.find((event) => event._tag === 'CartCreated')
      const { cartId = cartIdOf(commandId), currency = terms.currency } = created ?? {}
      return { cartId, lines: [], total: { amount: 0, currency } }
    },
  })

const cartIdOf = (commandId: CommandId): CartId => commandId as string as CartId

const CartView = record('CartView', {
  cartId: CartId,
  status: Cart.CartStatus,
  lines: list(
    record('CartViewLine', {
      sku: Sku,
      quantity: Units,
      unitPrice: AnyMoney,
      discount: AnyMoney,
      lineTotal: AnyMoney,
    }),
  ),
  shipping: AnyMoney,
  total: AnyMoney,
})

const getCart: Route = query({
  path: '/ecommerce/carts/{cartId}',
  summary: 'The cart, its lines at the prices they were added at, and its total before tax.',
  access: 'user',
  params: CartParams,
  query: record('NoQuery', {}),
  replies: { status: 200, body: CartView },
  reads: [],
  authorize,
  answer: async ({ params, caller }, read) => {
    const found = await ownCart(params.cartId, caller, read)
    if (E.isLeft(found)) return found
    const totals = Cart.totals(found.right)
    if (E.isLeft(totals)) return E.left(problem(500, 'A cart cannot be added up'))
    const { currency, lines, shipping, total } = totals.right
    const money = (amount: number) => ({ amount, currency })
    return E.right({
      cartId: params.cartId,
      status: found.right.status,
      lines: lines.map((line) => ({
        sku: line.sku,
        quantity: line.quantity,
        unitPrice: money(line.unitPrice),
        discount: money(line.discount),
        lineTotal: money(line.total),
      })),
      shipping: money(shipping),
      total: money(total),
    })
  },
})

/** What the SKU costs now; undefined for one that has no price. */
const priceOf = async (
  sku: Sku,
  terms: Terms,
  timeMs: number,
  read: Reader,
): Promise<E.Either<Problem | Fault, Cart.PriceSnapshot | undefined>> => {
  const prices = await read.state(PriceList.aggregate, PriceList.streamId({ sku, ...terms }))
  if (E.isLeft(prices)) return prices
  const inForce = PriceList.priceAt(prices.right.state, timeMs)
  if (inForce === undefined) return E.right(undefined)
  return E.right({
    unitAmount: inForce.price.amount,
    currency: inForce.price.currency,
    taxClass: inForce.taxClass,
    priceListVersion: inForce.version,
    capturedAtMs: timeMs as TimeMs,
  })
}

const addLine = (terms: Terms): Route =>
  command(Cart.aggregate)({
    method: 'POST',
    path: '/ecommerce/carts/{cartId}/lines',
    summary: 'Adds units of a SKU at its present price.',
    access: 'user',
    params: CartParams,
    body: record('NewLine', { sku: Sku, quantity: Units }),
    replies: { status: 201, body: record('LineAdded', { cartId: CartId, sku: Sku, quantity: Units }) },
    reads: [Catalogue.NAME],
    authorize,
    id: ({ params }) => params.cartId,
    prepare: async ({ body: { sku, quantity }, timeMs }, read) => {
      const gone = await Catalogue.discontinued(read, sku)
      if (E.isLeft(gone)) return gone
      const found = gone.right ? E.right(undefined) : await priceOf(sku, terms, timeMs, read)
      if (E.isLeft(found)) return found
      const price = found.right
      return E.right({ _tag: 'AddLine', sku, quantity, ...(price === undefined ? {} : { price }) })
    },
    reply: (events, { params, body }) => {
      const changed = events.find(
        (event) => event._tag === 'LineAdded' || event._tag === 'LineQuantityChanged',
      )
      return { ...params, sku: body.sku, quantity: changed?.quantity ?? body.quantity }
    },
  })

const changeQuantity: Route = command(Cart.aggregate)({
  method: 'PATCH',
  path: '/ecommerce/carts/{cartId}/lines/{sku}',
  summary: 'Sets the quantity of a line.',
  access: 'user',
  params: LineParams,
  body: record('NewQuantity', { quantity: Units }),
  replies: { status: 200, body: record('LineChanged', { cartId: CartId, sku: Sku, quantity: Units }) },
  authorize,
  id: ({ params }) => params.cartId,
  prepare: ({ params: { sku }, body: { quantity } }) => E.right({ _tag: 'ChangeQuantity', sku, quantity }),
  reply: (_events, { params, body }) => ({ ...params, ...body }),
})

const removeLine: Route = command(Cart.aggregate)({
  method: 'DELETE',
  path: '/ecommerce/carts/{cartId}/lines/{sku}',
  summary: 'Removes a line; one that is not there is removed already.',
  access: 'user',
  params: LineParams,
  body: NoBody,
  replies: { status: 200, body: CartChanged },
  authorize,
  id: ({ params }) => params.cartId,
  prepare: ({ params: { sku } }) => E.right({ _tag: 'RemoveLine', sku }),
  reply: (_events, { params: { cartId } }) => ({ cartId }),
})

/** Today's price of every line; a SKU that has none any more is left out. */
const pricesOf = async (
  { lines }: Cart.Cart,
  terms: Terms,
  timeMs: number,
  read: Reader,
): Promise<E.Either<Problem | Fault, ReadonlyArray<Cart.SkuPrice>>> => {
  const prices: Array<Cart.SkuPrice> = []
  const found = await Promise.all(lines.map(({ sku }) => priceOf(sku, terms, timeMs, read)))
  for (const [at, price] of found.entries()) {
    if (E.isLeft(price)) return price
    const sku = lines[at]?.sku
    if (sku !== undefined && price.right !== undefined) prices.push({ sku, price: price.right })
  }
  return E.right(prices)
}

const reprice = (terms: Terms): Route =>
  command(Cart.aggregate)({
    method: 'POST',
    path: '/ecommerce/carts/{cartId}/reprice',
    summary: 'Takes over the present prices, as after a checkout that was refused for changed ones.',
    access: 'user',
    params: CartParams,
    body: NoBody,
    replies: { status: 200, body: CartChanged },
    authorize,
    id: ({ params }) => params.cartId,
    prepare: async ({ params, caller, timeMs }, read) => {
      const cart = await ownCart(params.cartId, caller, read)
      if (E.isLeft(cart)) return cart
      const prices = await pricesOf(cart.right, terms, timeMs, read)
      return E.isLeft(prices) ? prices : E.right({ _tag: 'RefreshPrices', prices: prices.right })
    },
    reply: (_events, { params }) => params,
  })

const Merge = record('Merge', { fromCartId: CartId, policy: Cart.MergePolicy })

const mergeOf = (
  { fromCartId: from, policy }: TypeOf<typeof Merge>,
  state: Cart.CartState,
): Extract<Cart.CartCommand, { readonly _tag: 'MergeCart' }> => ({
  _tag: 'MergeCart',
  from,
  policy,
  lines: state._tag === 'Cart' ? state.lines : [],
})

const mergeCart: Route = command(Cart.aggregate)({
  method: 'POST',
  path: '/ecommerce/carts/{cartId}/merge',
  summary: "Merges another cart of the caller, or a guest's, into this one; the other is closed first.",
  access: 'user',
  params: CartParams,
  body: Merge,
  replies: {
    status: 200,
    body: record('CartsMerged', { cartId: CartId, fromCartId: CartId, policy: Cart.MergePolicy }),
  },
  authorize,
  id: ({ params }) => params.cartId,
  first: async ({ params: { cartId }, body, caller, ...context }, read) => {
    const { fromCartId, policy } = body
    const [from, into] = [
      await read.state(Cart.aggregate, fromCartId),
      await read.state(Cart.aggregate, cartId),
    ]
    if (E.isLeft(from)) return from
    if (E.isLeft(into)) return into
    const { state } = from.right
    if (state._tag === 'NoCart') return E.left(notFound(`cart ${fromCartId}`))
    if (state.owner !== caller?.userId && !isGuest(state.owner))
      return E.left(forbidden('That cart belongs to another user.'))
    // A cart that cannot be taken over is not closed: its lines would be nowhere.
    if (E.isLeft(Cart.decide(mergeOf(body, state), into.right.state, context))) return E.right(undefined)
    return E.right({
      aggregate: Cart.aggregate,
      id: fromCartId,
      command: { _tag: 'MarkMergedAway', into: cartId, policy },
    })
  },
  prepare: async ({ body }, read) => {
    const from = await read.state(Cart.aggregate, body.fromCartId)
    return E.isLeft(from) ? from : E.right(mergeOf(body, from.right.state))
  },
  reply: (_events, { params, body }) => ({ ...params, ...body }),
})

/** Guests sign in as `guest` and what tells them apart (`guest-7`); whoever knows a guest's cart id holds that cart. */
const isGuest = (owner: UserId): boolean => /^guest(?![A-Za-z])/.test(owner)

const Line = (name: string) => text(name, { maxLength: 200 })

const Checkout = record('Checkout', {
  email: text('Email', { maxLength: 254, pattern: /^[^\s@]+@[^\s@]+\.[^\s@]+$/ }),
  paymentMethod: PaymentMethod,
  address: record('Address', {
    name: Line('Name'),
    line1: Line('Line1'),
    city: Line('City'),
    postalCode: text('PostalCode', { maxLength: 20 }),
    country: text('Country', { minLength: 2, maxLength: 64 }),
  }),
})

const checkout = (terms: Terms): Route =>
  command(Cart.aggregate)({
    method: 'POST',
    path: '/ecommerce/carts/{cartId}/checkout',
    summary: 'Checks the cart out at its prices; the order is placed, reserved and paid afterwards.',
    access: 'user',
    params: CartParams,
    body: Checkout,
    replies: { status: 202, body: record('CheckedOut', { orderId: OrderId }) },
    authorize,
    id: ({ params }) => params.cartId,
    sent: ({ body, caller }, read) => sealedBy(caller, body, read),
    prepare: async ({ params, body, caller, commandId, timeMs }, read) => {
      const cart = await ownCart(params.cartId, caller, read)
      if (E.isLeft(cart)) return cart
      const prices = await pricesOf(cart.right, terms, timeMs, read)
      if (E.isLeft(prices)) return prices
      const sealed = await sealedBy(caller, body, read)
      if (E.isLeft(sealed)) return sealed
      return E.right({
        _tag: 'CheckoutCart',
        orderId: orderIdOf(commandId),
        prices: prices.right,
        rounding: terms.rounding,
        taxRates: terms.taxRates,
        ...sealed.right,
      })
    },
    reply: (events, { commandId }) => {
      const out = events.find((event) => event._tag === 'CartCheckedOut')
      return { orderId: out?.orderId ?? orderIdOf(commandId) }
    },
  })

/** The same text under the same key gives the same box, so a repeat is known by its boxes. */
const sealedBy = async (
  caller: Caller | undefined,
  { email, address, paymentMethod }: TypeOf<typeof Checkout>,
  read: Reader,
): Promise<
  E.Either<Problem | Fault, { email: Sealed; address: Sealed; paymentMethod: typeof paymentMethod }>
> => {
  const subject = caller?.userId ?? ''
  const sealedEmail = await read.seal(subject, email)
  if (E.isLeft(sealedEmail)) return erasedProblem(sealedEmail.left)
  const sealedAddress = await read.seal(subject, address)
  if (E.isLeft(sealedAddress)) return erasedProblem(sealedAddress.left)
  return E.right({ email: sealedEmail.right, address: sealedAddress.right, paymentMethod })
}

const orderIdOf = (commandId: CommandId): OrderId => commandId as string as OrderId

const erasedProblem = (
  failure: Fault | { readonly _tag: 'Erased'; readonly subject: string },
): E.Either<Problem | Fault, never> =>
  E.left(
    failure._tag === 'Erased'
      ? problem(403, 'Erased', { detail: 'The data of this user have been erased.' })
      : failure,
  )
