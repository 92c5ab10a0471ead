/**
 * The model of DynamoDB agrees with Amazon's DynamoDB Local on what happens one request after the other.
 *
 * DynamoDB Local is a weak judge of the rest: it never has a transaction in conflict or in progress, never throttles,
 * reads eventually consistently what is there, and has one shard. What else it does otherwise than it is documented, or
 * than the model, is kept out of the comparison: two actions of a transaction on one item are told only where no
 * condition has failed before; an update that an item does not allow refuses a transaction as invalid and cancels it for
 * no reason of `ValidationError`; a wrong key cancels TransactGetItems without a reason; a stream loses the type of an
 * empty map or list; a number within a document keeps the text in which it was written; the capacity of a deletion is
 * told unasked. A scan goes by another hash there, so that its pages are compared together.
 */
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  CreateTableCommand,
  type CreateTableCommandInput,
  DeleteItemCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  TransactGetItemsCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  ListStreamsCommand,
} from '@aws-sdk/client-dynamodb-streams'
import { localClient } from '@everfold/aws-local'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, inject } from 'vitest'
import { anyCall, type Call } from './dynamo-db-requests.ts'
import { simulated } from './simulated-dynamo-db.ts'

interface Clients {
  readonly database: DynamoDBClient
  readonly streams: DynamoDBStreamsClient
}

const local = (): Clients => {
  const configuration = { ...localClient(inject('endpoints').dynamoDb), maxAttempts: 1 }
  return {
    database: new DynamoDBClient(configuration),
    streams: new DynamoDBStreamsClient(configuration),
  }
}

const definition = (TableName: string): CreateTableCommandInput => ({
  TableName,
  BillingMode: 'PAY_PER_REQUEST',
  AttributeDefinitions: [
    { AttributeName: 'pk', AttributeType: 'S' },
    { AttributeName: 'sk', AttributeType: 'N' },
    { AttributeName: 'ipk', AttributeType: 'S' },
  ],
  KeySchema: [
    { AttributeName: 'pk', KeyType: 'HASH' },
    { AttributeName: 'sk', KeyType: 'RANGE' },
  ],
  GlobalSecondaryIndexes: [
    {
      IndexName: 'inverted',
      KeySchema: [
        { AttributeName: 'ipk', KeyType: 'HASH' },
        { AttributeName: 'pk', KeyType: 'RANGE' },
      ],
      Projection: { ProjectionType: 'KEYS_ONLY' },
    },
  ],
  StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
})

/** The input of a call, with the table in every part of it. */
const inputOf = ({ operation, input }: Call, TableName: string, run: string): object => {
  const { keys, requests, actions, gets, token } = input as {
    readonly [name: string]: ReadonlyArray<object>
  } & { readonly token?: string }
  const named = (part: object) =>
    Object.fromEntries(Object.entries(part).map(([kind, inner]) => [kind, { ...inner, TableName }]))
  switch (operation) {
    case 'BatchGetItem':
      return { RequestItems: { [TableName]: { Keys: keys } } }
    case 'BatchWriteItem':
      return { RequestItems: { [TableName]: requests } }
    case 'TransactGetItems':
      return { TransactItems: gets?.map((Get) => named({ Get })) }
    case 'TransactWriteItems':
      return {
        TransactItems: actions?.map(named),
        ...(token === undefined ? {} : { ClientRequestToken: `${run}-${token}` }),
      }
    default:
      return { ...input, TableName }
  }
}

const COMMANDS = {
  BatchGetItem: BatchGetItemCommand,
  BatchWriteItem: BatchWriteItemCommand,
  DeleteItem: DeleteItemCommand,
  GetItem: GetItemCommand,
  PutItem: PutItemCommand,
  Query: QueryCommand,
  Scan: ScanCommand,
  TransactGetItems: TransactGetItemsCommand,
  TransactWriteItems: TransactWriteItemsCommand,
  UpdateItem: UpdateItemCommand,
} as const

type Output = Readonly<Record<string, unknown>>

