/** Puts: each record of a call goes into the shard of its key or fails for itself, and those behind it go in all the same. */
import { KINESIS } from '../../limits.ts'
import { type Answer, isRefused, output, type Refused, refused } from '../answer.ts'
import { isSequenceNumber, sequenceNumberOf } from './sequence-number.ts'
import { HASH_KEYS, hashKeyOf, isOpen, type Shard, type Stream, shardFor, withChanged } from './stream.ts'

/** As on the wire, where bytes are in base64. */
export interface PutEntry {
  readonly PartitionKey?: string
  readonly ExplicitHashKey?: string
  readonly Data?: string
}

export interface PutResult {
  readonly SequenceNumber?: string
  readonly ShardId?: string
  readonly ErrorCode?: string
  readonly ErrorMessage?: string
}

/** What of a call is not benign. */
export interface PutFault {
  /** The place of the record that fails. */
  readonly failed?: number
  /** The records go into shards that are not their keys', as they may where the stream's distribution is AUTO. */
  readonly strayed?: boolean
}

export interface Put<Value> {
  readonly stream: Stream
  readonly answer: Answer<Value>
}

export interface PutRecordsOutput {
  readonly FailedRecordCount: number
  readonly Records: ReadonlyArray<PutResult>
}

export const putRecords = (
  stream: Stream,
  entries: ReadonlyArray<PutEntry>,
  nowMs: number,
  fault: PutFault = {},
): Put<PutRecordsOutput> => {
  const refusal = refusalOfCall(entries) ?? firstRefusal(stream, entries)
  if (refusal !== undefined) return { stream, answer: refusal }
  let next = stream
  const results = entries.map((entry, place) => {
    const put = putOne({ stream: next, nowMs, fault }, entry, place)
    next = put.stream
    return isRefused(put.result)
      ? { ErrorCode: put.result.error, ErrorMessage: put.result.message }
      : put.result
  })
  const failed = results.filter(({ ErrorCode: code }) => code !== undefined).length
  return { stream: next, answer: output({ FailedRecordCount: failed, Records: results }) }
}

/** Of a single record Kinesis throws what it says in the answer about one of many. */
export const putRecord = (
  stream: Stream,
  entry: PutEntry & { readonly SequenceNumberForOrdering?: string },
  nowMs: number,
  fault: PutFault = {},
): Put<PutResult> => {
  const { SequenceNumberForOrdering: after } = entry
  const refusal =
    after !== undefined && !isSequenceNumber(after)
      ? refused('InvalidArgumentException', `${after} is not a valid sequence number.`)
      : firstRefusal(stream, [entry])
  if (refusal !== undefined) return { stream, answer: refusal }
  const put = putOne({ stream, nowMs, fault }, entry, 0)
  return { stream: put.stream, answer: isRefused(put.result) ? put.result : output(put.result) }
}

const refusalOfCall = (entries: ReadonlyArray<PutEntry>): Refused | undefined => {
  if (entries.length === 0 || entries.length > KINESIS.putRecords)
    return refused(
      'ValidationException',
      `1 validation error detected: Value at 'records' failed to satisfy constraint: Member must have length between 1 and ${KINESIS.putRecords}`,
    )
  return entries.reduce((sum, entry) => sum + bytesOf(entry), 0) > KINESIS.putBytes
    ? refused('InvalidArgumentException', `Records size exceeds ${KINESIS.putBytes / 1024 / 1024} MB limit`)
    : undefined
}

/** Why the whole call is refused on account of one record: what is malformed, or larger than the stream takes. */
const firstRefusal = (stream: Stream, entries: ReadonlyArray<PutEntry>): Refused | undefined => {
  for (const entry of entries) {
    const { PartitionKey: key, ExplicitHashKey: hashKey, Data: data } = entry
    if (data === undefined) return invalid('data', 'Member must not be null')
    if (bytesOf(entry) > stream.recordBytes)
      return invalid('data', `Member must have length less than or equal to ${stream.recordBytes}`)
    const characters = Array.from(key ?? '').length
    if (stream.distribution !== 'AUTO' && characters === 0)
      return invalid('partitionKey', 'Member must have length greater than or equal to 1')
    if (characters > KINESIS.partitionKeyCharacters)
      return invalid(
        'partitionKey',
        `Member must have length less than or equal to ${KINESIS.partitionKeyCharacters}`,
      )
    if (hashKey !== undefined && !isHashKey(hashKey))
      return refused(
        'InvalidArgumentException',
        `Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was ${hashKey}`,
      )
  }
  return undefined
}

const invalid = (member: string, constraint: string): Refused =>
  refused(
    'ValidationException',
    `1 validation error detected: Value at '${member}' failed to satisfy constraint: ${constraint}`,
  )

export const isHashKey = (text: string): boolean =>
  /^(?:0|[1-9]\d{0,38})$/.test(text) && BigInt(text) < HASH_KEYS

/** What Kinesis counts of a record. */
const bytesOf = ({ PartitionKey: key = '', Data: data = '' }: PutEntry): number =>
  Buffer.byteLength(key) + Buffer.byteLength(data, 'base64')

interface PutOne {
  readonly stream: Stream
  readonly result: PutResult | Refused
}

interface Putting {
  readonly stream: Stream
  readonly nowMs: number
  readonly fault: PutFault
}

const putOne = ({ stream, nowMs, fault }: Putting, entry: PutEntry, at: number): PutOne => {
  const { PartitionKey: partitionKey = '', ExplicitHashKey: explicitHashKey, Data: data = '' } = entry
  const route = { partitionKey, ...(explicitHashKey === undefined ? {} : { explicitHashKey }) }
  const own = shardFor(stream, hashKeyOf(route))
  const shard = fault.strayed === true ? nextTo(stream, own) : own
  if (fault.failed === at || isBusy(shard, bytesOf(entry), nowMs))
    return { stream, result: tooMuchFor(stream, shard) }
  const place = shard.taken + 1
  const sequenceNumber = sequenceNumberOf({
    shardSeconds: shard.begunSeconds,
    shardNumber: shard.number,
    place,
    seconds: Math.floor(nowMs / 1000),
  })
  const record = { sequenceNumber, ...route, data, arrivedMs: nowMs }
  return {
    stream: withChanged(stream, { ...shard, taken: place, records: [...shard.records, record] }),
    result: { SequenceNumber: sequenceNumber, ShardId: shard.id },
  }
}

/** Another open shard, if there is one. */
const nextTo = ({ shards }: Stream, own: Shard): Shard => {
  const open = shards.filter(isOpen)
  return open[(open.indexOf(own) + 1) % open.length] ?? own
}

/** Whether a shard has taken what it takes in a second, and has no burst left. */
const isBusy = ({ records }: Shard, sizeBytes: number, nowMs: number): boolean => {
  const burstMs = (KINESIS.burstBytes / KINESIS.bytesPerSecond) * 1000
  let count = 0
  let bytes = sizeBytes
  for (let at = records.length - 1; at >= 0; at -= 1) {
    const record = records[at]
    if (record === undefined || record.arrivedMs <= nowMs - burstMs) break
    if (record.arrivedMs > nowMs - 1000) count += 1
    bytes += bytesOf({ PartitionKey: record.partitionKey, Data: record.data })
  }
  return count >= KINESIS.recordsPerSecond || bytes > KINESIS.burstBytes
}

const tooMuchFor = ({ name, arn }: Stream, { id }: Shard): Refused =>
  refused(
    'ProvisionedThroughputExceededException',
    `Rate exceeded for shard ${id} in stream ${name} under account ${arn.split(':')[4]}.`,
  )
