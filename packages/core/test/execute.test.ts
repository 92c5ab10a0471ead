import {
  type CommandId,
  E,
  type Envelope,
  type ExecuteOptions,
  type ExecutePorts,
  execute,
  type Head,
  type HeadCache,
  reject,
  type StreamName,
  undatedId,
} from '@everfold/core'
import { arbitrary } from '@everfold/core/testing'
import { memoryEventStore, virtualKernel } from '@everfold/runtime-memory'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import * as Seats from './seats.ts'
import {
  type Answered,
  answers,
  answerTo,
  asked,
  expectOneEffectAndOneAnswer,
  idOf,
  START_MS,
  sendUntilAnswered,
  stream,
  unreliable,
} from './writers.ts'

const cacheOf = (): HeadCache => {
  const heads = new Map<StreamName, Head<unknown>>()
  return {
    get: (name) => heads.get(name),
    set: (name, head) => void heads.set(name, head),
    delete: (name) => void heads.delete(name),
  }
}

/** A store and a handler on an immediate kernel. */
const house = (
  options: Partial<ExecuteOptions> = {},
  ports: Partial<ExecutePorts> = {},
  limitBytes = 400_000,
) => {
  const kernel = virtualKernel({ mode: 'immediate' })
  const store = memoryEventStore(kernel, { limitBytes })
  const run = execute(Seats.aggregate, { store, clock: kernel, ...ports }, options)
  return { kernel, store, run }
}

const addSeats = { _tag: 'AddSeats', seats: 2 }
const takeSeat = (seat: number, guest = 'Ada') => ({ _tag: 'TakeSeats', seats: [seat], guest })

describe('what is stored', () => {
  test('of a group is one commit, as it was once stored', async () => {
    const { run, store } = house({ snapshotEvery: 1 })
    const metadata = { correlationId: 'c', causationId: 'e', actor: 'u', tenant: 't', trace: '00-1-2-01' }
    await answers(
      run(stream, [
        asked(addSeats, 'add', { metadata }),
        asked(takeSeat(1), 'take', { timeMs: START_MS + 5 }),
        asked(takeSeat(9), 'refused', { timeMs: START_MS + 2 }),
      ]),
    )
    expect(JSON.parse(JSON.stringify(store.log))).toEqual([
      {
        stream: 'seats/gala',
        number: 1,
        version: 2,
        timeMs: START_MS + 5,
        latestIdMs: START_MS,
        answers: [
          {
            id: idOf('add'),
            fingerprint: asked(addSeats, 'add').fingerprint,
            timeMs: START_MS,
            metadata,
            events: [{ _tag: 'SeatsAdded', seats: 2 }],
          },
          {
            id: idOf('take'),
            fingerprint: asked(takeSeat(1), 'take').fingerprint,
            timeMs: START_MS + 5,
            metadata: { correlationId: idOf('take') },
            events: [{ _tag: 'SeatTaken', seat: 1, guest: 'Ada' }],
          },
          {
            id: idOf('refused'),
            fingerprint: asked(takeSeat(9), 'refused').fingerprint,
            timeMs: START_MS + 2,
            metadata: { correlationId: idOf('refused') },
            events: [],
            rejection: { _tag: 'SeatsNotFree', seats: [9] },
          },
        ],
        snapshot: {
          fingerprint: Seats.aggregate.fingerprint,
          state: { capacity: 2, taken: [{ seat: 1, guest: 'Ada' }] },
          sizeBytes: 49,
          memory: {
            ids: [
              [idOf('add'), 1],
              [idOf('take'), 1],
              [idOf('refused'), 1],
            ],
          },
        },
      },
    ])
  })
  test('has the times of the commands, and a commit never lies before its predecessor', async () => {
    const { run, store } = house()
    await answers(run(stream, [asked(addSeats, 'late', { timeMs: START_MS + 9 })]))
    await answers(run(stream, [asked(addSeats, 'early', { timeMs: START_MS + 3 })]))
    expect(store.log.map((commit) => [commit.timeMs, commit.answers[0]?.timeMs])).toEqual([
      [START_MS + 9, START_MS + 9],
      [START_MS + 9, START_MS + 3],
    ])
  })
})

const dated = (dateMs: number) => asked(addSeats, 'x', { id: idOf('x', dateMs) })

