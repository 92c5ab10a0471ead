import {
  type Commit,
  aggregate as defineAggregate,
  E,
  type EventStore,
  envelope,
  execute,
  headCache,
  load,
  recall,
  type StoredEvent,
  streamName,
} from '@everfold/core'
import { memoryEventStore, virtualKernel } from '@everfold/runtime-memory'
import { describe, expect, test } from 'vitest'
import * as Purses from './purses.ts'
import * as Seats from './seats.ts'
import { answers, asked, idOf, otherVersion, START_MS, stream } from './writers.ts'

const commitOf = (number: number, events: ReadonlyArray<unknown> = []): Commit => ({
  stream,
  number,
  version: number,
  timeMs: START_MS,
  latestIdMs: START_MS,
  answers: [
    {
      id: idOf(`${number}`),
      fingerprint: '1',
      timeMs: START_MS,
      metadata: { correlationId: 'c' },
      events: events as ReadonlyArray<StoredEvent>,
    },
  ],
})

const holding = async (commits: ReadonlyArray<Commit>): Promise<EventStore> => {
  const store = memoryEventStore(virtualKernel({ mode: 'immediate' }))
  for (const commit of commits) await store.append(commit)()
  return store
}

/** A stream of so many commits, of which each second one has a snapshot. */
const filled = async (commits: number) => {
  const kernel = virtualKernel({ mode: 'immediate' })
  const store = memoryEventStore(kernel)
  const run = execute(Seats.aggregate, { store, clock: kernel }, { snapshotEvery: 2 })
  for (let at = 0; at < commits; at += 1)
    await answers(run(stream, [asked({ _tag: 'AddSeats', seats: 1 }, `${at}`)]))
  return { store, kernel }
}

describe('a load', () => {
  test('of a stream without commits is the beginning', async () => {
    const head = await load(Seats.aggregate, await holding([]), stream, 3)
    expect(head).toMatchObject(E.right({ number: 0, version: 0, state: Seats.initial, tail: [] }))
  })
  test.each([1, 2, 3, 100])('reads back to the newest snapshot, by %i commits', async (limit) => {
    const { store } = await filled(7)
    const head = await load(Seats.aggregate, store, stream, limit)
    if (E.isLeft(head)) throw new Error('it loads')
    expect(head.right).toMatchObject({ number: 7, version: 7, state: { capacity: 7 } })
    expect(head.right.tail.map(({ number }) => number)).toEqual([7])
  })
  test('ignores snapshots of another code version, and comes to the same state', async () => {
    const { store } = await filled(7)
    const head = await load(otherVersion, store, stream, 3)
    if (E.isLeft(head)) throw new Error('it loads')
    expect(head.right).toMatchObject({ number: 7, version: 7, state: { capacity: 7 } })
    expect(head.right.tail.length).toBe(7)
  })
  test('takes few requests for a long way back, and reads at most twice what it has to', async () => {
    const { store, kernel } = await filled(1)
    const rare = execute(Seats.aggregate, { store, clock: kernel }, { snapshotEvery: 200 })
    for (let at = 1; at < 250; at += 1)
      await answers(rare(stream, [asked({ _tag: 'AddSeats', seats: 1 }, `${at}`)]))
    for (const aggregate of [Seats.aggregate, otherVersion]) {
      const pages: Array<number> = []
      const counted: EventStore = {
        ...store,
        readBackward: (name, options) => async () => {
          const page = await store.readBackward(name, options)()
          if (E.isRight(page)) pages.push(page.right.commits.length)
          return page
        },
      }
      const head = await load(aggregate, counted, stream, 12)
      if (E.isLeft(head)) throw new Error('it loads')
      expect(head.right).toMatchObject({ number: 250, state: { capacity: 250 } })
      expect(head.right.tail.length).toBeGreaterThan(40)
      expect(pages.length).toBeLessThan(7)
      const read = pages.reduce((sum, commits) => sum + commits, 0)
      expect(read).toBeLessThanOrEqual(2 * (head.right.tail.length + 1))
    }
  })
  test('of two code versions in turn finds the snapshots of each', async () => {
    const { store, kernel } = await filled(4)
    for (let at = 10; at < 30; at += 1) {
      const aggregate = at % 2 === 0 ? otherVersion : Seats.aggregate
      const run = execute(aggregate, { store, clock: kernel }, { snapshotEvery: 3 })
      await answers(run(stream, [asked({ _tag: 'AddSeats', seats: 1 }, `${at}`)]))
      const head = await load(aggregate, store, stream, 3)
      if (E.isLeft(head)) throw new Error('it loads')
      expect(head.right.state.capacity).toBe(store.log.length)
      expect(head.right.tail.length).toBeLessThan(at < 13 ? 9 : 6)
    }
  })
})

