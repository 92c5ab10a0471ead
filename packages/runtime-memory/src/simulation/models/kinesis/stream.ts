/**
 * A Kinesis stream: shards that divide the hash keys among them, each a log of its own.
 *
 * Laws: the open shards cover every hash key, each once; a record is in exactly one shard; a closed shard takes none.
 */
import { createHash } from 'node:crypto'
import { KINESIS } from '../../limits.ts'
import { precedes, sequenceNumberOf } from './sequence-number.ts'

export interface StoredRecord {
  readonly sequenceNumber: string
  readonly partitionKey: string
  readonly explicitHashKey?: string
  /** The bytes, in base64, as on the wire. */
  readonly data: string
  readonly arrivedMs: number
}

export interface Shard {
  /** `shardId-000000000000`. */
  readonly id: string
  readonly number: number
  /** What it was split from, or merged from with the adjacent one. */
  readonly parent?: string
  readonly adjacentParent?: string
  /** The first and the last hash key that it takes, in decimal. */
  readonly firstHashKey: string
  readonly lastHashKey: string
  readonly begunSeconds: number
  /** Of a place in front of its records. */
  readonly firstNumber: string
  /** How many records it has ever taken. */
  readonly taken: number
  /** Oldest first. */
  readonly records: ReadonlyArray<StoredRecord>
  /** When it was split or merged; absent while it takes records. */
  readonly closedMs?: number
  readonly lastNumber?: string
}

export interface Stream {
  readonly name: string
  readonly arn: string
  readonly createdMs: number
  readonly retentionMs: number
  /** The largest record, its partition key included. */
  readonly recordBytes: number
  /** Under `AUTO` Kinesis puts a record wherever it likes. */
  readonly distribution: 'USER_PARTITION_KEY' | 'AUTO'
  /** Oldest first; those are left out of which nothing is kept any more. */
  readonly shards: ReadonlyArray<Shard>
  /** The number of the next shard. */
  readonly nextShard: number
}

export const HASH_KEYS = 2n ** 128n

export interface StreamOptions extends Partial<Pick<Stream, 'retentionMs' | 'recordBytes' | 'distribution'>> {
  readonly name: string
  readonly shards: number
  readonly account?: string
  readonly region?: string
}

/** A new stream, whose shards divide the hash keys evenly. */
export const streamOf = (options: StreamOptions, nowMs: number): Stream => {
  const { name, shards: count, account = '000000000000', region = 'us-east-1' } = options
  const bound = (at: number) => (HASH_KEYS * BigInt(at)) / BigInt(count)
  const empty: Stream = {
    name,
    arn: `arn:aws:kinesis:${region}:${account}:stream/${name}`,
    createdMs: nowMs,
    retentionMs: options.retentionMs ?? KINESIS.retentionMs,
    recordBytes: options.recordBytes ?? KINESIS.recordBytes,
    distribution: options.distribution ?? 'USER_PARTITION_KEY',
    shards: [],
    nextShard: 0,
  }
  return Array.from({ length: count }, (_, at) => ({
    firstHashKey: String(bound(at)),
    lastHashKey: String(bound(at + 1) - 1n),
    begunSeconds: Math.floor(nowMs / 1000),
  })).reduce(withShard, empty)
}

/** What is told of a shard that is to be. */
export type NewShard = Pick<
  Shard,
  'firstHashKey' | 'lastHashKey' | 'begunSeconds' | 'parent' | 'adjacentParent'
>

/** The stream with one shard more. */
export const withShard = (stream: Stream, told: NewShard): Stream => {
  const number = stream.nextShard
  const shard: Shard = {
    ...told,
    id: `shardId-${String(number).padStart(12, '0')}`,
    number,
    firstNumber: sequenceNumberOf({
      shardSeconds: told.begunSeconds,
      shardNumber: number,
      place: 0,
      seconds: told.begunSeconds,
    }),
    taken: 0,
    records: [],
  }
  return { ...stream, shards: [...stream.shards, shard], nextShard: number + 1 }
}

/** The stream with a shard in its new state. */
export const withChanged = (stream: Stream, changed: Shard): Stream => ({
  ...stream,
  shards: stream.shards.map((shard) => (shard.id === changed.id ? changed : shard)),
})

/** The shards of a stream, oldest first: each after its parents. */
export const shards = ({ shards: all }: Stream): ReadonlyArray<Shard> => all

export const shardOf = (stream: Stream, id: string): Shard | undefined =>
  stream.shards.find((shard) => shard.id === id)

export const isOpen = ({ closedMs }: Shard): boolean => closedMs === undefined

export const childrenOf = (stream: Stream, { id }: Shard): ReadonlyArray<Shard> =>
  stream.shards.filter(({ parent, adjacentParent }) => parent === id || adjacentParent === id)

/** The records of a shard that come after a sequence number; all that are kept where none is given. */
export const recordsAfter = (
  stream: Stream,
  shard: string,
  sequenceNumber?: string,
): ReadonlyArray<StoredRecord> => {
  const records = shardOf(stream, shard)?.records ?? []
  return sequenceNumber === undefined
    ? records
    : records.filter((record) => precedes(sequenceNumber, record.sequenceNumber))
}

/** Source: AWS SDK, PutRecordCommand: "An MD5 hash function is used to map partition keys to 128-bit integer values". */
export const hashKeyOf = ({
  partitionKey,
  explicitHashKey,
}: Pick<StoredRecord, 'partitionKey' | 'explicitHashKey'>): bigint =>
  explicitHashKey === undefined
    ? BigInt(`0x${createHash('md5').update(partitionKey).digest('hex')}`)
    : BigInt(explicitHashKey)

/** The one open shard that takes this hash key. */
export const shardFor = (stream: Stream, hashKey: bigint): Shard => {
  const found = stream.shards.find(
    (shard) => isOpen(shard) && BigInt(shard.firstHashKey) <= hashKey && hashKey <= BigInt(shard.lastHashKey),
  )
  if (found === undefined) throw new Error(`no open shard of ${stream.name} takes the hash key ${hashKey}`)
  return found
}

/** Without what is older than the retention, and without closed shards of which nothing is kept any more. */
export const trimmed = (stream: Stream, nowMs: number): Stream => {
  const horizonMs = nowMs - stream.retentionMs
  const isStale = ({ closedMs = Number.POSITIVE_INFINITY, records: [oldest] }: Shard) =>
    closedMs <= horizonMs || (oldest !== undefined && oldest.arrivedMs <= horizonMs)
  if (!stream.shards.some(isStale)) return stream
  const kept = stream.shards.map((shard) =>
    isStale(shard)
      ? { ...shard, records: shard.records.filter(({ arrivedMs }) => arrivedMs > horizonMs) }
      : shard,
  )
  return {
    ...stream,
    shards: kept.filter(({ closedMs = Number.POSITIVE_INFINITY }) => closedMs > horizonMs),
  }
}