describe('a command that is identified', () => {
  test('is answered on record, also where it is refused or changes nothing', async () => {
    const { run, store } = house()
    await answers(run(stream, [asked(addSeats, 'add')]))
    const refused = await answerTo(run(stream, [asked(takeSeat(9), 'refused')]))
    expect(refused).toMatchObject({ position: { commit: 2 }, replayed: false })
    await answers(run(stream, [asked({ _tag: 'FreeSeats', guest: 'Nobody' }, 'nothing')]))
    expect(store.log.map(({ version }) => version)).toEqual([1, 1, 1])
    // The world has changed, and the answer has not.
    await answers(run(stream, [asked({ _tag: 'AddSeats', seats: 10 }, 'more')]))
    const again = await answerTo(run(stream, [asked(takeSeat(9), 'refused')]))
    expect(again).toEqual({ ...refused, replayed: true })
    expect(store.log.length).toBe(4)
  })
  test('with another payload than before is refused, wherever the first one is remembered', async () => {
    for (const options of [{}, { snapshotEvery: 1 }, { snapshotEvery: 1, remembered: 1 }]) {
      const { run, store } = house(options)
      await answers(run(stream, [asked(addSeats, 'one')]))
      for (const name of ['a', 'b', 'c']) await answers(run(stream, [asked(addSeats, name)]))
      const settled = await answers(run(stream, [asked({ _tag: 'AddSeats', seats: 3 }, 'one')]))
      expect(settled).toEqual([E.left({ _tag: 'IdReused', commandId: idOf('one') })])
      expect(store.log.length).toBe(4)
    }
  })
  test('from the future, or too old, is refused and leaves nothing', async () => {
    const { run, store } = house({ maxFutureMs: 100, maxAgeMs: 1000 })
    const settled = await answers(
      run(stream, [
        dated(START_MS + 101),
        dated(START_MS - 1001),
        dated(START_MS + 100),
        dated(START_MS - 1000),
      ]),
    )
    expect(settled.map((one) => (E.isLeft(one) ? one.left._tag : one.right.position.commit))).toEqual([
      'IdFromTheFuture',
      'IdTooOld',
      1,
      1,
    ])
    expect(store.log[0]?.answers.length).toBe(2)
  })
})

describe('a command that is not identified', () => {
  const anonymous = { identified: false }
  test('is on record where something happened, and only there', async () => {
    const { run, store } = house()
    const refused = await answerTo(run(stream, [asked(takeSeat(1), 'a', anonymous)]))
    expect(refused).toMatchObject({ outcome: reject({ _tag: 'SeatsNotFree', seats: [1] }), replayed: false })
    expect(refused.position).toEqual({ stream, commit: 0 })
    await answers(run(stream, [asked({ _tag: 'FreeSeats', guest: 'Nobody' }, 'b', anonymous)]))
    expect(store.log.length).toBe(0)
    await answers(run(stream, [asked(addSeats, 'c', anonymous)]))
    expect(store.log.length).toBe(1)
  })
  test('is never refused from a cache', async () => {
    const kernel = virtualKernel({ mode: 'immediate' })
    const store = memoryEventStore(kernel)
    const warm = execute(Seats.aggregate, { store, clock: kernel, cache: cacheOf() })
    const cold = execute(Seats.aggregate, { store, clock: kernel })
    await answers(warm(stream, [asked(addSeats, 'add')]))
    await answers(cold(stream, [asked({ _tag: 'AddSeats', seats: 10 }, 'more')]))
    const taken = await answerTo(warm(stream, [asked(takeSeat(9), 'take', anonymous)]))
    expect(E.isRight(taken.outcome)).toBe(true)
    await answers(cold(stream, [asked({ _tag: 'FreeSeats', guest: 'Ada' }, 'free')]))
    const waitedMs = kernel.nowMs()
    const other = await answerTo(warm(stream, [asked(takeSeat(9, 'Bob'), 'bob', anonymous)]))
    expect(E.isRight(other.outcome)).toBe(true)
    expect(waitedMs).toBe(START_MS)
  })
})