describe('a stream', () => {
  const added = { _tag: 'SeatsAdded', seats: 1 }
  test.each([
    { missing: 1, commits: [2, 3] },
    { missing: 2, commits: [1, 3] },
    { missing: 3, commits: [1, 2, 4, 5] },
  ])('without its number $missing is refused', async ({ missing, commits }) => {
    const store = await holding(commits.map((number) => commitOf(number, [added])))
    for (const limit of [1, 2, 10])
      expect(await load(Seats.aggregate, store, stream, limit)).toEqual(
        E.left({ _tag: 'MissingCommit', stream, number: missing }),
      )
  })
  test('that ends early is refused where its log is asked for an id', async () => {
    const { store } = await filled(40)
    const first = store.log.find(({ number }) => number === 1)
    const cut: EventStore = {
      ...store,
      readBackward: (name, options) => async () => {
        const page = await store.readBackward(name, options)()
        return E.isLeft(page)
          ? page
          : E.right({ ...page.right, commits: page.right.commits.filter((commit) => commit !== first) })
      },
    }
    const kernel = virtualKernel({ mode: 'immediate' })
    const ports = { store: cut, clock: kernel }
    const run = execute(Seats.aggregate, ports, { snapshotEvery: 2, remembered: 1 })
    const early = asked({ _tag: 'AddSeats', seats: 1 }, 'early', { id: idOf('early', START_MS - 1) })
    // A horizon first, since without one the memory has seen everything.
    await answers(run(stream, [asked({ _tag: 'AddSeats', seats: 1 }, 'x')]))
    await answers(run(stream, [asked({ _tag: 'AddSeats', seats: 1 }, 'y')]))
    expect(await run(stream, [early])()).toEqual(E.left({ _tag: 'MissingCommit', stream, number: 1 }))
  })
  test('stops at an event that does not decode, with its path', async () => {
    const store = await holding([
      commitOf(1, [added]),
      commitOf(2, [{ _tag: 'SeatTaken', seat: 1, guest: 7 }]),
    ])
    const kernel = virtualKernel({ mode: 'immediate' })
    const fault = E.left({
      _tag: 'Undecodable',
      stream,
      commit: 2,
      errors: [{ pointer: '/guest', detail: 'is not text of 1 to 20 characters' }],
    })
    expect(await load(Seats.aggregate, store, stream, 3)).toEqual(fault)
    const run = execute(Seats.aggregate, { store, clock: kernel })
    expect(await run(stream, [asked({ _tag: 'AddSeats', seats: 1 }, 'a')])()).toEqual(fault)
  })
  test('stops at an event of a schema version ahead of ours', async () => {
    const store = await holding([commitOf(1, [{ ...added, _v: 2 }])])
    expect(await load(Seats.aggregate, store, stream, 3)).toMatchObject(
      E.left({ _tag: 'Undecodable', commit: 1, errors: [{ pointer: '/_v' }] }),
    )
  })
})

test('an event of an older schema version is upcast, one version at a time', async () => {
  const upcasting = defineAggregate({
    ...Seats.aggregate,
    upcasters: {
      SeatsAdded: [
        ({ count, ...rest }) => ({ ...rest, number: count }),
        ({ number, ...rest }) => ({ ...rest, seats: number }),
      ],
    },
  })
  const store = await holding([
    commitOf(1, [{ _tag: 'SeatsAdded', count: 1 }]),
    commitOf(2, [{ _tag: 'SeatsAdded', number: 2, _v: 2 }]),
    commitOf(3, [{ _tag: 'SeatsAdded', seats: 3, _v: 3 }]),
    commitOf(4, [{ _tag: 'SeatTaken', seat: 6, guest: 'Ada' }]),
  ])
  const head = await load(upcasting, store, stream, 3)
  expect(head).toMatchObject(E.right({ state: { capacity: 6, taken: new Map([[6, 'Ada']]) } }))
  const kernel = virtualKernel({ mode: 'immediate' })
  const run = execute(upcasting, { store, clock: kernel })
  await answers(run(stream, [asked({ _tag: 'AddSeats', seats: 4 }, 'more')]))
  const { right: page } = (await store.readBackward(stream, { limit: 1 })()) as E.Right<{
    commits: ReadonlyArray<Commit>
  }>
  expect(page.commits[0]?.answers[0]?.events).toEqual([{ _tag: 'SeatsAdded', seats: 4, _v: 3 }])
})

test('what is on record is recalled by its id, and nothing is decided for it', async () => {
  const { store, kernel } = await filled(9)
  const ask = recall(Seats.aggregate, { store, clock: kernel }, { snapshotEvery: 2, remembered: 2 })
  const first = asked({ _tag: 'AddSeats', seats: 1 }, '0')
  expect(await ask(stream, first)()).toMatchObject(
    E.right(E.right({ position: { commit: 1 }, replayed: true })),
  )
  expect(await ask(stream, asked({ _tag: 'AddSeats', seats: 1 }, 'never'))()).toEqual(E.right(undefined))
  expect(await ask(stream, { ...first, fingerprint: 'other' })()).toEqual(
    E.right(E.left({ _tag: 'IdReused', commandId: first.id })),
  )
  expect(store.log.length).toBe(9)
})

const pouring = (at: number) => {
  const id = idOf(`${at}`, START_MS + at)
  return [envelope<Purses.PurseCommand>({ _tag: 'Get', coins: 1 as never }, { id, timeMs: START_MS + at })]
}

describe('a warm head that others have left behind', () => {
  test.each([
    [10, 1],
    [100, 2],
    [1000, 2],
  ])('by %i commits is caught up with in at most %i reads', async (behind, most) => {
    const kernel = virtualKernel({ mode: 'immediate' })
    const store = memoryEventStore(kernel)
    let reads = 0
    const counted: EventStore = {
      ...store,
      readBackward: (...range) => {
        reads += 1
        return store.readBackward(...range)
      },
      readForward: (...range) => {
        reads += 1
        return store.readForward(...range)
      },
    }
    const warm = execute(Purses.aggregate, { store: counted, clock: kernel, cache: headCache(1) })
    const other = execute(Purses.aggregate, { store, clock: kernel, cache: headCache(1) })
    await warm(purse, pouring(0))()
    for (let at = 1; at <= behind; at += 1) await other(purse, pouring(at))()
    reads = 0
    expect(E.isRight(await warm(purse, pouring(behind + 1))())).toBe(true)
    expect(reads).toBeLessThanOrEqual(most)
    const head = await load(Purses.aggregate, store, purse, 12)
    expect(head).toMatchObject(E.right({ state: { coins: behind + 2 } }))
  })
})

const purse = streamName('purse', 'ann')
