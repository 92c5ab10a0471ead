/** The tables of one test file with the stream of the log, at DynamoDB Local. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { localClient } from '@everfold/aws-local'
import { inject } from 'vitest'
import { streamOfTable } from '../../src/change-stream/stream-of-table.ts'
import { createTables } from '../../src/store/tables.ts'
import { systemClock as clock } from '../../src/system-clock.ts'
import { must } from '../must.ts'

export const streamTable = async (name: string) => {
  const config = localClient(inject('endpoints').dynamoDb)
  const database = new DynamoDBClient(config)
  const streams = new DynamoDBStreamsClient(config)
  const names = { events: `${name}-events`, views: `${name}-views` }
  must(await createTables({ client: database, names, guarded: false, clock })())
  return {
    ...names,
    documents: DynamoDBDocumentClient.from(database),
    streams,
    stream: must(await streamOfTable({ client: streams, table: names.events, clock })()),
  }
}
