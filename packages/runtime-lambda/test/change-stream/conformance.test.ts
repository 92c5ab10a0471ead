import { changeStreamSuite } from '@everfold/core/conformance'
import { describe, expect, test } from 'vitest'
import { dynamoChangeStream } from '../../src/change-stream/change-stream.ts'
import { dynamoEventStore } from '../../src/store/event-store.ts'
import { systemClock as clock } from '../../src/system-clock.ts'
import { streamTable } from './stream-table.ts'

describe('the change stream', () => {
  const harness = streamTable('change-stream').then(({ documents, events, streams, stream }) => ({
    store: dynamoEventStore({ client: documents, table: events, clock }),
    changes: dynamoChangeStream({ client: streams, stream, clock }),
    advance: (ms: number) => clock.sleep(ms / 20),
  }))
  for (const { title, run } of changeStreamSuite(() => harness))
    test(`conforms: ${title}`, { timeout: 60_000 }, async () => {
      await expect(run()).resolves.toBeUndefined()
    })
})
