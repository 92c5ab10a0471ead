/** Who acts in a virtual run, by name; and lives, which end, or are cut short between any two effects. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { sequence } from './random.ts'

/**
 * One invocation of a function, say. What it asked for and has no answer to when it ends is held back: a frozen
 * sandbox hears nothing. To one that died nothing is answered ever again, and none of its `catch` or `finally` runs.
 */
export interface Life {
  readonly name: string
  readonly state: 'running' | 'ended' | 'dead'
  /** Effects that were asked for and not answered. */
  readonly outstanding: number
  /** It has returned. */
  end(this: void): void
  /** It is gone, at once and without a word. */
  kill(this: void): void
  /**
   * A sandbox that is used again goes on with what it had begun: what was held arrives, and what is still to come
   * arrives while the heir runs.
   */
  thaw(this: void, heir: Life): void
}

export interface LifeOptions {
  /** Told when it dies. */
  readonly died?: () => void
  /** Told of every effect that is asked for after the end. */
  readonly afterEnd?: (effect: string) => void
  /** How far its own clock is ahead of the time, in milliseconds. */
  readonly skewMs?: () => number
}

interface Living extends Life {
  readonly options: LifeOptions
  began(this: void): void
  /** An answer arrives, or is held back, or never does. */
  answered(this: void, settle: () => void): void
  /** The same with what it need not wait for: a timer of its own. */
  rings(this: void, callback: () => void): void
}

export interface Actor {
  readonly name: string
  readonly life: Living | undefined
}

export interface Actors {
  as<A>(this: void, actor: string, body: () => A): A
  live<A>(this: void, name: string, options: LifeOptions, body: (life: Life) => A): A
  current(this: void): Actor
  /** Each actor draws from its own sequence, so that none shifts another's. */
  random(this: void): number
  acted(this: void, actor: string, key: string): void
  /** Who has begun and not ended, and what each did last. */
  waiting(this: void): ReadonlyArray<string>
}

const MAIN: Actor = { name: 'main', life: undefined }

export const actorsOf = (seed: string): Actors => {
  const storage = new AsyncLocalStorage<Actor>()
  const chance = new Map<string, () => number>()
  const last = new Map<string, string>()
  const alive = new Map<string, number>()
  const current = () => storage.getStore() ?? MAIN
  const count = (actor: string, change: number) => {
    const left = (alive.get(actor) ?? 0) + change
    if (left === 0) alive.delete(actor)
    else alive.set(actor, left)
  }
  const enter = <A>(actor: Actor, body: () => A): A => {
    const result = storage.run(actor, body)
    if (!(result instanceof Promise)) return result
    count(actor.name, 1)
    const ended = () => count(actor.name, -1)
    result.then(ended, ended)
    return result
  }
  const random = () => {
    const { name } = current()
    let next = chance.get(name)
    if (next === undefined) chance.set(name, (next = sequence(`${seed}/${name}`)))
    return next()
  }
  const acted = (actor: string, key: string) => void last.set(actor, key)
  const waiting = () =>
    [...alive.keys()].map((actor) => `${actor}, whose last effect was ${last.get(actor) ?? 'none'}`)
  return {
    as: (name, body) => enter({ name, life: current().life }, body),
    live: (name, options, body) => {
      const life = lifeOf(name, options)
      return enter({ name, life }, () => body(life))
    },
    current,
    random,
    acted,
    waiting,
  }
}

const lifeOf = (name: string, options: LifeOptions): Living => {
  const held: Array<() => void> = []
  let heir: Living | undefined
  const arrive = (callback: () => void) => {
    if (life.state === 'running') callback()
    else if (life.state === 'ended' && heir !== undefined) heir.rings(callback)
    else if (life.state === 'ended') held.push(callback)
  }
  const life = {
    name,
    options,
    state: 'running' as Life['state'],
    outstanding: 0,
    began: () => {
      life.outstanding += 1
    },
    answered: (settle: () => void) => {
      life.outstanding -= 1
      arrive(settle)
    },
    rings: arrive,
    end: () => {
      if (life.state === 'running') life.state = 'ended'
    },
    kill: () => {
      if (life.state === 'dead') return
      life.state = 'dead'
      options.died?.()
    },
    thaw: (next: Life) => {
      heir = next as Living
      for (const settle of held.splice(0)) heir.rings(settle)
    },
  }
  return life
}
