/**
 * Castore: a `Command` over an `EventStore` with the in-memory adapter, as its documentation shows.
 *
 * Each choice is the cheapest that the documentation offers. The past is given as the adapter's
 * `initialEvents`. The aggregate keeps the order as one field beside `aggregateId` and `version`, which
 * Castore asks for, so that a fold copies two small objects and not one large one twice.
 * `prevAggregate` is left out of `pushEvent`: with it Castore would fold the new event once more.
 * Castore neither checks a command's shape nor knows its id, so it is charged for neither.
 */
import { Command, type EventStorageAdapter, EventStore, EventType, tuple } from '@castore/core'
import { InMemoryEventStorageAdapter } from '@castore/event-storage-adapter-in-memory'
import { at, type Contender, perStream } from '../contender.ts'
import {
  type AddItem,
  addItem,
  commandOf,
  decide,
  historyOf,
  type ItemAdded,
  initial,
  type Order,
  type OrderPlaced,
  orderIdOf,
  placeOrder,
} from '../order-domain.ts'

const orderPlaced = new EventType<'OrderPlaced', OrderPlaced>({ type: 'OrderPlaced' })
const itemAdded = new EventType<'ItemAdded', ItemAdded>({ type: 'ItemAdded' })

interface OrderAggregate {
  readonly aggregateId: string
  readonly version: number
  readonly order: Order
}

interface Recorded<Type, Payload> {
  readonly aggregateId: string
  readonly version: number
  readonly timestamp: string
  readonly type: Type
  readonly payload: Payload
}

const reduce = (
  aggregate: OrderAggregate | undefined,
  event: Recorded<'OrderPlaced', OrderPlaced> | Recorded<'ItemAdded', ItemAdded>,
): OrderAggregate => {
  const { aggregateId, version } = event
  const order = aggregate === undefined ? initial : aggregate.order
  switch (event.type) {
    case 'OrderPlaced':
      return { aggregateId, version, order: placeOrder(order, event.payload) }
    case 'ItemAdded':
      return { aggregateId, version, order: addItem(order, event.payload) }
  }
}

export const storeOf = (eventStorageAdapter: EventStorageAdapter) =>
  new EventStore({
    eventStoreId: 'orders',
    eventTypes: [orderPlaced, itemAdded],
    reducer: reduce,
    eventStorageAdapter,
  })

export const addItemCommand = (store: ReturnType<typeof storeOf>) =>
  new Command({
    commandId: 'AddItem',
    requiredEventStores: tuple(store),
    handler: async (command: AddItem, [orders]): Promise<void> => {
      const { aggregate } = await orders.getExistingAggregate(command.orderId)
      await orders.pushEvent({
        aggregateId: command.orderId,
        version: aggregate.version + 1,
        type: 'ItemAdded',
        payload: decide(command, aggregate.order),
      })
    },
  })

export const castore: Contender = {
  name: 'castore',
  prepare: async (streamLength, streams) => {
    const timestamp = new Date(0).toISOString()
    const initialEvents = perStream(streams, (stream) =>
      historyOf(stream, streamLength).map(({ type, data }, position) => ({
        aggregateId: orderIdOf(stream),
        version: position + 1,
        type,
        timestamp,
        payload: data,
      })),
    ).flat()
    const store = storeOf(new InMemoryEventStorageAdapter({ initialEvents }))
    const command = addItemCommand(store)
    const commands = perStream(streams, (stream) => commandOf(stream, streamLength))
    return {
      run: (stream) => command.handler(at(commands, stream), [store]),
      inspect: async (stream) => {
        const { aggregate, events } = await store.getExistingAggregate(orderIdOf(stream))
        return { version: events.length, order: aggregate.order }
      },
    }
  },
}
