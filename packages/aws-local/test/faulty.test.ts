/** Faults between the SDK and DynamoDB Local: what a caller sees of them after the SDK's own retries. */
import {
  ConditionalCheckFailedException,
  CreateTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  ThrottlingException,
} from '@aws-sdk/client-dynamodb'
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { ListSchedulesCommand, SchedulerClient } from '@aws-sdk/client-scheduler'
import { type Call, type Fault, type FaultScript, faulty, localClient } from '@everfold/aws-local'
import { beforeAll, describe, expect, inject, test } from 'vitest'

const endpoints = inject('endpoints')
const TableName = 'faulty'
const plain = new DynamoDBClient(localClient(endpoints.dynamoDb))

const clientWith = (script: FaultScript, maxAttempts = 3) => {
  const local = localClient(endpoints.dynamoDb)
  return new DynamoDBClient({ ...local, maxAttempts, requestHandler: faulty(local.requestHandler, script) })
}
const first =
  (fault: Fault): FaultScript =>
  ({ operation, count }) =>
    operation === 'PutItem' && count === 1 ? fault : undefined
const putNew = (key: string) =>
  new PutItemCommand({
    TableName,
    Item: { key: { S: key } },
    ConditionExpression: 'attribute_not_exists(#key)',
    ExpressionAttributeNames: { '#key': 'key' },
  })
const stored = async (key: string) =>
  (await plain.send(new GetItemCommand({ TableName, Key: { key: { S: key } }, ConsistentRead: true }))).Item

beforeAll(async () => {
  await plain.send(
    new CreateTableCommand({
      TableName,
      AttributeDefinitions: [{ AttributeName: 'key', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'key', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  )
})

describe('a lost response', () => {
  test('is retried by the SDK, and a conditional put finds itself in its way', async () => {
    const client = clientWith(first({ _tag: 'ResponseLost' }))
    await expect(client.send(putNew('a'))).rejects.toThrow(ConditionalCheckFailedException)
    expect(await stored('a')).toEqual({ key: { S: 'a' } })
  })
  test('is an error of the connection where the SDK may not retry', async () => {
    const client = clientWith(first({ _tag: 'ResponseLost' }), 1)
    await expect(client.send(putNew('b'))).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(await stored('b')).toEqual({ key: { S: 'b' } })
  })
})

describe('a lost request', () => {
  test('is retried by the SDK, and applied once', async () => {
    const { $metadata } = await clientWith(first({ _tag: 'RequestLost' })).send(putNew('c'))
    expect($metadata.attempts).toBe(2)
  })
  test('never reaches the service', async () => {
    await expect(clientWith(first({ _tag: 'RequestLost' }), 1).send(putNew('d'))).rejects.toMatchObject({
      code: 'ECONNRESET',
    })
    expect(await stored('d')).toBeUndefined()
  })
})

describe('throttling', () => {
  test('applies nothing, and has the name that the service gives it', async () => {
    const client = clientWith(first({ _tag: 'Throttled' }), 1)
    await expect(client.send(putNew('e'))).rejects.toThrow(ThrottlingException)
    expect(await stored('e')).toBeUndefined()
  })
  test.each([
    [
      'S3',
      'SlowDown',
      () => {
        const local = localClient(endpoints.s3)
        const requestHandler = faulty(local.requestHandler, () => ({ _tag: 'Throttled' }))
        return new S3Client({ ...local, maxAttempts: 1, requestHandler }).send(
          new GetObjectCommand({ Bucket: 'none', Key: 'none' }),
        )
      },
    ],
    [
      'Scheduler',
      'ThrottlingException',
      () => {
        const local = localClient('http://127.0.0.1:1')
        const requestHandler = faulty(local.requestHandler, () => ({ _tag: 'Throttled' }))
        return new SchedulerClient({ ...local, maxAttempts: 1, requestHandler }).send(
          new ListSchedulesCommand({}),
        )
      },
    ],
  ] as const)('%s calls it %s', async (_, name, call) => {
    await expect(call()).rejects.toMatchObject({ name })
  })
})

describe('lateness', () => {
  test('of a request lets a later one overtake it', async () => {
    const held = Promise.withResolvers<void>()
    const late = clientWith(first({ _tag: 'RequestLate', until: held.promise })).send(putNew('f'))
    await plain.send(putNew('f'))
    held.resolve()
    await expect(late).rejects.toThrow(ConditionalCheckFailedException)
  })
  test('of a response does not keep the call from being applied', async () => {
    const held = Promise.withResolvers<void>()
    const late = clientWith(first({ _tag: 'ResponseLate', until: held.promise })).send(putNew('g'))
    await expect.poll(() => stored('g')).toBeDefined()
    held.resolve()
    await expect(late).resolves.toBeDefined()
  })
})

test('the script sees the service, the operation, how many of it there were, and what was sent', async () => {
  const seen: Array<Call> = []
  const client = clientWith((call) => void seen.push(call))
  await client.send(putNew('h'))
  await client.send(putNew('i'))
  expect(seen.map(({ service, operation, count }) => [service, operation, count])).toEqual([
    ['dynamodb', 'PutItem', 1],
    ['dynamodb', 'PutItem', 2],
  ])
  expect(JSON.parse(seen[1]?.body ?? '')).toMatchObject({ Item: { key: { S: 'i' } } })
})
