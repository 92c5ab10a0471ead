/** What the handlers of a run get of Node's globals: refusals at the level of the ports, virtual ones at the SDK's. */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Life } from '../actors.ts'
import type { VirtualKernel } from '../kernel.ts'
import type { Actor, Current } from './globals/actor.ts'
import { installGlobals } from './globals/installation.ts'
import type { Judge } from './oracle/judge.ts'
import { stackOfThrown, wordsOfThrown } from './oracle/thrown.ts'

export type Globals = Actor['globals']

/** Who is asked for, by the kernel of a run: handlers alone; our own code and the test around it are nobody. */
export const currentOf = (kernel: VirtualKernel, judge: Judge, level: Globals): Current => {
  const own = new WeakMap<Life, Actor>()
  const foreign = new WeakMap<Life, Actor>()
  return () => {
    const { life } = kernel.current()
    if (life === undefined) return named.getStore()
    const byOthers = others.getStore() === true
    const globals = byOthers ? 'virtual' : level
    const actors = byOthers ? foreign : own
    let actor = actors.get(life)
    if (actor === undefined) {
      const reached = ({ message, stack }: Error) => judge.broken('handler', message, stack)
      const rejected = (reason: unknown) =>
        judge.broken(
          'handler',
          `a handler waits for what it begins, and ${life.name} left a promise behind that was rejected: ${wordsOfThrown(reason)}`,
          stackOfThrown(reason),
        )
      const { name } = life
      const { skewMs = () => 0 } = life.options
      actor =
        globals === 'guarded'
          ? { globals, name, reached, rejected }
          : {
              globals,
              name,
              nowMs: kernel.nowMs,
              skewMs,
              rejected,
              ...(byOthers ? { gateway: true } : {}),
              random: kernel.random,
              at: (dueMs, what, callback) => kernel.at(dueMs, `${name}: ${what}`, () => life.rings(callback)),
            }
      actors.set(life, actor)
    }
    return actor
  }
}

const named = new AsyncLocalStorage<Actor>()

/** For code that runs in no life, such as what the oracle asks of the service. */
export const inTheNameOf = <A>(actor: Actor, body: () => A): A => named.run(actor, body)

const others = new AsyncLocalStorage<true>()

/** For code that is not ours to change, such as a provider's SDK: at every level its globals are virtual. */
export const withVirtualGlobals = <A>(body: () => A): A => others.run(true, body)

const nobody: Current = () => undefined

/** Installing costs a millisecond, as much as a run: whoever makes many runs holds the globals meanwhile. */
export const holdingGlobals = async <A>(body: () => Promise<A>): Promise<A> => {
  const release = installGlobals({ current: nobody })
  try {
    return await body()
  } finally {
    release()
  }
}
