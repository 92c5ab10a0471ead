/** Many streams that touch one row, on DynamoDB Local: each refused put costs what a write costs. */
import { E, type ViewStore } from '@everfold/core'
import { memoryEventStore, virtualKernel } from '@everfold/runtime-memory'
import { describe, expect, test, vi } from 'vitest'
import { projector } from '../../src/projector.ts'
import { systemClock as clock } from '../../src/system-clock.ts'
import { ofAll, received } from './counted.ts'
import { rightOf, viewsOver, viewsTable } from './views.ts'

// For a machine that is busy with other tests.
vi.setConfig({ testTimeout: 60_000 })

const table = viewsTable('shared-row')
const STREAMS = 32
const store = memoryEventStore(virtualKernel({ mode: 'immediate' }))

describe('a row that many streams share', () => {
  test.each([
    [1, 6],
    [4, 60],
    [8, 150],
  ])('is theirs all after a batch in each of %i sandboxes, for at most %i puts', async (sandboxes, most) => {
    const { views: raw } = viewsOver(await table)
    let puts = 0
    const views: ViewStore = {
      ...raw,
      put: (of, row, expected) => {
        if (row.pk === 'all') puts += 1
        return raw.put(of, row, expected)
      },
    }
    const generation = `${sandboxes}`
    const outcomes = await Promise.all(
      Array.from({ length: sandboxes }, (_, sandbox) => {
        const batch = Array.from({ length: STREAMS }, (__, at) => received(`${sandbox * STREAMS + at}`, 1, 1))
        return projector({ store, views, clock, projections: [{ ...ofAll, generation }] })(batch)
      }),
    )
    expect(outcomes.flat().filter((outcome) => outcome === undefined || E.isLeft(outcome))).toEqual([])
    const row = rightOf(await raw.get({ projection: ofAll.name, generation }, { pk: 'all', sk: 'UNITS' })())
    expect(row?.value).toBe(sandboxes * STREAMS)
    expect(puts).toBeLessThanOrEqual(most)
  })
})
