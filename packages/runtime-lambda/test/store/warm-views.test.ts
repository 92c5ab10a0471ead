import { type Commit, E, generationOf, project, type StreamName, type ViewStore } from '@everfold/core'
import { viewStoreSuite } from '@everfold/core/conformance'
import { memoryEventStore, memoryViewStore, virtualKernel } from '@everfold/runtime-memory'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { warmViews } from '../../src/store/warm-views.ts'
import { ofAll, received } from './counted.ts'
import { rightOf } from './views.ts'

const memory = (): ViewStore => memoryViewStore(virtualKernel({ mode: 'immediate' }))

describe('a view store that remembers', () => {
  for (const { title, run } of viewStoreSuite(async () => ({
    views: warmViews(memory()),
    advance: async () => {},
  })))
    test(`conforms: ${title}`, async () => {
      await expect(run()).resolves.toBeUndefined()
    })
})

const SKUS = ['one', 'other', 'third']
const COMMITS = 4
/** Each with units of its own, so that one which is missing or counted twice shows. */
const commits: ReadonlyArray<Commit> = SKUS.flatMap((sku, at) =>
  Array.from({ length: COMMITS }, (_, number) => received(sku, number + 1, 2 ** (at * COMMITS + number))),
)

describe('projectors that remember', () => {
  const anyDelivery = fc.record({
    projector: fc.nat(1),
    commits: fc.array(fc.nat(commits.length - 1), { maxLength: 4 }),
    restarted: fc.boolean(),
  })
  property.prop([fc.array(anyDelivery, { maxLength: 30 }), fc.constantFrom(0, 150, 10_000)])(
    'come to the rows of an orderly delivery, whatever each of them missed',
    async (deliveries, rowCharacters) => {
      const kernel = virtualKernel({ mode: 'immediate' })
      const store = memoryEventStore(kernel)
      for (const commit of commits) rightOf(await store.append(commit)())
      const stored = memoryViewStore(kernel)
      const start = () =>
        project(ofAll, { store, clock: kernel, views: warmViews(stored, { rowCharacters, streams: 2 }) })
      const projectors = [start(), start()]
      const everything = { projector: 0, commits: [...commits.keys()], restarted: false }
      for (const { projector, commits: places, restarted } of [...deliveries, everything]) {
        if (restarted) projectors[projector] = start()
        // At once, as a projector takes in what a batch has of several streams.
        await Promise.all(
          places.map(async (place) => {
            const [commit] = commits.slice(place)
            if (commit !== undefined) rightOf((await projectors[projector]?.(commit)()) ?? E.right(undefined))
          }),
        )
      }
      const units = async (pk: string) =>
        rightOf(await stored.get(generationOf(ofAll), { pk, sk: 'UNITS' })())?.value
      expect(await units('all')).toBe(2 ** commits.length - 1)
      for (const [at, sku] of SKUS.entries())
        expect(await units(`stock/${sku}` as StreamName)).toBe((2 ** COMMITS - 1) * 2 ** (at * COMMITS))
    },
  )
})
