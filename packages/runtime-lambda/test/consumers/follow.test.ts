import { type Clock, type Commit, E, unavailable } from '@everfold/core'
import { memoryChangeStream, memoryEventStore, virtualKernel } from '@everfold/runtime-memory'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { byStream } from '../../src/consumers/batch.ts'
import { follow, followOnce, memoryCheckpoint } from '../../src/consumers/follow.ts'
import { must } from '../must.ts'
import { history, tally } from '../tally.ts'

const setup = async (size: number) => {
  const kernel = virtualKernel({ mode: 'immediate' })
  const store = memoryEventStore(kernel)
  const log = history(
    tally('a'),
    Array.from({ length: size }, () => ['x']),
  )
  for (const commit of log) must(await store.append(commit)())
  return { log, store, changes: memoryChangeStream(kernel, store) }
}

describe('a page', () => {
  property.prop([fc.nat(20), fc.array(fc.boolean(), { maxLength: 30 }), fc.integer({ min: 1, max: 7 })])(
    'is passed once all of it is taken in: nothing is ever missed',
    async (size, fates, limit) => {
      const { log, changes } = await setup(size)
      const checkpoints = memoryCheckpoint()
      const taken = new Set<Commit>()
      let tries = 0
      const work = byStream((commit) => async () => {
        if (fates[tries++] === false) return E.left(unavailable('a planted fault'))
        taken.add(commit)
        return E.right(undefined)
      })
      for (let turn = 0; turn < 100; turn += 1) {
        await followOnce({ changes, work, checkpoints, limit })()
        const passed = Number(must(await checkpoints.load()()) ?? 0)
        expect(log.slice(0, passed).filter((commit) => !taken.has(commit))).toEqual([])
      }
      expect(taken.size).toBe(size)
    },
  )

  test('of which some was not tried is not passed', async () => {
    const { changes } = await setup(2)
    const checkpoints = memoryCheckpoint()
    const short = await followOnce({ changes, checkpoints, work: async () => [E.right(undefined)] })()
    const untried = await followOnce({
      changes,
      checkpoints,
      work: async () => [E.right(undefined), undefined],
    })()
    expect([short, untried]).toMatchObject([{ _tag: 'Left' }, { _tag: 'Left' }])
    expect(must(await checkpoints.load()())).toBeUndefined()
  })
})

/** Its sleepers wait until they are woken. */
const parkingClock = () => {
  const parked: Array<{ readonly ms: number; readonly wake: () => void }> = []
  const arrivals: Array<() => void> = []
  const clock: Clock = {
    nowMs: () => 0,
    random: () => 0.5,
    sleep: (ms) =>
      new Promise((wake) => {
        parked.push({ ms, wake })
        arrivals.shift()?.()
      }),
  }
  const asleep = async () => {
    if (parked.length === 0) await new Promise<void>((resolve) => void arrivals.push(resolve))
    return parked.shift() ?? { ms: 0, wake: () => {} }
  }
  return { clock, asleep }
}

test('a follower takes in what is there, waits for more, outlives what is thrown, and ends when it is stopped', async () => {
  const { log, store, changes } = await setup(5)
  const { clock, asleep } = parkingClock()
  const taken: Array<Commit> = []
  const logged: Array<unknown> = []
  let broken = false
  const follower = follow({
    changes,
    clock,
    checkpoints: memoryCheckpoint(),
    limit: 2,
    log: (entry) => logged.push(entry),
    work: async (commits) => {
      if (broken) throw new Error('broken')
      taken.push(...commits)
      return commits.map(() => E.right(undefined))
    },
  })
  const first = await asleep()
  expect([first.ms, taken]).toEqual([250, log])
  const [more] = history(tally('b'), [['y']])
  if (more !== undefined) must(await store.append(more)())
  broken = true
  first.wake()
  const second = await asleep()
  expect(second.ms).toBe(1000)
  expect(logged).toMatchObject([{ level: 'error', fault: { _tag: 'Unavailable' } }])
  broken = false
  second.wake()
  const third = await asleep()
  expect(taken.at(-1)).toEqual(more)
  const ended = follower.stop()
  third.wake()
  await ended
})
