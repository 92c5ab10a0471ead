/** The client of the AWS SDK over the wire of the model: what it makes of answers and of errors is what its users catch. */
import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  DynamoDBServiceException,
  GetItemCommand,
  IdempotentParameterMismatchException,
  ProvisionedThroughputExceededException,
  PutItemCommand,
  ResourceNotFoundException,
  TransactionCanceledException,
  TransactionConflictException,
  TransactionInProgressException,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb'
import { describe, expect, test } from 'vitest'
import { type DynamoDbHttpRequest, dynamoDbWire } from '../../src/simulation/sdk/dynamo-db.ts'
import { empty, START_MS, TABLE } from './dynamo-db-table.ts'

/** A client whose calls deviate so, one after the other. */
const clientOf = (...deviations: ReadonlyArray<string | undefined>): DynamoDBClient => {
  const coming = [...deviations]
  let state = empty()
  const handle = async (request: DynamoDbHttpRequest) => {
    const deviation = coming.shift()
    if (deviation !== undefined) expect(dynamoDbWire.offers(state, request)).toContain(deviation)
    const at = { nowMs: START_MS, ...(deviation === undefined ? {} : { deviation }) }
    const { state: after, answer: response } = dynamoDbWire.step(state, request, at)
    state = after
    return { response }
  }
  return new DynamoDBClient({
    region: 'us-east-1',
    endpoint: 'http://simulated',
    credentials: { accessKeyId: 'simulated', secretAccessKey: 'simulated' },
    maxAttempts: 1,
    requestHandler: { handle } as never,
  })
}

const Key = { pk: { S: 'p' }, sk: { N: '1' } }
const Item = { ...Key, bytes: { B: Uint8Array.of(1, 2) }, members: { SS: ['a'] } }
const once = {
  ConditionExpression: 'attribute_not_exists(pk)',
  ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
} as const
const put = (TableName = TABLE) => new PutItemCommand({ TableName, Item, ...once })
const transact = (more: object = {}) =>
  new TransactWriteItemsCommand({
    ClientRequestToken: 'token',
    TransactItems: [
      { Put: { TableName: TABLE, Item: { ...Item, sk: { N: '2' }, ...more } } },
      { Put: { TableName: TABLE, Item, ...once } },
    ],
  })

describe('the SDK over the model', () => {
  test('reads back what it put, bytes included', async () => {
    const client = clientOf()
    await client.send(put())
    const found = await client.send(new GetItemCommand({ TableName: TABLE, Key, ConsistentRead: true }))
    expect(found.Item).toEqual(Item)
  })

  test('makes a failed condition its own exception, with the item that is there', async () => {
    const client = clientOf()
    await client.send(put())
    const failed = await client.send(put()).catch((error: unknown) => error)
    expect(failed).toBeInstanceOf(ConditionalCheckFailedException)
    expect(failed).toMatchObject({ name: 'ConditionalCheckFailedException', Item, $fault: 'client' })
  })

  test('makes a canceled transaction its own exception, with a reason for each action in their order', async () => {
    const client = clientOf()
    await client.send(put())
    const canceled = await client.send(transact()).catch((error: unknown) => error)
    expect(canceled).toBeInstanceOf(TransactionCanceledException)
    expect(canceled).toMatchObject({
      message: expect.stringContaining('[None, ConditionalCheckFailed]'),
      CancellationReasons: [{ Code: 'None' }, { Code: 'ConditionalCheckFailed', Item }],
    })
  })

  test.each([
    ['conflict', TransactionConflictException],
    ['throttled', ProvisionedThroughputExceededException],
  ])('makes of a put that deviates by %s its own exception', async (deviation, exception) => {
    await expect(clientOf(deviation).send(put())).rejects.toBeInstanceOf(exception)
  })

  test('is told why it was throttled', async () => {
    await expect(clientOf('throttled').send(put())).rejects.toMatchObject({
      ThrottlingReasons: [{ reason: 'TableWriteKeyRangeThroughputExceeded' }],
    })
  })

  test('makes of a repeated transaction its own exceptions', async () => {
    const client = clientOf(undefined, 'in progress')
    await client.send(transact())
    await expect(client.send(transact())).rejects.toBeInstanceOf(TransactionInProgressException)
    await expect(client.send(transact({ n: { N: '1' } }))).rejects.toBeInstanceOf(
      IdempotentParameterMismatchException,
    )
  })

  test('makes of what is wrong the exceptions of that', async () => {
    await expect(clientOf().send(put('none'))).rejects.toBeInstanceOf(ResourceNotFoundException)
    const wrong = clientOf().send(new GetItemCommand({ TableName: TABLE, Key: { pk: { S: 'p' } } }))
    await expect(wrong).rejects.toBeInstanceOf(DynamoDBServiceException)
    await expect(wrong).rejects.toMatchObject({
      name: 'ValidationException',
      message: 'The provided key element does not match the schema',
      $metadata: { httpStatusCode: 400 },
    })
  })
})
