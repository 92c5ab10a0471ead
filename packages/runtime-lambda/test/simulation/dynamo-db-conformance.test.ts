/**
 * Core's suites against the stores of this package, unchanged, over the model of DynamoDB through the AWS SDK: the model
 * suffices for all that they ask of DynamoDB.
 */
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import { E } from '@everfold/core'
import { changeStreamSuite, eventStoreSuite, viewStoreSuite } from '@everfold/core/conformance'
import { describe, expect, test } from 'vitest'
import { dynamoChangeStream } from '../../src/change-stream/change-stream.ts'
import { streamOfTable } from '../../src/change-stream/stream-of-table.ts'
import { dynamoEventStore } from '../../src/store/event-store.ts'
import { createTables, describeTables } from '../../src/store/tables.ts'
import { dynamoViewStore } from '../../src/store/view-store.ts'
import { instantClock } from '../instant-clock.ts'
import { must } from '../must.ts'
import { type Choose, simulated } from './simulated-dynamo-db.ts'

const names = { events: 'events', views: 'views', keys: 'keys' }

const service = async (choose?: Choose) => {
  const world = simulated([], choose)
  const clock = instantClock()
  must(await createTables({ client: world.database, names, clock })())
  return { world, clock, client: DynamoDBDocumentClient.from(world.database) }
}

describe('on simulated DynamoDB the event store', () => {
  const store = service().then(({ client, clock }) =>
    dynamoEventStore({ client, table: names.events, clock }),
  )
  for (const { title, run } of eventStoreSuite(() => store))
    test(`conforms: ${title}`, async () => {
      await expect(run()).resolves.toBeUndefined()
    })
})

/** Every third call deviates, in turn by all that is offered; none of it is seen above the store. */
const troubled = (): Choose => {
  let calls = 0
  return (offered) => {
    calls += 1
    return calls % 3 === 0 ? offered[(calls / 3) % offered.length] : undefined
  }
}

describe('on simulated DynamoDB in trouble the event store', () => {
  const store = service(troubled()).then(({ client, clock }) =>
    dynamoEventStore({ client, table: names.events, clock }),
  )
  for (const { title, run } of eventStoreSuite(() => store))
    test(`conforms: ${title}`, async () => {
      await expect(run()).resolves.toBeUndefined()
    })
})

describe('on simulated DynamoDB the view store', () => {
  const harness = service().then(({ client, clock }) => ({
    views: dynamoViewStore({ client, table: names.views, clock }),
    advance: clock.sleep,
  }))
  for (const { title, run } of viewStoreSuite(() => harness))
    test(`conforms: ${title}`, async () => {
      await expect(run()).resolves.toBeUndefined()
    })
})

describe('on simulated DynamoDB the change stream', () => {
  const harness = service().then(async ({ world, client, clock }) => {
    const stream = must(await streamOfTable({ client: world.streams, table: names.events, clock })())
    return {
      store: dynamoEventStore({ client, table: names.events, clock }),
      changes: dynamoChangeStream({ client: world.streams, stream, clock }),
      advance: clock.sleep,
    }
  })
  for (const { title, run } of changeStreamSuite(() => harness))
    test(`conforms: ${title}`, async () => {
      await expect(run()).resolves.toBeUndefined()
    })
})

test('on simulated DynamoDB the tables are made with protection and recovery, and made again are as they are', async () => {
  const { world, clock } = await service()
  const options = { client: world.database, names, clock }
  expect(await createTables(options)()).toEqual(E.right(undefined))
  expect(await describeTables(options)()).toEqual(
    E.right(
      ['events', 'views', 'keys'].map((table) => ({
        table,
        status: 'ACTIVE',
        differences: [],
      })),
    ),
  )
})
