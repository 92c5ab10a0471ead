import { AsyncLocalStorage } from 'node:async_hooks'
import {
  scheduler,
  setTimeout as sleep,
  setImmediate as soon,
  setInterval as ticks,
} from 'node:timers/promises'
import { promisify } from 'node:util'
import { fc, test as property } from '@fast-check/vitest'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { virtualKernel } from '../../src/kernel.ts'
import type { Actor, VirtualActor } from '../../src/simulation/globals/actor.ts'
import { installGlobals } from '../../src/simulation/globals/installation.ts'

const acting = new AsyncLocalStorage<Actor>()

let uninstall: () => void = () => undefined
beforeEach(() => {
  uninstall = installGlobals({ current: () => acting.getStore() })
})
afterEach(() => uninstall())

/** A run whose kernel calls timers that are due together in an order of its own, by the seed and their names. */
const runOf = (seed: string) => {
  const kernel = virtualKernel({ seed })
  let timers = 0
  const at: VirtualActor['at'] = (dueMs, what, callback) => {
    timers += 1
    return kernel.at(dueMs, `${what} #${timers}`, callback)
  }
  const actor = (name: string, skewMs = 0): VirtualActor => ({
    globals: 'virtual',
    name,
    nowMs: kernel.nowMs,
    skewMs: () => skewMs,
    random: kernel.random,
    at,
  })
  return { kernel, actor, startMs: kernel.nowMs() }
}

/** Runs `body` as one actor until nothing is left to happen, or until then. */
const played = async (body: (startMs: number) => unknown, seed = '1', untilMs = 3_600_000) => {
  const { kernel, actor, startMs } = runOf(seed)
  const result = acting.run(actor('consumer 1'), () => body(startMs))
  await kernel.settle(startMs + untilMs)
  await result
  return kernel.trace
}

const aSeed = fc.nat().map(String)
const someDelays = fc.array(fc.integer({ min: -1, max: 6 }), { maxLength: 12 })

/** What Node makes of a delay. */
const waited = (delayMs: number) => Math.max(1, delayMs)

