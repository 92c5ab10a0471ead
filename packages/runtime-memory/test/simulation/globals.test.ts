import { AsyncLocalStorage } from 'node:async_hooks'
import childProcess, { spawn } from 'node:child_process'
import nodeCrypto, { getRandomValues, randomBytes, randomFill, randomInt, randomUUID } from 'node:crypto'
import dgram from 'node:dgram'
import dns, { lookup } from 'node:dns'
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import { hrtime } from 'node:process'
import nodeTimers, { setTimeout as namedTimeout } from 'node:timers'
import nodePromises, { setTimeout as sleep } from 'node:timers/promises'
import tls from 'node:tls'
import { promisify } from 'node:util'
import { fc, test as property } from '@fast-check/vitest'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { sequence } from '../../src/random.ts'
import type { Actor } from '../../src/simulation/globals/actor.ts'
import { installGlobals } from '../../src/simulation/globals/installation.ts'
import { GlobalReached } from '../../src/simulation/globals/reach.ts'

const acting = new AsyncLocalStorage<Actor>()
const current = () => acting.getStore()

/** Kept from before the installation, as a module does that was loaded earlier. */
const kept = { Date, now: Date.now, performance, crypto, Math, process, http, connect: net.connect }

const guarded: Actor = { globals: 'guarded', name: 'orders-api 1' }

/** 12:00 on 1 January 2026, after which nothing happens unless told. */
const NOON_MS = 1_767_268_800_000

const still = (seed: string, skewMs = 0): Actor => ({
  globals: 'virtual',
  name: `consumer ${seed}`,
  nowMs: () => NOON_MS,
  skewMs: () => skewMs,
  random: sequence(seed),
  at: () => () => undefined,
})

