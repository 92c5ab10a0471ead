/**
 * A shop, the reference service with a saga: what is ordered is reserved and paid, or neither. Who waits too long for the
 * money takes the payment back before the goods, since money may still come.
 *
 * Streams `order/{id}`, `payment/{id}`, `stock/goods`, `checkout/{id}`.
 */
import {
  type Aggregate,
  accept,
  ask,
  bind,
  cancelTimer,
  aggregate as defineAggregate,
  E,
  gateway,
  type Heard,
  hear,
  type Output,
  oneOf,
  type Process,
  plainSnapshot,
  record,
  reject,
  type Service,
  schedule,
  streamParts,
  type TypeOf,
  text,
  union,
  variant,
} from '@everfold/core'
import { eventuallyOverall, type Overview } from '../../../src/simulation/invariant.ts'
import type { SimulationOptions } from '../../../src/simulation/simulation.ts'

const Id = text('OrderId', { maxLength: 40 })
type Id = TypeOf<typeof Id>

// The order

const OrderEvent = union('OrderEvent', variant('Placed'), variant('Completed'), variant('Canceled'))
const OrderCommand = union('OrderCommand', variant('Place'), variant('Complete'), variant('Cancel'))
type OrderEvent = TypeOf<typeof OrderEvent>
type OrderCommand = TypeOf<typeof OrderCommand>
const Order = record('Order', { is: oneOf('OrderIs', 'none', 'placed', 'completed', 'canceled') })
type Order = TypeOf<typeof Order>
const Ended = union('Ended', variant('Ended'))
type Ended = TypeOf<typeof Ended>
const NO = { _tag: 'Ended' } as const

const ORDER_IS = { Placed: 'placed', Completed: 'completed', Canceled: 'canceled' } as const

const order = defineAggregate<OrderCommand, Order, OrderEvent, Ended>({
  name: 'order',
  command: OrderCommand,
  event: OrderEvent,
  rejection: Ended,
  snapshot: plainSnapshot(Order),
  reducer: 1,
  initial: { is: 'none' },
  evolve: (_order, { _tag }) => ({ is: ORDER_IS[_tag] }),
  decide: (command, { is }) => {
    if (command._tag === 'Place') return is === 'none' ? accept({ _tag: 'Placed' }) : reject(NO)
    const event = command._tag === 'Complete' ? 'Completed' : 'Canceled'
    if (is === ORDER_IS[event]) return accept()
    return is === 'placed' ? accept({ _tag: event }) : reject(NO)
  },
})

// The payment

const PaymentEvent = union(
  'PaymentEvent',
  variant('Requested'),
  variant('Paid'),
  variant('Voided'),
  variant('Refunded'),
)
const PaymentCommand = union('PaymentCommand', variant('Pay'), variant('Settle'), variant('Void'))
type PaymentEvent = TypeOf<typeof PaymentEvent>
type PaymentCommand = TypeOf<typeof PaymentCommand>
const Payment = record('Payment', { is: oneOf('PaymentIs', 'none', 'requested', 'paid', 'voided') })
type Payment = TypeOf<typeof Payment>

const PAYMENT_IS = { Requested: 'requested', Paid: 'paid', Voided: 'voided', Refunded: 'voided' } as const

const payment = defineAggregate<PaymentCommand, Payment, PaymentEvent, Ended>({
  name: 'payment',
  command: PaymentCommand,
  event: PaymentEvent,
  rejection: Ended,
  snapshot: plainSnapshot(Payment),
  reducer: 1,
  initial: { is: 'none' },
  evolve: (_payment, { _tag }) => ({ is: PAYMENT_IS[_tag] }),
  decide: ({ _tag }, { is }) => {
    switch (_tag) {
      case 'Pay':
        return is === 'none' ? accept({ _tag: 'Requested' }) : reject(NO)
      case 'Settle':
        return accept({ _tag: is === 'voided' ? 'Refunded' : 'Paid' })
      case 'Void':
        return is === 'paid' ? reject(NO) : accept({ _tag: 'Voided' })
    }
  },
})

const provider = gateway({
  name: 'provider',
  aggregate: payment,
  hears: ['Requested'],
  keyHorizonMs: 24 * 3_600_000,
})

// The stock

const StockEvent = union('StockEvent', variant('Reserved', { order: Id }), variant('Released', { order: Id }))
const StockCommand = union(
  'StockCommand',
  variant('Reserve', { order: Id }),
  variant('Release', { order: Id }),
)
type StockEvent = TypeOf<typeof StockEvent>
type StockCommand = TypeOf<typeof StockCommand>
interface Stock {
  readonly reserved: ReadonlyArray<string>
}
/** For how many orders there is enough. */
const MOST = 2

