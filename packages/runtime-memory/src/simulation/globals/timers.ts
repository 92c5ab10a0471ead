/** What waits: the timers of `node:timers`, their promises, and `AbortSignal.timeout`. */
import nodeTimers from 'node:timers'
import nodePromises from 'node:timers/promises'
import { promisify } from 'node:util'
import { caller, type VirtualActor } from './actor.ts'
import { type Answer, type Callable, dressed, method, type Patch, replacement } from './patch.ts'
import type { Reach } from './reach.ts'
import { abortable, ticks } from './timer-promises.ts'
import { timerNumbered, VirtualTimer } from './virtual-timer.ts'

const reach = (what: string): Reach => ({
  what,
  instead:
    'wait with the clock that you are given, `clock.sleep(ms)`, and in a process with a timer, `schedule(name, dueMs)`.',
})

const replaced = (what: string, answer: Answer) => (original: Callable) =>
  replacement(original, reach(what), answer)

export const timerPatches = (): ReadonlyArray<Patch> => {
  const promises = [
    ...method([nodePromises], 'setTimeout', replaced('setTimeout()', waited('setTimeout'))),
    ...method([nodePromises], 'setImmediate', replaced('setImmediate()', soon)),
    ...method([nodePromises], 'setInterval', replaced('setInterval()', ticking)),
  ]
  const promised = (key: string): unknown => promises.find((patch) => patch.key === key)?.descriptor.value
  const timers = [nodeTimers, globalThis]
  const scheduler = Object.getPrototypeOf(nodePromises.scheduler) as object
  return [
    ...promises,
    ...method(timers, 'setTimeout', timerFrom('setTimeout', promised('setTimeout'))),
    ...method(timers, 'setInterval', timerFrom('setInterval')),
    ...method(timers, 'setImmediate', timerFrom('setImmediate', promised('setImmediate'))),
    ...['clearTimeout', 'clearInterval', 'clearImmediate'].flatMap((key) => method(timers, key, clearing)),
    ...method([scheduler], 'wait', replaced('scheduler.wait()', waitedUntil)),
    ...method([scheduler], 'yield', replaced('scheduler.yield()', yielded)),
    ...method([AbortSignal], 'timeout', replaced('AbortSignal.timeout()', aborted)),
  ]
}

/** The longest that Node waits, in milliseconds; whatever is longer, or no number, waits for one. */
const LONGEST_MS = 2 ** 31 - 1

const delayOf = (given: unknown): number => {
  const delayMs = Number(given)
  return delayMs >= 1 && delayMs <= LONGEST_MS ? Math.trunc(delayMs) : 1
}

/** A function that makes a timer; `util.promisify` turns it into its promise. */
const timerFrom =
  (key: 'setTimeout' | 'setInterval' | 'setImmediate', promised?: unknown) =>
  (original: Callable): unknown => {
    const answer: Answer = (actor, [callback, ...rest]) => {
      // Node's own function says what is wrong with it.
      if (typeof callback !== 'function') return original(callback)
      const [delayMs, given] = key === 'setImmediate' ? [0, rest] : [delayOf(rest[0]), rest.slice(1)]
      const what = key === 'setImmediate' ? key : `${key} ${delayMs}`
      const timing = { what, delayMs, repeats: key === 'setInterval' }
      return new VirtualTimer(actor, timing, function () {
        Reflect.apply(callback, this, given)
      })
    }
    const custom = { value: promised, writable: false, enumerable: true, configurable: true }
    const except = promised === undefined ? {} : { [promisify.custom]: custom }
    return replacement(original, reach(`${key}()`), answer, except)
  }

const clearing = (original: Callable): Callable => {
  const cleared: Callable = function (...args) {
    const [timer] = args
    if (timer instanceof VirtualTimer) return void timer.close()
    const actor = typeof timer === 'number' || typeof timer === 'string' ? caller() : undefined
    const numbered = actor?.globals === 'virtual' ? timerNumbered(actor, timer) : undefined
    return numbered === undefined ? Reflect.apply(original, this, args) : void numbered.close()
  }
  return dressed(cleared, original)
}

interface WaitOptions {
  readonly signal?: AbortSignal
}

const waited =
  (what: string): Answer =>
  (actor, [delay, value, options]) => {
    const delayMs = delayOf(delay)
    return abortable(actor, { what: `${what} ${delayMs}`, delayMs }, signalOf(options)).then(() => value)
  }

const soon: Answer = (actor, [value, options]) =>
  abortable(actor, { what: 'setImmediate', delayMs: 0 }, signalOf(options)).then(() => value)

const waitedUntil: Answer = (actor, [delay, options], original) =>
  waited('scheduler.wait')(actor, [delay, undefined, options], original)

const yielded: Answer = (actor) => abortable(actor, { what: 'scheduler.yield', delayMs: 0 }, undefined)

const ticking: Answer = (actor, [delay, value, options]) => {
  const delayMs = delayOf(delay)
  return ticks(actor, { what: `setInterval ${delayMs}`, delayMs, repeats: true }, value, signalOf(options))
}

const signalOf = (options: unknown): AbortSignal | undefined => (options as WaitOptions | undefined)?.signal

const aborted: Answer = (actor: VirtualActor, [delay]) => {
  const controller = new AbortController()
  const timing = { what: `AbortSignal.timeout ${Number(delay)}`, delayMs: delayOf(delay) }
  const timer = new VirtualTimer(actor, timing, () =>
    controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError')),
  )
  timer.unref()
  return controller.signal
}
