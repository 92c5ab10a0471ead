/**
 * What a mapping tells its on-failure destination: metadata, and none of the records.
 *
 * Source: Lambda Developer Guide, "Retain discarded records for a DynamoDB event source" and "… for a Kinesis Data
 * Streams event source" (2026-11). The condition of records that are too old is not documented; it is LocalStack's.
 */
import type { Discarded } from './answering.ts'

export interface OnFailureContext {
  readonly source: 'dynamodb' | 'kinesis'
  readonly functionArn: string
  readonly streamArn: string
  readonly requestId: string
  readonly nowMs: number
}

export const onFailure = <Value>(
  { shard, records, reason, invocations }: Discarded<Value>,
  { source, functionArn, streamArn, requestId, nowMs }: OnFailureContext,
): object => {
  const [first] = records
  const last = records.at(-1)
  const info = {
    shardId: shard,
    startSequenceNumber: first?.sequenceNumber,
    endSequenceNumber: last?.sequenceNumber,
    approximateArrivalOfFirstRecord: first === undefined ? undefined : instant(first.arrivedMs),
    approximateArrivalOfLastRecord: last === undefined ? undefined : instant(last.arrivedMs),
    batchSize: records.length,
    streamArn,
  }
  const condition = reason === 'retries exhausted' ? 'RetryAttemptsExhausted' : 'RecordAgeExpired'
  return {
    requestContext: { requestId, functionArn, condition, approximateInvokeCount: invocations },
    responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
    version: '1.0',
    timestamp: instant(nowMs),
    ...(source === 'dynamodb' ? { DDBStreamBatchInfo: info } : { KinesisBatchInfo: info }),
  }
}

const instant = (timeMs: number): string => new Date(timeMs).toISOString()