describe('a group', () => {
  test('has an answer for each member, and a refused one hurts no other', async () => {
    const { run, store } = house()
    const settled = await answers(
      run(stream, [
        asked(addSeats, 'add'),
        asked(takeSeat(1), 'x', { id: idOf('x', START_MS + 10 ** 9) }),
        asked(takeSeat(1), 'take'),
        asked(addSeats, 'take'),
        asked(takeSeat(1), 'take'),
        asked(takeSeat(1, 'Bob'), 'bob'),
      ]),
    )
    expect(
      settled.map((one) => (E.isLeft(one) ? one.left._tag : [one.right.outcome._tag, one.right.replayed])),
    ).toEqual([
      ['Right', false],
      'IdFromTheFuture',
      ['Right', false],
      'IdReused',
      ['Right', true],
      ['Left', false],
    ])
    expect(store.log.map((commit) => commit.answers.length)).toEqual([3])
  })
  test('too large for one commit is split, in order', async () => {
    const { run, store } = house({ snapshotEvery: 100 }, {}, 1200)
    const group = Array.from({ length: 20 }, (_, at) => asked(addSeats, `${at}`))
    const settled = await answers(run(stream, group))
    expect(settled.map((one) => E.isRight(one) && one.right.commandId)).toEqual(group.map(({ id }) => id))
    expect(store.log.flatMap((commit) => commit.answers.map(({ id }) => id))).toEqual(
      group.map(({ id }) => id),
    )
    expect(store.log.length).toBeGreaterThan(1)
  })
  test('loses no other member to one that is too large by itself', async () => {
    const { run, store } = house({ snapshotEvery: 100 }, {}, 1200)
    const bulky = { metadata: { correlationId: 'x'.repeat(1200) } }
    const settled = await answers(
      run(stream, [asked(addSeats, 'a'), asked(addSeats, 'bulky', bulky), asked(takeSeat(1), 'b')]),
    )
    expect(settled.map((one) => (E.isLeft(one) ? one.left._tag : one.right.position.commit))).toEqual([
      1,
      'TooLarge',
      2,
    ])
    expect(store.log.length).toBe(2)
  })
})

test('a snapshot that does not fit is left out, and the stream goes on', async () => {
  const { run, store } = house({ snapshotEvery: 2 }, {}, 500)
  for (let at = 0; at < 12; at += 1) await answers(run(stream, [asked(addSeats, `${at}`)]))
  expect(store.log.length).toBe(12)
  expect(store.log.filter(({ snapshot }) => snapshot !== undefined).length).toBeLessThan(6)
  const again = await answerTo(run(stream, [asked(addSeats, '0')]))
  expect(again).toMatchObject({ replayed: true, position: { commit: 1 } })
})

test('a stream is read back no further than its newest snapshot', async () => {
  const { run, store } = house({ snapshotEvery: 5 })
  for (let at = 0; at < 30; at += 1) await answers(run(stream, [asked(addSeats, `${at}`)]))
  const places = store.log.filter(({ snapshot }) => snapshot !== undefined).map(({ number }) => number)
  const gaps = [...places, 31].map((place, at) => place - (places[at - 1] ?? 0))
  expect(Math.max(...gaps)).toBeLessThanOrEqual(5)
})

/** Writers who send these commands at once over a store that may fail; some send what others send too. */
const contend = async (options: {
  readonly seed: number
  readonly writers: ReadonlyArray<ReadonlyArray<ReadonlyArray<Envelope<Seats.SeatsCommand>>>>
  readonly rate: number
  readonly shared: boolean
  readonly cached: boolean
  readonly handler?: Partial<ExecuteOptions>
}) => {
  const kernel = virtualKernel({ seed: options.seed })
  const store = memoryEventStore(kernel)
  const told: Array<Answered> = []
  const common = cacheOf()
  const work = async (groups: ReadonlyArray<ReadonlyArray<Envelope<Seats.SeatsCommand>>>) => {
    const port = unreliable(store, kernel, { rate: options.rate, lateMs: 2000 })
    const cache = options.shared ? common : cacheOf()
    const ports = { store: port, clock: kernel, ...(options.cached ? { cache } : {}) }
    const run = execute(Seats.aggregate, ports, options.handler)
    for (const group of groups) told.push(...(await sendUntilAnswered(run, group, kernel.sleep)))
  }
  await kernel.run(() =>
    Promise.all(options.writers.map((groups, at) => kernel.as(`writer-${at}`, () => work(groups)))),
  )
  // What was late lands now, and changes nothing.
  await kernel.settle(kernel.nowMs() + 10_000)
  const sent = new Map<CommandId, Envelope<Seats.SeatsCommand>>()
  for (const group of options.writers.flat()) for (const one of group) sent.set(one.id, one)
  expectOneEffectAndOneAnswer(store, sent, told)
  return { store, kernel }
}

