/**
 * equinox-js: a `Decider` over its DynamoDB store, by the access strategy that its documentation has for streams that
 * grow long: a snapshot in the tip, which every append replaces. All else is as it is by default, and nothing is cached.
 *
 * The past is appended twenty events at a time, because one at a time would take minutes; the tip is cut by its bytes,
 * so it stands where it would stand.
 */
import { Codec, Decider, StreamId } from '@equinox-js/core'
import {
  AccessStrategy,
  DynamoStoreCategory,
  DynamoStoreClient,
  DynamoStoreContext,
  QueryOptions,
  TipOptions,
} from '@equinox-js/dynamo-store'
import { decide, evolve, initial, type Order, type OrderEvent } from '../order-domain.ts'
import { nextOf, orderNameOf, pastOf, type StoreContender } from './contender.ts'
import { createTable } from './dynamo.ts'

type Stored = OrderEvent | { readonly type: 'Snapshotted'; readonly data: Order }

const fold = (order: Order, events: ReadonlyArray<Stored>): Order =>
  events.reduce((state, event) => (event.type === 'Snapshotted' ? event.data : evolve(state, event)), order)

const snapshot = AccessStrategy.Snapshot<Stored, Order>(
  ({ type }) => type === 'Snapshotted',
  (order) => ({ type: 'Snapshotted', data: order }),
)

const SEEDED_TOGETHER = 20

/** It cuts its tip every 345 of these events. */
const STRIDE = 14

export const equinoxJs: StoreContender = {
  name: 'equinox-js',
  stride: STRIDE,
  open: async (dynamo) => {
    const tableName = await createTable(dynamo, 'equinox-js', [
      ['p', 'S'],
      ['i', 'N'],
    ])
    const context = DynamoStoreContext.create({
      client: new DynamoStoreClient(dynamo.client),
      tableName,
      tip: TipOptions.create({}),
      query: QueryOptions.create({}),
    })
    const codec = Codec.compress(Codec.json<Stored>())
    const category = DynamoStoreCategory.create(context, 'Order', codec, fold, initial, undefined, snapshot)
    const resolve = (order: string) => Decider.forStream(category, StreamId.create(order), null)
    return {
      seed: async (stream, streamLength) => {
        const past = pastOf(stream, streamLength)
        const decider = resolve(orderNameOf(stream))
        for (let from = 0; from < past.length; from += SEEDED_TOGETHER)
          await decider.transact(() => past.slice(from, from + SEEDED_TOGETHER))
      },
      command: (stream, streamLength) => {
        const command = nextOf(stream, streamLength)
        return resolve(command.orderId).transact((order) => [
          { type: 'ItemAdded', data: decide(command, order) },
        ])
      },
      inspect: (stream) =>
        resolve(orderNameOf(stream)).queryEx(({ version, state }) => ({
          version: Number(version),
          order: state,
        })),
    }
  },
}
