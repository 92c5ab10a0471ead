/**
 * What Lambda hands to a function behind a stream, as it is on its wire.
 *
 * Source: Lambda Developer Guide, "Using AWS Lambda with Amazon Kinesis" (2026-11).
 */
import type { StoredRecord, Stream } from './stream.ts'

interface KinesisEventRecord {
  readonly kinesis: {
    readonly kinesisSchemaVersion: '1.0'
    readonly partitionKey: string
    readonly sequenceNumber: string
    /** In base64. */
    readonly data: string
    /** In seconds since 1970. */
    readonly approximateArrivalTimestamp: number
  }
  readonly eventSource: 'aws:kinesis'
  readonly eventVersion: '1.0'
  readonly eventID: string
  readonly eventName: 'aws:kinesis:record'
  readonly invokeIdentityArn: string
  readonly awsRegion: string
  readonly eventSourceARN: string
}

export interface KinesisEvent {
  readonly Records: ReadonlyArray<KinesisEventRecord>
}

/** The event of a batch of one shard's records. */
export const kinesisEvent = (
  { arn }: Pick<Stream, 'arn'>,
  shard: string,
  records: ReadonlyArray<StoredRecord>,
): KinesisEvent => {
  const [, , , region = '', account = ''] = arn.split(':')
  return {
    Records: records.map(({ partitionKey, sequenceNumber, data, arrivedMs }) => ({
      kinesis: {
        kinesisSchemaVersion: '1.0',
        partitionKey,
        sequenceNumber,
        data,
        approximateArrivalTimestamp: arrivedMs / 1000,
      },
      eventSource: 'aws:kinesis',
      eventVersion: '1.0',
      eventID: `${shard}:${sequenceNumber}`,
      eventName: 'aws:kinesis:record',
      invokeIdentityArn: `arn:aws:iam::${account}:role/lambda-role`,
      awsRegion: region,
      eventSourceARN: arn,
    })),
  }
}
