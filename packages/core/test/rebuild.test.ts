import {
  aggregate,
  type Clock,
  type Commit,
  E,
  type EventStore,
  execute,
  type Fault,
  from,
  type Generation,
  generationRead,
  isPermanent,
  type Projection,
  project,
  projectAll,
  type RebuildOptions,
  type RebuildProgress,
  rebuild,
  type StreamName,
  streamName,
  unavailable,
  type ViewStore,
  variant,
} from '@everfold/core'
import {
  memoryChangeStream,
  memoryEventStore,
  memoryViewStore,
  type VirtualKernel,
  virtualKernel,
} from '@everfold/runtime-memory'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import * as Seats from './seats.ts'
import { answerTo, asked } from './writers.ts'

/** One row per show, and one for all: what is taken in twice, or lost, shows in the counts. */
const countsOf = (generation: string): Projection => ({
  name: 'counts',
  generation,
  sources: [
    from(Seats.aggregate, ({ stream }) => [
      { pk: 'SHOW', sk: stream, change: (count) => Number(count ?? 0) + 1 },
      { pk: 'ALL', sk: 'all', change: (count) => Number(count ?? 0) + 1 },
    ]),
  ],
})
const [old, next] = [countsOf('1'), countsOf('2')]
const listed = [next, old]
const SHOWS = ['ball', 'gala', 'play'].map((show) => streamName('seats', show))
const showOf = (at: number): StreamName => SHOWS[at % SHOWS.length] ?? streamName('seats', 'none')

const rightOf = <A>(answer: E.Either<unknown, A>): A => {
  if (E.isLeft(answer)) throw new Error(`failed: ${JSON.stringify(answer.left)}`)
  return answer.right
}

const theatre = (kernel: VirtualKernel, pageCommits = 1000) => {
  const store = memoryEventStore(kernel, { pageCommits })
  const views = memoryViewStore(kernel)
  // Time stands still while anybody has something to do, and readers here always have.
  const clock: Clock = { ...kernel, sleep: async () => {} }
  const run = execute(Seats.aggregate, { store, clock: kernel })
  let sent = 0
  const write = async (stream: StreamName) => {
    sent += 1
    await answerTo(run(stream, [asked({ _tag: 'AddSeats', seats: 1 }, `${sent}`)]))
  }
  return { kernel, store, views, ports: { store, views, clock }, write }
}
type Theatre = ReturnType<typeof theatre>

const rowsOf = async ({ views }: Theatre, generation: string) => {
  const rows: Record<string, unknown> = {}
  for (const pk of ['SHOW', 'ALL'])
    for (const { sk, value } of rightOf(
      await views.query({ projection: 'counts', generation }, { pk, limit: 100 })(),
    ).rows)
      rows[sk] = value
  return rows
}

const foldOf = (log: ReadonlyArray<Commit>) => {
  const rows: Record<string, number> = {}
  for (const { stream, answers } of log)
    for (const key of answers.flatMap(({ events }) => events.flatMap(() => [stream, 'all'])))
      rows[key] = (rows[key] ?? 0) + 1
  return rows
}

/**
 * Nobody here sleeps, since time stands still while anybody has something to do. The live projector: feeds both generations, and beside it one of the last deploy is at work for a while, which knows
 * only the old one and keeps from the other what it takes.
 */
const projectorsOf = ({ kernel, store, ports }: Theatre) => {
  const changes = memoryChangeStream(kernel, store)
  const both = projectAll([next, old], ports)
  const lastDeploy = project(old, ports)
  const atWork = new Set<Promise<unknown>>()
  let straggling = true
  let over = false
  const follow = async (start: string) => {
    let checkpoint = start
    for (;;) {
      const read = rightOf(await changes.read(checkpoint, 3)())
      checkpoint = read.checkpoint
      for (const commit of read.commits)
        if (straggling && kernel.random() < 0.5) {
          const taking = lastDeploy(commit)()
          atWork.add(taking)
          rightOf(await taking)
        } else rightOf(await both(commit)())
      if (over && read.commits.length === 0) return
    }
  }
  return {
    follow,
    /** The last deploy's projector ends what it does, and does no more. */
    retire: async () => {
      straggling = false
      await Promise.all(atWork)
    },
    end: () => {
      over = true
    },
  }
}

