/**
 * A history of appends to streams and reads of them, as plain data, in the order in which they were asked.
 *
 * It has the shape that Elle calls list-append: a stream is a list, a commit is an element of it, and an element's value
 * is unlike every other's. Here an append also names its element's place, so the order of the elements is known even
 * where nobody read them. Source: Kyle Kingsbury and Peter Alvaro, "Elle: Inferring Isolation Anomalies from
 * Experimental Observations" (2020), and `elle.list-append` of jepsen-io/elle.
 */

/** An element at its place in a stream: 1, 2, 3, ... */
export interface Placed {
  readonly number: number
  /** The commit's identity: its command ids, or a hash of what it says. */
  readonly value: string
}

export interface Write extends Placed {
  readonly stream: string
}

/** Where a stream ended: the number of its newest element, 0 for none. */
export interface End {
  readonly stream: string
  readonly number: number
}

interface Asked {
  /** Who asked. */
  readonly process: string
  /** The step at which it was asked, and the one at which its asker had the answer, if ever. */
  readonly invokedAt: number
  readonly completedAt?: number
  /**
   * `failed` was surely not applied. `indeterminate` may have been applied, or may still be, as after a timeout or a
   * crash; so is an append that was never answered.
   */
  readonly outcome: 'ok' | 'failed' | 'indeterminate'
}

/** Elements of one or several streams in one transaction, iff each of `unmoved` is where its stream still ends. */
export interface Append extends Asked {
  readonly kind: 'append'
  readonly writes: ReadonlyArray<Write>
  readonly unmoved?: ReadonlyArray<End>
}

/**
 * All elements of a stream from number `from` to number `to`, or to its end where there is no `to`: whatever lies between
 * and is not among `values`, the read says is not there.
 */
export interface Read extends Asked {
  readonly kind: 'read'
  readonly stream: string
  readonly from: number
  readonly to?: number
  /** In the order of the stream. */
  readonly values: ReadonlyArray<Placed>
  /** An eventual read may tell of an earlier time than the one at which it was asked. */
  readonly consistency: 'strong' | 'eventual'
}

export type Operation = Append | Read
export type History = ReadonlyArray<Operation>

/** Cycles of dependencies, by the names of Adya and of Elle; in `-realtime` ones, who came first counts as well. */
export type CycleKind = 'G0' | 'G1c' | 'G-single' | 'G2'

export type AnomalyKind =
  /** Acknowledged or read once, and then not there, or something else in its place. */
  | 'lost append'
  /** Read, and nobody appended it. */
  | 'phantom'
  /** Read, and its append surely failed: an aborted read. */
  | 'G1a'
  /** Read up to an element that its own transaction followed by another: an intermediate read. */
  | 'G1b'
  /** One value at two places. */
  | 'duplicate append'
  /** Two that disagree on what is at a place. */
  | 'incompatible order'
  /** An element is there, and one before it never was. */
  | 'gap'
  /** A strong read that misses what was acknowledged, or read, before it was asked, and is read later. */
  | 'stale read'
  /** A transaction of which one part landed, and another's place went to somebody else. */
  | 'torn append'
  | CycleKind
  | `${CycleKind}-realtime`

export interface Anomaly {
  readonly kind: AnomalyKind
  /** The operations that show it, and no others, by their index in the history, in ascending order. */
  readonly operations: ReadonlyArray<number>
  /** What contradicts what, in words. */
  readonly message: string
}
