/**
 * What one invocation by a Kinesis stream brings: its records taken apart, each with an id that never changes.
 *
 * The event is checked by hand, not by a codec: AWS adds fields to it, and those are no faults.
 * Source: Lambda Developer Guide, "Using AWS Lambda with Amazon Kinesis", example event.
 */
import { E, type InputFault, type InvalidInput } from '@everfold/core'
import { deaggregate } from './aggregate.ts'

export interface UserRecord {
  /** `{shardId}:{sequenceNumber}:{subsequence}`: the same at every delivery, so it tells doubles made by deliveries. */
  readonly id: string
  readonly shardId: string
  /** Of the stream's record; all records of an aggregate share it. */
  readonly sequenceNumber: string
  /** The place in the aggregate; 0 of a record that is none. */
  readonly subsequence: number
  readonly partitionKey: string
  readonly explicitHashKey?: string
  readonly data: Uint8Array
  /** When the stream took it, in milliseconds since 1970. */
  readonly arrivedAtMs: number
}

/** One record of the stream: what its writer put into it, or why that cannot be told. */
export interface Unit {
  readonly sequenceNumber: string
  readonly records: E.Either<InvalidInput, ReadonlyArray<UserRecord>>
}

/**
 * The event's units by rising sequence number, as a shard has them.
 *
 * A record without its shard and number leaves nothing that the rest could be reported by: such an event is refused whole.
 */
export const unitsOf = (event: unknown): E.Either<InvalidInput, ReadonlyArray<Unit>> => {
  const { Records: records } = fieldsOf(event)
  if (!Array.isArray(records) || records.length === 0)
    return refused({ pointer: '/Records', detail: 'is not a list of records' })
  const units: Array<Unit> = []
  let shard: string | undefined
  for (const [at, record] of records.entries()) {
    const pointer = `/Records/${at}`
    const { eventID: eventId, kinesis: payload } = fieldsOf(record)
    const { sequenceNumber } = fieldsOf(payload)
    if (typeof sequenceNumber !== 'string' || !/^(?:0|[1-9]\d{0,128})$/.test(sequenceNumber))
      return refused({ pointer: `${pointer}/kinesis/sequenceNumber`, detail: 'is not a sequence number' })
    const shardId = shardOf(eventId, sequenceNumber)
    if (shardId === undefined)
      return refused({ pointer: `${pointer}/eventID`, detail: 'is not a shard and the sequence number' })
    shard ??= shardId
    if (shardId !== shard) return refused({ pointer: `${pointer}/eventID`, detail: `is not of ${shard}` })
    units.push({ sequenceNumber, records: recordsOf(payload, { shardId, sequenceNumber, pointer }) })
  }
  return E.right(units.toSorted((one, other) => bySequence(one.sequenceNumber, other.sequenceNumber)))
}

const NO_FIELDS: Readonly<Record<string, unknown>> = {}

const fieldsOf = (input: unknown): { readonly [name: string]: unknown } =>
  typeof input === 'object' && input !== null ? (input as Record<string, unknown>) : NO_FIELDS

const refused = (...errors: ReadonlyArray<InputFault>): E.Either<InvalidInput, never> =>
  E.left({ _tag: 'InvalidInput', errors })

const shardOf = (eventId: unknown, sequenceNumber: string): string | undefined => {
  const tail = `:${sequenceNumber}`
  return typeof eventId === 'string' && eventId.endsWith(tail) && /^shardId-\d+:\d+$/.test(eventId)
    ? eventId.slice(0, -tail.length)
    : undefined
}

/** Sequence numbers are whole numbers beyond what a double holds; written without leading zeros, the longer is greater. */
const bySequence = (one: string, other: string): number =>
  one.length - other.length || (one < other ? -1 : Number(one > other))

interface Place {
  readonly shardId: string
  readonly sequenceNumber: string
  readonly pointer: string
}

const recordsOf = (
  payload: unknown,
  { shardId, sequenceNumber, pointer }: Place,
): E.Either<InvalidInput, ReadonlyArray<UserRecord>> => {
  const at = (field: string, detail: string) => refused({ pointer: `${pointer}/kinesis/${field}`, detail })
  const { partitionKey, approximateArrivalTimestamp: arrivedAt, data } = fieldsOf(payload)
  if (typeof partitionKey !== 'string' || partitionKey === '') return at('partitionKey', 'is not a key')
  if (typeof arrivedAt !== 'number' || !(arrivedAt >= 0 && arrivedAt < Number.POSITIVE_INFINITY))
    return at('approximateArrivalTimestamp', 'is not a time in seconds')
  const bytes = bytesOf(data)
  if (bytes === undefined) return at('data', 'is not base64')
  const apart = deaggregate(bytes)
  if (E.isLeft(apart))
    return refused(
      ...apart.left.errors.map((fault) => ({
        ...fault,
        pointer: `${pointer}/kinesis/data${fault.pointer}`,
      })),
    )
  const arrivedAtMs = Math.round(arrivedAt * 1000)
  const records: Array<UserRecord> = []
  for (const [subsequence, record] of (apart.right ?? [{ partitionKey, data: bytes }]).entries()) {
    const id = `${shardId}:${sequenceNumber}:${subsequence}`
    records.push({ id, shardId, sequenceNumber, subsequence, ...record, arrivedAtMs })
  }
  return E.right(records)
}

/** Node passes over what is no base64; then fewer bytes come out than the text's length says. */
const bytesOf = (data: unknown): Uint8Array | undefined => {
  if (typeof data !== 'string' || data.length % 4 !== 0) return undefined
  const { buffer, byteOffset, length } = Buffer.from(data, 'base64')
  return length === Buffer.byteLength(data, 'base64') ? new Uint8Array(buffer, byteOffset, length) : undefined
}
