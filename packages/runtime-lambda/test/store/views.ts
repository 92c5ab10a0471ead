/** View stores over DynamoDB Local, each file's in a table of its own. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { type FaultScript, faulty, type RequestHandler } from '@everfold/aws-local'
import { E, type ViewStore } from '@everfold/core'
import { createTables } from '../../src/store/tables.ts'
import { dynamoViewStore } from '../../src/store/view-store.ts'
import { systemClock } from '../../src/system-clock.ts'
import { plainClient } from './tables.ts'

export const viewsTable = async (name: string): Promise<string> => {
  const names = { events: `events-beside-${name}`, views: `views-${name}` }
  const made = await createTables({ client: plainClient(), names, clock: systemClock, guarded: false })()
  if (E.isLeft(made)) throw new Error(JSON.stringify(made.left))
  return names.views
}

/** The store over a client that is its own, and whose connection goes wrong as the script says. */
export const viewsOver = (
  table: string,
  script: FaultScript = () => undefined,
  budgetMs?: number,
): { readonly views: ViewStore; readonly client: DynamoDBClient } => {
  const client = plainClient()
  client.config.requestHandler = faulty(client.config.requestHandler as RequestHandler, script)
  const views = dynamoViewStore({
    client: DynamoDBDocumentClient.from(client),
    table,
    clock: systemClock,
    ...(budgetMs === undefined ? {} : { budgetMs }),
  })
  return { views, client }
}

export const rightOf = <A>(answer: E.Either<unknown, A>): A => {
  if (E.isLeft(answer)) throw new Error(`failed: ${JSON.stringify(answer.left)}`)
  return answer.right
}
