/**
 * The kernel: virtual time, seeded chance, and every port operation as an effect with a name.
 *
 * Two modes behind one interface. *Immediate*: an effect is applied at once. *Stepped*: effects are parked; one at a
 * time is applied and answered, then everything that follows from it runs until it waits again, then the next one.
 * While anything is parked time stands still; when nothing is, it jumps to the next timer.
 *
 * Law: a run repeats exactly from its seed, whatever the machine does meanwhile; its trace tells.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Clock } from '@everfold/core'
import { type Agenda, agenda } from './agenda.ts'
import { draw, runningHash, sequence } from './random.ts'

/** What a port asks of the world: applied in one piece, at a time the kernel chooses. */
export type Perform = <A>(operation: string, subject: string, apply: () => A) => Promise<A>

/** What the ports and the runtime stand on; on virtual time (`virtualKernel`) or on real time (`realKernel`). */
export interface Kernel extends Clock {
  /** The effects of the port of this name. */
  port(this: void, name: string): Perform
  /** Calls back once, at or after `dueMs`; the function it answers cancels that. */
  at(this: void, dueMs: number, what: string, callback: () => void): () => void
  /** Bytes that nobody guesses, as far as the kernel's chance allows. */
  bytes(this: void, length: number): Uint8Array
  /** Names who asks for the effects in `body` and in all that follows from it. */
  as<A>(this: void, actor: string, body: () => A): A
}

/** The name of an effect: the same request of the same actor has it in every run. */
export interface Effect {
  readonly actor: string
  readonly port: string
  readonly operation: string
  readonly subject: string
  /** How often the actor has asked for just this, this time included. */
  readonly attempt: number
}

export const keyOf = ({ actor, port, operation, subject, attempt }: Effect): string =>
  `${actor}: ${port}.${operation} ${subject} #${attempt}`

/** What becomes of an effect; a fault plan answers otherwise for the keys that it names. */
export type Verdict = 'benign'

export interface VirtualOptions {
  readonly seed?: string | number
  readonly mode?: 'immediate' | 'stepped'
  /** When virtual time begins, in milliseconds since 1970. */
  readonly startMs?: number
  /** How many later effects may overtake one, by the seed's choice; 0 is first come, first served. */
  readonly overtaking?: number
  /** Asked once for each effect of a stepped run. */
  readonly decide?: (key: string, effect: Effect) => Verdict
}

export interface VirtualKernel extends Kernel {
  /** Drives until `main` has settled. Throws where nothing can happen any more and it has not. */
  run<A>(this: void, main: () => Promise<A>): Promise<A>
  /** Drives until nothing is parked and no timer is due up to then (now, unless told), and it is then. */
  settle(this: void, untilMs?: number): Promise<void>
  /** Work that is not made of our effects (an SDK in process): nothing else moves until it has settled. */
  outside<A>(this: void, work: () => Promise<A>): Promise<A>
  /** The keys of a stepped run's effects and timers, in the order in which they happened. */
  readonly trace: ReadonlyArray<string>
  /** Equal for equal traces; cheap to compare. */
  traceHash(this: void): string
}

/** One thing that can happen next. */
interface Parked {
  readonly key: string
  readonly happen: () => void
}

interface Timer {
  readonly key: string
  readonly callback: () => void
  canceled: boolean
}

/** Captured when the module loads, because a simulation may replace the global ones. */
const macrotask = setImmediate

/** All that runs without waiting for us has run: promise jobs are drained before a macrotask starts. */
const quiet = (): Promise<void> => new Promise((resolve) => void macrotask(resolve))

/** The first of January 2026. */
const START_MS = 1_767_225_600_000

