/**
 * The rows of views on DynamoDB, one item each, put on the condition of the sources that they were read with.
 *
 * What a commit costs that touches one row of less than a kilobyte, in requests and units: its progress read (1, 1 read
 * unit), the row read (1, 1 read unit), the row put (1, 1 write unit; 2 with its first put and its deletion, which the
 * index takes part in), the progress written (1, 1 write unit).
 */
import { GetCommand, PutCommand, type PutCommandInput, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import {
  E,
  type Fault,
  type Generation,
  impossible,
  type Row,
  type RowKey,
  type Sources,
  type StreamName,
  unavailable,
  type ViewStore,
} from '@everfold/core'
import { DYNAMODB } from '../limits.ts'
import { errorName, patiently } from '../patience.ts'
import { isStored, itemBytes, type RawItem, type RowItem, rowItem, rowsOf } from './view-item.ts'
import { itemKey, progressFault, progressKey, readersKey, rowKeyFault } from './view-keys.ts'
import { queryRows } from './view-query.ts'
import { drop, progresses } from './view-sweep.ts'
import { asked, type ViewTable, WHAT } from './view-table.ts'

export { type ViewRecord, viewRecord } from './view-record.ts'

export type DynamoViewStoreOptions = ViewTable

export const dynamoViewStore = (table: DynamoViewStoreOptions): ViewStore => ({
  get: (generation, key) => () => getRow(table, generation, key),
  query: (generation, query) => () => queryRows(table, generation, query),
  put: (generation, row, expected) => () => putRow(table, generation, row, expected),
  progress: (generation, stream) => async () => {
    const fault = progressFault(generation, stream)
    if (fault !== undefined) return E.left(fault)
    const found = await getItem(table, progressKey(generation, stream))
    return E.isLeft(found) ? found : E.right((found.right?.['commit'] as number | undefined) ?? 0)
  },
  progresses: (generation, cursor) => () => progresses(table, generation, cursor),
  advance: (generation, stream, commit) => () => advance(table, generation, { stream, commit }),
  active: (projection) => async () => {
    const found = await getItem(table, readersKey(projection))
    return E.isLeft(found) ? found : E.right(found.right?.['generation'] as string | undefined)
  },
  activate:
    ({ projection, generation }) =>
    async () => {
      const item = { ...readersKey(projection), generation }
      const put = await asked(table, (client) =>
        client.send(new PutCommand({ TableName: table.table, Item: item })),
      )
      return E.isLeft(put) ? put : E.right(undefined)
    },
  drop: (generation) => () => drop(table, generation),
})

const getItem = async (
  table: ViewTable,
  key: RowKey,
): Promise<E.Either<Fault, Readonly<Record<string, unknown>> | undefined>> => {
  const input = { TableName: table.table, Key: key, ConsistentRead: true }
  const found = await asked(table, (client) => client.send(new GetCommand(input)))
  return E.isLeft(found) ? found : E.right(found.right.Item)
}

const getRow = async (
  table: ViewTable,
  generation: Generation,
  key: RowKey,
): Promise<E.Either<Fault, Row | undefined>> => {
  const fault = rowKeyFault(generation, key)
  if (fault !== undefined) return E.left(fault)
  const found = await getItem(table, itemKey(generation, key))
  if (E.isLeft(found)) return found
  const rows = rowsOf(generation, found.right === undefined ? [] : [found.right as unknown as RowItem])
  return E.isLeft(rows) ? rows : E.right(rows.right[0])
}

/**
 * A condition that fails may have met this very write: its answer was lost, and it was sent again. What holds the
 * place tells. That the same row may have been put by another projector of the same commit makes no difference.
 */
const putRow = async (
  table: ViewTable,
  generation: Generation,
  row: Row,
  expected: Sources | undefined,
): Promise<E.Either<Fault, 'stored' | 'conflict'>> => {
  const item = rowItem(generation, row)
  const fault = rowKeyFault(generation, row) ?? sizeFault(item, expected)
  if (fault !== undefined) return E.left(fault)
  const input: PutCommandInput = {
    TableName: table.table,
    Item: item,
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    ...(expected === undefined
      ? { ConditionExpression: 'attribute_not_exists(pk)' }
      : {
          ConditionExpression: '#sources = :expected',
          ExpressionAttributeNames: { '#sources': 'sources' },
          ExpressionAttributeValues: { ':expected': expected },
        }),
  }
  const put = await patiently(table, () => table.client.send(new PutCommand(input)))
  if (E.isRight(put)) return E.right('stored')
  if (!isConditionFailed(put.left)) return E.left(unavailable(WHAT, put.left))
  return E.right(isStored(item, (put.left as { readonly Item?: RawItem }).Item) ? 'stored' : 'conflict')
}

const isConditionFailed = (error: unknown): boolean => errorName(error) === 'ConditionalCheckFailedException'

const sizeFault = (item: RowItem, expected: Sources | undefined): Fault | undefined => {
  const sizeBytes = itemBytes(item)
  if (sizeBytes <= DYNAMODB.itemBytes) return undefined
  const streams = Object.keys(item.sources) as Array<StreamName>
  const stream = streams.find((one) => item.sources[one] !== expected?.[one]) ?? streams[0]
  return stream === undefined
    ? impossible(`the row ${item.pk} ${item.sk}: it has ${sizeBytes} bytes`)
    : { _tag: 'TooLarge', stream, sizeBytes, limitBytes: DYNAMODB.itemBytes }
}

const advance = async (
  table: ViewTable,
  generation: Generation,
  { stream, commit }: { readonly stream: StreamName; readonly commit: number },
): Promise<E.Either<Fault, void>> => {
  const fault = progressFault(generation, stream)
  if (fault !== undefined) return E.left(fault)
  const update = new UpdateCommand({
    TableName: table.table,
    Key: progressKey(generation, stream),
    UpdateExpression: 'SET #commit = :commit',
    ConditionExpression: 'attribute_not_exists(#commit) OR #commit < :commit',
    ExpressionAttributeNames: { '#commit': 'commit' },
    ExpressionAttributeValues: { ':commit': commit },
  })
  const updated = await patiently(table, () => table.client.send(update))
  // It is there already, or further.
  return E.isRight(updated) || isConditionFailed(updated.left)
    ? E.right(undefined)
    : E.left(unavailable(WHAT, updated.left))
}
