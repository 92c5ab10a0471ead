import { type Life, type VirtualOptions, virtualKernel } from '@everfold/runtime-memory'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'

/** Some actors that each read and add to one sum, with pauses: which of them loses an update shows the interleaving. */
const race = async (options: VirtualOptions, actors = 5) => {
  const kernel = virtualKernel(options)
  const perform = kernel.port('sum')
  let sum = 0
  const order: Array<string> = []
  const act = async (name: string) => {
    for (let turn = 0; turn < 3; turn += 1) {
      const read = await perform('read', 'it', () => sum)
      if (turn === 1) await kernel.sleep(Math.floor(kernel.random() * 3))
      await perform('write', 'it', () => {
        order.push(name)
        sum = read + 1
      })
    }
  }
  await kernel.run(() =>
    Promise.all(Array.from({ length: actors }, (_, n) => kernel.as(`actor-${n}`, () => act(`${n}`)))),
  )
  return { order: order.join(''), trace: kernel.trace, hash: kernel.traceHash(), nowMs: kernel.nowMs() }
}

describe('a stepped run', () => {
  property.prop([fc.integer()])('repeats exactly from its seed', async (seed) => {
    expect(await race({ seed })).toEqual(await race({ seed }))
  })
  test('interleaves otherwise under other seeds', async () => {
    const runs = await Promise.all(Array.from({ length: 30 }, (_, seed) => race({ seed })))
    expect(new Set(runs.map(({ hash }) => hash)).size).toBe(30)
    expect(new Set(runs.map(({ order }) => order)).size).toBeGreaterThan(25)
  })
  test('without overtaking is first come, first served', async () => {
    const { order } = await race({ overtaking: 0, seed: 1 })
    expect(order.slice(0, 5)).toBe('01234')
  })
  test('applies an effect when it is taken, not when it is asked for', async () => {
    const kernel = virtualKernel({ overtaking: 0 })
    const perform = kernel.port('one')
    const seen: Array<string> = []
    await kernel.run(async () => {
      const first = perform('first', '', () => seen.push('first'))
      const second = perform('second', '', () => seen.push('second'))
      expect(seen).toEqual([])
      await first
      expect(seen).toEqual(['first'])
      await second
    })
    expect(kernel.trace).toEqual(['main: one.first  #1', 'main: one.second  #1'])
  })
  test('counts the attempts of one request', async () => {
    const kernel = virtualKernel()
    const perform = kernel.port('port')
    await kernel.run(async () => {
      await perform('ask', 'x', () => 1)
      await perform('ask', 'x', () => 2)
      await kernel.as('other', () => perform('ask', 'x', () => 3))
    })
    expect(kernel.trace).toEqual(['main: port.ask x #1', 'main: port.ask x #2', 'other: port.ask x #1'])
  })
  test('asks what is not benign about every effect, once, by its key', async () => {
    const keys: Array<string> = []
    const choose = (key: string) => {
      keys.push(key)
      return undefined
    }
    const { trace } = await race({ seed: 3, choose })
    expect(keys.toSorted()).toEqual(trace.filter((key) => key.includes('sum.')).toSorted())
  })
})

describe('virtual time', () => {
  test('jumps to the next timer once nothing else can happen', async () => {
    const kernel = virtualKernel({ startMs: 1000 })
    const woken: Array<number> = []
    await kernel.run(() =>
      Promise.all(
        [30, 10, 20].map(async (ms) => {
          await kernel.sleep(ms)
          woken.push(kernel.nowMs())
        }),
      ),
    )
    expect(woken).toEqual([1010, 1020, 1030])
  })
  test('is whole milliseconds, whatever was asked', async () => {
    const kernel = virtualKernel({ startMs: 0 })
    await kernel.run(() => kernel.sleep(0.2))
    expect(kernel.nowMs()).toBe(1)
  })
  test('settles up to a horizon and no further', async () => {
    const kernel = virtualKernel({ startMs: 0 })
    const fired: Array<number> = []
    for (const dueMs of [5, 10, 11]) kernel.at(dueMs, `at ${dueMs}`, () => fired.push(dueMs))
    const cancel = kernel.at(7, 'never', () => fired.push(7))
    cancel()
    await kernel.settle(10)
    expect(fired).toEqual([5, 10])
    expect(kernel.nowMs()).toBe(10)
    await kernel.settle()
    expect(fired).toEqual([5, 10])
    await kernel.settle(20)
    expect(fired).toEqual([5, 10, 11])
    expect(kernel.nowMs()).toBe(20)
  })
  test('wakes sleepers of an immediate kernel that nobody drives', async () => {
    const kernel = virtualKernel({ mode: 'immediate', startMs: 0 })
    await Promise.all([kernel.sleep(20), kernel.sleep(10)])
    expect(kernel.nowMs()).toBe(20)
  })
})

