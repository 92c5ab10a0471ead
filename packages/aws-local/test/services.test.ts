/** The services that are real, asked through the official clients. */
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb'
import { DynamoDBStreamsClient, ListStreamsCommand } from '@aws-sdk/client-dynamodb-streams'
import {
  CreateStreamCommand,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  PutRecordCommand,
  waitUntilStreamExists,
} from '@aws-sdk/client-kinesis'
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { CreateQueueCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { localClient } from '@everfold/aws-local'
import { expect, inject, test } from 'vitest'

const endpoints = inject('endpoints')

test('DynamoDB and its Streams answer at one address', async () => {
  const tables = await new DynamoDBClient(localClient(endpoints.dynamoDb)).send(new ListTablesCommand({}))
  const streams = await new DynamoDBStreamsClient(localClient(endpoints.dynamoDb)).send(
    new ListStreamsCommand({}),
  )
  expect([tables.TableNames, streams.Streams]).toEqual([expect.any(Array), expect.any(Array)])
})

test('Kinesis gives back what was put', async () => {
  const kinesis = new KinesisClient(localClient(endpoints.kinesis))
  const StreamName = 'services'
  await kinesis.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }))
  await waitUntilStreamExists({ client: kinesis, maxWaitTime: 10, minDelay: 1 }, { StreamName })
  const put = await kinesis.send(
    new PutRecordCommand({ StreamName, PartitionKey: 'k', Data: new Uint8Array([1, 2, 3]) }),
  )
  const { ShardIterator } = await kinesis.send(
    new GetShardIteratorCommand({ StreamName, ShardId: put.ShardId, ShardIteratorType: 'TRIM_HORIZON' }),
  )
  const { Records } = await kinesis.send(new GetRecordsCommand({ ShardIterator }))
  expect(Records?.map(({ Data, SequenceNumber }) => [Data, SequenceNumber])).toEqual([
    [new Uint8Array([1, 2, 3]), put.SequenceNumber],
  ])
})

test('SQS delivers what was sent', async () => {
  const sqs = new SQSClient(localClient(endpoints.sqs))
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'services' }))
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'hello' }))
  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }))
  expect(Messages?.map(({ Body }) => Body)).toEqual(['hello'])
})

test('S3 keeps what was put', async () => {
  const s3 = new S3Client(localClient(endpoints.s3))
  await s3.send(new CreateBucketCommand({ Bucket: 'services' }))
  await s3.send(new PutObjectCommand({ Bucket: 'services', Key: 'a/b', Body: 'hello' }))
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'services', Key: 'a/b' }))
  expect(await Body?.transformToString()).toBe('hello')
})
