/** What views cost on DynamoDB, as DynamoDB Local counts it. */
import { type Bill, meter } from '@everfold/aws-local'
import { E, generationOf, project, type Row, type Sources, streamName, type ViewStore } from '@everfold/core'
import { memoryEventStore, virtualKernel } from '@everfold/runtime-memory'
import { describe, expect, test, vi } from 'vitest'
import { warmViews } from '../../src/store/warm-views.ts'
import { ofEach, received } from './counted.ts'
import { rightOf, viewsOver, viewsTable } from './views.ts'

// For a machine that is busy with other tests.
vi.setConfig({ testTimeout: 60_000 })

const table = viewsTable('cost')
const generation = generationOf(ofEach)
const stream = streamName('stock', 'one')

interface Requests {
  readonly reads: number
  readonly writes: number
}

const cost = ({ reads, writes }: Requests, readUnits: number, writeUnits: number): Bill => ({
  requests: reads + writes,
  writes,
  readUnits,
  writeUnits,
  transactions: 0,
})

const metered = async () => {
  const { views, client } = viewsOver(await table)
  return { views, read: meter(client).read }
}

const projecting = (views: ViewStore) => {
  const clock = virtualKernel({ mode: 'immediate' })
  return project(ofEach, { store: memoryEventStore(clock), views, clock })
}

describe('a commit that touches one row', () => {
  test('costs 4 requests, 2 read units and 2 write units, and a third one for a new row', async () => {
    const { views, read } = await metered()
    const take = projecting(views)
    rightOf(await take(received('cold', 1, 5))())
    expect(read()).toEqual(cost({ reads: 2, writes: 2 }, 2, 3))
    for (let number = 2; number <= 6; number += 1) {
      rightOf(await take(received('cold', number, 5))())
      expect(read()).toEqual(cost({ reads: 2, writes: 2 }, 2, 2))
    }
  })

  test('costs 2 requests and 2 write units where the projector remembers', async () => {
    const { views, read } = await metered()
    const take = projecting(warmViews(views))
    rightOf(await take(received('warm', 1, 5))())
    read()
    for (let number = 2; number <= 6; number += 1) {
      rightOf(await take(received('warm', number, 5))())
      expect(read()).toEqual(cost({ reads: 0, writes: 2 }, 0, 2))
    }
  })

  test('costs 1 request and 1 read unit where it was taken in before', async () => {
    const { views, read } = await metered()
    const take = projecting(views)
    rightOf(await take(received('again', 1, 5))())
    read()
    rightOf(await take(received('again', 1, 5))())
    expect(read()).toEqual(cost({ reads: 1, writes: 0 }, 1, 0))
  })
})

const rowOf = (sk: string, value: string, sources: Sources): Row => ({ pk: 'p', sk, value, sources })

describe('a row', () => {
  test('of nearly a kilobyte is one write unit, and the index one more only when it comes or goes', async () => {
    const { views, read } = await metered()
    const value = 'x'.repeat(900)
    const puts: ReadonlyArray<readonly [row: Row, expected: Sources | undefined, units: number]> = [
      [rowOf('s', value, { [stream]: 1 }), undefined, 2],
      [rowOf('s', `${value}y`, { [stream]: 2 }), { [stream]: 1 }, 1],
      [{ pk: 'p', sk: 's', sources: { [stream]: 3 } }, { [stream]: 2 }, 2],
      [{ pk: 'p', sk: 's', sources: { [stream]: 4 } }, { [stream]: 3 }, 1],
    ]
    for (const [row, expected, units] of puts) {
      expect(await views.put(generation, row, expected)()).toEqual(E.right('stored'))
      expect(read()).toEqual(cost({ reads: 0, writes: 1 }, 0, units))
    }
  })

  test('in a page is read for its bytes, and in a page of the index for itself', async () => {
    const { views, read } = await metered()
    for (let at = 0; at < 20; at += 1)
      rightOf(await views.put(generation, rowOf(`page-${at}`, 'x'.repeat(100), { [stream]: 1 }), undefined)())
    read()
    const page = { pk: 'p', skPrefix: 'page-', limit: 20 }
    expect(rightOf(await views.query(generation, page)()).rows).toHaveLength(20)
    expect(read()).toEqual(cost({ reads: 1, writes: 0 }, 1, 0))
    for (let at = 0; at < 20; at += 1)
      rightOf(await views.put(generation, { ...rowOf('list', '', {}), pk: `list-${at}` }, undefined)())
    read()
    const listing = { index: 'inverted', pk: 'list', limit: 20 } as const
    expect(rightOf(await views.query(generation, listing)()).rows).toHaveLength(20)
    expect(read()).toEqual(cost({ reads: 2, writes: 0 }, 20.5, 0))
  })

  test('behind hundreds of tombstones is found in few requests', async () => {
    const { views, read } = await metered()
    const tombstones = Array.from({ length: 200 }, (_, at) => ({ pk: 'q', sk: `a${at}`, sources: {} }))
    await Promise.all(tombstones.map(async (row) => rightOf(await views.put(generation, row, undefined)())))
    rightOf(await views.put(generation, { pk: 'q', sk: 'b', value: 1, sources: {} }, undefined)())
    read()
    expect(rightOf(await views.query(generation, { pk: 'q', limit: 1 })()).rows).toHaveLength(1)
    expect(read().requests).toBeLessThanOrEqual(8)
  })
})
