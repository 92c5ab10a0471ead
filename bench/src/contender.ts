/**
 * What every contender of a command benchmark is: us, the hand-written floor, and each peer.
 *
 * Each command needs a stream of exactly the given length, and running it makes that stream one event
 * longer. So streams are made many at a time, outside the measured region, and each is used once.
 */
import type { Order } from './order-domain.ts'

export interface Contender {
  readonly name: string
  /** Stores `streams` histories of `streamLength` events each (`historyOf`), and their commands. Not measured. */
  readonly prepare: (streamLength: number, streams: number) => Promise<Prepared>
}

interface Prepared {
  /** Sends the stream its one command (`commandOf`), from the caller's side to the acknowledged append. Measured. */
  readonly run: (stream: number) => Promise<unknown>
  /** What the contender's own store holds now, folded by the contender itself. Not measured. */
  readonly inspect: (stream: number) => Promise<{ readonly version: number; readonly order: Order }>
}

/** One value per stream, in a plain array: the loop which is measured reads it by number. */
export const perStream = <Value>(streams: number, make: (stream: number) => Value): ReadonlyArray<Value> =>
  Array.from({ length: streams }, (_, stream) => make(stream))

/** The element at an index which exists, because `run` is called only with streams that were prepared. */
export const at = <Value>(values: ReadonlyArray<Value>, index: number): Value => {
  const value = values[index]
  if (value === undefined) throw new Error(`no stream ${index} was prepared`)
  return value
}
