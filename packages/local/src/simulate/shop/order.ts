/**
 * Orders through the whole shop: carts, stock, fulfilment, payments at a simulated Stripe, mail; under everything that
 * Stripe and AWS may do, for a stock that may not suffice.
 */
import { E, type KeyRing, type Sealed, type Service, seal, streamParts } from '@everfold/core'
import { valid } from '@everfold/core/testing'
import { Cart, Notification, Order, Payment, Shop, Stock } from '@everfold/ecommerce'
import { stripePayments } from '@everfold/gateway-stripe'
import {
  always,
  eventually,
  eventuallyOverall,
  type Invariant,
  type Overview,
  type Sending,
  type SimulationOptions,
  type Workload,
} from '@everfold/runtime-memory/simulation'
import { mailbox } from '../../mailbox.ts'
import { sometimesRecorded, sometimesRefused } from '../happening.ts'
import { intentsByOrder, moneyInvariants, total } from './money-books.ts'
import { held, type StockBooks, stockBooks } from './stock-books.ts'
import { type SimulatedStripe, simulatedStripe } from './stripe.ts'

export interface OrderParts {
  /** The shop's own, unless told. */
  readonly service: Service
  readonly payments: typeof stripePayments
}

export const orderScenario = (parts: Partial<OrderParts> = {}): SimulationOptions => {
  const { service = Shop.service(), payments = stripePayments } = parts
  return {
    service,
    workload,
    invariants: [...OF_ORDERS, ...HAPPENINGS],
    surroundings: (ports) => {
      // What a refund comes to is told by webhooks alone: were one lost for good, nobody would ever hear.
      const stripe = simulatedStripe(ports, { lossy: (type) => !type.includes('refund') })
      const books = stockBooks()
      return {
        gateways: () => [payments(stripe.client, ports.kernel), mailbox(KEYS).binding],
        invariants: [...moneyInvariants(stripe), ...books.invariants, ...inTheEnd(stripe, books)],
      }
    },
  }
}

// What holds

const OF_ORDERS: ReadonlyArray<Invariant> = [
  always('M4 the total is the sum of line net, line tax, shipping and its tax', Order.aggregate, (order) => {
    if (order._tag === 'NoOrder') return true
    const { shipping, shippingTax, total: pays } = order.totals
    const sum = order.lines.reduce((of, { net, tax }) => of + net + tax, shipping + shippingTax)
    return sum === pays || `${pays} instead of ${sum}`
  }),
  always(
    'N1 one mail is sent per order, template and cause',
    Notification.aggregate,
    ({ sent }) => sent.length <= 1,
  ),
  eventually('every order ends completed or canceled', Order.aggregate, (order) =>
    order._tag === 'NoOrder' || isOver(order) ? true : order.status,
  ),
]

const HAPPENINGS: ReadonlyArray<Invariant> = [
  sometimesRecorded('an order is completed', Order.aggregate, 'OrderCompleted'),
  sometimesRecorded('an order is canceled', Order.aggregate, 'OrderCanceled'),
  sometimesRecorded('a reservation is released', Stock.aggregate, 'ReservationReleased'),
  sometimesRefused('there is too little for somebody', Stock.aggregate, 'InsufficientStock'),
  sometimesRecorded('a card is declined', Payment.aggregate, 'PaymentFailed'),
  sometimesRecorded('a payment is refunded', Payment.aggregate, 'RefundSucceeded'),
  sometimesRecorded('nobody knows what became of a request', Payment.aggregate, 'PaymentOutcomeUnknown'),
]

const isOver = ({ status }: Order.Order): boolean => status === 'completed' || status === 'canceled'

const inTheEnd = (stripe: SimulatedStripe, books: StockBooks): ReadonlyArray<Invariant> => [
  eventuallyOverall('P3 captured - refunded is the total of an order that stands, and else 0', (overview) => {
    const intents = intentsByOrder(stripe)
    for (const { orderId, status, totals } of ordersOf(overview)) {
      const there = intents.get(orderId) ?? []
      const kept = total(there, 'captured') - total(there, 'refunded')
      if (there.some((intent) => intent.status === 'requires_capture')) return `${orderId} stays authorized`
      // A refund that fails time and again waits for a person.
      if (status === 'canceled' && kept === totals.total && refundsFailed(stripe, orderId)) continue
      const due = status === 'canceled' ? 0 : totals.total
      if (kept !== due) return `${orderId} is ${status}, and ${kept} of ${totals.total} is kept`
    }
    return true
  }),
  eventuallyOverall('K2 orders that stand hold their units, and no other does', (overview) => {
    const kept = books.read(overview)
    for (const sku of SKUS) {
      const book = kept.get(sku)
      const due = ordersOf(overview).reduce(
        (sum, { status, lines }) =>
          status === 'canceled'
            ? sum
            : sum + lines.reduce((units, line) => (line.sku === sku ? units + line.quantity : units), 0),
        0,
      )
      const has = book === undefined ? [0, 0] : [held(book.reserved), held(book.allocated)]
      if (has[0] !== 0 || has[1] !== due)
        return `${sku} has ${has.join(' reserved and ')} allocated, and orders stand for ${due}`
    }
    return true
  }),
  eventuallyOverall('every checkout becomes one order, told of by one mail at its end', (overview) => {
    const orders = ordersOf(overview)
    const mails = overview.states(Notification.aggregate)
    for (const [stream, cart] of overview.states(Cart.aggregate)) {
      if (cart._tag !== 'Cart' || cart.status !== 'checked_out') continue
      const of = orders.filter(({ cartId }) => cartId === streamParts(stream).id)
      if (of.length !== 1) return `${stream} became ${of.length} orders`
    }
    for (const { orderId, status } of orders) {
      const sent = [...mails.values()].filter(
        (mail) => mail.orderId === orderId && mail.sent.length > 0,
      ).length
      if (sent < 1 || sent > (status === 'canceled' ? 2 : 1))
        return `${orderId} is ${status}, and ${sent} mails were sent`
    }
    return true
  }),
]