describe('every command has exactly one effect and one answer', () => {
  const script = fc.record({
    seed: fc.integer(),
    commands: fc.array(arbitrary(Seats.SeatsCommand), { minLength: 2, maxLength: 16 }),
    writers: fc.array(fc.array(fc.array(fc.nat(), { minLength: 1, maxLength: 3 }), { maxLength: 8 }), {
      minLength: 1,
      maxLength: 4,
    }),
    rate: fc.constantFrom(0, 0.1, 0.4),
    shared: fc.boolean(),
    cached: fc.boolean(),
    handler: fc.record({
      snapshotEvery: fc.integer({ min: 1, max: 4 }),
      remembered: fc.integer({ min: 1, max: 6 }),
    }),
  })
  property.prop([script], { numRuns: 150 })(
    'whatever is lost, late, repeated or sent by others too',
    async ({ commands, writers, ...options }) => {
      const envelopes = commands.map((command, at) =>
        asked(command, `${at}`, { id: idOf(`${at}`, START_MS - 1000 * (at % 5)), timeMs: START_MS + at }),
      )
      const groups = writers.map((groupsOf) =>
        groupsOf.map((places) =>
          places.flatMap((place) => envelopes.slice(place % envelopes.length).slice(0, 1)),
        ),
      )
      await contend({ ...options, writers: groups })
    },
    60_000,
  )
  test('with ten writers of a hundred commands each on one stream', async () => {
    const writers = Array.from({ length: 10 }, (_, writer) =>
      Array.from({ length: 100 }, (__, at) => [
        asked(
          at % 3 === 0 ? addSeats : takeSeat(1 + ((writer * 7 + at) % 50), `g${writer}`),
          `${writer}/${at}`,
        ),
      ]),
    )
    const { store } = await contend({ seed: 1, writers, rate: 0.05, shared: false, cached: true })
    expect(store.log.length).toBe(1000)
  }, 30_000)
  test('repeats exactly from its seed', async () => {
    const writers = Array.from({ length: 3 }, (_, writer) =>
      Array.from({ length: 5 }, (__, at) => [asked(takeSeat(at + 1, `g${writer}`), `${writer}/${at}`)]),
    )
    const hashes = []
    for (const seed of [5, 5, 6]) {
      const { kernel } = await contend({ seed, writers, rate: 0.3, shared: false, cached: true })
      hashes.push(kernel.traceHash())
    }
    expect(hashes[0]).toBe(hashes[1])
    expect(hashes[0]).not.toBe(hashes[2])
  })
})

describe('a store that does not answer', () => {
  test('leaves a command unsettled, which the same id settles later', async () => {
    const kernel = virtualKernel({ mode: 'immediate' })
    const store = memoryEventStore(kernel)
    const silent = {
      ...store,
      append: (commit: Parameters<typeof store.append>[0]) => async () => {
        await store.append(commit)()
        return E.left({ _tag: 'OutcomeUnknown' as const })
      },
    }
    const dark = {
      ...silent,
      readBackward:
        (...of: Parameters<typeof store.readBackward>) =>
        async () =>
          store.log.length > 0
            ? E.left({ _tag: 'Unavailable' as const, what: 'the store' })
            : store.readBackward(...of)(),
    }
    const unlucky = await execute(
      Seats.aggregate,
      { store: dark, clock: kernel },
      { attempts: 1 },
    )(stream, [asked(addSeats, 'add')])()
    expect(unlucky).toEqual(E.left({ _tag: 'Unsettled', stream, commandIds: [idOf('add')] }))
    const lucky = await answerTo(
      execute(Seats.aggregate, { store, clock: kernel })(stream, [asked(addSeats, 'add')]),
    )
    expect(lucky).toMatchObject({ replayed: true, position: { commit: 1 } })
    expect(store.log.length).toBe(1)
  })
  test('for a reading is a fault that tells that nothing was recorded', async () => {
    const { store, kernel } = house()
    const down = {
      ...store,
      readBackward: () => async () => E.left({ _tag: 'Unavailable' as const, what: 'it' }),
    }
    const settled = await execute(Seats.aggregate, { store: down, clock: kernel })(stream, [
      asked(addSeats, 'a'),
    ])()
    expect(settled).toEqual(E.left({ _tag: 'Unavailable', what: 'it' }))
  })
  test('but to others is contended', async () => {
    const { store, kernel } = house()
    const lost = { ...store, append: () => async () => E.left({ _tag: 'Conflict' as const, stream }) }
    const settled = await execute(
      Seats.aggregate,
      { store: lost, clock: kernel },
      { attempts: 3 },
    )(stream, [asked(addSeats, 'a')])()
    expect(settled).toEqual(E.left({ _tag: 'Contended', stream, attempts: 3 }))
  })
})

