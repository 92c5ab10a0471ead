/**
 * Pages of rows, from the table or from its inverted index.
 *
 * The table is read consistently. The index has only the keys: the rows that it names are fetched from the table,
 * consistently too, so a listed row is never older than its `get`; which rows are listed lags behind as the index
 * does. With only the keys, an update of a row costs the index nothing, and its first put and its deletion cost it
 * 1 write unit each; the whole row in the index would cost that and more with every update of every row of every
 * view, whether or not anybody reads it that way. The reader pays for it: a page of 20 rows is 20.5 read units ($2.56
 * a million) instead of 0.5, so whole rows would be cheaper where they are listed, 20 at a time, more often than once
 * in four updates; but what is listed are entries that are put once and stay as they are. Prices: us-east-1, on
 * demand, $0.625 a million write units, $0.125 a million read units (2026-11).
 */
import { BatchGetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb'
import { E, type Fault, type Generation, type Row, type RowQuery } from '@everfold/core'
import { DYNAMODB } from '../limits.ts'
import { type RowItem, rowsOf } from './view-item.ts'
import { keyFault, rowsPrefix } from './view-keys.ts'
import { asked, untilDone, type ViewTable } from './view-table.ts'

type Rows = { readonly rows: ReadonlyArray<Row>; readonly after?: string }

type ItemKey = Readonly<Record<string, string>>

export const queryRows = async (
  table: ViewTable,
  generation: Generation,
  query: RowQuery,
): Promise<E.Either<Fault, Rows>> => {
  const fault = queryFault(generation, query)
  if (fault !== undefined) return E.left(fault)
  const start = startOf(query)
  if (start === 'at the end' || query.limit <= 0) return E.right({ rows: [] })
  const lane = query.index === 'inverted' ? inverted(generation, query) : direct(generation, query)
  const rows: Array<Row> = []
  let from = start === 'at the beginning' ? undefined : lane.keyOf(start.after)
  // One more than was asked for tells whether there is a next page. Behind tombstones it is asked for ever more.
  for (let most = query.limit + 1; ; most *= 2) {
    const found = await readPage(table, generation, { lane, query, from, limit: Math.min(most, MOST) })
    if (E.isLeft(found)) return found
    for (const row of found.right.rows) rows.push(row)
    const last = rows[query.limit - 1]
    if (last !== undefined && rows.length > query.limit)
      return E.right({
        rows: rows.slice(0, query.limit),
        after: query.index === 'inverted' ? last.pk : last.sk,
      })
    from = found.right.next
    if (from === undefined) return E.right({ rows })
  }
}

/** The most items of one request: a page of DynamoDB ends at a megabyte anyway. */
const MOST = 1000

/** What a query asks for, in the table's own terms. */
interface Lane {
  readonly index?: 'inverted'
  readonly partition: readonly [name: 'pk' | 'ipk', key: string]
  readonly order: readonly [name: 'sk' | 'pk', prefix: string]
  /** The item that has this sort key, whether or not there is one. */
  keyOf(this: void, sortKey: string): ItemKey
}

const direct = (generation: Generation, { pk, skPrefix = '' }: RowQuery): Lane => {
  const partition = `${rowsPrefix(generation)}${pk}`
  return {
    partition: ['pk', partition],
    order: ['sk', skPrefix],
    keyOf: (sk) => ({ pk: partition, sk }),
  }
}

const inverted = (generation: Generation, { pk: sk, skPrefix = '' }: RowQuery): Lane => {
  const prefix = rowsPrefix(generation)
  const partition = `${prefix}${sk}`
  return {
    index: 'inverted',
    partition: ['ipk', partition],
    order: ['pk', `${prefix}${skPrefix}`],
    keyOf: (pk) => ({ ipk: partition, pk: `${prefix}${pk}`, sk }),
  }
}

/** Everything that a query names is a part of some row's key. */
const queryFault = (generation: Generation, query: RowQuery): Fault | undefined => {
  const { index, pk, skPrefix = '', after = '' } = query
  for (const part of [skPrefix, after]) {
    const key = index === 'inverted' ? { pk: part, sk: pk } : { pk, sk: part }
    const fault = keyFault(generation, key)
    if (fault !== undefined) return fault
  }
  return undefined
}

/** DynamoDB refuses a start that lies outside of what is asked for. */
const startOf = (query: RowQuery): 'at the beginning' | 'at the end' | { readonly after: string } => {
  const { after, skPrefix = '', descending = false } = query
  if (after === undefined) return 'at the beginning'
  if (after !== '' && after.startsWith(skPrefix)) return { after }
  const isBelow = Buffer.compare(Buffer.from(after), Buffer.from(skPrefix)) <= 0
  return isBelow === descending ? 'at the end' : 'at the beginning'
}

interface Part {
  readonly lane: Lane
  readonly query: RowQuery
  readonly from: ItemKey | undefined
  readonly limit: number
}

/** Live rows of one request, and where the next one starts; both may be nothing. */
interface Found {
  readonly rows: ReadonlyArray<Row>
  readonly next: ItemKey | undefined
}

const readPage = async (
  table: ViewTable,
  generation: Generation,
  { lane, query, from, limit }: Part,
): Promise<E.Either<Fault, Found>> => {
  const [partition, key] = lane.partition
  const [order, prefix] = lane.order
  const read = await asked(table, (client) =>
    client.send(
      new QueryCommand({
        TableName: table.table,
        ...(lane.index === undefined ? { ConsistentRead: true } : { IndexName: lane.index }),
        KeyConditionExpression: `#partition = :partition${prefix === '' ? '' : ' AND begins_with(#order, :prefix)'}`,
        ExpressionAttributeNames: { '#partition': partition, ...(prefix === '' ? {} : { '#order': order }) },
        ExpressionAttributeValues: { ':partition': key, ...(prefix === '' ? {} : { ':prefix': prefix }) },
        ScanIndexForward: query.descending !== true,
        Limit: limit,
        ExclusiveStartKey: from,
      }),
    ),
  )
  if (E.isLeft(read)) return read
  const { Items = [], LastEvaluatedKey } = read.right
  const items = lane.index === undefined ? E.right(Items as Array<RowItem>) : await fetched(table, Items)
  if (E.isLeft(items)) return items
  const live = items.right.filter(({ value }) => value !== undefined)
  const rows = rowsOf(generation, live)
  return E.isLeft(rows) ? rows : E.right({ rows: rows.right, next: LastEvaluatedKey })
}

/** The rows of these keys, in their order; what is gone meanwhile is left out. */
const fetched = async (
  table: ViewTable,
  listed: ReadonlyArray<ItemKey>,
): Promise<E.Either<Fault, ReadonlyArray<RowItem>>> => {
  const found = new Map<string, RowItem>()
  for (let at = 0; at < listed.length; at += DYNAMODB.batchReads) {
    const keys = listed.slice(at, at + DYNAMODB.batchReads).map(({ pk = '', sk = '' }) => ({ pk, sk }))
    const done = await untilDone<ItemKey>(table, keys, async (client, pending) => {
      const answer = await client.send(
        new BatchGetCommand({
          RequestItems: { [table.table]: { Keys: [...pending], ConsistentRead: true } },
        }),
      )
      for (const item of (answer.Responses?.[table.table] ?? []) as Array<RowItem>) found.set(item.pk, item)
      return (answer.UnprocessedKeys?.[table.table]?.Keys ?? []) as Array<ItemKey>
    })
    if (E.isLeft(done)) return done
  }
  return E.right(listed.flatMap(({ pk = '' }) => found.get(pk) ?? []))
}