/** Whatever a simulated run patches, as it stands. */
const everything = () =>
  [
    [globalThis, ['Date', 'setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'fetch', 'WebSocket']],
    [kept.Date, ['now', 'UTC', 'parse']],
    [kept.Date.prototype, ['constructor']],
    [Math, ['random']],
    [process, ['hrtime', 'uptime', 'nextTick']],
    [process.hrtime, ['bigint']],
    [Object.getPrototypeOf(performance), ['now', 'timeOrigin']],
    [nodeCrypto, Object.keys(nodeCrypto)],
    [Object.getPrototypeOf(crypto), ['randomUUID', 'getRandomValues']],
    [nodeTimers, Object.keys(nodeTimers)],
    [nodePromises, Object.keys(nodePromises)],
    [Object.getPrototypeOf(nodePromises.scheduler), ['wait', 'yield']],
    [AbortSignal, ['timeout']],
    [net.Socket.prototype, ['connect']],
    [net.Server.prototype, ['listen']],
    [http.Agent.prototype, ['addRequest']],
    [dgram.Socket.prototype, ['bind', 'connect', 'send']],
    [dns, Object.keys(dns)],
    [dns.promises, Object.keys(dns.promises)],
    [childProcess, Object.keys(childProcess)],
    [childProcess.ChildProcess.prototype, ['spawn']],
  ].map(([target, keys]) =>
    (keys as Array<string>).map((key) => [key, Object.getOwnPropertyDescriptor(target, key)] as const),
  )

const thrownBy = (reach: () => unknown): Error => {
  try {
    reach()
  } catch (error) {
    return error as Error
  }
  throw new Error('nothing was thrown')
}

let uninstall: () => void = () => undefined
beforeEach(() => {
  uninstall = installGlobals({ current })
})
afterEach(() => uninstall())

const CLOCK = 'clock.nowMs()'
const CHANCE = 'clock.random()'
const SLEEP = 'clock.sleep(ms)'
const GATEWAY = 'gateway'

describe('whatever guarded code reaches for fails with the argument to use instead', () => {
  test.each<[string, string, () => unknown]>([
    ['Date.now()', CLOCK, () => Date.now()],
    ['Date.now()', 'context.timeMs', () => kept.Date.now()],
    ['new Date()', CLOCK, () => new Date()],
    ['new Date()', CLOCK, () => new (class extends Date {})()],
    ['new Date()', CLOCK, () => new (new Date(0).constructor as DateConstructor)()],
    ['Date()', CLOCK, () => Date()],
    ['performance.now()', CLOCK, () => kept.performance.now()],
    ['performance.timeOrigin', CLOCK, () => performance.timeOrigin],
    ['process.hrtime()', CLOCK, () => hrtime()],
    ['process.hrtime.bigint()', CLOCK, () => kept.process.hrtime.bigint()],
    ['process.uptime()', CLOCK, () => process.uptime()],
    ['Math.random()', CHANCE, () => kept.Math.random()],
    ['crypto.randomUUID()', 'derive the id from the command id', () => kept.crypto.randomUUID()],
    ['crypto.randomUUID()', CHANCE, () => randomUUID()],
    ['crypto.getRandomValues()', CHANCE, () => crypto.getRandomValues(new Uint8Array(1))],
    ['crypto.getRandomValues()', CHANCE, () => getRandomValues(new Uint8Array(1))],
    ['crypto.randomBytes()', CHANCE, () => randomBytes(1)],
    ['crypto.randomInt()', CHANCE, () => randomInt(2)],
    ['crypto.randomFill()', CHANCE, () => randomFill(new Uint8Array(1), () => undefined)],
    ['crypto.randomFillSync()', CHANCE, () => nodeCrypto.randomFillSync(new Uint8Array(1))],
    ['setTimeout()', SLEEP, () => setTimeout(() => undefined, 1)],
    ['setTimeout()', 'schedule(name, dueMs)', () => namedTimeout(() => undefined, 1)],
    ['setTimeout()', SLEEP, () => sleep(1)],
    ['setTimeout()', SLEEP, () => promisify(setTimeout)(1)],
    ['setInterval()', SLEEP, () => setInterval(() => undefined, 1)],
    ['setInterval()', SLEEP, () => nodePromises.setInterval(1)],
    ['setImmediate()', SLEEP, () => setImmediate(() => undefined)],
    ['setImmediate()', SLEEP, () => nodePromises.setImmediate()],
    ['scheduler.wait()', SLEEP, () => nodePromises.scheduler.wait(1)],
    ['scheduler.yield()', SLEEP, () => nodePromises.scheduler.yield()],
    ['AbortSignal.timeout()', SLEEP, () => AbortSignal.timeout(1)],
    ['fetch()', GATEWAY, () => fetch('http://127.0.0.1:1')],
    ['new WebSocket()', GATEWAY, () => new WebSocket('ws://127.0.0.1:1')],
    ['net.connect()', GATEWAY, () => kept.connect(1, '127.0.0.1')],
    ['net.connect()', GATEWAY, () => tls.connect(1, '127.0.0.1')],
    ['http.request()', GATEWAY, () => kept.http.get('http://127.0.0.1:1')],
    ['http.request()', GATEWAY, () => https.request('https://127.0.0.1:1')],
    ['server.listen()', GATEWAY, () => net.createServer().listen(0, '127.0.0.1')],
    ['dgram.send()', GATEWAY, () => dgram.createSocket('udp4').send('x', 1, '127.0.0.1')],
    ['dns.lookup()', GATEWAY, () => lookup('localhost', () => undefined)],
    ['dns.resolve4()', GATEWAY, () => dns.promises.resolve4('localhost')],
    ['child_process.spawn()', 'starts no process', () => spawn('true')],
    ['child_process.spawn()', 'starts no process', () => childProcess.exec('true')],
    ['child_process.execSync()', 'starts no process', () => childProcess.execSync('true')],
  ])('%s names %s', (what, instead, reach) => {
    const error = acting.run(guarded, () => thrownBy(reach))
    expect(error).toBeInstanceOf(GlobalReached)
    expect(error.message).toContain(`orders-api 1 called ${what} in a simulated run: `)
    expect(error.message).toContain(instead)
    expect(error.stack?.split('\n')[1]).toContain('globals.test.ts')
  })

  test('also from a module that was loaded by name', async () => {
    const source = 'import { randomUUID } from "node:crypto"; export const fresh = () => randomUUID()'
    const { fresh } = (await import(`data:text/javascript,${source}`)) as { fresh: () => string }
    expect(acting.run(guarded, () => thrownBy(fresh).message)).toContain('crypto.randomUUID()')
    expect(fresh()).toHaveLength(36)
  })

  test('also after it has waited', async () => {
    const late = acting.run(guarded, async () => {
      await Promise.resolve()
      return Date.now()
    })
    await expect(late).rejects.toThrow('orders-api 1 called Date.now()')
  })

  test('and tells of it where the error is swallowed', () => {
    const told: Array<Error> = []
    const swallowing: Actor = { ...guarded, reached: (error) => told.push(error) }
    acting.run(swallowing, () => thrownBy(() => Math.random()))
    expect(told.map(({ message }) => message)).toEqual([expect.stringContaining('Math.random()')])
  })
})

describe('guarded code may', () => {
  property.prop([fc.date({ noInvalidDate: true })])('make dates of times that it was given', (given) => {
    acting.run(guarded, () => {
      const date = new Date(given.getTime())
      expect(date).toEqual(given)
      expect(date).toBeInstanceOf(Date)
      expect(date).toBeInstanceOf(kept.Date)
      expect(date.constructor).toBe(Date)
      expect(Date.parse(date.toISOString())).toBe(date.getTime())
      expect(Date.UTC(date.getUTCFullYear(), 1)).toBe(kept.Date.UTC(date.getUTCFullYear(), 1))
    })
  })
  test('be printed and judged by the test runner, which tells the time by itself', () => {
    expect(acting.run(guarded, () => vi.fn<() => number>(Math.random)())).toBeLessThan(1)
  })
  test('use what needs no time and no chance', async () => {
    const hash = await acting.run(guarded, async () => {
      await new Promise((resolve) => process.nextTick(resolve))
      await new Promise<void>((resolve) => queueMicrotask(resolve))
      clearTimeout(undefined)
      return nodeCrypto.createHash('sha256').update('x').digest('hex')
    })
    expect(hash).toHaveLength(64)
  })
})

describe('outside an actor', () => {
  test('all is as it was', async () => {
    const before = kept.now()
    expect(Date.now()).toBeGreaterThanOrEqual(before)
    expect(new Date().getTime()).toBeGreaterThanOrEqual(before)
    expect(kept.Date.parse(Date())).toBeGreaterThanOrEqual(before - 1000)
    expect(process.hrtime([0, 0])[0]).toBeGreaterThan(0)
    expect(randomUUID()).not.toBe(randomUUID())
    expect(await sleep(0, 'value')).toBe('value')
    expect(await promisify(setTimeout)(0, 'value')).toBe('value')
    await new Promise((resolve) => void setImmediate(resolve))
    const timer = setTimeout(() => expect.unreachable(), 0)
    clearTimeout(timer[Symbol.toPrimitive]())
    await new Promise((resolve) => void setTimeout(resolve, 1))
    await expect(fetch('http://127.0.0.1:1')).rejects.toThrow('fetch failed')
  })
  test('the functions look as they did', () => {
    const names = ['Date', 'setTimeout', 'setInterval', 'setImmediate', 'fetch', 'WebSocket'] as const
    const looks = () => names.map((name) => [globalThis[name].name, globalThis[name].length])
    const patched = looks()
    uninstall()
    expect(patched).toEqual(looks())
  })
  test('what was kept from a run goes on without it', () => {
    const { now } = Date
    uninstall()
    expect(acting.run(guarded, () => now())).toBeGreaterThanOrEqual(NOON_MS)
  })
})

describe('installed', () => {
  property.prop([fc.array(fc.nat({ max: 3 }), { maxLength: 8 })])(
    'any number of times, in any order, everything is restored exactly with the last',
    (order) => {
      uninstall()
      const before = everything()
      const uninstalls = order.map(() => installGlobals({ current }))
      if (order.length > 0) expect(everything()).not.toEqual(before)
      const sorted = uninstalls.map((one, index) => ({ one, rank: order[index] ?? 0 }))
      for (const { one } of sorted.toSorted((a, b) => a.rank - b.rank)) {
        expect(acting.run(guarded, () => thrownBy(() => Date.now()).message)).toContain('Date.now()')
        one()
        one()
      }
      const after = everything()
      for (const [place, properties] of before.entries())
        for (const [index, [key, descriptor]] of properties.entries()) {
          expect(after[place]?.[index]?.[0]).toBe(key)
          expect(after[place]?.[index]?.[1]?.value).toBe(descriptor?.value)
          expect(after[place]?.[index]?.[1]).toEqual(descriptor)
        }
    },
  )
  test('for two simulations, each caller belongs to his own', () => {
    const other = new AsyncLocalStorage<Actor>()
    const leave = installGlobals({ current: () => other.getStore() })
    expect(acting.run(guarded, () => thrownBy(() => Date.now()).message)).toContain('orders-api 1')
    expect(other.run(still('1'), () => Date.now())).toBe(NOON_MS)
    leave()
    expect(other.run(still('1'), () => Date.now())).not.toBe(NOON_MS)
    expect(acting.run(guarded, () => thrownBy(() => Date.now()).message)).toContain('orders-api 1')
  })
})

const drawn = () => [
  Math.random(),
  randomUUID(),
  crypto.randomUUID(),
  [...randomBytes(5)],
  randomInt(10),
  randomInt(5, 2 ** 47),
  [...getRandomValues(new Uint16Array(3))],
  [...nodeCrypto.randomFillSync(new Uint32Array(4), 1, 2)],
  [...nodeCrypto.randomFillSync(new Uint8Array(4), 1)],
]

describe('a virtual actor', () => {
  property.prop([fc.integer({ min: -600_000, max: 600_000 }), fc.integer({ min: -600_000, max: 600_000 })])(
    'tells the run’s time with his own skew, and what passes without it',
    (one, other) => {
      for (const skewMs of [one, other])
        acting.run(still('1', skewMs), () => {
          const wallMs = NOON_MS + skewMs
          expect(Date.now()).toBe(wallMs)
          expect(new Date().getTime()).toBe(wallMs)
          expect(new (class extends Date {})().getTime()).toBe(wallMs)
          expect(new Date()).toBeInstanceOf(kept.Date)
          expect(Date()).toBe(new Date(wallMs).toString())
          expect(performance.now()).toBe(NOON_MS)
          expect(performance.timeOrigin + performance.now()).toBe(wallMs)
          expect(process.uptime() * 1000).toBe(NOON_MS)
          expect(process.hrtime.bigint()).toBe(BigInt(NOON_MS) * 1_000_000n)
          expect(process.hrtime()).toEqual([NOON_MS / 1000, 0])
          expect(process.hrtime([NOON_MS / 1000 - 2, 1])).toEqual([1, 999_999_999])
        })
    },
  )

  property.prop([fc.string(), fc.string()])('draws the same from the same seed alone', (one, other) => {
    const first = acting.run(still(one), drawn)
    expect(acting.run(still(one), drawn)).toEqual(first)
    if (one !== other) expect(acting.run(still(other), drawn)).not.toEqual(first)
    expect(first[1]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(first[4]).toBeOneOf([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect((first[7] as Array<number>)[0]).toBe(0)
    expect((first[7] as Array<number>)[3]).toBe(0)
  })
  test('draws by callback too', async () => {
    const [bytes, number, filled] = await acting.run(still('1'), () =>
      Promise.all([
        promisify(randomBytes)(3),
        promisify<number, number>(randomInt)(10),
        promisify<Uint8Array, Uint8Array>(randomFill)(new Uint8Array(3)),
      ]),
    )
    const again = await acting.run(still('1'), () => promisify(randomBytes)(3))
    expect(again).toEqual(bytes)
    expect(number).toBeLessThan(10)
    expect(filled).toHaveLength(3)
  })
  test('is told what is wrong with his arguments, as ever', () => {
    acting.run(still('1'), () => {
      expect(() => randomInt(3, 2)).toThrow(RangeError)
      expect(() => randomBytes(-1)).toThrow(RangeError)
      expect(() => crypto.getRandomValues(new Uint8Array(70_000))).toThrow('requested length')
      expect(() => Reflect.apply(setTimeout, undefined, ['code'])).toThrow(TypeError)
    })
  })
  test('has no network', () => {
    const error = acting.run(still('1'), () => thrownBy(() => fetch('http://127.0.0.1:1')))
    expect(error.message).toContain('consumer 1 called fetch() in a simulated run')
    expect(error.message).toContain('simulated `requestHandler`')
  })
})
