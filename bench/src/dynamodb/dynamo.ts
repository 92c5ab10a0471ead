/** Amazon's DynamoDB Local for one run of the benchmark, with a client on which everything is counted. */
import { CreateTableCommand, DynamoDB, type KeySchemaElement } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { localClient, type Meter, meter, type RequestHandler, startDynamoDb } from '@everfold/aws-local'

export interface Dynamo {
  readonly endpoint: string
  readonly client: DynamoDB
  readonly documents: DynamoDBDocumentClient
  readonly meter: Meter
}

/** Runs `body` on a DynamoDB Local of its own, which ends with it. */
export const withDynamo = async (body: (dynamo: Dynamo) => Promise<void>): Promise<void> => {
  const { endpoint, stop } = await startDynamoDb()
  const dynamo = connect(endpoint)
  try {
    await body(dynamo)
  } finally {
    dynamo.client.destroy()
    await stop()
  }
}

/** A client of its own, and a connection of its own where one is given. */
export const connect = (endpoint: string, requestHandler?: RequestHandler): Dynamo => {
  const client = new DynamoDB({
    ...localClient(endpoint),
    ...(requestHandler === undefined ? {} : { requestHandler }),
  })
  return { endpoint, client, documents: DynamoDBDocumentClient.from(client), meter: meter(client) }
}

type Keys = readonly [partition: readonly [name: string, type: 'S' | 'N'], sort: readonly [string, 'S' | 'N']]

interface More {
  /** An index of the keys only. */
  readonly index?: { readonly name: string; readonly keys: Keys }
}

/** A table on demand. */
export const createTable = async (
  { client }: Dynamo,
  table: string,
  keys: Keys,
  { index }: More = {},
): Promise<string> => {
  await client.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [...keys, ...(index?.keys ?? [])].map(([name, type]) => ({
        AttributeName: name,
        AttributeType: type,
      })),
      KeySchema: schemaOf(keys),
      ...(index === undefined
        ? {}
        : {
            GlobalSecondaryIndexes: [
              {
                IndexName: index.name,
                KeySchema: schemaOf(index.keys),
                Projection: { ProjectionType: 'KEYS_ONLY' },
              },
            ],
          }),
    }),
  )
  return table
}

const schemaOf = ([[partition], [sort]]: Keys): Array<KeySchemaElement> => [
  { AttributeName: partition, KeyType: 'HASH' },
  { AttributeName: sort, KeyType: 'RANGE' },
]