/** Reads rows of the active generation again and again; what it has seen of a show never goes back. */
const readerOf =
  ({ views }: Theatre, over: () => boolean) =>
  async () => {
    const seen = new Map<StreamName, number>()
    while (!over()) {
      for (const show of SHOWS) {
        const generation = rightOf(await generationRead(listed, views)('counts')())
        if (generation === undefined) throw new Error('the view is listed')
        const row = rightOf(await views.get(generation, { pk: 'SHOW', sk: show })())
        const count = Number(row?.value ?? 0)
        if (count < (seen.get(show) ?? 0))
          throw new Error(`${show} went back from ${seen.get(show)} to ${count}`)
        seen.set(show, count)
      }
    }
  }

const dead = async () => E.left(unavailable('the process'))

/** Ports that fail for good after so many writes, as a process does that is killed. */
const mortal = ({ views, store }: Theatre, writes: number): { views: ViewStore; store: EventStore } => {
  let left = writes
  return {
    store,
    views: {
      ...views,
      put: (...row) => (left-- > 0 ? views.put(...row) : dead),
      advance: (...progress) => (left-- > 0 ? views.advance(...progress) : dead),
      activate: (generation) => (left-- > 0 ? views.activate(generation) : dead),
    },
  }
}

const anyScript = fc.record({
  seed: fc.integer(),
  before: fc.array(fc.nat({ max: 2 }), { maxLength: 12 }),
  meanwhile: fc.array(fc.nat({ max: 2 }), { maxLength: 25 }),
  segments: fc.integer({ min: 1, max: 3 }),
  pageCommits: fc.integer({ min: 1, max: 4 }),
  /** After how many writes the rebuild is killed, one time after the other. */
  deaths: fc.array(fc.nat({ max: 20 }), { maxLength: 3 }),
})

describe('a view that is rebuilt while commands keep coming', () => {
  property.prop([anyScript], { numRuns: 120 })(
    'ends as the fold of the log, and what readers saw never goes back',
    async ({ seed, before, meanwhile, segments, pageCommits, deaths }) => {
      const kernel = virtualKernel({ seed })
      const house = theatre(kernel, pageCommits)
      let over = false
      await kernel.run(async () => {
        for (const at of before) {
          await house.write(showOf(at))
          const commit = house.store.log.at(-1)
          if (commit !== undefined) rightOf(await project(old, house.ports)(commit)())
        }
        const projectors = projectorsOf(house)
        const feeding = kernel.as('projector', () => projectors.follow(String(house.store.log.length)))
        const reading = kernel.as(
          'reader',
          readerOf(house, () => over),
        )
        const writing = kernel.as('writer', async () => {
          for (const at of meanwhile) {
            await house.write(showOf(at))
          }
        })
        // Nobody of the last deploy is left when the log has been read.
        const scan: EventStore['scan'] = (part) => async () => {
          const page = await house.store.scan(part)()
          if (E.isRight(page) && page.right.cursor === undefined) await projectors.retire()
          return page
        }
        const options: RebuildOptions = { segments, listed }
        for (const writes of deaths) {
          const { views, store } = mortal(house, writes)
          await kernel.as(
            'killed',
            rebuild(next, { ...house.ports, views, store: { ...store, scan } }, options),
          )
        }
        const ports = { ...house.ports, store: { ...house.store, scan } }
        const rebuilt = rightOf(await kernel.as('rebuild', rebuild(next, ports, options)))
        expect(rebuilt._tag).toBe('Switched')
        expect(await house.views.active('counts')()).toEqual(E.right('2'))
        await writing
        projectors.end()
        await feeding
        over = true
        await reading
        expect(await rowsOf(house, '2')).toEqual(foldOf(house.store.log))
        expect(await rowsOf(house, '1')).toEqual(foldOf(house.store.log))
      })
    },
    60_000,
  )
})

/** Three shows of five commits each, which the generation that is read has taken in. */
const played = async (): Promise<Theatre> => {
  const house = theatre(virtualKernel({ mode: 'immediate' }), 4)
  for (let at = 0; at < 15; at += 1) await house.write(showOf(at))
  for (const commit of house.store.log) rightOf(await project(old, house.ports)(commit)())
  return house
}
const generation = (name: string): Generation => ({ projection: 'counts', generation: name })

