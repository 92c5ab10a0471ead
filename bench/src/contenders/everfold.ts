/**
 * Everfold: `execute` over the in-memory event store, with the real codecs and no cache of heads.
 *
 * It does the floor's work: decodes the command, fingerprints it, refuses a repeated id and appends only at the number
 * it has read. The state is loaded from the stream for every command, as far back as the newest snapshot. Nobody
 * places that snapshot for the benchmark: every event of the past was put there by a command through `execute`.
 */
import {
  accept,
  advance,
  aggregate,
  CommandId,
  decode,
  defaultOptions,
  E,
  type Envelope,
  emptyHead,
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

const orders = aggregate({
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

type House = ReturnType<typeof houseOf>

/** A store and its command handler. */
const houseOf = () => {
  const kernel = virtualKernel({ mode: 'immediate', startMs: begunAtMs })
  const store = memoryEventStore(kernel)
  const run = execute(orders, { store, clock: kernel })
  const handle = async (request: unknown): Promise<void> => {
    const { stream, member } = arrive(request, kernel.nowMs())
    answered(await run(stream, [member])())
  }
  const handleTogether = async (orderId: string, requests: ReadonlyArray<unknown>): Promise<void> => {
    const group = requests.map((request) => arrive(request, kernel.nowMs()).member)
    answered(await run(streamName('order', orderId), group)())
  }
  return { store, handle, handleTogether }
}

/**
 * Gives a stream its past, one commit for each event. Where the stream is long enough for snapshots, its first commit
 * answers up to a dozen commands at once: so the streams stand at every place between two snapshots, and the mean of
 * the measured commands contains its share of writing them.
 */
const live = async (house: House, stream: number, length: number): Promise<void> => {
  const requests = historyOf(stream, length).map((event, position) => requestOf(stream, position, event))
  const { snapshotEvery } = defaultOptions
  const together = length > snapshotEvery ? 1 + (stream % snapshotEvery) : 1
  await house.handleTogether(orderIdOf(stream), requests.slice(0, together))
  for (const request of requests.slice(together)) await house.handle(request)
}

/**
 * Stays for the life of the process, and answers one command for every batch. A process has one store, but here each
 * batch has its own, and when the collector takes its functions V8 drops the compiled code that calls them; not so
 * where it knows another store of the same make.
 */
const resident = houseOf()
let batches = 0

export const everfold: Contender = {
  name: 'everfold',
  prepare: async (streamLength, streams) => {
    const house = houseOf()
    for (let stream = 0; stream < streams; stream++) await live(house, stream, streamLength)
    batches += 1
    await live(resident, batches, 1)
    const requests = perStream(streams, (stream): unknown => {
      const { commandId, orderId, ...command } = commandOf(stream, streamLength)
      return { commandId, orderId, command: { _tag: 'AddItem', ...command } }
    })
    return {
      run: (stream) => house.handle(at(requests, stream)),
      inspect: async (stream) => {
        const name = streamName('order', orderIdOf(stream))
        const head = await load(orders, house.store, name, defaultOptions.snapshotEvery)
        if (E.isLeft(head)) throw new Error(JSON.stringify(head.left))
        return { version: head.right.version, order: head.right.state }
      },
    }
  },
}

/** The fold of one stored history of `length` events, from the first on: past the snapshots, through decode. */
export const foldOf = async (length: number): Promise<() => Order> => {
  const { store, handle } = houseOf()
  for (const [position, event] of historyOf(0, length).entries()) await handle(requestOf(0, position, event))
  const empty = emptyHead(orders, streamName('order', orderIdOf(0)))
  return () => {
    const head = advance(orders, empty, store.log)
    if (E.isLeft(head)) throw new Error(JSON.stringify(head.left))
    return head.right.state
  }
}
