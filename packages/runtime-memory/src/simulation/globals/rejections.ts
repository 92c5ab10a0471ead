/**
 * Promises that were rejected while nobody waited for them. In an actor's name that is a fault of the actor, who is told
 * of it; for everybody else it is what Node makes of it.
 */
import { caller } from './actor.ts'

/** The function that it answers ends the listening. */
export const heedRejections = (): (() => void) => {
  process.on('unhandledRejection', heed)
  return () => void process.off('unhandledRejection', heed)
}

const heed = (reason: unknown): void => {
  const told = caller()?.rejected
  if (told !== undefined) told(reason)
  // Without any listener Node would have thrown it.
  else if (process.listenerCount('unhandledRejection') === 1) throw reason
}
