/**
 * What tells the time.
 *
 * `Date` is the actor's wall clock, skew included. What only moves on (`performance.now`, `process.hrtime`) goes by
 * the run's time, as if the process had begun in 1970: so it needs no beginning that differed between runs.
 */
import { caller, type VirtualActor } from './actor.ts'
import { type Answer, type Callable, dressed, getter, method, type Patch, replacement } from './patch.ts'
import { type Reach, refuse } from './reach.ts'

const reach = (what: string): Reach => ({
  what,
  instead:
    'take the time from the clock that you are given, `clock.nowMs()`, and in a decider from `context.timeMs`.',
})

/** What the actor's wall clock shows, in whole milliseconds since 1970. */
export const wallMs = (actor: VirtualActor): number => Math.floor(actor.nowMs() + (actor.skewMs?.() ?? 0))

export const timePatches = (): ReadonlyArray<Patch> => {
  const now = method([Date], 'now', (original) => replacement(original, reach('Date.now()'), wallMs))
  const date = method([globalThis], 'Date', (original) => dateFrom(original, statics(now)))
  const bigint = method([process.hrtime], 'bigint', (original) =>
    replacement(original, reach('process.hrtime.bigint()'), nanoseconds),
  )
  const pair = method([process], 'hrtime', (original) =>
    replacement(original, reach('process.hrtime()'), hrtime, statics(bigint)),
  )
  return [
    ...now,
    ...date,
    ...date.map(constructorOf),
    ...bigint,
    ...pair,
    ...performancePatches(),
    ...temporalPatches(),
  ]
}

const performancePatches = (): ReadonlyArray<Patch> => {
  const prototype = Object.getPrototypeOf(performance) as object
  return [
    ...method([prototype], 'now', (original) =>
      replacement(original, reach('performance.now()'), (actor) => actor.nowMs()),
    ),
    ...getter(prototype, 'timeOrigin', (original) =>
      replacement(original, reach('performance.timeOrigin'), (actor) => actor.skewMs?.() ?? 0),
    ),
    ...method([process], 'uptime', (original) =>
      replacement(original, reach('process.uptime()'), (actor) => actor.nowMs() / 1000),
    ),
  ]
}

/** Refused at both levels, where the machine has it: a run has no time zone to answer from. */
const temporalPatches = (): ReadonlyArray<Patch> => {
  const { Temporal } = globalThis as { readonly Temporal?: { readonly Now: object } }
  if (Temporal === undefined) return []
  return Object.getOwnPropertyNames(Temporal.Now).flatMap((name) =>
    method([Temporal.Now], name, (original) => replacement(original, reach(`Temporal.Now.${name}()`))),
  )
}

/** What stands on the original function, for its replacement to carry too. */
const statics = (patches: ReadonlyArray<Patch>): PropertyDescriptorMap =>
  Object.fromEntries(patches.map(({ key, descriptor }) => [key, descriptor]))

/** Shares its prototype with the original, so that a date of the one is `instanceof` the other. */
const dateFrom = (original: Callable, own: PropertyDescriptorMap): unknown => {
  const Original = original as unknown as DateConstructor
  const replaced = function (this: unknown, ...args: ReadonlyArray<unknown>): unknown {
    const target = new.target as unknown as NewableFunction | undefined
    if (target !== undefined && args.length > 0) return Reflect.construct(Original, args, target)
    const actor = caller()
    if (actor?.globals === 'guarded')
      refuse(actor, reach(target === undefined ? 'Date()' : 'new Date()'), replaced)
    const given = actor?.globals === 'virtual' ? [wallMs(actor)] : []
    const date = Reflect.construct(Original, given, target ?? Original) as Date
    return target === undefined ? date.toString() : date
  }
  dressed(replaced, Original, own)
  return Object.defineProperty(replaced, 'prototype', { value: Original.prototype, writable: false })
}

/** A date's constructor is what code finds under the name `Date`. */
const constructorOf = ({ descriptor: { value } }: Patch): Patch => ({
  target: Date.prototype,
  key: 'constructor',
  descriptor: { value, writable: true, enumerable: false, configurable: true },
})

/** Nanoseconds of the run's time. */
const nanoseconds = (actor: VirtualActor): bigint => BigInt(Math.round(actor.nowMs() * 1000)) * 1000n

const SECOND = 1_000_000_000n

const hrtime: Answer = (actor, [before]) => {
  const [seconds, rest] = (before ?? [0, 0]) as readonly [number, number]
  const passed = nanoseconds(actor) - BigInt(seconds) * SECOND - BigInt(rest)
  const left = ((passed % SECOND) + SECOND) % SECOND
  return [Number((passed - left) / SECOND), Number(left)]
}