test.each([1, 24, 100])(
  '%i repeats of keys without a date, and a new command, are answered at once',
  async (keys) => {
    const { run, store } = house({ snapshotEvery: 2, remembered: 2 })
    const add = (at: number) =>
      asked(addSeats, 'add', { id: undatedId('key', String(at)), dateMs: START_MS, fingerprint: `1${at}` })
    // The memory overflows first, so every key has a marker; then the memory forgets them.
    for (let at = 0; at < 6; at += 1) await answers(run(stream, [asked(addSeats, `first-${at}`)]))
    for (let at = 0; at < keys; at += 1) await answers(run(stream, [add(at)]))
    for (let at = 0; at < 6; at += 1) await answers(run(stream, [asked(addSeats, `later-${at}`)]))
    const before = store.log.length
    const repeats = Array.from({ length: keys }, (_, at) => add(at))
    const answered = await answers(run(stream, [...repeats, asked(addSeats, 'new')]))
    expect(answered.map((one) => E.isRight(one) && one.right.replayed)).toEqual([
      ...repeats.map(() => true),
      false,
    ])
    expect(store.log.length).toBe(before + 1)
  },
)

test('an id that was looked for in vain is looked for in what is new only', async () => {
  const { kernel, store, run: others } = house({ snapshotEvery: 2, remembered: 2 })
  const later = (at: number) => asked(addSeats, `later-${at}`, { id: idOf(`later-${at}`, START_MS + 10) })
  for (let at = 0; at < 40; at += 1) await answers(others(stream, [later(at)]))
  let rivals = 40
  let reads = 0
  const overtaken: typeof store = {
    ...store,
    readBackward: (name, range) => {
      reads += 1
      return store.readBackward(name, range)
    },
    // Others are faster three times.
    append: (commit) => async () => {
      if (rivals < 43) await answers(others(stream, [later(rivals++)]))
      return store.append(commit)()
    },
  }
  const run = execute(
    Seats.aggregate,
    { store: overtaken, clock: kernel },
    { snapshotEvery: 2, remembered: 2 },
  )
  const [answer] = await answers(run(stream, [asked(addSeats, 'old')]))
  expect(answer).toMatchObject({ right: { replayed: false, position: { commit: 44 } } })
  // The load, one look into the whole log, and then, attempt by attempt, at the one commit that was new.
  expect(reads).toBeLessThanOrEqual(6)
  const [repeated] = await answers(run(stream, [asked(addSeats, 'old')]))
  expect(repeated).toMatchObject({ right: { replayed: true, position: { commit: 44 } } })
})

test('a command that stays unsettled is told with what its last append met', async () => {
  const cause = new Error('access denied')
  const kernel = virtualKernel({ mode: 'immediate' })
  const store = memoryEventStore(kernel)
  const refusing: typeof store = {
    ...store,
    append: () => async () => E.left({ _tag: 'OutcomeUnknown', cause }),
  }
  const run = execute(Seats.aggregate, { store: refusing, clock: kernel }, { attempts: 2 })
  const member = asked(addSeats, 'add')
  expect(await run(stream, [member])()).toEqual(
    E.left({ _tag: 'Unsettled', stream, commandIds: [member.id], cause }),
  )
})
