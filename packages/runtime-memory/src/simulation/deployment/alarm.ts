/** Wakes somebody up for whatever is due next: a service that does things of its own accord. */
import type { Kernel } from '../../kernel.ts'

/** Set to another time, or to none where that is undefined; what is due already rings at once. */
export type Alarm = (dueMs: number | undefined) => void

export const alarm = ({ at, nowMs }: Pick<Kernel, 'at' | 'nowMs'>, what: string, ring: () => void): Alarm => {
  let cancel: (() => void) | undefined
  return (dueMs) => {
    cancel?.()
    cancel = dueMs === undefined ? undefined : at(Math.max(dueMs, nowMs()), what, ring)
  }
}
