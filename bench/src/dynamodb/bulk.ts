/**
 * Puts a long past into a table, which is not measured: what a contender puts one by one is kept back, and then put
 * many at a time. One by one it would take half a minute.
 */
import { type AttributeValue, DynamoDB, type PutItemCommandInput } from '@aws-sdk/client-dynamodb'
import { localClient } from '@everfold/aws-local'
import type { Dynamo } from './dynamo.ts'
import { inParallel } from './in-parallel.ts'

const BATCH = 25
const BATCHES_AT_ONCE = 8

/** `puts` puts items, none of them twice, by the client that it is given; they are in the table when this resolves. */
export const inBulk = async (
  { client, endpoint }: Dynamo,
  table: string,
  puts: (client: DynamoDB) => Promise<void>,
): Promise<void> => {
  const items: Array<Record<string, AttributeValue>> = []
  const keeper = new DynamoDB(localClient(endpoint))
  keeper.middlewareStack.addRelativeTo(
    () => async (call: { readonly input: unknown }) => {
      items.push((call.input as PutItemCommandInput).Item ?? {})
      return { response: undefined, output: { $metadata: {} } }
    },
    { relation: 'after', toMiddleware: 'serializerMiddleware', name: 'keepBack' },
  )
  await puts(keeper)
  const batches = Array.from({ length: Math.ceil(items.length / BATCH) }, (_, n) =>
    items.slice(n * BATCH, (n + 1) * BATCH),
  )
  await inParallel(BATCHES_AT_ONCE, batches, async (batch) => {
    const requests = batch.map((item) => ({ PutRequest: { Item: item } }))
    const { UnprocessedItems: left = {} } = await client.batchWriteItem({
      RequestItems: { [table]: requests },
    })
    if (Object.keys(left).length > 0) throw new Error('DynamoDB Local has not taken a whole batch')
  })
}
