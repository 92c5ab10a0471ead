/** The ports of a configuration, made of clients of the SDK; each client is loaded when it is asked for. */
import type { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import type { SQSClient } from '@aws-sdk/client-sqs'
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { E, type EventStore, type Fault, type ViewStore } from '@everfold/core'
import type { Configuration } from '../operations/configuration.ts'
import { patientlyOr } from '../patience.ts'
import { type ClaimCheck, s3ClaimCheck } from '../store/claim-check.ts'
import { systemClock } from '../system-clock.ts'

/** Credentials come as the SDK finds them. */
const clientOf = ({ region, endpoint }: Configuration) => ({
  ...(region === undefined ? {} : { region }),
  // What answers in the services' place does not answer under the names that they make of buckets.
  ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
  // Nor of queues; and AWS takes a queue's whole URL at its own address too.
  useQueueUrlAsEndpoint: false,
})

export const dynamoDb = async (configuration: Configuration) => {
  const { DynamoDBClient } = await import('@aws-sdk/client-dynamodb')
  return new DynamoDBClient(clientOf(configuration))
}

const documents = async (configuration: Configuration): Promise<DynamoDBDocumentClient> => {
  const [{ DynamoDBDocumentClient: Documents }, client] = await Promise.all([
    import('@aws-sdk/lib-dynamodb'),
    dynamoDb(configuration),
  ])
  return Documents.from(client)
}

export const claimCheckOf = (configuration: Configuration): { readonly claimCheck?: ClaimCheck } => {
  const { claimCheck } = configuration
  if (claimCheck === undefined) return {}
  const client = async () => {
    const { S3Client } = await import('@aws-sdk/client-s3')
    return new S3Client(clientOf(configuration))
  }
  return { claimCheck: s3ClaimCheck({ ...claimCheck, client, clock: systemClock }) }
}

export const eventStoreOf = async (configuration: Configuration): Promise<EventStore> => {
  const [{ dynamoEventStore }, client] = await Promise.all([
    import('../store/event-store.ts'),
    documents(configuration),
  ])
  const table = configuration.tables.events
  return dynamoEventStore({ client, table, clock: systemClock, ...claimCheckOf(configuration) })
}

export const viewStoreOf = async (configuration: Configuration): Promise<ViewStore> => {
  const [{ dynamoViewStore }, client] = await Promise.all([
    import('../store/view-store.ts'),
    documents(configuration),
  ])
  return dynamoViewStore({ client, table: configuration.tables.views, clock: systemClock })
}

/** About how many commits there are: DynamoDB counts every six hours. Markers count too. */
export const eventCount = async (configuration: Configuration): Promise<E.Either<Fault, number>> => {
  const { DescribeTableCommand } = await import('@aws-sdk/client-dynamodb')
  const client = await dynamoDb(configuration)
  const input = { TableName: configuration.tables.events }
  const found = await patientlyOr({ clock: systemClock }, `the table ${input.TableName}`, () =>
    client.send(new DescribeTableCommand(input)),
  )
  return E.isLeft(found) ? found : E.right(found.right.Table?.ItemCount ?? 0)
}

export const eventBridge = async (configuration: Configuration): Promise<EventBridgeClient> => {
  const { EventBridgeClient: Client } = await import('@aws-sdk/client-eventbridge')
  return new Client(clientOf(configuration))
}

export const sqs = async (configuration: Configuration): Promise<SQSClient> => {
  const { SQSClient: Client } = await import('@aws-sdk/client-sqs')
  return new Client(clientOf(configuration))
}
