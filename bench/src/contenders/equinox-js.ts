/**
 * equinox-js: a `Decider` over the memory store, resolved for each command as its documentation shows.
 *
 * The memory store stores whatever its codec makes. The documentation's `Codec.json` makes text of every
 * event and parses the whole stream for every command, which no other contender does; the codec here
 * keeps the event as it is (as the F# original's templates do for their memory store), and is nearly three
 * times as fast on a thousand events. There is no cache: every contender folds the stream.
 * equinox-js neither checks a command's shape nor knows its id, so it is charged for neither.
 */
import { type Codec, Decider, StreamId } from '@equinox-js/core'
import { MemoryStoreCategory, VolatileStore } from '@equinox-js/memory-store'
import { at, type Contender, perStream } from '../contender.ts'
import {
  commandOf,
  decide,
  evolve,
  historyOf,
  initial,
  type Order,
  type OrderEvent,
  orderIdOf,
} from '../order-domain.ts'

/** The timeline event has the event's own `type` and `data`, so it can be folded as it is. */
const box: Codec.ICodec<OrderEvent, object, null> = {
  encode: (event) => event,
  decode: (stored) => stored as unknown as OrderEvent,
}

const fold = (order: Order, events: ReadonlyArray<OrderEvent>): Order => events.reduce(evolve, order)

export const equinoxJs: Contender = {
  name: 'equinox-js',
  prepare: async (streamLength, streams) => {
    const category = MemoryStoreCategory.create(new VolatileStore<object>(), 'Order', box, fold, initial)
    const resolve = (orderId: string) => Decider.forStream(category, StreamId.create(orderId), null)
    for (let stream = 0; stream < streams; stream++)
      await resolve(orderIdOf(stream)).transact(() => historyOf(stream, streamLength))
    const commands = perStream(streams, (stream) => commandOf(stream, streamLength))
    return {
      run: (stream) => {
        const command = at(commands, stream)
        return resolve(command.orderId).transact((order) => [
          { type: 'ItemAdded', data: decide(command, order) },
        ])
      },
      inspect: (stream) =>
        resolve(orderIdOf(stream)).queryEx(({ version, state }) => ({
          version: Number(version),
          order: state,
        })),
    }
  },
}
