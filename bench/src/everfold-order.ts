/**
 * The order of `order-domain.ts` as an aggregate of ours, with its front door: what every benchmark of ours runs on,
 * whatever the store.
 */
import {
  accept,
  aggregate,
  CommandId,
  decode,
  E,
  type Envelope,
  envelope,
  type Fault,
  integer,
  list,
  record,
  reject,
  type Settled,
  type StreamName,
  snapshotCodec,
  streamName,
  type TypeOf,
  text,
  union,
  variant,
} from '@everfold/core'
import {
  type AddItem,
  addItem,
  commandIdOf,
  initial,
  type Order,
  orderIdOf,
  type OrderEvent as PlainEvent,
  placeOrder,
  refuse,
} from './order-domain.ts'

const CustomerId = text('CustomerId')
const Currency = text('Currency', { minLength: 3, maxLength: 3 })
const Sku = text('Sku')
const Quantity = integer('Quantity', 1)
const PriceMinor = integer('PriceMinor', 0)
const Total = integer('Total', 0)

const OrderEvent = union(
  'OrderEvent',
  variant('OrderPlaced', { customerId: CustomerId, currency: Currency }),
  variant('ItemAdded', { sku: Sku, quantity: Quantity, priceMinor: PriceMinor }),
)
type OrderEvent = TypeOf<typeof OrderEvent>

const evolve = (order: Order, event: OrderEvent): Order => {
  switch (event._tag) {
    case 'OrderPlaced':
      return placeOrder(order, event)
    case 'ItemAdded':
      return addItem(order, event)
  }
}

export const OrderCommand = union(
  'OrderCommand',
  variant('PlaceOrder', { customerId: CustomerId, currency: Currency }),
  variant('AddItem', { sku: Sku, quantity: Quantity, priceMinor: PriceMinor }),
)
export type OrderCommand = TypeOf<typeof OrderCommand>

const OrderRejection = union(
  'OrderRejection',
  variant('OrderAlreadyPlaced'),
  variant('OrderNotPlaced'),
  variant('TooManyUnits'),
)

const decide = (command: OrderCommand, order: Order) => {
  switch (command._tag) {
    case 'PlaceOrder': {
      const { customerId, currency } = command
      return order.placed
        ? reject({ _tag: 'OrderAlreadyPlaced' } as const)
        : accept({ _tag: 'OrderPlaced', customerId, currency } as const)
    }
    case 'AddItem': {
      const { sku, quantity, priceMinor } = command
      const rejection = refuse(command, order)
      return rejection === undefined
        ? accept({ _tag: 'ItemAdded', sku, quantity, priceMinor } as const)
        : reject({ _tag: rejection })
    }
  }
}

const StoredOrder = record(
  'StoredOrder',
  { units: Total, totalMinor: Total, goods: list(record('Good', { sku: Sku, units: Quantity })) },
  { customerId: CustomerId },
)
type StoredOrder = TypeOf<typeof StoredOrder>

const toStored = ({ customerId, units, totalMinor, unitsBySku }: Order) => {
  const goods = Object.entries(unitsBySku).map(([sku, each]) => ({ sku, units: each }))
  const totals = { units, totalMinor, goods }
  return (customerId === '' ? totals : { ...totals, customerId }) as unknown as StoredOrder
}

const fromStored = ({ customerId, units, totalMinor, goods }: StoredOrder): Order => ({
  placed: customerId !== undefined,
  customerId: customerId ?? '',
  units,
  totalMinor,
  unitsBySku: Object.fromEntries(goods.map((good) => [good.sku, good.units])),
})

export const orders = aggregate({
  name: 'order',
  initial,
  evolve,
  decide,
  command: OrderCommand,
  event: OrderEvent,
  rejection: OrderRejection,
  snapshot: snapshotCodec(StoredOrder, toStored, fromStored),
  reducer: 1,
})

/** What a caller sends. */
const Request = record('Request', { commandId: CommandId, orderId: text('OrderId'), command: OrderCommand })

/** The front door: a request becomes a command on its way, or stops here. */
export const arrive = (
  input: unknown,
  timeMs: number,
): { readonly stream: StreamName; readonly member: Envelope<OrderCommand> } => {
  const request = decode(Request, input)
  if (E.isLeft(request)) throw new Error(JSON.stringify(request.left))
  const { commandId, orderId, command } = request.right
  return { stream: streamName('order', orderId), member: envelope(command, { id: commandId, timeMs }) }
}

/** A fault or a refusal throws, so that no command which did nothing is counted. */
export const answered = <Event, Rejection>(
  answer: E.Either<Fault, ReadonlyArray<Settled<Event, Rejection>>>,
) => {
  if (E.isLeft(answer)) throw new Error(JSON.stringify(answer.left))
  for (const settled of answer.right)
    if (E.isLeft(settled) || E.isLeft(settled.right.outcome)) throw new Error(JSON.stringify(settled))
}

/** The request that made the event at a position of a stream. */
export const requestOf = (stream: number, position: number, { type, data }: PlainEvent) => ({
  commandId: commandIdOf(stream, position),
  orderId: orderIdOf(stream),
  command: { _tag: type === 'OrderPlaced' ? 'PlaceOrder' : 'AddItem', ...data },
})

/** The request for the command that is measured. */
export const requestFor = ({ commandId, orderId, ...command }: AddItem): unknown => ({
  commandId,
  orderId,
  command: { _tag: 'AddItem', ...command },
})
