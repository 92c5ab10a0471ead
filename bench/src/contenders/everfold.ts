/**
 * Everfold: `execute` over the in-memory event store, with the real codecs and no cache of heads.
 *
 * It does the floor's work: decodes the command, fingerprints it, refuses a repeated id and appends only at the number
 * it has read. The state is loaded from the stream for every command, as far back as the newest snapshot. Nobody
 * places that snapshot for the benchmark: every event of the past was put there by a command through `execute`.
 */
import {
  accept,
  aggregate,
  CommandId,
  decode,
  defaultOptions,
  E,
  type Envelope,
  envelope,
  execute,
  type Fault,
  integer,
  list,
  load,
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
import { memoryEventStore, virtualKernel } from '@everfold/runtime-memory'
import { at, type Contender, perStream } from '../contender.ts'
import {
  addItem,
  begunAtMs,
  commandIdOf,
  commandOf,
  historyOf,
  initial,
  type Order,
  orderIdOf,
  type OrderEvent as PlainEvent,
  placeOrder,
  refuse,
} from '../order-domain.ts'

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

const OrderCommand = union(
  'OrderCommand',
  variant('PlaceOrder', { customerId: CustomerId, currency: Currency }),
  variant('AddItem', { sku: Sku, quantity: Quantity, priceMinor: PriceMinor }),
)
type OrderCommand = TypeOf<typeof OrderCommand>

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

const store = ({ customerId, units, totalMinor, unitsBySku }: Order) => {
  const goods = Object.entries(unitsBySku).map(([sku, each]) => ({ sku, units: each }))
  const totals = { units, totalMinor, goods }
  return (customerId === '' ? totals : { ...totals, customerId }) as unknown as StoredOrder
}

const restore = ({ customerId, units, totalMinor, goods }: StoredOrder): Order => ({
  placed: customerId !== undefined,
  customerId: customerId ?? '',
  units,
  totalMinor,
  unitsBySku: Object.fromEntries(goods.map((good) => [good.sku, good.units])),
})

const orders = aggregate({
  name: 'order',
  initial,
  evolve,
  decide,
  command: OrderCommand,
  event: OrderEvent,
  rejection: OrderRejection,
  snapshot: snapshotCodec(StoredOrder, store, restore),
  reducer: 1,
})

/** What a caller sends. */
const Request = record('Request', { commandId: CommandId, orderId: text('OrderId'), command: OrderCommand })

/** The front door: a request becomes a command on its way, or stops here. */
const arrive = (
  input: unknown,
  timeMs: number,
): { readonly stream: StreamName; readonly member: Envelope<OrderCommand> } => {
  const request = decode(Request, input)
  if (E.isLeft(request)) throw new Error(JSON.stringify(request.left))
  const { commandId, orderId, command } = request.right
  return { stream: streamName('order', orderId), member: envelope(command, { id: commandId, timeMs }) }
}

/** A fault or a refusal throws, so that no command which did nothing is counted. */
const answered = <Event, Rejection>(answer: E.Either<Fault, ReadonlyArray<Settled<Event, Rejection>>>) => {
  if (E.isLeft(answer)) throw new Error(JSON.stringify(answer.left))
  for (const settled of answer.right)
    if (E.isLeft(settled) || E.isLeft(settled.right.outcome)) throw new Error(JSON.stringify(settled))
}

const requestOf = (stream: number, position: number, { type, data }: PlainEvent) => ({
  commandId: commandIdOf(stream, position),
  orderId: orderIdOf(stream),
  command: { _tag: type === 'OrderPlaced' ? 'PlaceOrder' : 'AddItem', ...data },
})

/**
 * The requests that make a history, one commit each. Where a stream is long enough for snapshots, its first commit
 * answers up to a dozen of them: so the streams stand at every place between two snapshots, and the mean of their
 * commands contains its share of writing them.
 */
const commitsOf = (stream: number, length: number): ReadonlyArray<ReadonlyArray<unknown>> => {
  const requests = historyOf(stream, length).map((event, position) => requestOf(stream, position, event))
  const { snapshotEvery } = defaultOptions
  const first = length > snapshotEvery ? 1 + (stream % snapshotEvery) : 1
  return [requests.slice(0, first), ...requests.slice(first).map((request) => [request])]
}

export const everfold: Contender = {
  name: 'everfold',
  prepare: async (streamLength, streams) => {
    const kernel = virtualKernel({ mode: 'immediate', startMs: begunAtMs })
    const ports = { store: memoryEventStore(kernel), clock: kernel }
    const handle = execute(orders, ports)
    for (let stream = 0; stream < streams; stream++)
      for (const commit of commitsOf(stream, streamLength)) {
        const group = commit.map((request) => arrive(request, kernel.nowMs()).member)
        answered(await handle(streamName('order', orderIdOf(stream)), group)())
      }
    const requests = perStream(streams, (stream): unknown => {
      const { commandId, orderId, ...command } = commandOf(stream, streamLength)
      return { commandId, orderId, command: { _tag: 'AddItem', ...command } }
    })
    return {
      run: async (at_) => {
        const { stream, member } = arrive(at(requests, at_), kernel.nowMs())
        answered(await handle(stream, [member])())
      },
      inspect: async (at_) => {
        const head = await load(
          orders,
          ports.store,
          streamName('order', orderIdOf(at_)),
          defaultOptions.snapshotEvery,
        )
        if (E.isLeft(head)) throw new Error(JSON.stringify(head.left))
        return { version: head.right.version, order: head.right.state }
      },
    }
  },
}
