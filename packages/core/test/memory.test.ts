import {
  absence,
  type CommandId,
  E,
  emptyMemory,
  execute,
  remember,
  UNDATED_MS,
  undatedId,
} from '@everfold/core'
import { memoryEventStore, virtualKernel } from '@everfold/runtime-memory'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import * as Seats from './seats.ts'
import { answerTo, asked, idOf, otherVersion, START_MS, stream } from './writers.ts'

const addSeats = { _tag: 'AddSeats', seats: 1 }
const HOUR_MS = 3_600_000

interface Turn {
  readonly id: CommandId
  readonly timeMs: number
  /** Which of the readers takes this command: they differ in code version or in what they remember. */
  readonly reader: number
}

interface Bounds {
  readonly snapshotEvery: number
  readonly remembered: number
}

/**
 * Sends the commands in turn, and beside them to a naive model that remembers everything: what it knows must be
 * answered from the record, at the place where it was recorded; what it does not know must be recorded. Answers how
 * many were.
 */
const walk = async (
  turns: ReadonlyArray<Turn>,
  readers: ReadonlyArray<Bounds & { readonly other?: boolean }>,
) => {
  const kernel = virtualKernel({ mode: 'immediate' })
  const store = memoryEventStore(kernel)
  const runs = readers.map(({ other, ...options }) =>
    execute(other === true ? otherVersion : Seats.aggregate, { store, clock: kernel }, options),
  )
  const known = new Map<CommandId, { readonly commit: number; readonly timeMs: number }>()
  for (const { id, timeMs, reader } of turns) {
    const run = runs[reader % runs.length]
    if (run === undefined) throw new Error('there is a reader')
    const before = known.get(id)
    const forgotten = before !== undefined && id.startsWith('k') && timeMs - before.timeMs >= UNDATED_MS
    const answer = await answerTo(run(stream, [asked(addSeats, '', { id, timeMs, ...dateFor(id, timeMs) })]))
    if (before !== undefined && !forgotten) {
      expect(answer).toMatchObject({ replayed: true, position: { commit: before.commit } })
    } else if (!answer.replayed) {
      expect(answer.position.commit).toBe(store.log.length)
      known.set(id, { commit: answer.position.commit, timeMs })
    }
  }
  return known.size
}

const dateFor = (id: CommandId, timeMs: number) => (id.startsWith('k') ? { dateMs: timeMs } : {})

/** All sequences of this length over these items. */
function* sequences<Item>(items: ReadonlyArray<Item>, length: number): Generator<ReadonlyArray<Item>> {
  if (length === 0) yield []
  else for (const rest of sequences(items, length - 1)) for (const item of items) yield [...rest, item]
}

describe('an id repeated at any time is found, as by one who remembers everything', () => {
  test.each([
    { snapshotEvery: 1, remembered: 1 },
    { snapshotEvery: 1, remembered: 2 },
    { snapshotEvery: 2, remembered: 1 },
    { snapshotEvery: 2, remembered: 2 },
  ])(
    'in every sequence of six sendings of four ids, two of one date: $snapshotEvery/$remembered',
    async (bounds) => {
      const ids = [
        idOf('a', START_MS),
        idOf('b', START_MS + 1),
        idOf('c', START_MS + 1),
        idOf('d', START_MS + 2),
      ]
      for (const sequence of sequences(ids, 6)) {
        const turns = sequence.map((id, at) => ({ id, timeMs: START_MS + at, reader: 0 }))
        expect(await walk(turns, [bounds])).toBe(new Set(sequence).size)
      }
    },
    30_000,
  )
  test('in every sequence with ids without dates between them, within their 24 hours', async () => {
    const ids = [idOf('a', START_MS), idOf('b', START_MS + 1), undatedId('k'), undatedId('l')]
    for (const sequence of sequences(ids, 5)) {
      const turns = sequence.map((id, at) => ({ id, timeMs: START_MS + at * 5 * HOUR_MS, reader: 0 }))
      const recorded = await walk(turns, [{ snapshotEvery: 1, remembered: 1 }])
      expect(recorded).toBe(new Set(sequence).size)
    }
  }, 30_000)

  const bounds = fc.record({
    snapshotEvery: fc.integer({ min: 1, max: 5 }),
    remembered: fc.integer({ min: 1, max: 5 }),
  })
  const step = fc.record({
    place: fc.nat({ max: 40 }),
    undated: fc.boolean(),
    jitterMs: fc.integer({ min: -20, max: 4 }),
    waitMs: fc.oneof(fc.nat({ max: 10 }), fc.nat({ max: 8 * HOUR_MS })),
    reader: fc.nat(),
  })
  property.prop([fc.array(step, { maxLength: 120 }), fc.array(bounds, { minLength: 1, maxLength: 3 })], {
    numRuns: 150,
  })(
    'on random walks, by readers of other bounds and other code versions in turn',
    async (steps, readers) => {
      const ids: Array<CommandId> = []
      let timeMs = START_MS
      const turns = steps.map(({ place, undated, jitterMs, waitMs, reader }) => {
        timeMs += waitMs
        const id =
          ids[place] ??
          (undated ? undatedId(String(ids.length)) : idOf(String(ids.length), timeMs + jitterMs * 60_000))
        if (ids[place] === undefined) ids.push(id)
        return { id, timeMs, reader }
      })
      await walk(
        turns,
        readers.map((one, at) => ({ ...one, other: at % 2 === 1 })),
      )
    },
    60_000,
  )
})

