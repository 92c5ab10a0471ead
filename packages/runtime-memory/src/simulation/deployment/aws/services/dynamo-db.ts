/** Simulated DynamoDB: its tables, and their streams, which tell whoever listens of new records. */
import { DYNAMODB_STREAMS } from '../../../limits.ts'
import {
  type DynamoDb,
  type Item,
  type LambdaRecord,
  recordsAfter,
  shards,
  streamArnOf,
} from '../../../models/dynamo-db/index.ts'
import type { ListedShard } from '../../../models/event-source-mapping/index.ts'
import { dynamoDbWire } from '../../../sdk/dynamo-db.ts'
import { dynamoDbStreamsWire } from '../../../sdk/dynamo-db-streams.ts'
import type { Stage } from '../../stage.ts'
import { dynamoDbSubject } from '../subjects.ts'
import type { Endpoint } from '../transport.ts'
import type { Service } from './service.ts'

/** Told of items that were written, when they are; what a transaction writes into a table together. */
export type WrittenListener = (table: string, items: ReadonlyArray<Item>) => void

/** Told of the shards of a table's stream, and what is new in them. */
type TableRecordsListener = (
  listed: ReadonlyArray<ListedShard>,
  records: ReadonlyArray<{ readonly shard: string; readonly record: LambdaRecord }>,
) => void

export interface DynamoDbService extends Service<DynamoDb> {
  written(this: void, listener: WrittenListener): void
  records(this: void, table: string, listener: TableRecordsListener): void
}

export const dynamoDbService = ({ kernel }: Stage, initial: DynamoDb): DynamoDbService => {
  let state = initial
  const writtenListeners: Array<WrittenListener> = []
  const recordListeners = new Map<string, Array<TableRecordsListener>>()
  const news = newsOf()
  const tellRecords = () => {
    for (const [table, listeners] of recordListeners) {
      const found = news(state, table, kernel.nowMs())
      if (found !== undefined) for (const listener of listeners) listener(found.listed, found.records)
    }
  }
  const tables: Endpoint = {
    name: 'dynamodb',
    target: 'DynamoDB_2012',
    subjectOf: dynamoDbSubject,
    sent: (request) => ({ ...request, sentAfter: state.writes }),
    offers: (request) => dynamoDbWire.offers(state, request),
    step: (request, at) => {
      const before = state
      const stepped = dynamoDbWire.step(before, request, at)
      state = stepped.state
      if (state.writes !== before.writes) {
        for (const [table, items] of itemsWritten(before, state))
          for (const listener of writtenListeners) listener(table, items)
        tellRecords()
        // A record that others may overtake comes by itself, in the end.
        if (at.deviation !== undefined)
          kernel.at(kernel.nowMs() + DYNAMODB_STREAMS.lateMs + 1, 'late records come', tellRecords)
      }
      return stepped.answer
    },
  }
  const streams: Endpoint = {
    name: 'dynamodb streams',
    target: 'DynamoDBStreams_',
    subjectOf: dynamoDbSubject,
    offers: (request) => dynamoDbStreamsWire.offers(state, request),
    step: (request, at) => {
      const stepped = dynamoDbStreamsWire.step(state, request, at)
      state = stepped.state
      return stepped.answer
    },
  }
  return {
    endpoints: [tables, streams],
    state: () => state,
    written: (listener) => void writtenListeners.push(listener),
    records: (table, listener) => {
      const listeners = recordListeners.get(table)
      if (listeners === undefined) recordListeners.set(table, [listener])
      else listeners.push(listener)
    },
  }
}

/** What of a table's stream has not been told yet, the stream's shards with it. */
const newsOf = () => {
  const told = new Map<string, string>()
  return (state: DynamoDb, table: string, nowMs: number) => {
    const stream = streamArnOf(state, table)
    if (stream === undefined) return undefined
    const all = shards(state, stream, nowMs)
    const records = all.flatMap(({ id: shard }) => {
      const { Records: news } = recordsAfter(state, { stream, shard }, nowMs, told.get(shard))
      const last = news.at(-1)
      if (last !== undefined) told.set(shard, String(last.dynamodb['SequenceNumber']))
      return news.map((record) => ({ shard, record }))
    })
    if (records.length === 0) return undefined
    const listed = all.map(
      ({ id: shard, parent, end }): ListedShard => ({
        shard,
        parents: parent === undefined ? [] : [parent],
        closed: end !== undefined,
      }),
    )
    return { listed, records }
  }
}

/** The items that are otherwise than before, of each table that has some. Partitions that were not touched are shared. */
const itemsWritten = (
  before: DynamoDb,
  after: DynamoDb,
): ReadonlyArray<readonly [table: string, items: ReadonlyArray<Item>]> =>
  [...after.tables].flatMap(([name, { items }]) => {
    const known = before.tables.get(name)?.items
    if (known === undefined || known === items) return []
    const changed = [...items].flatMap(([key, partition]) => {
      const old = known.get(key)
      if (old === partition) return []
      const kept = new Set(old)
      return partition.filter((item) => !kept.has(item))
    })
    return changed.length === 0 ? [] : [[name, changed]]
  })