describe('readers', () => {
  const names = ['counts', 'guests']
  property.prop([
    fc.array(fc.tuple(fc.constantFrom(...names), fc.constantFrom('1', '2', '3')), { maxLength: 6 }),
    fc.option(fc.constantFrom('1', '2', '3'), { nil: undefined }),
  ])('read what was activated last, and until then what is listed last', async (pairs, activated) => {
    const projections = pairs.map(([name, one]): Projection => ({ ...old, name, generation: one }))
    const { views } = theatre(virtualKernel({ mode: 'immediate' }))
    if (activated !== undefined) rightOf(await views.activate(generation(activated))())
    for (const name of names) {
      const own = pairs.flatMap(([of, one]) => (of === name ? [one] : []))
      const expected = (name === 'counts' ? activated : undefined) ?? own.at(-1)
      const read = rightOf(await generationRead(projections, views)(name)())
      expect(read).toEqual(expected === undefined ? undefined : { projection: name, generation: expected })
    }
  })
})

describe('a rebuild', () => {
  test('tells how far it is', async () => {
    const house = await played()
    const told: Array<RebuildProgress> = []
    const onProgress = (progress: RebuildProgress) => void told.push(progress)
    const rebuilt = rightOf(await rebuild(next, house.ports, { segments: 2, listed, onProgress })())
    const done = { commits: 15, rows: 30, segments: 2, segmentsDone: 2, passes: 1, behind: 0 }
    expect(rebuilt).toEqual({ _tag: 'Switched', progress: done })
    expect(told.at(-1)).toEqual(done)
    const steps = told.map(({ commits }) => commits)
    expect(steps).toEqual(steps.toSorted((one, other) => one - other))
    expect(steps.length).toBeGreaterThan(4)
  })
  test('run again writes nothing anew', async () => {
    const house = await played()
    await rebuild(next, house.ports, { segments: 2 })()
    const again = rightOf(await rebuild(next, house.ports, { segments: 3 })())
    expect(again.progress).toMatchObject({ commits: 15, rows: 0, behind: 0 })
  })
  test('catches up what only the generation that is read has taken in', async () => {
    const house = await played()
    // The scan comes too early for the last commits, as an eventually consistent one may.
    const scan: EventStore['scan'] = (part) => async () => {
      const page = rightOf(await house.store.scan(part)())
      return E.right({ ...page, commits: page.commits.filter(({ number }) => number < 4) })
    }
    const rebuilt = rightOf(
      await rebuild(next, { ...house.ports, store: { ...house.store, scan } }, { segments: 1, listed })(),
    )
    expect(rebuilt).toMatchObject({ _tag: 'Switched', progress: { commits: 9, passes: 2 } })
    expect(await rowsOf(house, '2')).toEqual(foldOf(house.store.log))
  })
  test('does not switch readers to less than they read, and says what is behind', async () => {
    const house = await played()
    const show = showOf(0)
    await house.views.activate(generation('1'))()
    // The log of the view that is read had more: this one was restored from an older backup.
    await house.views.advance(generation('1'), show, 9)()
    const rebuilt = rightOf(await rebuild(next, house.ports, { segments: 1, passes: 3 })())
    expect(rebuilt).toMatchObject({
      _tag: 'Behind',
      streams: [{ stream: show, commit: 5, read: 9 }],
      progress: { passes: 3, behind: 1 },
    })
    expect(await house.views.active('counts')()).toEqual(E.right('1'))
  })
  test('asks nothing of streams that it does not hear', async () => {
    const house = await played()
    await house.views.advance(generation('1'), streamName('circus', 'one'), 7)()
    const rebuilt = rightOf(await rebuild(next, house.ports, { segments: 1, listed })())
    expect(rebuilt._tag).toBe('Switched')
  })
})

const newestOf = ({ store }: Theatre): Commit => {
  const newest = store.log.at(-1)
  if (newest === undefined) throw new Error('there is a commit')
  return newest
}

