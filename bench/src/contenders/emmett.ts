/**
 * Emmett: `DeciderCommandHandler` over its in-memory event store, as its documentation shows.
 *
 * Retries are left off, which is Emmett's default and its cheapest path. Each stream has a store of its
 * own: for every event appended, the in-memory store counts the events of all streams it holds, so one
 * store with many streams would make Emmett pay for our way of preparing them.
 * Emmett neither checks a command's shape nor knows its id, so it is charged for neither.
 */
import { type Command, DeciderCommandHandler, getInMemoryEventStore } from '@event-driven-io/emmett'
import { at, type Contender, perStream } from '../contender.ts'
import {
  type AddItem,
  commandOf,
  decide,
  evolve,
  historyOf,
  initial,
  type Order,
  type OrderEvent,
  orderIdOf,
} from '../order-domain.ts'

type AddItemMessage = Command<'AddItem', AddItem>

const handle = DeciderCommandHandler<Order, AddItemMessage, OrderEvent>({
  decide: (command, order) => ({ type: 'ItemAdded', data: decide(command.data, order) }),
  evolve,
  initialState: () => initial,
})

export const emmett: Contender = {
  name: 'emmett',
  prepare: async (streamLength, streams) => {
    const stores = perStream(streams, () => getInMemoryEventStore())
    for (const [stream, store] of stores.entries())
      await store.appendToStream(orderIdOf(stream), historyOf(stream, streamLength))
    const commands = perStream(
      streams,
      (stream): AddItemMessage => ({ type: 'AddItem', data: commandOf(stream, streamLength) }),
    )
    return {
      run: (stream) => {
        const command = at(commands, stream)
        return handle(at(stores, stream), command.data.orderId, command)
      },
      inspect: async (stream) => {
        const { currentStreamVersion, state } = await at(stores, stream).aggregateStream<Order, OrderEvent>(
          orderIdOf(stream),
          { evolve, initialState: () => initial },
        )
        return { version: Number(currentStreamVersion), order: state }
      },
    }
  },
}
