/** What an event source mapping of a stream is configured with, and what it reads. */
import { EVENT_SOURCE_MAPPING } from '../../limits.ts'

/** One record of a stream, of whatever kind: the mapping looks at no value but to filter and to weigh it. */
export interface StreamRecord<Value> {
  readonly shard: string
  /** Digits, ascending within a shard. What is written into a payload is this one, as `overtaken` deals them anew. */
  readonly sequenceNumber: string
  /** What order is kept for: the item of DynamoDB Streams (both keys), the partition key of Kinesis. */
  readonly key: string
  /** When the stream took it in; milliseconds since 1970. */
  readonly arrivedMs: number
  readonly value: Value
}

/** A shard as the stream lists it. */
export interface ListedShard {
  readonly shard: string
  /** Those it was split from or merged of; one that is not known counts as read to its end. */
  readonly parents?: ReadonlyArray<string>
  /** Takes no more records. */
  readonly closed?: boolean
}

export interface StreamMappingSettings<Value> {
  /** DynamoDB keeps order per item alone; Kinesis per shard. */
  readonly source: 'dynamodb' | 'kinesis'
  /** 100 unless told. */
  readonly batchSize?: number
  /** How long to wait for a full batch; 0 unless told. */
  readonly maximumBatchingWindowMs?: number
  /** How many batches of a shard may be worked on at once; 1 unless told, and always with a tumbling window. */
  readonly parallelizationFactor?: number
  /** -1, without end, unless told. */
  readonly maximumRetryAttempts?: number
  /** -1, as long as the stream keeps them, unless told. */
  readonly maximumRecordAgeMs?: number
  readonly bisectBatchOnFunctionError?: boolean
  readonly reportBatchItemFailures?: boolean
  /** 0, none, unless told. */
  readonly tumblingWindowMs?: number
  /** What is not meant is passed over silently. */
  readonly filter?: (value: Value) => boolean
  /** What a value adds to the payload, in bytes; nothing unless told. */
  readonly sizeOf?: (value: Value) => number
  /** How long the stream keeps what nobody has read; a day unless told. */
  readonly retentionMs?: number
  /** `LATEST` misses what arrived before the mapping polled; from the oldest on unless told. */
  readonly startingPosition?: 'TRIM_HORIZON' | { readonly latestFromMs: number }
}

/** The settings with everything told. */
export type Settled<Value> = Required<StreamMappingSettings<Value>>

export const settled = <Value>(settings: StreamMappingSettings<Value>): Settled<Value> => {
  const { tumblingWindowMs = 0, parallelizationFactor = 1 } = settings
  return {
    batchSize: EVENT_SOURCE_MAPPING.batchSize,
    maximumBatchingWindowMs: 0,
    maximumRetryAttempts: -1,
    maximumRecordAgeMs: -1,
    bisectBatchOnFunctionError: false,
    reportBatchItemFailures: false,
    filter: () => true,
    sizeOf: () => 0,
    retentionMs: EVENT_SOURCE_MAPPING.retentionMs,
    startingPosition: 'TRIM_HORIZON',
    ...settings,
    tumblingWindowMs,
    parallelizationFactor: tumblingWindowMs > 0 ? 1 : parallelizationFactor,
  }
}