export const virtualKernel = (options: VirtualOptions = {}): VirtualKernel => {
  const { mode = 'stepped', startMs = START_MS } = options
  const seed = String(options.seed ?? 0)
  const world = virtualWorld(seed, startMs, mode === 'stepped' ? (options.overtaking ?? 16) : 0)
  const actors = actorsOf(seed)
  const driver = driverOf(world, actors)
  const perform =
    mode === 'immediate' ? immediate : stepped(world, actors, options.decide ?? (() => 'benign'))
  const sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const dueMs = world.nowMs() + Math.max(0, Math.ceil(ms))
      world.schedule(dueMs, `${actors.current()}: sleep`, resolve)
      if (mode === 'immediate') driver.pump(dueMs)
    })
  return {
    nowMs: world.nowMs,
    sleep,
    random: actors.random,
    bytes: (length) => Uint8Array.from({ length }, () => Math.floor(actors.random() * 256)),
    port: perform,
    at: (dueMs, what, callback) => world.schedule(Math.ceil(dueMs), what, callback),
    as: actors.as,
    run: driver.run,
    settle: driver.settle,
    outside: driver.outside,
    trace: world.trace,
    traceHash: world.hash.value,
  }
}

/** Applies an effect at once, whoever asks. */
export const immediate =
  (_port: string): Perform =>
  (_operation, _subject, apply) =>
    Promise.resolve(apply())

/** Parks an effect until the driver comes to it. */
const stepped = (
  world: World,
  actors: Actors,
  decide: NonNullable<VirtualOptions['decide']>,
): ((port: string) => Perform) => {
  const attempts = new Map<string, number>()
  return (port) => (operation, subject, apply) =>
    new Promise((resolve, reject) => {
      const request = { actor: actors.current(), port, operation, subject, attempt: 0 }
      const asked = keyOf(request)
      const attempt = (attempts.get(asked) ?? 0) + 1
      attempts.set(asked, attempt)
      const effect: Effect = { ...request, attempt }
      const key = keyOf(effect)
      const happen = () => {
        actors.acted(effect.actor, key)
        switch (decide(key, effect)) {
          case 'benign':
            try {
              resolve(apply())
            } catch (error) {
              reject(error instanceof Error ? error : new Error(String(error)))
            }
        }
      }
      world.park({ key, happen })
    })
}

interface World {
  nowMs(this: void): number
  park(this: void, parked: Parked): void
  schedule(this: void, dueMs: number, key: string, callback: () => void): () => void
  /** Lets the next thing happen, at a time up to the horizon; false where there is none. */
  step(this: void, horizonMs: number): boolean
  /** Moves time on, never back. */
  reach(this: void, timeMs: number): void
  readonly trace: Array<string>
  readonly hash: ReturnType<typeof runningHash>
}

const virtualWorld = (seed: string, startMs: number, overtaking: number): World => {
  const parked = agenda<Parked>()
  const timers = agenda<Timer>()
  const trace: Array<string> = []
  const hash = runningHash()
  let nowMs = startMs
  let steps = 0
  const park = (one: Parked) =>
    parked.add(overtaking === 0 ? 0 : steps + draw(seed, one.key) * overtaking, one)
  const reach = (timeMs: number) => {
    nowMs = Math.max(nowMs, timeMs)
  }
  const step = (horizonMs: number): boolean => {
    if (parked.size() === 0) reach(nextDue(timers, horizonMs) ?? nowMs)
    // Timers that are due compete with the effects, so that actors who wake at one time interleave.
    for (let due = dueTimer(timers, nowMs); due !== undefined; due = dueTimer(timers, nowMs)) {
      const { key, callback } = due
      park({ key: `${nowMs} ${key}`, happen: callback })
    }
    const next = parked.take()
    if (next === undefined) return false
    steps += 1
    trace.push(next.key)
    hash.add(next.key)
    next.happen()
    return true
  }
  const schedule = (dueMs: number, key: string, callback: () => void) => {
    const timer: Timer = { key, callback: () => (timer.canceled ? undefined : callback()), canceled: false }
    timers.add(dueMs, timer)
    return () => {
      timer.canceled = true
    }
  }
  return { nowMs: () => nowMs, park, schedule, step, reach, trace, hash }
}

/** When the next timer is due, if that is not after the horizon. */
const nextDue = (timers: Agenda<Timer>, horizonMs: number): number | undefined => {
  while (timers.peek()?.item.canceled === true) timers.take()
  const next = timers.peek()
  return next === undefined || next.rank > horizonMs ? undefined : next.rank
}

