/**
 * The shop's storage on AWS's services of this machine: DynamoDB Local, and a stand-in for KMS.
 *
 * They are started here and end with this process, or they are somebody else's and outlive it.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams'
import { KMSClient } from '@aws-sdk/client-kms'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { localClient, startDynamoDb, startKms } from '@everfold/aws-local'
import {
  type ChangeStream,
  E,
  type EventStore,
  type KeyRing,
  record,
  type TypeOf,
  text,
  type ViewStore,
} from '@everfold/core'
import { dynamoChangeStream, streamOfTable } from '@everfold/runtime-lambda/change-stream'
import { dynamoEventStore } from '@everfold/runtime-lambda/event-store'
import { kmsKeyRing } from '@everfold/runtime-lambda/key-ring'
import { systemClock } from '@everfold/runtime-lambda/system-clock'
import { createTables } from '@everfold/runtime-lambda/tables'
import { dynamoViewStore } from '@everfold/runtime-lambda/view-store'
import { warmViews } from '@everfold/runtime-lambda/warm-views'
import { sharedReads } from './shared-reads.ts'
import { tablesOf } from './tables.ts'

const Url = text('Url', { maxLength: 200, pattern: /^http:\/\/127\.0\.0\.1:\d{1,5}$/ })

/** Where the services are, as a file says it. */
export const Services = record(
  'Services',
  {
    /** DynamoDB and DynamoDB Streams. */
    dynamoDb: Url,
    kms: record('Kms', { endpoint: Url, keyId: text('KeyId') }),
  },
  {
    /** What the names of the tables begin with. */
    prefix: text('Prefix', { maxLength: 40, pattern: /^[a-z0-9-]+$/ }),
    /** A simulated Stripe, by `serveStripe`. */
    stripe: Url,
    /** EventBridge, and the file that keeps how far the relay has come. */
    bus: record('Bus', { endpoint: Url, checkpoint: text('File', { maxLength: 1000 }) }),
  },
)
export type Services = TypeOf<typeof Services>

export interface Cloud {
  readonly store: EventStore
  readonly changes: ChangeStream
  readonly views: ViewStore
  readonly keys: KeyRing
}

/** Services of our own, and how to end them; if one cannot be started, none is left running. */
export const startServices = async (): Promise<{
  readonly services: Services
  stop(this: void): Promise<void>
}> => {
  const starting = [startDynamoDb(), startKms()] as const
  const stop = async () => {
    for (const one of await Promise.allSettled(starting))
      if (one.status === 'fulfilled') await one.value.stop()
  }
  try {
    const [{ endpoint: dynamoDb }, { endpoint, keyId }] = await Promise.all(starting)
    return { services: { dynamoDb, kms: { endpoint, keyId } } as Services, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** What is there already is used as it is: that is how a shop goes on after it was killed. */
export const openCloud = async (services: Omit<Services, 'stripe' | 'bus'>): Promise<Cloud> => {
  const { dynamoDb, kms } = services
  const tables = tablesOf(services)
  const clock = systemClock
  const plain = new DynamoDBClient(localClient(dynamoDb))
  const client = DynamoDBDocumentClient.from(plain)
  orThrow(await createTables({ client: plain, names: tables, clock, guarded: false })())
  const streams = new DynamoDBStreamsClient(localClient(dynamoDb))
  const stream = orThrow(await streamOfTable({ client: streams, table: tables.events, clock })())
  return {
    store: dynamoEventStore({ client, table: tables.events, clock }),
    changes: sharedReads(dynamoChangeStream({ client: streams, stream, clock })),
    // Nobody else writes rows.
    views: warmViews(dynamoViewStore({ client, table: tables.views, clock })),
    keys: kmsKeyRing({
      kms: new KMSClient(localClient(kms.endpoint)),
      masterKey: kms.keyId,
      client,
      table: tables.keys,
      clock,
    }),
  }
}

const orThrow = <A>(outcome: E.Either<unknown, A>): A => {
  if (E.isRight(outcome)) return outcome.right
  throw new Error(`the tables cannot be opened: ${JSON.stringify(outcome.left)}`)
}
