/**
 * What goes through all items of a generation: listing its progress, and removing it.
 *
 * Nothing lists the items of a generation: an index that did would cost a write unit with every new item, could not
 * be read consistently, and naming the progress of a stream there would still be a read unit to fetch. So the table
 * is scanned, consistently, and what belongs to others is left out by DynamoDB, which counts it all the same: 1 read
 * unit per 4 KB, so a dollar reads 30 GB. That happens about once per rebuild, which reads the whole log as well.
 */
import { BatchWriteCommand, ScanCommand, type ScanCommandInput } from '@aws-sdk/lib-dynamodb'
import { E, type Fault, type Generation, type Position, type RowKey, type StreamName } from '@everfold/core'
import { DYNAMODB } from '../limits.ts'
import { progressPrefix, rowsPrefix } from './view-keys.ts'
import { asked, untilDone, type ViewTable } from './view-table.ts'

interface Progresses {
  readonly streams: ReadonlyArray<Position>
  readonly cursor?: string
}

export const progresses = async (
  table: ViewTable,
  generation: Generation,
  cursor: string | undefined,
): Promise<E.Either<Fault, Progresses>> => {
  const prefix = progressPrefix(generation)
  const page = await asked(table, (client) =>
    client.send(
      new ScanCommand({
        TableName: table.table,
        ConsistentRead: true,
        FilterExpression: 'begins_with(pk, :prefix)',
        ExpressionAttributeValues: { ':prefix': prefix },
        ...(cursor === undefined ? {} : { ExclusiveStartKey: JSON.parse(cursor) as RowKey }),
      }),
    ),
  )
  if (E.isLeft(page)) return page
  const { Items = [], LastEvaluatedKey: last } = page.right
  const streams = Items.map(({ pk, commit }) => ({
    stream: (pk as string).slice(prefix.length) as StreamName,
    commit: commit as number,
  }))
  return E.right(last === undefined ? { streams } : { streams, cursor: JSON.stringify(last) })
}

/** Scans that run beside each other. */
const SEGMENTS = 4

export const drop = async (table: ViewTable, generation: Generation): Promise<E.Either<Fault, void>> => {
  const segments = Array.from({ length: SEGMENTS }, (_, segment) => dropSegment(table, generation, segment))
  return (await Promise.all(segments)).find(E.isLeft) ?? E.right(undefined)
}

const dropSegment = async (
  table: ViewTable,
  generation: Generation,
  segment: number,
): Promise<E.Either<Fault, void>> => {
  const scan: ScanCommandInput = {
    TableName: table.table,
    ConsistentRead: true,
    Segment: segment,
    TotalSegments: SEGMENTS,
    ProjectionExpression: 'pk, sk',
    FilterExpression: 'begins_with(pk, :rows) OR begins_with(pk, :progress)',
    ExpressionAttributeValues: { ':rows': rowsPrefix(generation), ':progress': progressPrefix(generation) },
  }
  let from: ScanCommandInput['ExclusiveStartKey']
  do {
    const page = await asked(table, (client) =>
      client.send(new ScanCommand({ ...scan, ExclusiveStartKey: from })),
    )
    if (E.isLeft(page)) return page
    const removed = await remove(table, (page.right.Items ?? []) as Array<Record<'pk' | 'sk', string>>)
    if (E.isLeft(removed)) return removed
    from = page.right.LastEvaluatedKey
  } while (from !== undefined)
  return E.right(undefined)
}

const remove = async (table: ViewTable, keys: ReadonlyArray<RowKey>): Promise<E.Either<Fault, void>> => {
  const deletions = keys.map((key) => ({ DeleteRequest: { Key: key } }))
  for (let at = 0; at < deletions.length; at += DYNAMODB.batchWrites) {
    const batch = deletions.slice(at, at + DYNAMODB.batchWrites)
    const done = await untilDone(table, batch, async (client, pending) => {
      const answer = await client.send(
        new BatchWriteCommand({ RequestItems: { [table.table]: [...pending] } }),
      )
      return (answer.UnprocessedItems?.[table.table] ?? []) as typeof batch
    })
    if (E.isLeft(done)) return done
  }
  return E.right(undefined)
}
