import {
  type Commit,
  deriveId,
  E,
  from,
  type Projection,
  project,
  type StoredEvent,
  streamName,
  unavailable,
  type ViewStore,
} from '@everfold/core'
import {
  givenRows,
  plainPorts,
  plainStore,
  plainViews,
  projectionLaws,
  recordedOf,
} from '@everfold/core/testing'
import { memoryViewStore, virtualKernel } from '@everfold/runtime-memory'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import * as Seats from './seats.ts'

const guests: Projection = {
  name: 'guests',
  generation: '1',
  sources: [
    from(Seats.aggregate, ({ event, stream }) => {
      switch (event._tag) {
        case 'SeatsAdded':
          return []
        case 'SeatTaken':
          return [{ pk: stream, sk: `${event.seat}`, change: () => ({ guest: event.guest }) }]
        case 'SeatFreed':
          return [{ pk: stream, sk: `${event.seat}`, change: () => undefined }]
      }
    }),
  ],
}

/** One row that every commit of every show changes: what is taken in twice, or lost, shows in the count. */
const free: Projection = {
  name: 'free',
  generation: '1',
  sources: [
    from(Seats.aggregate, ({ event }) => {
      const more = event._tag === 'SeatsAdded' ? event.seats : event._tag === 'SeatTaken' ? -1 : 1
      return [{ pk: 'all', sk: 'free', change: (count) => Number(count ?? 0) + more }]
    }),
  ],
}

const guest = fc.constantFrom('Ada', 'Ben')
const seats = fc.constantFrom(1, 2, 3)
const commands = {
  seats: fc.oneof(
    fc.record({ _tag: fc.constant('AddSeats'), seats }),
    fc.record({
      _tag: fc.constant('TakeSeats'),
      seats: fc.array(seats, { minLength: 1, maxLength: 3 }),
      guest,
    }),
    fc.record({ _tag: fc.constant('FreeSeats'), guest }),
  ),
}

describe.each([guests, free])('the projection $name keeps the laws', (projection) => {
  test.each(projectionLaws(projection, { commands }))('$title', async ({ check }) => {
    await expect(check()).resolves.toBeUndefined()
  })
})

describe('a projection', () => {
  test('that counts what others did breaks the law', async () => {
    let heard = 0
    const counting: Projection = {
      ...guests,
      sources: [
        from(Seats.aggregate, () => {
          heard += 1
          const count = heard
          return [{ pk: 'all', sk: 'count', change: () => count }]
        }),
      ],
    }
    const [converges] = projectionLaws(counting)
    await expect(converges?.check()).rejects.toThrow('Property failed')
  })
})

test('given a history, when something happens, then these are the rows', () => {
  const [added, taken, freed] = recordedOf(Seats.aggregate, 'gala')(
    { _tag: 'SeatsAdded', seats: 4 as never },
    { _tag: 'SeatTaken', seat: 2 as never, guest: 'Ada' as never },
    { _tag: 'SeatFreed', seat: 2 as never },
  )
  if (added === undefined || taken === undefined || freed === undefined) throw new Error('three events')
  const rows = givenRows(guests)(added)
  expect(rows.when(taken)).toEqual([{ pk: 'seats/gala', sk: '2', value: { guest: 'Ada' } }])
  expect(rows.when(taken, freed)).toEqual([])
})

/** The commits of a show, from the events of each. */
const commitsOf = (
  show: string,
  commits: ReadonlyArray<ReadonlyArray<StoredEvent>>,
): ReadonlyArray<Commit> => {
  const stream = streamName('seats', show)
  let version = 0
  return commits.map((events, at) => {
    const id = deriveId(at, stream, String(at))
    version += events.length
    const answer = { id, fingerprint: '1AAAAAAAAAAAA', timeMs: at, metadata: { correlationId: id }, events }
    return { stream, number: at + 1, version, timeMs: at, latestIdMs: at, answers: [answer] }
  })
}

const happening = fc.oneof(
  fc.record({ _tag: fc.constant('SeatTaken'), seat: seats, guest }),
  fc.record({ _tag: fc.constant('SeatFreed'), seat: seats }),
)
const logs = fc.array(fc.array(fc.array(happening, { maxLength: 3 }), { minLength: 1, maxLength: 12 }), {
  minLength: 1,
  maxLength: 3,
})

const { clock } = plainPorts()

const crash = async () => E.left(unavailable('a planted crash'))

/** Rows as they are read, and how often any was put. */
const viewed = (fates: ReadonlyArray<boolean> = []) => {
  const { views, rows } = plainViews()
  const count = { puts: 0, writes: 0 }
  const fails = () => fates[count.writes++] === false
  const counting: ViewStore = {
    ...views,
    put: (...asked) => {
      count.puts += 1
      return fails() ? crash : views.put(...asked)
    },
    advance: (...asked) => (fails() ? crash : views.advance(...asked)),
  }
  return { views: counting, rows, count }
}

