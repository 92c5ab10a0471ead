/** The kernel on real time: effects are applied at once, timers are the machine's own and keep no process alive. */
import { immediate, type Kernel } from './kernel.ts'
import { sequence } from './random.ts'

export interface RealKernel extends Kernel {
  /** Cancels every timer; those who sleep never wake. */
  close(this: void): void
}

export interface RealOptions {
  /** Chance that repeats, for demonstrations; otherwise it is the machine's own. */
  readonly seed?: string
}

/** The longest time that one timer of the machine can wait. */
const LONGEST_MS = 2 ** 31 - 1

export const realKernel = ({ seed }: RealOptions = {}): RealKernel => {
  const random = seed === undefined ? machineChance : sequence(seed)
  const open = new Set<NodeJS.Timeout>()
  const at = (dueMs: number, _what: string, callback: () => void) => {
    let timeout: NodeJS.Timeout | undefined
    const arm = () => {
      const leftMs = Math.ceil(dueMs - Date.now())
      if (leftMs <= 0 && timeout !== undefined) return callback()
      timeout = setTimeout(expire, Math.min(Math.max(0, leftMs), LONGEST_MS)).unref()
      open.add(timeout)
    }
    const expire = () => {
      if (timeout !== undefined) open.delete(timeout)
      arm()
    }
    arm()
    return () => {
      clearTimeout(timeout)
      if (timeout !== undefined) open.delete(timeout)
    }
  }
  return {
    nowMs: Date.now,
    sleep: (ms) => new Promise((resolve) => void at(Date.now() + ms, 'sleep', resolve)),
    random,
    bytes: (length) =>
      seed === undefined
        ? crypto.getRandomValues(new Uint8Array(length))
        : Uint8Array.from({ length }, () => Math.floor(random() * 256)),
    port: immediate,
    at,
    as: (_actor, body) => body(),
    close: () => {
      for (const timeout of open) clearTimeout(timeout)
      open.clear()
    },
  }
}

/** Many words at once, because asking the machine costs a hundred times what a number does. */
const words = new Uint32Array(256)
let unused = 0

const machineChance = (): number => {
  if (unused === 0) {
    crypto.getRandomValues(words)
    unused = words.length
  }
  unused -= 1
  return (words[unused] ?? 0) / 2 ** 32
}
