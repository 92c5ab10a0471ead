import { type Commit, deriveId, E, type EventStore, streamName } from '@everfold/core'
import { eventStoreSuite } from '@everfold/core/conformance'
import { memoryEventStore, virtualKernel } from '@everfold/runtime-memory'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { anomaliesOf } from '../../src/simulation/history/check.ts'
import type { Operation } from '../../src/simulation/history/operation.ts'
import { recordedStore } from '../../src/simulation/history/recorded-store.ts'
import { kindsOf } from './history-mutations.ts'

const STREAMS = [streamName('purse', 'a'), streamName('purse', 'b')] as const
const [FIRST, SECOND] = STREAMS

const commitOf = (stream: Commit['stream'], number: number, name: string): Commit => ({
  stream,
  number,
  version: number,
  timeMs: 0,
  latestIdMs: 0,
  answers: [
    {
      id: deriveId(0, name),
      fingerprint: 'f',
      timeMs: 0,
      metadata: { correlationId: name },
      events: [],
    },
  ],
})

type Break = (store: EventStore) => EventStore

/** Writers who append to two streams, alone or together, after what they read, until all have done so; then final reads. */
const history = async (
  seed: number,
  breaking: Break = (store) => store,
): Promise<ReadonlyArray<Operation>> => {
  const kernel = virtualKernel({ seed })
  const store = breaking(memoryEventStore(kernel, { pageCommits: 3 }))
  const recorded: Array<Operation> = []
  let steps = 0
  const now = () => (steps += 1)
  const write = async (process: string) => {
    const own = recordedStore(store, now, recorded, { process })
    const headOf = async (stream: Commit['stream']) => {
      const page = await own.readBackward(stream, { limit: 2 })()
      return E.isRight(page) ? (page.right.commits[0]?.number ?? 0) : 0
    }
    for (let turn = 0; turn < 4; turn += 1) {
      const [one, other] = [await headOf(FIRST), await headOf(SECOND)]
      const commits = STREAMS.map((stream, at) =>
        commitOf(stream, (at === 0 ? one : other) + 1, `${process} ${turn}`),
      )
      const [first, second] = commits as [Commit, Commit]
      if (turn === 0) await own.appendTogether(commits)()
      else if (turn === 1) await own.appendTogether([first], [{ stream: SECOND, commit: other }])()
      else await own.append(turn === 2 ? first : second)()
    }
  }
  await kernel.run(async () => {
    await Promise.all(['ann', 'bob', 'cid'].map((name) => kernel.as(name, () => write(name))))
    const own = recordedStore(store, now, recorded, { process: 'final' })
    for (const stream of STREAMS)
      for (let [after, done] = [0, false]; !done; ) {
        const page = await own.readForward(stream, { after, limit: 100 })()
        if (E.isLeft(page)) throw new Error('no page')
        after += page.right.commits.length
        done = page.right.done
      }
  })
  return recorded
}

describe('what goes through a recorded store', () => {
  property.prop([fc.nat()], { numRuns: 50 })(
    'of memory has no anomaly, whatever the interleaving',
    async (seed) => {
      const recorded = await history(seed)
      expect(anomaliesOf(recorded)).toEqual([])
      expect(new Set(recorded.map(({ outcome }) => outcome)).has('ok')).toBe(true)
    },
  )
  property.prop([fc.nat()], { numRuns: 20 })('that acknowledges conflicts loses appends', async (seed) => {
    let conflicts = 0
    const recorded = await history(seed, (store) => ({
      ...store,
      append: (commit) => async () => {
        const result = await store.append(commit)()
        if (E.isRight(result)) return result
        conflicts += 1
        return E.right(undefined)
      },
    }))
    expect(anomaliesOf(recorded).map(({ kind }) => kind)).toEqual(Array(conflicts).fill('lost append'))
  })
  property.prop([fc.nat()], { numRuns: 20 })('that reads from a cache is stale', async (seed) => {
    const recorded = await history(seed, (store) => {
      let cached: ReturnType<EventStore['readBackward']> | undefined
      return {
        ...store,
        readBackward: (stream, options) => {
          if (stream !== FIRST) return store.readBackward(stream, options)
          const read = cached
          const first = store.readBackward(stream, options)()
          cached ??= () => first
          return read ?? cached
        },
      }
    })
    expect(kindsOf(anomaliesOf(recorded))).toEqual(['stale read'])
  })
})

describe('a recorded store', () => {
  const kernel = virtualKernel({ mode: 'immediate' })
  for (const { title, run } of eventStoreSuite(async () =>
    recordedStore(memoryEventStore(kernel), () => 0, []),
  ))
    test(`answers as the store does: ${title}`, async () => {
      await expect(kernel.run(run)).resolves.toBeUndefined()
    })
})

describe('an append', () => {
  const store = memoryEventStore(virtualKernel({ mode: 'immediate' }))
  const appended = (append: EventStore['append']) => {
    const recorded: Array<Operation> = []
    let steps = 0
    const call = recordedStore({ ...store, append }, () => (steps += 1), recorded)
    return { recorded, answer: call.append(commitOf(FIRST, 1, 'c'))() }
  }
  test('whose outcome is unknown is indeterminate', async () => {
    const { recorded, answer } = appended(() => async () => E.left({ _tag: 'OutcomeUnknown' }))
    await answer
    expect(recorded).toMatchObject([{ outcome: 'indeterminate', invokedAt: 1, completedAt: 2 }])
  })
  test('that was refused surely failed', async () => {
    const { recorded, answer } = appended(() => async () => E.left({ _tag: 'Conflict', stream: FIRST }))
    await answer
    expect(recorded).toMatchObject([{ outcome: 'failed' }])
  })
  test('that throws, or is never answered, has no completion', async () => {
    const { recorded, answer } = appended(() => () => Promise.reject(new Error('crash')))
    await expect(answer).rejects.toThrow('crash')
    const never = appended(() => () => Promise.withResolvers<never>().promise)
    for (const operation of [...recorded, ...never.recorded]) {
      expect(operation.outcome).toBe('indeterminate')
      expect(operation).not.toHaveProperty('completedAt')
    }
  })
})