describe('commits that are taken in together', () => {
  property.prop([
    fc.constantFrom(guests, free),
    logs,
    fc.array(fc.boolean(), { maxLength: 40 }),
    fc.array(fc.array(fc.nat(11), { minLength: 1, maxLength: 8 }), { minLength: 1 }),
  ])(
    'leave the rows that they leave one by one, in whatever runs, repeated and after crashes',
    async (projection, shows, fates, picks) => {
      const log = shows.map((events, at) => commitsOf(`show-${at}`, events))
      const store = plainStore()
      const plain = viewed()
      const troubled = viewed(fates)
      for (const commit of log.flat()) {
        await store.append(commit)()
        await project(projection, { store, clock, views: plain.views })(commit)()
      }
      const take = project(projection, { store, clock, views: troubled.views })
      for (const [turn, pick] of picks.entries()) {
        const commits = log[turn % log.length] ?? []
        const [first, ...more] = pick.flatMap((at) => commits.slice(at, at + 1))
        if (first !== undefined) await take(first, ...more)()
      }
      for (const commits of log) {
        const [first, ...more] = commits.toReversed()
        if (first === undefined) continue
        let taken = false
        while (!taken) taken = E.isRight(await take(first, ...more)())
      }
      expect(troubled.rows()).toEqual(plain.rows())
    },
  )

  test('write a row once, however many of them change it', async () => {
    const commits = commitsOf(
      'gala',
      Array.from({ length: 50 }, (_, at) => [{ _tag: 'SeatsAdded', seats: 1 + (at % 2) }]),
    )
    const { views, rows, count } = viewed()
    const [first, ...more] = commits
    if (first === undefined) throw new Error('there are commits')
    expect(await project(free, { store: plainStore(), clock, views })(first, ...more)()).toEqual(
      E.right(undefined),
    )
    expect(rows()).toEqual([{ pk: 'all', sk: 'free', value: 75, sources: { 'seats/gala': 50 } }])
    expect(count.puts).toBe(1)
  })

  test('are taken in up to one that does not decode', async () => {
    const events = [{ _tag: 'SeatsAdded', seats: 3 }]
    const [first, ...more] = commitsOf('gala', [events, events, [{ _tag: 'Unheard' }], events])
    if (first === undefined) throw new Error('there are commits')
    const { views, rows } = viewed()
    const taken = await project(free, { store: plainStore(), clock, views })(first, ...more)()
    expect(taken).toMatchObject({ left: { _tag: 'Undecodable', commit: 3 } })
    expect(rows()).toMatchObject([{ value: 6, sources: { 'seats/gala': 2 } }])
    expect(await views.progress({ projection: 'free', generation: '1' }, first.stream)()).toEqual(E.right(2))
  })

  test('show a number that is missing in the log', async () => {
    const [first, , third] = commitsOf('gala', [[], [], []])
    if (first === undefined || third === undefined) throw new Error('there are commits')
    const taken = await project(free, { store: plainStore(), clock, views: viewed().views })(third, first)()
    expect(taken).toEqual(E.left({ _tag: 'MissingCommit', stream: first.stream, number: 2 }))
  })
})

const played = (shows: number) =>
  Array.from({ length: shows }, (_, at) => commitsOf(`${at}`, [[{ _tag: 'SeatsAdded', seats: 1 }]])).flat()

describe('streams that share a row', () => {
  test('and are taken in at once by one projector are two writes of it, not one each', async () => {
    const { views, rows, count } = viewed()
    const take = project(free, { store: plainStore(), clock, views })
    const taken = await Promise.all(played(32).map((commit) => take(commit)()))
    expect(taken.filter(E.isLeft)).toEqual([])
    expect(rows()).toMatchObject([{ value: 32 }])
    expect(count.puts).toBeLessThanOrEqual(2)
  })

  property.prop([fc.integer(), fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 16 })], {
    numRuns: 40,
  })(
    'are all in it, however many projectors are at work at once, and none gives up',
    async (seed, projectors, shows) => {
      const kernel = virtualKernel({ seed })
      const views = memoryViewStore(kernel)
      const ports = { store: plainStore(), clock: kernel, views }
      const commits = played(projectors * shows)
      const taken = await kernel.run(() =>
        Promise.all(
          Array.from({ length: projectors }, (_, at) =>
            kernel.as(`projector ${at}`, () => {
              const take = project(free, ports)
              const own = commits.slice(at * shows, (at + 1) * shows)
              return Promise.all(own.map((commit) => take(commit)()))
            }),
          ),
        ),
      )
      expect(taken.flat().filter(E.isLeft)).toEqual([])
      const row = await kernel.run(
        views.get({ projection: 'free', generation: '1' }, { pk: 'all', sk: 'free' }),
      )
      expect(row).toMatchObject(E.right({ value: projectors * shows }))
    },
  )

  test('are taken in but for the one whose change throws, which hears of it', async () => {
    const picky: Projection = {
      ...free,
      sources: [
        from(Seats.aggregate, ({ stream }) => [
          {
            pk: 'all',
            sk: 'free',
            change: (count) => {
              if (stream === 'seats/3') throw new TypeError('a bug')
              return Number(count ?? 0) + 1
            },
          },
        ]),
      ],
    }
    const { views, rows } = viewed()
    const take = project(picky, { store: plainStore(), clock, views })
    const taken = await Promise.allSettled(played(8).map((commit) => take(commit)()))
    expect(taken.flatMap(({ status }, at) => (status === 'rejected' ? [at] : []))).toEqual([3])
    expect(rows()).toMatchObject([{ value: 7 }])
  })
})
