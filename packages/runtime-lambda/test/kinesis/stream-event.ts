/** Events as Lambda gives them to a function behind a Kinesis stream. */
import type { KinesisStreamEvent } from 'aws-lambda'

export const SHARD = 'shardId-000000000006'

/** As in Lambda's own example: 56 digits. */
export const sequenceNumberOf = (at: number): string =>
  String(49590338271490256608559692538361571095921575989136588898n + BigInt(at))

export const streamEvent = (
  records: ReadonlyArray<{ readonly partitionKey: string; readonly data: Uint8Array }>,
): KinesisStreamEvent => ({
  Records: records.map(({ partitionKey, data }, at) => ({
    kinesis: {
      kinesisSchemaVersion: '1.0',
      partitionKey,
      sequenceNumber: sequenceNumberOf(at),
      data: Buffer.from(data).toString('base64'),
      approximateArrivalTimestamp: 1545084650.987,
    },
    eventSource: 'aws:kinesis',
    eventVersion: '1.0',
    eventID: `${SHARD}:${sequenceNumberOf(at)}`,
    eventName: 'aws:kinesis:record',
    invokeIdentityArn: 'arn:aws:iam::123456789012:role/lambda-role',
    awsRegion: 'us-east-2',
    eventSourceARN: 'arn:aws:kinesis:us-east-2:123456789012:stream/lambda-stream',
  })),
})
