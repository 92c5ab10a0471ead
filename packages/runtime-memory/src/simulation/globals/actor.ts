/**
 * Whoever reaches for one of Node's globals inside a simulated run, and what he gets of them.
 *
 * What is kept of an actor (his timers) is kept by identity: he is the same object for as long as he lives.
 */

interface Named {
  /** As the run's steps call him. */
  readonly name: string
  /** Whether he is what handlers reach the outside through: for him, there is nothing behind himself. */
  readonly gateway?: true
  /** Told of every reach that is refused, because the code that reached may swallow the error. */
  readonly reached?: (error: Error) => void
  /** Told of every promise of his that was rejected with nobody to hear it. */
  readonly rejected?: (reason: unknown) => void
}

/** Code at the level of the ports: whatever it reaches for is refused, with the name of the argument to use instead. */
interface GuardedActor extends Named {
  readonly globals: 'guarded'
}

/** Code at the level of the SDK: time, timers and chance are answered from the run. */
export interface VirtualActor extends Named {
  readonly globals: 'virtual'
  /** The run's time, in milliseconds since 1970. It never goes back; timers and `performance.now` go by it. */
  nowMs(this: void): number
  /** How far the actor's wall clock, which is what `Date` tells, is ahead of that; 0 unless told. */
  skewMs?(this: void): number
  /** A number in [0, 1), of the actor's own sequence. */
  random(this: void): number
  /** Calls back once, at or after `dueMs` of the run's time; the function it answers cancels that. */
  at(this: void, dueMs: number, what: string, callback: () => void): () => void
}

export type Actor = GuardedActor | VirtualActor

/** The actor in whose name the running code acts, if it is one of a simulated run. */
export type Current = () => Actor | undefined

const lookups = new Map<Current, number>()

const nobody: Current = () => undefined

let lookup: Current = nobody

/** Asked at every call of a patched global. */
export const caller: Current = () => lookup()

/** From now on `current` is asked too; the function it answers ends that. */
export const listen = (current: Current): (() => void) => {
  lookups.set(current, (lookups.get(current) ?? 0) + 1)
  lookup = lookupOf([...lookups.keys()])
  return () => {
    const left = (lookups.get(current) ?? 0) - 1
    if (left > 0) lookups.set(current, left)
    else lookups.delete(current)
    lookup = lookupOf([...lookups.keys()])
  }
}

const lookupOf = (asked: ReadonlyArray<Current>): Current => {
  const [first = nobody] = asked
  if (asked.length < 2) return first
  return () => {
    for (const current of asked) {
      const actor = current()
      if (actor !== undefined) return actor
    }
    return undefined
  }
}
