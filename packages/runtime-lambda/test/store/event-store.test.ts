import { eventStoreSuite } from '@everfold/core/conformance'
import { describe, expect, test } from 'vitest'
import { dynamoEventStore } from '../../src/store/event-store.ts'
import { systemClock } from '../../src/system-clock.ts'
import { documentClient, eventsTable } from './tables.ts'

describe('the event store', () => {
  const store = eventsTable('conformance').then((table) =>
    dynamoEventStore({ client: documentClient(), table, clock: systemClock }),
  )
  for (const { title, run } of eventStoreSuite(() => store))
    test(title, async () => {
      await expect(run()).resolves.toBeUndefined()
    })
})
