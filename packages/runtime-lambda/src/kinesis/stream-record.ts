/**
 * One record as its writer gives it: bytes under the key that decides on their shard.
 *
 * Kinesis counts the partition key into a record's size, and does not count the explicit hash key.
 * Source: AWS SDK, PutRecordsCommand: "The size limit ... includes partition keys".
 */
import { KINESIS } from '../limits.ts'

export interface StreamRecord {
  /** Records of one key go to one shard, 1 to 256 characters. */
  readonly partitionKey: string
  /** A whole number below 2^128 in decimal, which decides on the shard in the key's place. */
  readonly explicitHashKey?: string
  readonly data: Uint8Array
}

/** What decides on the shard: records with the same route stay together, and only they have an order. */
export const routeOf = ({ partitionKey, explicitHashKey = '' }: Omit<StreamRecord, 'data'>): string =>
  `${explicitHashKey} ${partitionKey}`

/** Why a record cannot be put into any stream; known before anything is sent. */
export type RecordRefusal =
  | { readonly _tag: 'RecordTooLarge'; readonly sizeBytes: number; readonly limitBytes: number }
  | { readonly _tag: 'PartitionKeyInvalid'; readonly detail: string }
  | { readonly _tag: 'HashKeyInvalid'; readonly detail: string }
  /** It is an aggregate already, and the producer was told to aggregate: its reader could not give it back as it is. */
  | { readonly _tag: 'AlreadyAggregated' }

/** What the record counts against the limits of a record and of a call. */
export const recordBytes = ({ partitionKey, data }: Omit<StreamRecord, 'explicitHashKey'>): number =>
  data.length + Buffer.byteLength(partitionKey)

export const refusalOf = (record: StreamRecord, limitBytes: number): RecordRefusal | undefined => {
  const { partitionKey, explicitHashKey } = record
  if (partitionKey.length < 1 || partitionKey.length > KINESIS.partitionKeyCharacters)
    return { _tag: 'PartitionKeyInvalid', detail: `has ${partitionKey.length} characters, not 1 to 256` }
  if (!partitionKey.isWellFormed())
    return { _tag: 'PartitionKeyInvalid', detail: 'is no well-formed Unicode' }
  if (explicitHashKey !== undefined && !isHashKey(explicitHashKey))
    return { _tag: 'HashKeyInvalid', detail: 'is not a whole number below 2^128 in decimal' }
  const sizeBytes = recordBytes(record)
  return sizeBytes > limitBytes ? { _tag: 'RecordTooLarge', sizeBytes, limitBytes } : undefined
}

const isHashKey = (key: string): boolean => /^(?:0|[1-9]\d{0,38})$/.test(key) && BigInt(key) < 1n << 128n
