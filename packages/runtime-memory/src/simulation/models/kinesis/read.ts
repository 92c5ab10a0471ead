/**
 * Reads: an iterator names a place in a shard, and an answer the next one, until a closed shard has been read to its end.
 *
 * An iterator here is its place in base64, so that the model keeps none of them.
 */
import { KINESIS } from '../../limits.ts'
import { type Answer, isRefused, output, type Refused, refused } from '../answer.ts'
import { behind, isSequenceNumber, precedes } from './sequence-number.ts'
import { childrenOf, isOpen, type Shard, type StoredRecord, type Stream, shardOf } from './stream.ts'

export interface IteratorInput {
  readonly ShardId: string
  readonly ShardIteratorType: string
  readonly StartingSequenceNumber?: string
  /** In seconds since 1970. */
  readonly Timestamp?: number
}

/** A place in a shard: in front of the first record whose number is not before `from`. */
export interface Place {
  readonly stream: string
  readonly shard: string
  readonly from: string
  readonly issuedMs: number
}

const iteratorOf = (place: Place): string => Buffer.from(JSON.stringify(place)).toString('base64')

/** Undefined where the text is no iterator of ours. */
export const placeOf = (iterator: string): Place | undefined => {
  try {
    const place: unknown = JSON.parse(Buffer.from(iterator, 'base64').toString())
    return typeof place === 'object' && place !== null && 'from' in place ? (place as Place) : undefined
  } catch {
    return undefined
  }
}

export const getShardIterator = (
  stream: Stream,
  input: IteratorInput,
  nowMs: number,
): Answer<{ readonly ShardIterator: string }> => {
  const shard = shardOf(stream, input.ShardId)
  if (shard === undefined)
    return refused(
      'ResourceNotFoundException',
      `Shard ${input.ShardId} in stream ${stream.name} under account ${stream.arn.split(':')[4]} does not exist`,
    )
  const from = startOf(shard, input)
  if (isRefused(from)) return from
  return output({
    ShardIterator: iteratorOf({ stream: stream.name, shard: shard.id, from, issuedMs: nowMs }),
  })
}

const startOf = (shard: Shard, input: IteratorInput): string | Refused => {
  const { StartingSequenceNumber: number, Timestamp: seconds } = input
  const tip = behind(shard.records.at(-1)?.sequenceNumber ?? shard.firstNumber)
  switch (input.ShardIteratorType) {
    case 'TRIM_HORIZON':
      return shard.firstNumber
    case 'LATEST':
      return tip
    case 'AT_TIMESTAMP': {
      if (seconds === undefined) return lacking('Timestamp', input)
      const first = shard.records.find(({ arrivedMs }) => arrivedMs >= seconds * 1000)
      return first?.sequenceNumber ?? tip
    }
    case 'AT_SEQUENCE_NUMBER':
    case 'AFTER_SEQUENCE_NUMBER': {
      if (number === undefined) return lacking('StartingSequenceNumber', input)
      if (!isSequenceNumber(number))
        return refused('InvalidArgumentException', `${number} is not a valid sequence number.`)
      return input.ShardIteratorType === 'AT_SEQUENCE_NUMBER' ? number : behind(number)
    }
    default:
      return refused(
        'ValidationException',
        `1 validation error detected: Value '${input.ShardIteratorType}' at 'shardIteratorType' failed to satisfy constraint: Member must satisfy enum value set: [AFTER_SEQUENCE_NUMBER, LATEST, AT_TIMESTAMP, AT_SEQUENCE_NUMBER, TRIM_HORIZON]`,
      )
  }
}

const lacking = (parameter: string, { ShardIteratorType: type }: IteratorInput): Refused =>
  refused('InvalidArgumentException', `Must either specify ${parameter} for ShardIteratorType ${type}.`)

interface RecordOutput {
  readonly SequenceNumber: string
  readonly PartitionKey: string
  readonly Data: string
  /** In seconds since 1970. */
  readonly ApproximateArrivalTimestamp: number
}

export interface GetRecordsOutput {
  readonly Records: ReadonlyArray<RecordOutput>
  /** Absent at the end of a closed shard. */
  readonly NextShardIterator?: string
  readonly MillisBehindLatest: number
  readonly ChildShards?: ReadonlyArray<unknown>
}

export interface Reading {
  readonly limit?: number
  readonly nowMs: number
  /** Nothing is found though there is. */
  readonly empty?: boolean
}

export const getRecords = (
  stream: Stream,
  place: Place,
  { limit = KINESIS.getRecords, nowMs, empty = false }: Reading,
): Answer<GetRecordsOutput> => {
  const shard = shardOf(stream, place.shard)
  const refusal = refusalOf(shard, place, limit, nowMs)
  if (shard === undefined || refusal !== undefined) return refusal ?? noShard(place)
  const waiting = shard.records.filter(({ sequenceNumber }) => !precedes(sequenceNumber, place.from))
  const page = empty ? [] : fitting(waiting.slice(0, limit))
  const next = waiting[page.length]
  const lagMs = next === undefined ? 0 : Math.max(1, nowMs - next.arrivedMs)
  const last = page.at(-1)
  const from = last === undefined ? place.from : behind(last.sequenceNumber)
  const more =
    isOpen(shard) || next !== undefined
      ? { NextShardIterator: iteratorOf({ ...place, from, issuedMs: nowMs }) }
      : { ChildShards: childrenOf(stream, shard).map(childOutput) }
  return output({ Records: page.map(recordOutput), MillisBehindLatest: lagMs, ...more })
}

const refusalOf = (
  shard: Shard | undefined,
  place: Place,
  limit: number,
  nowMs: number,
): Refused | undefined => {
  if (shard === undefined) return noShard(place)
  if (!Number.isInteger(limit) || limit < 1 || limit > KINESIS.getRecords)
    return refused(
      'ValidationException',
      `1 validation error detected: Value '${limit}' at 'limit' failed to satisfy constraint: Member must have value between 1 and ${KINESIS.getRecords}`,
    )
  return nowMs - place.issuedMs > KINESIS.iteratorMs
    ? refused(
        'ExpiredIteratorException',
        `Iterator expired. The iterator was created at time ${iso(place.issuedMs)} while right now it is ${iso(nowMs)} which is further in the future than the tolerated delay of ${KINESIS.iteratorMs} milliseconds.`,
      )
    : undefined
}

const iso = (ms: number): string => new Date(ms).toISOString()

const noShard = ({ stream, shard }: Place): Refused =>
  refused('ResourceNotFoundException', `Shard ${shard} in stream ${stream} does not exist`)

/** As many as an answer holds. */
const fitting = (records: ReadonlyArray<StoredRecord>): ReadonlyArray<StoredRecord> => {
  let bytes = 0
  const end = records.findIndex(({ data }, at) => {
    bytes += Buffer.byteLength(data, 'base64')
    return at > 0 && bytes > KINESIS.getBytes
  })
  return end < 0 ? records : records.slice(0, end)
}

const recordOutput = (record: StoredRecord): RecordOutput => ({
  SequenceNumber: record.sequenceNumber,
  PartitionKey: record.partitionKey,
  Data: record.data,
  ApproximateArrivalTimestamp: record.arrivedMs / 1000,
})

const childOutput = ({ id, parent, adjacentParent, firstHashKey, lastHashKey }: Shard) => ({
  ShardId: id,
  ParentShards: [parent, adjacentParent].filter((one) => one !== undefined),
  HashKeyRange: { StartingHashKey: firstHashKey, EndingHashKey: lastHashKey },
})
