/** What the handlers of a run get of Node's globals: refusals at the level of the ports, virtual ones at the SDK's. */
import type { Life } from '../actors.ts'
import type { VirtualKernel } from '../kernel.ts'
import type { Actor, Current } from './globals/actor.ts'
import { installGlobals } from './globals/installation.ts'
import type { Judge } from './oracle/judge.ts'

export type Globals = Actor['globals']

/** Who is asked for, by the kernel of a run: handlers alone; our own code and the test around it are nobody. */
export const currentOf = (kernel: VirtualKernel, judge: Judge, globals: Globals): Current => {
  const actors = new WeakMap<Life, Actor>()
  return () => {
    const { life } = kernel.current()
    if (life === undefined) return undefined
    let actor = actors.get(life)
    if (actor === undefined) {
      const reached = ({ message, stack }: Error) => judge.broken('handler', message, stack)
      const { name } = life
      const { skewMs = () => 0 } = life.options
      actor =
        globals === 'guarded'
          ? { globals, name, reached }
          : {
              globals,
              name,
              nowMs: kernel.nowMs,
              skewMs,
              random: kernel.random,
              at: (dueMs, what, callback) => kernel.at(dueMs, `${name}: ${what}`, () => life.rings(callback)),
            }
      actors.set(life, actor)
    }
    return actor
  }
}

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
