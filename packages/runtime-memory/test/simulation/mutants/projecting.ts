/** Bugs of projectors: what they take in, when they say so, and on which condition they write. */
import {
  type Commit,
  E,
  type Fault,
  type Generation,
  type Row,
  type Sources,
  type ViewStore,
} from '@everfold/core'
import {
  type Kernel,
  memoryEventStore,
  memoryViewStore,
  type ViewStoreOptions,
} from '@everfold/runtime-memory'
import { failuresOf } from '../../../src/failing.ts'
import { immediate } from '../../../src/kernel.ts'
import { barWith, rush } from './bar-simulation.ts'
import type { Mutant } from './mutant.ts'
import { plainProjector } from './plain-projector.ts'

const { writing } = failuresOf('the view store')

type Stored = E.Either<Fault, 'stored' | 'conflict'>

/** A view store that writes a row whatever is stored, iff it is `wanted`. */
const careless = (
  kernel: Kernel,
  options: ViewStoreOptions,
  /** Made when a row is put, and asked when it lands. */
  wanted: () => (row: Row) => boolean = () => () => true,
): ViewStore => {
  const rows = new Map<string, Sources>()
  const stored: ViewStoreOptions['stored'] = (generation, row) => {
    rows.set(keyOf(generation, row), row.sources)
    options.stored?.(generation, row)
  }
  const inner = memoryViewStore({ ...kernel, port: immediate }, { stored })
  const perform = kernel.port('view-store')
  return {
    ...memoryViewStore(kernel, options),
    get: (generation, key) => {
      const read = inner.get(generation, key)
      return async () => {
        await perform('get', `${key.pk} ${key.sk}`, () => E.right(undefined))
        return read()
      }
    },
    put: (generation, row) => () => {
      const isWanted = wanted()
      const write = (): Stored => {
        if (isWanted(row)) void inner.put(generation, row, rows.get(keyOf(generation, row)))()
        return E.right('stored')
      }
      return perform('put', `${row.pk} ${row.sk}`, write, writing)
    },
  }
}

const keyOf = (of: Generation, { pk, sk }: Row): string => JSON.stringify([of, pk, sk])

/** The last writer wins, by the times that writers give. */
const clocked = (kernel: Kernel, options: ViewStoreOptions): Timed => {
  const times = new Map<string, number>()
  let timeMs = 0
  const wanted = () => {
    const writtenMs = timeMs
    return ({ pk, sk }: Row) => {
      const key = JSON.stringify([pk, sk])
      if (writtenMs < (times.get(key) ?? 0)) return false
      times.set(key, writtenMs)
      return true
    }
  }
  const views = careless(kernel, options, wanted)
  return { ...views, at: (nowMs) => void (timeMs = nowMs) }
}

interface Timed extends ViewStore {
  at(this: void, nowMs: number): void
}

const DONE = { batchItemFailures: [] }
const failing = (sequenceNumber: string) => ({ batchItemFailures: [{ itemIdentifier: sequenceNumber }] })

export const projecting: ReadonlyArray<Mutant> = [
  {
    name: '8 a projector that adds up',
    bug: 'A projector adds what an event tells to its row, whether or not the row has it.',
    breaks: ['S6'],
    options: barWith({
      functions: {
        projector: plainProjector({ takenTo: (_progress, { number }) => number - 1, has: () => false }),
      },
    }),
    budget: 100,
    level: 'port',
  },
  {
    name: '9 a projector skips a gap',
    bug: 'A projector takes in a commit though those before it are missing.',
    breaks: ['S6', 'S7'],
    options: barWith({
      functions: {
        projector: plainProjector({ takenTo: (progress, { number }) => Math.max(progress, number - 1) }),
      },
    }),
    budget: 300,
    level: 'port',
    behind: { unjudged: ['S7'], breaks: ['S6'] },
  },
  {
    name: '10 a missing await',
    bug: 'A projector says that it is done when it has just begun.',
    breaks: ['S5', 'S12'],
    options: barWith({
      functions: {
        projector: plainProjector({}, (take) => async (batch) => {
          for (const { commit } of batch) void take(commit)
          return DONE
        }),
      },
    }),
    budget: 100,
    level: 'port',
    behind: { unjudged: ['S12'], breaks: ['S5'] },
  },
  {
    name: '11 an error of a record is swallowed',
    bug: 'A projector says that it has taken in what it could not take in.',
    breaks: ['S5', 'E2'],
    options: barWith({
      functions: {
        projector: plainProjector({}, (take) => async (batch) => {
          for (const { commit } of batch) await take(commit)
          return DONE
        }),
      },
    }),
    budget: 100,
    level: 'port',
    behind: { unjudged: ['S5'], breaks: ['E2'] },
  },
  {
    name: '11b the last failure is reported',
    bug: 'A projector tells of the last record of a batch that failed, and not of the first.',
    breaks: ['S5', 'E2'],
    options: barWith({
      functions: {
        projector: plainProjector({}, (take) => async (batch) => {
          let answer: ReturnType<typeof failing> = DONE
          for (const { commit, sequenceNumber } of batch)
            if (E.isLeft(await take(commit))) answer = failing(sequenceNumber)
          return answer
        }),
      },
    }),
    budget: 500,
    level: 'port',
    behind: { unjudged: ['S5'], breaks: ['E2'] },
  },
  {
    name: '15 a row is written unconditionally',
    bug: 'A row is put whatever has become of it since it was read, so that a late write takes it back.',
    breaks: ['S6', 'S7'],
    options: barWith({ views: careless, functions: { projector: plainProjector() } }),
    budget: 500,
    level: 'port',
    behind: { unjudged: ['S7'], breaks: ['S6'] },
  },
  {
    name: '16 a projector fails on a gap',
    bug: 'A projector waits for the commits that are missing, which come behind the one that it refuses.',
    breaks: ['E2', 'E6'],
    options: barWith(
      {
        functions: {
          projector: plainProjector({
            gap: async (_ports, { stream, number }, after) =>
              after === number - 1
                ? E.right([])
                : E.left({ _tag: 'MissingCommit', stream, number: after + 1 }),
          }),
        },
      },
      { mostSteps: 5000 },
    ),
    budget: 300,
    level: 'port',
  },
  {
    name: '18 the last writer wins by its clock',
    bug: 'A row is put iff its writer has the later clock, and clocks differ.',
    breaks: ['S6', 'S7'],
    options: barWith({
      views: clocked,
      functions: {
        projector: plainProjector({
          put: ({ views, clock }, generation, row, expected) => {
            ;(views as Timed).at(clock.nowMs())
            return views.put(generation, row, expected)()
          },
        }),
      },
    }),
    budget: 500,
    level: 'port',
    behind: { unjudged: ['S7'], breaks: ['S6', 'E7'] },
  },
  {
    name: '22 a projector fills gaps with one page',
    bug: 'A projector takes the first page of what is missing for all of it.',
    breaks: ['S6', 'S7'],
    options: barWith(
      {
        store: (kernel) => memoryEventStore(kernel, { pageCommits: 1 }),
        functions: {
          projector: plainProjector({
            gap: async ({ store }, { stream, number }: Commit, after) => {
              if (after === number - 1) return E.right([])
              const page = await store.readForward(stream, { after, limit: number - 1 - after })()
              return E.isLeft(page) ? page : E.right(page.right.commits)
            },
          }),
        },
      },
      { workload: rush },
    ),
    budget: 500,
    level: 'port',
    behind: { unjudged: ['S7'], breaks: ['S6'] },
  },
]
