/** A table with commits that cannot be read: one that nobody understands, and one whose claim nobody redeems. */
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb'
import { E, rebuild } from '@everfold/core'
import { plainViews } from '@everfold/core/testing'
import { expect, test } from 'vitest'
import { itemOf } from '../../src/store/commit-item.ts'
import { dynamoEventStore } from '../../src/store/event-store.ts'
import { instantClock } from '../instant-clock.ts'
import { must } from '../must.ts'
import { history, projection, TIME_MS, tally } from '../tally.ts'
import { eventsTable, plainClient } from './tables.ts'

const table = eventsTable('unreadable')
const clock = instantClock(TIME_MS)

const damaged = async () => {
  const client = DynamoDBDocumentClient.from(plainClient())
  const store = dynamoEventStore({ client, table: await table, clock })
  const [first, second, third] = history(tally('a'), [['x'], ['y'], ['z']])
  if (first === undefined || second === undefined || third === undefined) throw new Error('three commits')
  const { a: _, ...rest } = itemOf(second)
  for (const item of [
    itemOf(first),
    { ...rest, a: 'nonsense' },
    { ...rest, sk: 3, ax: 'somewhere' },
    { ...itemOf(third), sk: 4 },
  ])
    await client.send(new PutCommand({ TableName: await table, Item: item }))
  return store
}

test('a scan gives each commit that cannot be read as a fault at its place, and all others', async () => {
  const store = await damaged()
  const { commits, unreadable } = must(await store.scan({ segment: 0, segments: 1 })())
  expect(commits.map(({ number }) => number)).toEqual([1, 4])
  expect(unreadable).toMatchObject([
    { stream: tally('a'), commit: 2, fault: { _tag: 'Undecodable', commit: 2 } },
    { stream: tally('a'), commit: 3, fault: { _tag: 'Unavailable' } },
  ])
})

test('a rebuild stops at a commit that cannot be read', async () => {
  const store = await damaged()
  const { views } = plainViews()
  const ports = { store, views, clock }
  const rebuilt = await rebuild(projection, ports, { segments: 1 })()
  expect(E.isLeft(rebuilt) && rebuilt.left).toMatchObject({ _tag: 'Undecodable', commit: 2 })
})