/** Sets have no order, and neither has what comes from a batch. */
const plain = (value: unknown, name = ''): unknown => {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`
  if (Array.isArray(value)) {
    const members = value.map((one) => plain(one))
    return ['SS', 'NS', 'BS', 'unordered'].includes(name) ? members.toSorted(byText) : members
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== '$metadata' && key !== 'ConsumedCapacity')
      .toSorted(byText)
      .map(([key, inner]) => [key, plain(inner, key)]),
  )
}

const byText = (one: unknown, other: unknown): number =>
  JSON.stringify(one) < JSON.stringify(other) ? -1 : 1

const sent = async ({ database }: Clients, call: Call, input: object): Promise<unknown> => {
  try {
    const Command = COMMANDS[call.operation] as unknown as new (given: object) => GetItemCommand
    return await database.send(new Command(input))
  } catch (error) {
    const { name, Item, CancellationReasons } = error as Output & { readonly name: string }
    const reasons = (CancellationReasons as ReadonlyArray<Output> | undefined)?.map(
      ({ Code, Item: found }) => ({
        Code,
        Item: found,
      }),
    )
    return reasons?.some(({ Code }) => Code === 'ValidationError') === true
      ? { name: 'ValidationException' }
      : { name, Item, reasons }
  }
}

/** What a call answers; of a scan, and of a query of an index, all pages together. */
const outcome = async (clients: Clients, call: Call, table: string, run: string): Promise<unknown> => {
  const input = inputOf(call, table, run)
  const isTogether = call.operation === 'Scan' || Object.hasOwn(call.input, 'IndexName')
  if (call.operation !== 'Query' && !isTogether) {
    const answer = (await sent(clients, call, input)) as Output
    return plain(
      call.operation === 'BatchGetItem' && answer['Responses'] !== undefined
        ? { unordered: (answer['Responses'] as Record<string, unknown[]>)[table] }
        : answer,
    )
  }
  const pages: Array<unknown> = []
  let ExclusiveStartKey: unknown
  do {
    const page = (await sent(clients, call, { ...input, ExclusiveStartKey })) as Output
    pages.push(page)
    ExclusiveStartKey = page['LastEvaluatedKey']
  } while (ExclusiveStartKey !== undefined)
  return isTogether
    ? together(pages as ReadonlyArray<Output>)
    : plain(untilEnd(pages as ReadonlyArray<Output>))
}

/** A page that ends at its limit may tell of a next one, or know that none can be there. */
const untilEnd = (pages: ReadonlyArray<Output>): ReadonlyArray<Output> => {
  const ended = pages.length > 1 && pages.at(-1)?.['ScannedCount'] === 0 ? pages.slice(0, -1) : pages
  const { LastEvaluatedKey: _, ...last } = ended.at(-1) ?? {}
  return [...ended.slice(0, -1), last]
}

const together = (pages: ReadonlyArray<Output>): unknown => ({
  name: pages[0]?.['name'],
  count: pages.reduce((sum, page) => sum + Number(page['Count'] ?? 0), 0),
  items: plain({ unordered: pages.flatMap((page) => page['Items'] ?? []) }),
})

/** What a stream of DynamoDB Local makes of empty maps and lists. */
const untypedEmpty = (record: unknown): unknown =>
  JSON.parse(JSON.stringify(plain(record)).replaceAll(/\{"(?:M":\{\}|L":\[\])\}/g, '{}'))

/** All records of the table's stream, by item, in their order. */
const records = async ({ streams }: Clients, table: string): Promise<unknown> => {
  const { Streams } = await streams.send(new ListStreamsCommand({ TableName: table }))
  const StreamArn = Streams?.[0]?.StreamArn
  const { StreamDescription } = await streams.send(new DescribeStreamCommand({ StreamArn }))
  const byItem = new Map<string, Array<unknown>>()
  for (const { ShardId } of StreamDescription?.Shards ?? []) {
    const begun = await streams.send(
      new GetShardIteratorCommand({ StreamArn, ShardId, ShardIteratorType: 'TRIM_HORIZON' }),
    )
    const { Records = [] } = await streams.send(new GetRecordsCommand({ ShardIterator: begun.ShardIterator }))
    for (const { eventName, dynamodb } of Records) {
      const { Keys, NewImage, OldImage, StreamViewType, SizeBytes } = dynamodb ?? {}
      const item = JSON.stringify([Keys?.['pk']?.S, Keys?.['sk']?.N])
      const before = byItem.get(item) ?? []
      byItem.set(item, before)
      before.push(untypedEmpty({ eventName, Keys, NewImage, OldImage, StreamViewType, SizeBytes }))
    }
  }
  return Object.fromEntries([...byItem].toSorted(byText))
}

let runs = 0

describe('the model of DynamoDB', () => {
  property.prop([fc.array(anyCall, { minLength: 1, maxLength: 30 })], { numRuns: 30 })(
    'answers a history of requests as DynamoDB Local does, and its stream tells the same of every item',
    async (calls) => {
      runs += 1
      const [table, run] = [`agreement-${runs}`, `run-${runs}`]
      const [real, model] = [local(), simulated([definition(table)])]
      await real.database.send(new CreateTableCommand(definition(table)))
      for (const call of calls) {
        const expected = await outcome(real, call, table, run)
        expect({ call, answer: await outcome(model, call, table, run) }).toEqual({ call, answer: expected })
      }
      expect(await records(model, table)).toEqual(await records(real, table))
    },
  )
})