test('a command that is new costs one read, however many ids were dropped; a repeat costs one more', async () => {
  const kernel = virtualKernel({ mode: 'immediate' })
  const store = memoryEventStore(kernel)
  let reads = 0
  const counting = {
    ...store,
    readBackward: (...of: Parameters<typeof store.readBackward>) => {
      reads += 1
      return store.readBackward(...of)
    },
  }
  const run = execute(
    Seats.aggregate,
    { store: counting, clock: kernel },
    { snapshotEvery: 2, remembered: 4 },
  )
  const send = async (at: number) => {
    const before = reads
    await answerTo(run(stream, [asked(addSeats, `${at}`, { id: idOf(`${at}`, START_MS + at) })]))
    return reads - before
  }
  for (let at = 0; at < 40; at += 1) expect(await send(at)).toBe(1)
  expect(await send(38)).toBe(2)
  expect(await send(36)).toBe(2)
})

const commitOf = (number: number, id: CommandId, more: { dateMs?: number; marked?: true } = {}) => ({
  stream,
  number,
  version: number,
  timeMs: START_MS,
  latestIdMs: START_MS,
  answers: [
    {
      id,
      fingerprint: `f${number}`,
      timeMs: START_MS,
      metadata: { correlationId: id },
      events: [],
      ...more,
    },
  ],
})

test('from the first dropped id on, an id without a date has a marker and takes no place in the memory', async () => {
  const kernel = virtualKernel({ mode: 'immediate' })
  const store = memoryEventStore(kernel)
  const run = execute(Seats.aggregate, { store, clock: kernel }, { snapshotEvery: 2, remembered: 4 })
  const send = (at: number) => {
    const id = undatedId(`${at}`)
    return answerTo(run(stream, [asked(addSeats, '', { id, timeMs: START_MS + at, dateMs: START_MS + at })]))
  }
  for (let at = 0; at < 40; at += 1) await send(at)
  const remembered = store.log.findLast(({ snapshot }) => snapshot !== undefined)?.snapshot?.memory
  expect(remembered?.ids.length).toBeLessThan(8)
  expect(await store.marker(stream, undatedId('30'))()).toEqual(E.right(31))
  for (const at of [0, 3, 5, 6, 7, 30, 39])
    expect(await send(at)).toMatchObject({ replayed: true, position: { commit: at + 1 } })
})

describe('a memory', () => {
  test('knows nothing of an id at or before its horizon', () => {
    const commits = [1, 2, 3].map((number) => commitOf(number, idOf(`${number}`, START_MS + number)))
    const memory = remember(emptyMemory, commits, 2, START_MS)
    expect(memory.horizonMs).toBe(START_MS + 1)
    expect(absence(memory, idOf('x', START_MS + 2))).toBe('never-seen')
    expect(absence(memory, idOf('x', START_MS + 1))).toBe('ask-the-log')
    expect(absence(memory, idOf('x', START_MS))).toBe('ask-the-log')
    expect(absence(memory, undatedId('x'))).toBe('ask-the-marker')
  })
  test('without a horizon has seen all there was', () => {
    const memory = remember(emptyMemory, [commitOf(1, idOf('a'))], 2, START_MS)
    expect(memory).toEqual({ ids: [[idOf('a'), 1]] })
    expect(absence(memory, idOf('x', 0))).toBe('never-seen')
    expect(absence(memory, undatedId('x'))).toBe('never-seen')
  })
  test('keeps an id without a date for its 24 hours, whatever else it drops', () => {
    const key = commitOf(1, undatedId('key'), { dateMs: START_MS })
    const others = [2, 3, 4].map((number) => commitOf(number, idOf(`${number}`, START_MS + number)))
    const within = remember(emptyMemory, [key, ...others], 2, START_MS + UNDATED_MS - 1)
    expect(within.ids.map(([id]) => id)).toContain(undatedId('key'))
    const after = remember(within, [commitOf(5, idOf('5', START_MS + 5))], 2, START_MS + UNDATED_MS)
    expect(after.ids.map(([id]) => id)).not.toContain(undatedId('key'))
  })
  test('dates an id by its own date, though it came with a stamp', () => {
    const stamped = [1, 2].map((number) =>
      commitOf(number, idOf(`${number}`, START_MS + number), { dateMs: 0 }),
    )
    expect(remember(emptyMemory, stamped, 1, START_MS).horizonMs).toBe(START_MS + 1)
  })
  test('stamps an id without a date by its arrival, where it came without a stamp', () => {
    const memory = remember(emptyMemory, [commitOf(1, undatedId('key'))], 2, START_MS)
    expect(memory.ids).toEqual([[undatedId('key'), 1, START_MS]])
  })
  test('that meets a marked answer knows that there are markers', () => {
    const memory = remember(emptyMemory, [commitOf(1, undatedId('key'), { marked: true })], 2, START_MS)
    expect(memory).toEqual({ ids: [], marking: true })
  })
})