/** The same view by code that cannot read what is on record. */
const blind: Projection = {
  ...next,
  sources: [from(aggregate({ ...Seats.aggregate, event: variant('Unheard', {}) as never }), () => [])],
}

const broken = (): never => {
  throw new TypeError('a bug of the new code')
}
const failing =
  (fault: Fault) =>
  (views: ViewStore): ViewStore => ({
    ...views,
    put: (of, ...row) => (of.generation === '2' ? async () => E.left(fault) : views.put(of, ...row)),
  })
const unfit: {
  readonly [why: string]: { projection?: Projection; views?: (views: ViewStore) => ViewStore }
} = {
  'a history that it cannot read': { projection: blind },
  'rows that throw': { projection: { ...next, sources: [from(Seats.aggregate, broken)] } },
  'a change that throws': {
    projection: {
      ...next,
      sources: [from(Seats.aggregate, () => [{ pk: 'ALL', sk: 'all', change: broken }])],
    },
  },
  'a row that is too large': {
    views: failing({ _tag: 'TooLarge', stream: showOf(0), sizeBytes: 500_000, limitBytes: 409_600 }),
  },
  'a key that is none': { views: failing({ _tag: 'Impossible', what: 'a key of 3,000 bytes' }) },
}

describe('a commit', () => {
  test('reaches the generation that is built before the one that is read', async () => {
    const house = await played()
    const advanced: Array<string> = []
    const views: ViewStore = {
      ...house.views,
      advance: ({ generation: name }, stream, commit) => {
        advanced.push(name)
        return house.views.advance(generation(name), stream, commit)
      },
    }
    await house.write(showOf(0))
    rightOf(await projectAll([next, old], { ...house.ports, views })(newestOf(house))())
    expect(advanced.at(-1)).toBe('1')
    expect(new Set(advanced.slice(0, -1))).toEqual(new Set(['2']))
  })
  test('waits before the generation that is read while the other one cannot be written', async () => {
    const house = await played()
    await house.write(showOf(0))
    const views: ViewStore = {
      ...house.views,
      put: (of, ...row) => (of.generation === '2' ? dead : house.views.put(of, ...row)),
    }
    const taken = await projectAll([next, old], { ...house.ports, views })(newestOf(house))()
    expect(taken).toMatchObject(E.left({ _tag: 'Unavailable' }))
    expect(await rowsOf(house, '1')).not.toEqual(foldOf(house.store.log))
  })
  describe.each(Object.keys(unfit))('that the next generation can never take in, for %s,', (why) => {
    const { projection = next, views: troubled = (views: ViewStore) => views } = unfit[why] ?? {}
    const troubledHouse = async () => {
      const house = await played()
      await house.write(showOf(0))
      const told: Array<unknown> = []
      const ports = {
        ...house.ports,
        views: troubled(house.views),
        report: (entry: unknown) => told.push(entry),
      }
      return { house, ports, told }
    }
    test('is taken in by the one that is read, and the other one is reported', async () => {
      const { house, ports, told } = await troubledHouse()
      rightOf(await projectAll([projection, old], ports)(newestOf(house))())
      expect(await rowsOf(house, '1')).toEqual(foldOf(house.store.log))
      expect(told).toMatchObject([{ level: 'error', generation: '2', stream: showOf(0) }])
      expect(isPermanent((told[0] as { readonly fault: Fault }).fault)).toBe(true)
    })
    test('is a fault once that is the one that is read', async () => {
      const { house, ports, told } = await troubledHouse()
      await house.views.activate(generation('2'))()
      const taken = await projectAll([projection, old], ports)(newestOf(house))()
      expect(E.isLeft(taken) && isPermanent(taken.left)).toBe(true)
      expect(await rowsOf(house, '1')).toEqual(foldOf(house.store.log))
      expect(told).toEqual([])
    })
  })
  test('that the next generation cannot read leaves readers where they are', async () => {
    const house = await played()
    await house.write(showOf(0))
    const rebuilt = await rebuild(blind, house.ports, { segments: 1, listed })()
    expect(rebuilt).toMatchObject(E.left({ _tag: 'Undecodable' }))
    expect(await house.views.active('counts')()).toEqual(E.right(undefined))
  })
})
