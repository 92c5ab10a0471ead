import { GetCommand, PutCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb'
import { type FaultScript, faulty, localClient } from '@everfold/aws-local'
import {
  connect,
  everfold,
  evolve,
  initial,
  meanBill,
  nextOf,
  pastOf,
  storeContenders,
} from '@everfold/bench'
import { describe, expect, inject, test } from 'vitest'

const dynamo = connect(inject('endpoints').dynamoDb)

const after = (stream: number, length: number, more: number) => {
  const added = Array.from({ length: more }, (_, n) => {
    const { sku, quantity, priceMinor } = nextOf(stream, length + n)
    return { type: 'ItemAdded' as const, data: { sku, quantity, priceMinor } }
  })
  return { version: length + more, order: [...pastOf(stream, length), ...added].reduce(evolve, initial) }
}

const losingOne: FaultScript = ({ operation, count }) =>
  operation === 'PutItem' && count === 1 ? { _tag: 'ResponseLost' } : undefined

const everfoldStore = everfold.open(dynamo)

describe.each(storeContenders.map((one) => [one.name, one] as const))('%s on DynamoDB', (_, contender) => {
  test('appends to a stream what the domain decides, one event for each command', async () => {
    const store = await (contender === everfold ? everfoldStore : contender.open(dynamo))
    for (const length of [1, 30]) {
      await store.seed(length, length)
      expect(await store.inspect(length)).toEqual(after(length, length, 0))
      for (let more = 0; more < 3; more += 1) await store.command(length, length + more)
      expect(await store.inspect(length)).toEqual(after(length, length, 3))
    }
  })
})

describe('a command of ours, with nothing in a cache', () => {
  test('is 2 requests, at most 1 read unit and 1.3 write units, its share of snapshots included', async () => {
    const store = await everfoldStore
    const bill = await meanBill(dynamo, everfold, { store, streamLength: 100 })
    expect(bill).toMatchObject({ requests: 2, transactions: 0 })
    expect(bill.readUnits).toBeLessThanOrEqual(1)
    expect(bill.writeUnits).toBeLessThanOrEqual(1.3)
  })
  test('is refused by the benchmark where it takes a request more', async () => {
    const store = await everfoldStore
    const command = async (stream: number, streamLength: number) => {
      await store.inspect(stream)
      return store.command(stream, streamLength)
    }
    const wasteful = { store: { ...store, command }, streamLength: 10 }
    await expect(meanBill(dynamo, everfold, wasteful)).rejects.toThrow('"requests":3')
  })
})

test('the meter counts requests, the retries of the SDK among them, and the units that DynamoDB says', async () => {
  const endpoint = inject('endpoints').dynamoDb
  const { client, documents, meter } = connect(
    endpoint,
    faulty(localClient(endpoint).requestHandler, losingOne),
  )
  const TableName = 'metered'
  await client.createTable({
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
  })
  const Item = { pk: 'a', text: 'x'.repeat(5_000) }
  const put = await meter.bill(() => documents.send(new PutCommand({ TableName, Item })))
  expect(put).toEqual({ requests: 2, writes: 2, readUnits: 0, writeUnits: 5, transactions: 0 })
  const get = await meter.bill(() =>
    documents.send(new GetCommand({ TableName, Key: { pk: 'a' }, ConsistentRead: true })),
  )
  expect(get).toEqual({ requests: 1, writes: 0, readUnits: 2, writeUnits: 0, transactions: 0 })
  const together = await meter.bill(() =>
    documents.send(new TransactWriteCommand({ TransactItems: [{ Put: { TableName, Item: { pk: 'b' } } }] })),
  )
  expect(together).toMatchObject({ requests: 1, writes: 1, readUnits: 0, transactions: 1 })
})
