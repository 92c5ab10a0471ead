/** Waiting for a virtual timer, and for one after the other, until a signal ends it. */
import type { VirtualActor } from './actor.ts'
import { type Timing, VirtualTimer } from './virtual-timer.ts'

/** Resolves when the timer is due. */
export const abortable = (
  actor: VirtualActor,
  timing: Timing,
  signal: AbortSignal | undefined,
): Promise<void> =>
  new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(abortError(signal))
    const abort = () => {
      timer.close()
      reject(abortError(signal))
    }
    const timer = new VirtualTimer(actor, timing, () => {
      signal?.removeEventListener('abort', abort)
      resolve()
    })
    signal?.addEventListener('abort', abort, { once: true })
  })

/** Yields `value` once for each time that the timer was due, those too that came while nobody asked. */
export async function* ticks<Value>(
  actor: VirtualActor,
  timing: Timing,
  value: Value,
  signal: AbortSignal | undefined,
): AsyncGenerator<Value> {
  let due = 0
  let woken = Promise.withResolvers<void>()
  const wake = () => woken.resolve()
  const timer = new VirtualTimer(actor, timing, () => {
    due += 1
    wake()
  })
  signal?.addEventListener('abort', wake, { once: true })
  try {
    for (;;) {
      if (signal?.aborted === true) throw abortError(signal)
      if (due === 0) await woken.promise
      woken = Promise.withResolvers()
      for (; due > 0; due -= 1) yield value
    }
  } finally {
    timer.close()
    signal?.removeEventListener('abort', wake)
  }
}

/** As Node words it. */
const abortError = (signal: AbortSignal | undefined): Error =>
  Object.assign(new Error('The operation was aborted', { cause: signal?.reason }), {
    name: 'AbortError',
    code: 'ABORT_ERR',
  })
