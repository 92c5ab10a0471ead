/** A table of its own for each test file, so that files run beside each other. */
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { localClient } from '@everfold/aws-local'
import { inject } from 'vitest'

export const plainClient = (): DynamoDBClient => new DynamoDBClient(localClient(inject('endpoints').dynamoDb))

export const documentClient = (): DynamoDBDocumentClient => DynamoDBDocumentClient.from(plainClient())

export const eventsTable = async (name: string): Promise<string> => {
  const table = `events-${name}`
  await plainClient().send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'N' },
      ],
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    }),
  )
  return table
}
