/** What readers see of a stream: its shards and their records, which are gone a day after they were written. */
import type { DynamoDb } from './state.ts'
import { isTrimmed, REGION, type Shard, type Stream, type StreamRecord, settled } from './stream.ts'

/** A shard as a poller finds it. */
export interface ListedShard {
  readonly id: string
  readonly parent?: string
  readonly start: string
  /** Its last number, once it takes no more records. */
  readonly end?: string
}

/** The stream of this ARN as it is now. */
export const streamAt = (state: DynamoDb, arn: string, nowMs: number): Stream | undefined => {
  for (const { stream } of state.tables.values()) if (stream?.arn === arn) return settled(stream, nowMs)
  return undefined
}

/** The stream's shards, a parent always before its children; one is gone once all of it is trimmed. */
export const shards = (state: DynamoDb, arn: string, nowMs: number): ReadonlyArray<ListedShard> =>
  (streamAt(state, arn, nowMs)?.shards ?? [])
    .filter(({ closed }) => closed === undefined || !isTrimmed(closed.timeMs, nowMs))
    .map(listed)

const listed = ({ id, parent, start, closed }: Shard): ListedShard => ({
  id,
  ...(parent === undefined ? {} : { parent }),
  start,
  ...(closed === undefined ? {} : { end: closed.end }),
})

/** How many of a shard's records are trimmed by now: all before the first that is not. */
const trimmedIn = ({ records }: Shard, nowMs: number): number => {
  const first = records.findIndex(({ timeMs }) => !isTrimmed(timeMs, nowMs))
  return first < 0 ? records.length : first
}

/** The records that are left of a shard, with a number above the one told. */
export const recordsOf = (shard: Shard, nowMs: number, after = ''): ReadonlyArray<StreamRecord> =>
  shard.records.slice(trimmedIn(shard, nowMs)).filter(({ sequenceNumber }) => sequenceNumber > after)

/** The last number that was written to a shard and is gone. */
export const trimmedUpTo = (shard: Shard, nowMs: number): string =>
  shard.records[trimmedIn(shard, nowMs) - 1]?.sequenceNumber ?? shard.gone

/** A record as Lambda hands it to a function. Binary values are base64 there. */
export interface LambdaRecord {
  readonly eventID: string
  readonly eventName: 'INSERT' | 'MODIFY' | 'REMOVE'
  readonly eventVersion: string
  readonly eventSource: 'aws:dynamodb'
  readonly awsRegion: string
  readonly dynamodb: Readonly<Record<string, unknown>>
  readonly eventSourceARN: string
  readonly userIdentity?: { readonly type: string; readonly principalId: string }
}

export interface LambdaEvent {
  readonly Records: ReadonlyArray<LambdaRecord>
}

/** Who removes what has expired. Source: DynamoDB Developer Guide, "DynamoDB Streams and Time to Live" (2026-11). */
const EXPIRY = { type: 'Service', principalId: 'dynamodb.amazonaws.com' }

/** One text for each record, as the service has them: 32 hexadecimal digits. */
const eventId = ({ sequenceNumber }: StreamRecord): string =>
  BigInt(sequenceNumber).toString(16).padStart(32, '0')

/** The part of a record that a function and a reader of the stream see alike. */
const bodyOf = (stream: Stream, record: StreamRecord): Readonly<Record<string, unknown>> => ({
  ApproximateCreationDateTime: Math.floor(record.timeMs / 1000),
  Keys: record.keys,
  ...(record.newImage === undefined ? {} : { NewImage: record.newImage }),
  ...(record.oldImage === undefined ? {} : { OldImage: record.oldImage }),
  SequenceNumber: record.sequenceNumber,
  SizeBytes: record.sizeBytes,
  StreamViewType: stream.view,
})

const headOf = (record: StreamRecord) =>
  ({
    eventID: eventId(record),
    eventName: record.event,
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: REGION,
  }) as const

/** As GetRecords answers it. */
export const recordShown = (stream: Stream, record: StreamRecord): object => ({
  ...headOf(record),
  dynamodb: bodyOf(stream, record),
  ...(record.isExpiry ? { userIdentity: { Type: EXPIRY.type, PrincipalId: EXPIRY.principalId } } : {}),
})

/**
 * The records of a shard with numbers above the one told, in the shape in which Lambda hands them to a function. What is
 * trimmed is passed over in silence, as Lambda does.
 */
export const recordsAfter = (
  state: DynamoDb,
  { stream: arn, shard }: { readonly stream: string; readonly shard: string },
  nowMs: number,
  sequenceNumber?: string,
): LambdaEvent => {
  const stream = streamAt(state, arn, nowMs)
  const found = stream?.shards.find(({ id }) => id === shard)
  if (stream === undefined || found === undefined) return { Records: [] }
  const handed = (record: StreamRecord): LambdaRecord => ({
    ...headOf(record),
    dynamodb: bodyOf(stream, record),
    eventSourceARN: arn,
    ...(record.isExpiry ? { userIdentity: EXPIRY } : {}),
  })
  return { Records: recordsOf(found, nowMs, sequenceNumber).map(handed) }
}

/** The ARN of a table's stream; undefined where it has none. */
export const streamArnOf = (state: DynamoDb, table: string): string | undefined =>
  state.tables.get(table)?.stream?.arn
