/**
 * The kernel: virtual time, seeded chance, and every port operation as an effect with a name.
 *
 * Two modes behind one interface. *Immediate*: an effect is applied at once. *Stepped*: effects are parked; one at a
 * time is applied and answered, then everything that follows from it runs until it waits again, then the next one.
 * While anything is parked time stands still; when nothing is, it jumps to the next timer.
 *
 * Law: a run repeats exactly from its seed and its choices, whatever the machine does meanwhile; its trace tells.
 */
import type { Clock } from '@everfold/core'
import { type Actor, type Actors, actorsOf, type Life, type LifeOptions } from './actors.ts'
import { type Driver, driverOf } from './driver.ts'
import {
  type Choose,
  CRASH_AFTER,
  CRASH_BEFORE,
  type Effect,
  type Failing,
  keyOf,
  LANDS_LATE,
  LANDS_SOON,
  OVERTAKEN_BY_FEW,
  OVERTAKEN_BY_MANY,
  offersOf,
  type Perform,
  REQUEST_LOST,
  RESPONSE_LOST,
  SLOW,
} from './effect.ts'
import { draw, hashOf } from './random.ts'
import { virtualWorld, type World } from './virtual-world.ts'

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

/** What happened at a step of a run: an effect, once it was applied, or was not. */
export interface Happened {
  readonly key: string
  readonly effect: Effect
  readonly deviation?: string
  /** What the port answered; absent where nothing was applied. */
  readonly answer?: unknown
}

export interface VirtualOptions {
  readonly seed?: string | number
  readonly mode?: 'immediate' | 'stepped'
  /** When virtual time begins, in milliseconds since 1970. */
  readonly startMs?: number
  /** How many later effects may overtake one, by the seed's choice; 0 is first come, first served. */
  readonly overtaking?: number
  /** Asked once for each effect of a stepped run, when it is asked for; all is benign unless told. */
  readonly choose?: Choose
  /** Told of each effect of a stepped run when it happens. */
  readonly happened?: (happened: Happened) => void
  /** What a step waits for: `turns` of the event loop, or, four times as fast, for code that uses `promises` alone. */
  readonly waits?: 'turns' | 'promises'
}

export interface VirtualKernel extends Kernel, Omit<Driver, 'pump'> {
  /** Somebody who can end and die; the life of whoever acts in `body` and in all that follows from it. */
  live<A>(this: void, name: string, options: LifeOptions, body: (life: Life) => A): A
  /** Who acts just now. */
  current(this: void): Actor
  /** The keys of a stepped run's effects and timers, in the order in which they happened. */
  readonly trace: ReadonlyArray<string>
  /** Equal for equal traces, and short. */
  traceHash(this: void): string
}

/** The first of January 2026. */
const START_MS = 1_767_225_600_000

export const virtualKernel = (options: VirtualOptions = {}): VirtualKernel => {
  const { mode = 'stepped', startMs = START_MS, waits = 'turns' } = options
  const seed = String(options.seed ?? 0)
  const overtaking = mode === 'stepped' ? (options.overtaking ?? 16) : 0
  const later = overtaking === 0 ? () => 0 : (key: string) => draw(seed, key) * overtaking
  const world = virtualWorld(startMs, later)
  const actors = actorsOf(seed)
  const { pump, ...driver } = driverOf(world, actors, waits)
  const sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const { name, life } = actors.current()
      if (life?.state === 'dead') return
      const dueMs = world.nowMs() + Math.max(0, Math.ceil(ms))
      // Who returns without having slept enough leaves nothing undone, as with any timer.
      const wake = life === undefined ? resolve : () => life.rings(resolve)
      world.schedule(dueMs, `${name}: sleep`, wake)
      if (mode === 'immediate') pump(dueMs)
    })
  return {
    nowMs: world.nowMs,
    sleep,
    random: actors.random,
    bytes: (length) => Uint8Array.from({ length }, () => Math.floor(actors.random() * 256)),
    port: mode === 'immediate' ? immediate : stepped({ world, actors, options, later }),
    at: (dueMs, what, callback) => world.schedule(Math.ceil(dueMs), what, callback),
    as: actors.as,
    live: actors.live,
    current: actors.current,
    ...driver,
    trace: world.trace,
    traceHash: () => hashOf(world.trace),
  }
}

