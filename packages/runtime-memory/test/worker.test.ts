import { virtualKernel } from '@everfold/runtime-memory'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { crewOf } from '../src/worker.ts'

/** A worker over a heap of work that grows at certain times, each portion of which takes its time. */
const work = async (arrivals: ReadonlyArray<number>, seed: number) => {
  const kernel = virtualKernel({ seed, startMs: 0 })
  const crew = crewOf(kernel)
  let waiting = 0
  let atOnce = 0
  const done: Array<number> = []
  const worker = crew.worker('worker', async () => {
    if (waiting === 0) return false
    waiting -= 1
    atOnce += 1
    expect(atOnce).toBe(1)
    await kernel.sleep(kernel.random() * 4)
    atOnce -= 1
    done.push(kernel.nowMs())
    return waiting > 0
  })
  for (const atMs of arrivals)
    kernel.at(atMs, 'arrival', () => {
      waiting += 1
      worker.wake()
    })
  const idleWith = await kernel.run(async () => {
    await kernel.sleep(Math.max(0, ...arrivals) + 1)
    await crew.idle()
    return waiting
  })
  return { done, idleWith }
}

describe('a worker', () => {
  property.prop([fc.array(fc.nat({ max: 20 }), { maxLength: 20 }), fc.nat()])(
    'does all the work that it was woken for, one portion at a time, before its crew is idle',
    async (arrivals, seed) => {
      const { done, idleWith } = await work(arrivals, seed)
      expect(done).toHaveLength(arrivals.length)
      expect(idleWith).toBe(0)
    },
  )
  test('that is woken while it works looks once more', async () => {
    const crew = crewOf(virtualKernel({ mode: 'immediate' }))
    let looks = 0
    const worker = crew.worker('worker', async () => {
      looks += 1
      if (looks === 1) worker.wake()
      return false
    })
    worker.wake()
    await crew.idle()
    expect(looks).toBe(2)
  })
  test('begins nothing once it is stopped, and the crew is idle when what was under way has ended', async () => {
    const kernel = virtualKernel()
    const crew = crewOf(kernel)
    let portions = 0
    const worker = crew.worker('worker', async () => {
      portions += 1
      await kernel.sleep(10)
      return true
    })
    await kernel.run(async () => {
      worker.wake()
      await kernel.sleep(35)
      crew.stop()
      await crew.idle()
      worker.wake()
      await crew.idle()
    })
    expect([portions, crew.stopped()]).toEqual([4, true])
  })
})

describe('a crew', () => {
  test('is idle at once where nobody works', async () => {
    const crew = crewOf(virtualKernel({ mode: 'immediate' }))
    crew.worker('lazy', async () => true)
    await expect(crew.idle()).resolves.toBeUndefined()
  })
  test('is not idle while a task goes on beside its workers, however it ends', async () => {
    const kernel = virtualKernel({ startMs: 0 })
    const crew = crewOf(kernel)
    await kernel.run(async () => {
      const asides = [
        crew.aside('one', () => kernel.sleep(10)),
        crew.aside('two', async () => {
          await kernel.sleep(20)
          throw new Error('two failed')
        }),
      ]
      const settled = Promise.allSettled(asides)
      await crew.idle()
      expect(kernel.nowMs()).toBe(20)
      expect((await settled).map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
    })
  })
})