const stock = defineAggregate<StockCommand, Stock, StockEvent, Ended>({
  name: 'stock',
  command: StockCommand,
  event: StockEvent,
  rejection: Ended,
  reducer: 1,
  initial: { reserved: [] },
  evolve: ({ reserved }, event) => ({
    reserved:
      event._tag === 'Reserved' ? [...reserved, event.order] : reserved.filter((id) => id !== event.order),
  }),
  decide: ({ _tag, order: id }, { reserved }) => {
    const has = reserved.includes(id)
    if (_tag === 'Release') return has ? accept({ _tag: 'Released', order: id }) : accept()
    if (has) return accept()
    return reserved.length < MOST ? accept({ _tag: 'Reserved', order: id }) : reject(NO)
  },
})

// The checkout

type ShopEvent = OrderEvent | PaymentEvent | StockEvent
type ShopHeard = Heard<ShopEvent, Ended>

const GOODS = 'goods'
const PATIENCE_MS = 60_000
const TIMER = 'money'

/** What is asked when the money does not come in time. */
export type Timeout = (id: Id) => ReadonlyArray<Output>

/** The payment first: what becomes of it says what becomes of the rest. */
const takingBack: Timeout = (id) => [ask(payment, id, { _tag: 'Void' })]

const undo = (id: Id): ReadonlyArray<Output> => [
  ask(stock, GOODS, { _tag: 'Release', order: id }),
  ask(order, id, { _tag: 'Cancel' }),
]

/** Bug 19: the rest at once, as if no answer meant that nothing was paid. */
export const givingUp: Timeout = undo

const reactTo = (id: Id, event: ShopEvent, timeMs: number): ReadonlyArray<Output> => {
  switch (event._tag) {
    case 'Placed':
      return [ask(stock, GOODS, { _tag: 'Reserve', order: id })]
    case 'Reserved':
      return [ask(payment, id, { _tag: 'Pay' }), schedule(TIMER, timeMs + PATIENCE_MS)]
    case 'Paid':
      return [cancelTimer(TIMER), ask(order, id, { _tag: 'Complete' })]
    case 'Voided':
      return undo(id)
    default:
      return []
  }
}

const checkoutWith = (timeout: Timeout): Process<{ readonly id: string }, ShopEvent, Ended> => ({
  name: 'checkout',
  hears: [
    hear(order, ({ stream }) => streamParts(stream).id),
    hear(payment, ({ stream }) => streamParts(stream).id),
    hear(stock, ({ event }) => event.order),
  ],
  asks: [order, payment, stock],
  initial: { id: '' },
  evolve: (state, heard) =>
    heard._tag === 'Happened' && streamParts(heard.recorded.stream).category === 'order'
      ? { id: streamParts(heard.recorded.stream).id }
      : state,
  react: (_before, { id: known }, heard: ShopHeard) => {
    const id = known as Id
    if (heard._tag === 'Elapsed') return timeout(id)
    if (heard._tag === 'Happened') return reactTo(id, heard.recorded.event, heard.recorded.timeMs)
    return streamParts(heard.stream).category === 'stock' ? [ask(order, id, { _tag: 'Cancel' })] : []
  },
})

const serviceWith = (timeout: Timeout): Service => ({
  name: 'shop',
  aggregates: [order, payment, stock],
  projections: [],
  processes: [checkoutWith(timeout)],
  gateways: [provider],
  routes: [],
})

/** E3: the name of what holds of every order in the end. */
export const ALL_OR_NOTHING = 'every order is completed, paid and reserved, or none of it'

const allOrNothing = ({ states }: Overview): true | string => {
  const stocks = states(stock as unknown as Readable<Stock>).values()
  const reserved = new Set([...stocks].flatMap((one) => one.reserved))
  const payments = states(payment as unknown as Readable<Payment>)
  for (const [stream, { is }] of states(order as unknown as Readable<Order>)) {
    const { id } = streamParts(stream)
    const paid = [...payments].some(([of, one]) => streamParts(of).id === id && one.is === 'paid')
    const has = reserved.has(id)
    const done = is === 'completed'
    if ((!done && is !== 'canceled') || done !== paid || done !== has)
      return `${stream} is ${is}, ${paid ? '' : 'not '}paid and ${has ? '' : 'not '}reserved`
  }
  return true
}

type Readable<State> = Aggregate<never, State, never, never>

/** Three orders for what is enough for two. */
export const shopWith = (timeout: Timeout = takingBack): SimulationOptions => ({
  service: serviceWith(timeout),
  workload: (random) =>
    ['o-1', 'o-2', 'o-3'].map((id) => ({
      aggregate: order as never,
      id,
      command: { _tag: 'Place' },
      afterMs: Math.floor(random() * 2000),
    })),
  gateways: () => [bind(provider, () => async () => E.right({ _tag: 'Settle' as const }))],
  invariants: [eventuallyOverall(ALL_OR_NOTHING, allOrNothing)],
})
