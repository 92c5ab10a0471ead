import { E } from '@everfold/core'
import { viewStoreSuite } from '@everfold/core/conformance'
import { beforeAll, describe, expect, test } from 'vitest'
import { createTables } from '../../src/store/tables.ts'
import { dynamoViewStore } from '../../src/store/view-store.ts'
import { systemClock } from '../../src/system-clock.ts'
import { documentClient, plainClient } from './tables.ts'

const names = { events: 'events-beside-views', views: 'views-view-store' }
const clock = systemClock

beforeAll(async () => {
  const made = await createTables({ client: plainClient(), names, clock, guarded: false })()
  expect(made).toEqual(E.right(undefined))
})

const views = dynamoViewStore({ client: documentClient(), table: names.views, clock })

describe('the view store', () => {
  for (const { title, run } of viewStoreSuite(async () => ({ views, advance: clock.sleep })))
    test(title, async () => {
      await expect(run()).resolves.toBeUndefined()
    })
})
