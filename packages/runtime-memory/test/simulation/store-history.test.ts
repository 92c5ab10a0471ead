import { E, type EventStore, type Page } from '@everfold/core'
import { expect, test } from 'vitest'
import { type MemoryEventStore, memoryEventStore } from '../../src/event-store.ts'
import { virtualKernel } from '../../src/kernel.ts'
import { simulation } from '../../src/simulation/index.ts'
import { kioskWith } from './kiosk.ts'

/** Now and then a read lacks the newest commit, as one does that is not strongly consistent. */
const stale = (store: MemoryEventStore): MemoryEventStore => {
  let reads = 0
  const older = (read: E.Either<never, Page>, without: (commits: Page['commits']) => Page['commits']) => {
    reads += 1
    return E.isLeft(read) || reads % 4 !== 0
      ? read
      : E.right({ ...read.right, commits: without(read.right.commits) })
  }
  const readForward: EventStore['readForward'] = (stream, options) => async () =>
    older((await store.readForward(stream, options)()) as never, (commits) => commits.slice(0, -1))
  const readBackward: EventStore['readBackward'] = (stream, options) => async () =>
    older((await store.readBackward(stream, options)()) as never, (commits) =>
      options.before === undefined ? commits.slice(1) : commits,
    )
  return { ...store, readForward, readBackward }
}

test('a store that answers what was so once is found by what it answered, where nothing else shows it', async () => {
  const tea = simulation({ ...kioskWith(), parts: { store: (kernel) => stale(memoryEventStore(kernel)) } })
  const found: Array<string | undefined> = []
  for (let seed = 0; seed < 10; seed += 1) found.push((await tea.run(String(seed))).violation?.invariant)
  expect([...new Set(found)]).toContain('history')
})

test('what was there before the run is part of its history', async () => {
  const before = memoryEventStore(virtualKernel())
  const keeping = simulation({
    ...kioskWith(),
    parts: { store: (kernel) => Object.assign(before, memoryEventStore(kernel)) },
  })
  await keeping.run('3')
  expect(before.log.length).toBeGreaterThan(3)
  const kept = memoryEventStore(virtualKernel({ mode: 'immediate' }))
  for (const commit of before.log) await kept.append(commit)()
  const going = simulation({ ...kioskWith(), parts: { store: () => kept } })
  expect((await going.run('4')).violation).toBeUndefined()
  expect(kept.log.length).toBeGreaterThan(before.log.length)
})