describe('a run', () => {
  test('names who waits where nothing can happen any more', async () => {
    const kernel = virtualKernel()
    const stuck = kernel.run(async () => {
      await kernel.port('store')('append', 'a@1', () => 0)
      await kernel.as('worker', () => new Promise(() => undefined))
    })
    await expect(stuck).rejects.toThrow(
      'these still wait: main, whose last effect was main: store.append a@1 #1; worker, whose last effect was none',
    )
  })
  test('fails as its main fails, and an effect as its application fails', async () => {
    const kernel = virtualKernel()
    const broken = kernel.run(() =>
      kernel.port('store')('append', '', () => {
        throw new Error('broken')
      }),
    )
    await expect(broken).rejects.toThrow('broken')
  })
  test('waits for work from outside before it goes on', async () => {
    const kernel = virtualKernel({ startMs: 0 })
    const order: Array<string> = []
    const work = async () => {
      for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => void setImmediate(resolve))
      order.push('outside')
    }
    await kernel.run(() =>
      Promise.all([kernel.outside(work), kernel.sleep(1).then(() => order.push('timer'))]),
    )
    expect(order).toEqual(['outside', 'timer'])
  })
  test('is refused inside another', async () => {
    const kernel = virtualKernel()
    await expect(kernel.run(() => kernel.settle())).rejects.toThrow('already being driven')
  })
})

const drawsBeside = (others: number) => {
  const kernel = virtualKernel({ seed: 7 })
  for (let other = 0; other < others; other += 1) kernel.as('other', kernel.random)
  return kernel.as('one', () => [kernel.random(), kernel.random(), [...kernel.bytes(4)]])
}

describe('chance', () => {
  test('of one actor is not shifted by another', () => {
    expect(drawsBeside(0)).toEqual(drawsBeside(5))
  })
  property.prop([fc.string()])('lies in [0, 1)', (seed) => {
    const kernel = virtualKernel({ seed })
    for (let n = 0; n < 100; n += 1) {
      const number = kernel.random()
      expect(number >= 0 && number < 1).toBe(true)
    }
  })
  test('is spread evenly', () => {
    const kernel = virtualKernel({ seed: 'even' })
    const buckets = Array.from({ length: 10 }, () => 0)
    for (let n = 0; n < 10_000; n += 1) {
      const bucket = Math.floor(kernel.random() * 10)
      buckets[bucket] = (buckets[bucket] ?? 0) + 1
    }
    for (const count of buckets) expect(Math.abs(count - 1000)).toBeLessThan(150)
  })
})

test.each([0, 10])(
  'who sleeps while somebody drives the kernel wakes after that too (from %i ms on)',
  async (ms) => {
    const kernel = virtualKernel({ mode: 'immediate', startMs: 0 })
    const woken: Array<number> = []
    const sleeper = async () => {
      if (ms > 0) await kernel.sleep(ms)
      await kernel.sleep(100)
      woken.push(kernel.nowMs())
    }
    const sleeping = sleeper()
    await kernel.settle(50)
    expect(woken).toEqual([])
    await sleeping
    expect(woken).toEqual([100 + ms])
  },
)

/** A sandbox that began to wait, was frozen, is used again from 10 ms to 1,010 ms, and frozen again. */
const used = async (answeredMs: number) => {
  const kernel = virtualKernel({ overtaking: 0, startMs: 0 })
  const told: Array<string> = []
  let first: Life | undefined
  await kernel.run(async () => {
    kernel.live('first', {}, (life) => {
      first = life
      void kernel.sleep(answeredMs).then(() => told.push(`heard at ${kernel.nowMs()}`))
      life.end()
    })
    await kernel.sleep(10)
    kernel.live('second', {}, (life) => {
      first?.thaw(life)
      kernel.at(1010, 'the second invocation ends', () => {
        told.push('the second ends')
        life.end()
      })
    })
    await kernel.sleep(2000)
  })
  return told
}

describe('a sandbox that is used again', () => {
  test('hears what came while it was frozen as soon as it is used', async () => {
    expect(await used(5)).toEqual(['heard at 10', 'the second ends'])
  })
  test('hears what comes while it is used in that invocation', async () => {
    expect(await used(100)).toEqual(['heard at 100', 'the second ends'])
  })
  test('hears nothing of what comes when it is frozen again', async () => {
    expect(await used(1500)).toEqual(['the second ends'])
  })
})