describe('timers', () => {
  property.prop([aSeed, someDelays])(
    'run in the order in which they are due, and those due together in that of their creation',
    async (seed, delays) => {
      const ran: Array<readonly [number, number]> = []
      await played((startMs) => {
        for (const [index, delayMs] of delays.entries())
          setTimeout(() => ran.push([Date.now() - startMs, index]), delayMs)
      }, seed)
      const due = delays.map((delayMs, index) => [waited(delayMs), index] as const)
      expect(ran).toEqual(due.toSorted(([one], [other]) => one - other))
    },
  )

  const fate = fc.constantFrom('keep', 'clear', 'clear by number', 'clear at once')
  property.prop([aSeed, fc.array(fc.tuple(fc.integer({ min: -1, max: 6 }), fate), { maxLength: 12 })])(
    'that are cleared do not run, and all others do, once',
    async (seed, given) => {
      const ran: Array<number> = []
      await played(() => {
        for (const [index, [delayMs, end]] of given.entries()) {
          const timer = setTimeout((number) => ran.push(number), delayMs, index)
          if (end === 'clear at once') clearTimeout(timer)
          else if (end !== 'keep')
            setImmediate((one) => clearTimeout(one), end === 'clear' ? timer : Number(timer))
        }
      }, seed)
      const kept = [...given.keys()].filter((index) => given[index]?.[1] === 'keep')
      expect(ran.toSorted((one, other) => one - other)).toEqual(kept)
    },
  )

  property.prop([aSeed, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })])(
    'of two actors with different skews wait as long as each other',
    async (seed, one, other) => {
      const { kernel, actor, startMs } = runOf(seed)
      const told = new Map<string, number>()
      for (const [name, skewMs, delayMs] of [
        ['ahead', 90_000, one],
        ['behind', -90_000, other],
      ] as const)
        acting.run(actor(name, skewMs), () => {
          setTimeout(() => told.set(name, Date.now()), delayMs)
        })
      await kernel.settle(startMs + 10)
      expect(told.get('ahead')).toBe(startMs + 90_000 + one)
      expect(told.get('behind')).toBe(startMs - 90_000 + other)
    },
  )

  test('that are cleared leave nothing for the run to wait for', async () => {
    expect(await played(() => clearTimeout(setTimeout(() => undefined, 250)))).toEqual([])
  })

  test('go on in the name, and in the context, of who set them', async () => {
    const request = new AsyncLocalStorage<string>()
    const told: Array<unknown> = []
    await played(() =>
      request.run('request 7', () =>
        setTimeout(() => setTimeout(() => told.push(request.getStore(), acting.getStore()?.name), 5), 5),
      ),
    )
    expect(told).toEqual(['request 7', 'consumer 1'])
  })

  test('are told in the trace by who set them and what', async () => {
    const trace = await played(() => void setTimeout(() => undefined, 250))
    expect(trace).toEqual([expect.stringContaining('consumer 1: setTimeout 250')])
  })

  test('are refreshed, asked and disposed of as Node’s are', async () => {
    const ran: Array<string> = []
    await played((startMs) => {
      const late = setTimeout(() => ran.push(`late ${Date.now() - startMs}`), 10)
      setTimeout(() => late.refresh(), 6)
      using gone = setTimeout(() => ran.push('gone'), 5)
      expect(gone.hasRef()).toBe(true)
      expect(gone.unref().hasRef()).toBe(false)
      expect(gone.ref().hasRef()).toBe(true)
      setTimeout(function (this: NodeJS.Timeout) {
        ran.push('again')
        if (ran.length < 3) this.refresh()
      }, 1)
      setImmediate((given) => ran.push(given), 'soon')
    })
    expect(ran).toEqual(['soon', 'again', 'again', 'late 16'])
  })

  test('repeat until they are cleared, also by themselves', async () => {
    const ran: Array<number> = []
    await played((startMs) => {
      const other = setInterval(() => ran.push(startMs - Date.now()), 20)
      const timer = setInterval(() => {
        ran.push(Date.now() - startMs)
        if (ran.length > 4) clearInterval(timer)
        if (ran.length > 4) clearInterval(other)
      }, 10)
    })
    expect(ran).toEqual([10, -20, 20, 30, -40, 40])
  })

  test('that the machine set are cleared inside a run too', async () => {
    const timer = setTimeout(() => expect.unreachable(), 0)
    await played(() => clearTimeout(timer))
    await sleep(2)
  })
})

describe('promised timers', () => {
  test('resolve in virtual time with what was given', async () => {
    const told: Array<unknown> = []
    await played(async (startMs) => {
      const passed = () => Date.now() - startMs
      told.push(await sleep(100, 'slept'), passed())
      told.push(await promisify(setTimeout)(100, 'promised'), passed())
      told.push(await soon('soon'), passed())
      await scheduler.wait(100)
      await scheduler.yield()
      told.push(passed())
      for await (const tick of ticks(30, 'tick')) {
        told.push(tick, passed())
        if (passed() > 350) break
      }
    })
    const ticked = ['tick', 330, 'tick', 360]
    expect(told).toEqual(['slept', 100, 'promised', 200, 'soon', 200, 300, ...ticked])
  })

  test('end with their signal', async () => {
    const told: Array<unknown> = []
    await played(async (startMs) => {
      const signal = AbortSignal.timeout(50)
      const failed = (error: Error) => told.push(error.name, Date.now() - startMs)
      await sleep(80, undefined, { signal }).catch(failed)
      await sleep(80, undefined, { signal }).catch(failed)
      await soon(undefined, { signal }).catch(failed)
      try {
        for await (const _ of ticks(20, undefined, { signal: AbortSignal.timeout(50) })) told.push('tick')
      } catch (error) {
        failed(error as Error)
      }
      told.push((signal.reason as Error).name)
    })
    const aborted = ['AbortError', 50]
    expect(told).toEqual([
      ...aborted,
      ...aborted,
      ...aborted,
      'tick',
      'tick',
      'AbortError',
      100,
      'TimeoutError',
    ])
  })

  test('of a day pass in no time', async () => {
    const { kernel, actor, startMs } = runOf('1')
    const end = await kernel.run(() =>
      acting.run(actor('consumer 1'), () => sleep(86_400_000, kernel.nowMs())),
    )
    expect(end).toBe(startMs)
    expect(kernel.nowMs()).toBe(startMs + 86_400_000)
  })
})
