/**
 * Castore: the store and the `Command` of the memory benchmark over its adapter for a single DynamoDB table.
 *
 * It keeps one item per event, reads all of a stream's for every command, strongly consistent, and has no snapshots.
 */
import { DynamoDBSingleTableEventStorageAdapter } from '@castore/event-storage-adapter-dynamodb'
import { addItemCommand, storeOf } from '../contenders/castore.ts'
import { inBulk } from './bulk.ts'
import { nextOf, orderNameOf, pastOf, type StoreContender } from './contender.ts'
import { createTable } from './dynamo.ts'

export const castore: StoreContender = {
  name: 'castore',
  stride: 1,
  open: async (dynamo) => {
    const tableName = await createTable(
      dynamo,
      'castore',
      [
        ['aggregateId', 'S'],
        ['version', 'N'],
      ],
      {
        index: {
          name: 'initialEvents',
          keys: [
            ['eventStoreId', 'S'],
            ['timestamp', 'S'],
          ],
        },
      },
    )
    const adapter = new DynamoDBSingleTableEventStorageAdapter({ tableName, dynamoDBClient: dynamo.client })
    const orders = storeOf(adapter)
    const command = addItemCommand(orders)
    return {
      seed: (stream, streamLength) =>
        inBulk(dynamo, tableName, async (dynamoDBClient) => {
          const keeping = new DynamoDBSingleTableEventStorageAdapter({ tableName, dynamoDBClient })
          for (const [position, { type, data }] of pastOf(stream, streamLength).entries())
            await keeping.pushEvent(
              { aggregateId: orderNameOf(stream), version: position + 1, type, payload: data },
              { eventStoreId: 'orders' },
            )
        }),
      command: (stream, streamLength) => command.handler(nextOf(stream, streamLength), [orders]),
      inspect: async (stream) => {
        const { aggregate } = await orders.getExistingAggregate(orderNameOf(stream))
        return { version: aggregate.version, order: aggregate.order }
      },
    }
  },
}
