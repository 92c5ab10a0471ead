/** A reach for a global that a simulated run refuses: what it was, whose, and what to use instead. */
import type { Actor } from './actor.ts'

export interface Reach {
  /** As one writes it: `Date.now()`. */
  readonly what: string
  /** What to use instead, as a sentence's end. */
  readonly instead: string
  /** What a gateway's implementation is to do instead, as a sentence's end, where that is something else. */
  readonly behindGateway?: string
}

/** A global was called that would make the run differ from its replay. */
export class GlobalReached extends Error {
  override readonly name = 'GlobalReached'
  readonly actor: string
  readonly what: string

  constructor({ name, gateway }: Pick<Actor, 'name' | 'gateway'>, reach: Reach) {
    const { what } = reach
    const instead = gateway === true ? (reach.behindGateway ?? reach.instead) : reach.instead
    super(`${name}${gateway === true ? ', in a gateway,' : ''} called ${what} in a simulated run: ${instead}`)
    this.actor = name
    this.what = what
  }
}

/** A test's output and expectations may be asked for inside a handler, and tell the time by themselves. */
const TEST_RUNNER = /[\\/]node_modules[\\/]@?vitest[\\/]/

const FRAMES = 50

/**
 * Throws, with the caller's line at the top of the stack, whatever of Node lies between; `entry` is what he called.
 * Returns where the caller is the test runner, which is no part of the run.
 */
export const refuse = (
  actor: Actor,
  reach: Reach,
  entry: (...args: ReadonlyArray<never>) => unknown,
): void => {
  const error = new GlobalReached(actor, reach)
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = FRAMES
  Error.captureStackTrace(error, entry)
  Error.stackTraceLimit = limit
  const [title = '', ...frames] = (error.stack ?? '').split('\n')
  const first = frames.findIndex((frame) => !/^\s*at .*\bnode:/.test(frame))
  const shown = first < 0 ? frames : frames.slice(first)
  if (TEST_RUNNER.test(shown[0] ?? '')) return
  error.stack = [title, ...shown.slice(0, Math.max(limit, 1))].join('\n')
  actor.reached?.(error)
  throw error
}
