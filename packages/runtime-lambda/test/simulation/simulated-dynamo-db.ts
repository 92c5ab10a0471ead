/** Clients of the AWS SDK whose service is the model of DynamoDB, in this process. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams'
import type {
  DynamoDb,
  TableDefinition,
} from '../../../runtime-memory/src/simulation/models/dynamo-db/index.ts'
import {
  type DynamoDbHttpRequest,
  type DynamoDbWire,
  dynamoDbWire,
} from '../../../runtime-memory/src/simulation/sdk/dynamo-db.ts'
import { dynamoDbStreamsWire } from '../../../runtime-memory/src/simulation/sdk/dynamo-db-streams.ts'

export interface Simulated {
  readonly database: DynamoDBClient
  readonly streams: DynamoDBStreamsClient
  state: DynamoDb
  nowMs: number
}

/** Called before each request with what is offered for it; answers what deviates. */
export type Choose = (offered: ReadonlyArray<string>, operation: string) => string | undefined

const benign: Choose = () => undefined

/** Time stands still, but for what a test makes of it. */
export const simulated = (
  tables: ReadonlyArray<TableDefinition> = [],
  choose: Choose = benign,
  maxAttempts = 1,
): Simulated => {
  const handlerOf = (wire: DynamoDbWire) => ({
    handle: async (request: DynamoDbHttpRequest) => {
      const operation = request.headers['x-amz-target']?.split('.').at(-1) ?? ''
      const deviation = choose(wire.offers(world.state, request), operation)
      const at = { nowMs: world.nowMs, ...(deviation === undefined ? {} : { deviation }) }
      const { state, answer } = wire.step(world.state, request, at)
      world.state = state
      return { response: answer }
    },
  })
  const configuration = {
    region: 'us-east-1',
    endpoint: 'http://simulated',
    credentials: { accessKeyId: 'simulated', secretAccessKey: 'simulated' },
    maxAttempts,
  }
  const nowMs = 1_767_225_600_000
  const world: Simulated = {
    state: dynamoDbWire.initial(tables, nowMs),
    nowMs,
    database: new DynamoDBClient({ ...configuration, requestHandler: handlerOf(dynamoDbWire) as never }),
    streams: new DynamoDBStreamsClient({
      ...configuration,
      requestHandler: handlerOf(dynamoDbStreamsWire) as never,
    }),
  }
  return world
}
