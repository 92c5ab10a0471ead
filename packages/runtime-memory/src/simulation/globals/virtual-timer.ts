/**
 * A timer of a virtual actor, in the shape of Node's `Timeout`.
 *
 * Law: an actor's timers run in the order in which they are due, and those due together in the order of their creation,
 * as one Node process runs them, in whatever order the kernel calls back.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { VirtualActor } from './actor.ts'

/** A call that the kernel owes: whichever of the timers due then is the oldest takes it. */
interface Slot {
  readonly dueMs: number
  cancel: () => void
}

interface Own {
  /** Oldest first. */
  readonly pending: Set<VirtualTimer>
  /** By the numbers that the code asked for. */
  readonly known: Map<number, VirtualTimer>
  numbers: number
}

const owned = new WeakMap<VirtualActor, Own>()

const ownOf = (actor: VirtualActor): Own => {
  const own = owned.get(actor) ?? { pending: new Set(), known: new Map(), numbers: 0 }
  owned.set(actor, own)
  return own
}

/** The timer that the actor's code knows by this number. */
export const timerNumbered = (actor: VirtualActor, number: unknown): VirtualTimer | undefined =>
  ownOf(actor).known.get(Number(number))

export interface Timing {
  /** What was called: `setTimeout 100`. */
  readonly what: string
  readonly delayMs: number
  readonly repeats?: boolean
}

export class VirtualTimer {
  readonly #actor: VirtualActor
  readonly #own: Own
  readonly #timing: Timing
  readonly #callback: () => void
  #slot: Slot | undefined
  #closed = false
  #referenced = true
  #number: number | undefined

  constructor(actor: VirtualActor, timing: Timing, callback: (this: VirtualTimer) => void) {
    this.#actor = actor
    this.#own = ownOf(actor)
    this.#timing = timing
    // The kernel calls back in nobody's name; the callback goes on in that of its creator.
    const within = AsyncLocalStorage.snapshot()
    this.#callback = () => within(() => Reflect.apply(callback, this, []))
    this.#arm()
  }

  #arm(): void {
    const { name, nowMs, at } = this.#actor
    const { what, delayMs } = this.#timing
    const slot: Slot = { dueMs: nowMs() + delayMs, cancel: () => undefined }
    slot.cancel = at(slot.dueMs, `${name}: ${what}`, () => this.#called(slot))
    this.#slot = slot
    this.#own.pending.add(this)
  }

  /** The oldest that is due then runs; the timer that the slot was made for waits on in the other's. */
  #called(slot: Slot): void {
    const due = [...this.#own.pending].filter(
      (timer) => timer.#slot !== undefined && timer.#slot.dueMs === slot.dueMs,
    )
    const holder = due.find((timer) => timer.#slot === slot)
    const [oldest] = due
    if (holder === undefined || oldest === undefined) return
    holder.#slot = oldest.#slot
    oldest.#slot = slot
    oldest.#run()
  }

  #run(): void {
    this.#disarm()
    try {
      this.#callback()
    } finally {
      if (this.#timing.repeats === true && !this.#closed && this.#slot === undefined) this.#arm()
      if (this.#slot === undefined && this.#number !== undefined) this.#own.known.delete(this.#number)
    }
  }

  #disarm(): void {
    this.#slot = undefined
    this.#own.pending.delete(this)
  }

  close(): this {
    this.#slot?.cancel()
    this.#disarm()
    this.#closed = true
    if (this.#number !== undefined) this.#own.known.delete(this.#number)
    return this
  }

  /** Begins anew, also where it has run. */
  refresh(): this {
    if (this.#closed) return this
    this.#slot?.cancel()
    this.#disarm()
    this.#arm()
    return this
  }

  ref(): this {
    this.#referenced = true
    return this
  }

  /** Told by `hasRef` alone: no process waits for a virtual timer, and a run ends when its work has. */
  unref(): this {
    this.#referenced = false
    return this
  }

  hasRef(): boolean {
    return this.#referenced
  }

  [Symbol.toPrimitive](): number {
    if (this.#number === undefined) {
      this.#own.numbers += 1
      this.#number = this.#own.numbers
      this.#own.known.set(this.#number, this)
    }
    return this.#number
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
