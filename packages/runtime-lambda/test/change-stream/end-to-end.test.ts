import { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import { localClient, startEventBridge } from '@everfold/aws-local'
import { plainViews } from '@everfold/core/testing'
import { expect, test } from 'vitest'
import { dynamoChangeStream } from '../../src/change-stream/change-stream.ts'
import { followOnce, memoryCheckpoint, type WorkBatch } from '../../src/consumers/index.ts'
import { projector } from '../../src/projector.ts'
import { type PublishedEvent, publishedEvents, relay } from '../../src/relay/index.ts'
import { dynamoEventStore } from '../../src/store/event-store.ts'
import { systemClock as clock } from '../../src/system-clock.ts'
import { must } from '../must.ts'
import { memoryClaimCheck } from '../relay/memory-claim-check.ts'
import { history, projection, tally } from '../tally.ts'
import { streamTable } from './stream-table.ts'

test('what is appended on DynamoDB is published and shown: small and large, marked and deflated', {
  timeout: 60_000,
}, async () => {
  const { documents, events, streams, stream } = await streamTable('end-to-end')
  const { claimCheck, objects } = memoryClaimCheck()
  const store = dynamoEventStore({ client: documents, table: events, claimCheck, clock })
  // Text that hardly deflates, beyond an item's and a message's size.
  const large = Array.from({ length: 300_000 }, (_, at) => ((at * 7919) % 104_729).toString(36)).join('')
  const histories = [
    history(tally('small'), [['x', 'y'], [], ['z']]),
    history(tally('deflated'), [['x'.repeat(20_000)], ['y']]),
    history(tally('large'), [[large.slice(0, 1_200_000)], ['x']]),
  ]
  const log = histories.flat()
  // A marker comes with the first commit, and is passed over.
  for (const answer of log[0]?.answers ?? []) Object.assign(answer, { marked: true })
  for (const commit of log) must(await store.append(commit)())
  expect(objects.size).toBeGreaterThan(0)

  const bridge = await startEventBridge()
  const client = new EventBridgeClient(localClient(bridge.endpoint))
  const { views, rows } = plainViews()
  const works: ReadonlyArray<WorkBatch> = [
    relay({ client, bus: 'bus', source: 'everfold.test', claimCheck, clock }),
    projector({ projections: [projection], store, views, clock }),
  ]
  for (const work of works) {
    const changes = dynamoChangeStream({ client: streams, stream, claimCheck, clock })
    const checkpoints = memoryCheckpoint()
    for (let taken = 0; taken < log.length; ) {
      const count = must(await followOnce({ changes, work, checkpoints })())
      taken += count
      if (count === 0) await clock.sleep(50)
    }
  }
  const ids = log.flatMap((commit) => publishedEvents(commit).map(({ id }) => id))
  const published = bridge.published.map(
    ({ event }) => event.detail as PublishedEvent | { readonly claim: string },
  )
  expect(published.map((one) => (one as PublishedEvent).id).toSorted()).toEqual(ids.toSorted())
  expect(published.filter((one) => 'claim' in one)).toHaveLength(1)
  for (const commits of histories) {
    const row = rows().find(({ sk }) => sk === commits[0]?.stream)
    expect(row?.value).toEqual(commits.flatMap((commit) => publishedEvents(commit).map(({ id }) => id)))
  }
  await bridge.stop()
})