const dueTimer = (timers: Agenda<Timer>, nowMs: number): Timer | undefined =>
  nextDue(timers, nowMs) === undefined ? undefined : timers.take()

interface Actors {
  as<A>(this: void, actor: string, body: () => A): A
  current(this: void): string
  /** Each actor draws from its own sequence, so that none shifts another's. */
  random(this: void): number
  acted(this: void, actor: string, key: string): void
  /** Who has begun and not ended, and what each did last. */
  waiting(this: void): ReadonlyArray<string>
}

const actorsOf = (seed: string): Actors => {
  const storage = new AsyncLocalStorage<string>()
  const chance = new Map<string, () => number>()
  const last = new Map<string, string>()
  const alive = new Map<string, number>()
  const current = () => storage.getStore() ?? 'main'
  const count = (actor: string, change: number) => {
    const left = (alive.get(actor) ?? 0) + change
    if (left === 0) alive.delete(actor)
    else alive.set(actor, left)
  }
  const as = <A>(actor: string, body: () => A): A => {
    const result = storage.run(actor, body)
    if (!(result instanceof Promise)) return result
    count(actor, 1)
    const ended = () => count(actor, -1)
    result.then(ended, ended)
    return result
  }
  const random = () => {
    const actor = current()
    let next = chance.get(actor)
    if (next === undefined) chance.set(actor, (next = sequence(`${seed}/${actor}`)))
    return next()
  }
  const acted = (actor: string, key: string) => void last.set(actor, key)
  const waiting = () =>
    [...alive.keys()].map((actor) => `${actor}, whose last effect was ${last.get(actor) ?? 'none'}`)
  return { as, current, random, acted, waiting }
}

type Driver = Pick<VirtualKernel, 'run' | 'settle' | 'outside'> & { pump(this: void, dueMs: number): void }

const driverOf = (world: World, actors: Actors): Driver => {
  let driving = false
  /** Until when those sleep who began to while somebody drove, who may leave them asleep. */
  let owedMs: number | undefined
  const foreign = new Set<Promise<unknown>>()
  const idle = async () => {
    await quiet()
    while (foreign.size > 0) {
      await Promise.allSettled(foreign)
      await quiet()
    }
  }
  const drive = async <A>(body: () => Promise<A>): Promise<A> => {
    if (driving) throw new Error('the kernel is already being driven: inside a run, wait with its sleep')
    driving = true
    try {
      return await body()
    } finally {
      driving = false
      const dueMs = owedMs
      owedMs = undefined
      if (dueMs !== undefined) pump(dueMs)
    }
  }
  const run = <A>(main: () => Promise<A>) =>
    drive(async () => {
      let settled = false
      const ended = () => {
        settled = true
      }
      const result = actors.as('main', main)
      result.then(ended, ended)
      for (;;) {
        await idle()
        if (settled) return result
        if (!world.step(Number.POSITIVE_INFINITY)) throw deadlock(actors)
      }
    })
  const settle = (untilMs: number = world.nowMs()) =>
    drive(async () => {
      do await idle()
      while (world.step(untilMs))
      world.reach(untilMs)
    })
  const outside = <A>(work: () => Promise<A>): Promise<A> => {
    const working = work()
    foreign.add(working)
    const ended = () => void foreign.delete(working)
    working.then(ended, ended)
    return working
  }
  /** Without a run, sleepers wake once everything else waits. */
  const pump = (dueMs: number) => {
    if (driving) owedMs = Math.max(dueMs, owedMs ?? dueMs)
    else void wake(dueMs)
  }
  const wake = async (dueMs: number) => {
    for (;;) {
      await idle()
      if (driving) return pump(dueMs)
      if (world.nowMs() > dueMs || !world.step(dueMs)) return
    }
  }
  return { run, settle, outside, pump }
}

const deadlock = (actors: Actors): Error =>
  new Error(`nothing is parked, no timer is set, and these still wait: ${actors.waiting().join('; ')}`)