/** Applies an effect at once, whoever asks. */
export const immediate =
  (_port: string): Perform =>
  (_operation, _subject, apply) =>
    Promise.resolve(apply())

interface Stepping {
  readonly world: World
  readonly actors: Actors
  readonly options: VirtualOptions
  readonly later: (key: string) => number
}

/** Parks an effect until the driver comes to it. */
const stepped = ({ world, actors, options, later }: Stepping): ((port: string) => Perform) => {
  const attempts = new Map<string, number>()
  return (port) => {
    const numbered = (actor: string, operation: string, subject: string): Effect => {
      const asked = `${actor}: ${port}.${operation} ${subject}`
      const attempt = (attempts.get(asked) ?? 0) + 1
      attempts.set(asked, attempt)
      return { actor, port, operation, subject, attempt }
    }
    return <A>(operation: string, subject: string, apply: () => A, failing?: Failing<A>) =>
      new Promise<A>((resolve, reject) => {
        const actor = actors.current()
        const { life } = actor
        if (life?.state === 'dead') return
        const effect = numbered(actor.name, operation, subject)
        const key = keyOf(effect)
        if (life?.state === 'ended') life.options.afterEnd?.(key)
        const deviation = options.choose?.(key, offersOf(failing, life !== undefined), effect)
        life?.began()
        const tell = (settle: () => void) => (life === undefined ? settle() : life.answered(settle))
        const perform = (known: boolean) => {
          let answer: A
          try {
            answer = apply()
          } catch (error) {
            if (known) tell(() => reject(error instanceof Error ? error : new Error(String(error))))
            return error
          }
          if (known) tell(() => resolve(answer))
          return answer
        }
        const unknown = () => {
          if (failing === undefined) throw new Error(`no failure is known of ${key}`)
          const answer = failing.unanswered()
          tell(() => resolve(answer))
        }
        const happen = () => {
          actors.acted(effect.actor, key)
          const answer = become(deviation, { perform, unknown, kill: () => life?.kill(), land })
          options.happened?.({ key, effect, ...(deviation === undefined ? {} : { deviation }), answer })
        }
        const land = (afterMs: number) => {
          const landed = () => {
            const answer = perform(false)
            options.happened?.({ key: `${key} lands`, effect, answer })
          }
          world.schedule(world.nowMs() + afterMs, `${key} lands`, landed)
        }
        if (deviation === SLOW)
          world.schedule(world.nowMs() + SLOW_MS, `${key} was ${SLOW}`, () => world.park({ key, happen }, 0))
        else world.park({ key, happen }, OVERTAKEN.get(deviation) ?? later(key))
      })
  }
}

const SLOW_MS = 20_000
const OVERTAKEN: ReadonlyMap<string | undefined, number> = new Map([
  [OVERTAKEN_BY_FEW, 3],
  [OVERTAKEN_BY_MANY, 30],
])
const LANDING_MS = { [LANDS_SOON]: 50, [LANDS_LATE]: 30_000 }

interface Becoming {
  /** Applies it, and tells the answer where that is to be known. */
  readonly perform: (known: boolean) => unknown
  readonly unknown: () => void
  readonly kill: () => void
  readonly land: (afterMs: number) => void
}

const become = (deviation: string | undefined, { perform, unknown, kill, land }: Becoming): unknown => {
  switch (deviation) {
    case REQUEST_LOST:
      return unknown()
    case RESPONSE_LOST: {
      const answer = perform(false)
      unknown()
      return answer
    }
    case LANDS_SOON:
    case LANDS_LATE:
      land(LANDING_MS[deviation])
      return unknown()
    case CRASH_BEFORE:
      return kill()
    case CRASH_AFTER: {
      const answer = perform(false)
      kill()
      return answer
    }
    default:
      return perform(true)
  }
}