const ordersOf = (overview: Overview): ReadonlyArray<Order.Order> =>
  [...overview.states(Order.aggregate).values()].flatMap((state) => (state._tag === 'Order' ? [state] : []))

const refundsFailed = ({ sim }: SimulatedStripe, orderId: string): boolean => {
  const { refunds, paymentIntents } = sim.snapshot()
  const ids = new Set(
    paymentIntents.flatMap(({ id, metadata }) => (metadata['orderId'] === orderId ? [id] : [])),
  )
  return refunds.some((one) => one.status === 'failed' && ids.has(one.payment_intent ?? ''))
}

// What happens

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
const START_MS = 1_767_225_600_000

const SKUS = ['tea', 'jam', 'cup']
const METHODS = [
  ...Array.from({ length: 9 }, () => 'pm_card_visa'),
  'pm_card_mastercard',
  'pm_card_credit_disableEnterpriseCardFeatures',
  'pm_card_chargeDeclined',
  'pm_card_chargeDeclinedInsufficientFunds',
  'pm_card_authenticationRequired',
  'pm_card_authenticationRequired',
  'pm_card_threeDSecureRequiredChargeDeclined',
  'pm_card_refundFail',
  'pm_card_pendingRefund',
  'pm_card_unknown',
]

/** The keys of all shoppers are known beforehand, so that requests can hold what is sealed by them. */
const KEYS: KeyRing = {
  keyOf: () => () => Promise.resolve(E.right(new Uint8Array(64).fill(7))),
  destroy: () => () => Promise.resolve(E.right(undefined)),
}

const sealed = async (subject: string, value: unknown): Promise<Sealed> => {
  const box = await seal(KEYS)(subject, value)()
  if (E.isLeft(box)) throw new Error(`cannot seal: ${box.left._tag}`)
  return box.right
}

const MOST_SHOPPERS = 3
const SHOPPERS = await Promise.all(
  Array.from({ length: MOST_SHOPPERS }, async (_, at) => ({
    owner: `shopper-${at + 1}`,
    email: await sealed(`shopper-${at + 1}`, 'someone@example.com'),
    address: await sealed(`shopper-${at + 1}`, {}),
  })),
)

/** One to three shoppers with a cart each, who want what may not suffice, and now and then think better of it. */
const workload: Workload = (random) => {
  const shoppers = 1 + Math.floor(random() * MOST_SHOPPERS)
  return [
    ...SKUS.map((sku) => sending(Stock.aggregate, sku, 'supplier', 0, supply(random))),
    ...SHOPPERS.slice(0, shoppers).flatMap((shopper, at) => shopping(random, shopper, at + 1)),
  ]
}

const supply = (random: () => number) => ({ _tag: 'ReceiveStock', units: 1 + Math.floor(random() * 5) })

type AnyAggregate = Sending['aggregate']

const sending = (of: unknown, id: string, client: string, afterMs: number, command: object): Sending => {
  const aggregate = of as AnyAggregate
  return { aggregate, id, client, afterMs: Math.floor(afterMs), command: valid(aggregate.command)(command) }
}

const shopping = (
  random: () => number,
  { owner, email, address }: (typeof SHOPPERS)[number],
  at: number,
): ReadonlyArray<Sending> => {
  const cartId = `cart-${at}`
  const orderId = `order-${at}`
  const beginsMs = 1000 + random() * 2000
  const cart = (afterMs: number, command: object) =>
    sending(Cart.aggregate, cartId, owner, beginsMs + afterMs, command)
  const order = (by: string, afterMs: number, command: object) =>
    sending(Order.aggregate, orderId, by, beginsMs + afterMs, command)
  const lines = SKUS.filter(() => random() < 0.5)
  const skus = lines.length === 0 ? ['tea'] : lines
  const prices = skus.map((sku) => ({ sku, price: priceOf(sku) }))
  const { rounding, taxRates } = Shop.defaultTerms
  const regrets = random() < 0.35
  return [
    cart(0, { _tag: 'CreateCart', cartId, owner, currency: 'USD' }),
    ...prices.map(({ sku, price }, line) =>
      cart(500 + 100 * line, { _tag: 'AddLine', sku, quantity: 1 + Math.floor(random() * 2), price }),
    ),
    ...(random() < 0.5
      ? [cart(900, { _tag: 'SetShipping', shipping: { amount: 495, method: 'post' } })]
      : []),
    cart(1500, {
      _tag: 'CheckoutCart',
      orderId,
      prices,
      rounding,
      taxRates: { ...taxRates, standard: 725 },
      email,
      address,
      paymentMethod: METHODS[Math.floor(random() * METHODS.length)],
    }),
    ...(regrets
      ? [order(owner, 1500 + regretMs(random), { _tag: 'CancelOrder', reason: 'regret', by: 'shopper' })]
      : []),
    // When an authorization would have lapsed, a clerk closes what is done and calls off what is held.
    order('clerk', 10 * DAY_MS, { _tag: 'CloseOrder' }),
    order('clerk', 11 * DAY_MS, { _tag: 'CancelOrder', reason: 'held too long', by: 'shop' }),
  ]
}

/** At once, while the order goes its way, or long after. */
const regretMs = (random: () => number): number => random() * (random() < 0.5 ? 5000 : 120 * MINUTE_MS)

const priceOf = (sku: string) => ({
  unitAmount: 1000 + 333 * SKUS.indexOf(sku),
  currency: 'USD',
  taxClass: 'standard',
  priceListVersion: 1,
  capturedAtMs: START_MS,
})
