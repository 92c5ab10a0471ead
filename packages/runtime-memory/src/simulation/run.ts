/** A simulated run, as data: what was asked, what went wrong by plan, what happened, and what did not hold. */
import type { CommandId, Json, StreamName } from '@everfold/core'

/**
 * What becomes of a decision point otherwise than benign, in words that are stable: `response lost`, `stale by 2`.
 * A plan names those alone that deviate, by the point's key.
 */
export type Deviations = ReadonlyMap<string, string>

/** What makes a run: the seed of its chance and interleaving, and what deviates in it. */
export interface Plan {
  readonly seed: string
  readonly deviations: Deviations
}

/** One command that a client sends, of its own or again until it has an answer. */
export interface Request {
  readonly client: string
  readonly id: CommandId
  readonly aggregate: string
  readonly stream: StreamName
  /** In its wire form. */
  readonly command: Json
  /** Milliseconds after the run's beginning. */
  readonly afterMs: number
}

/** One thing that happened. */
export interface Step {
  /** 1, 2, 3, ... */
  readonly number: number
  /** Virtual time, in milliseconds since 1970. */
  readonly timeMs: number
  /** Who asked: `client 1`, `orders-api 1`, `relay 2`; one column of a diagram. */
  readonly lane: string
  /** Which service or port was asked; another column. Absent where something happened to the lane itself. */
  readonly to?: string
  readonly operation: string
  readonly subject: string
  /** The decision point's key, stable between runs. */
  readonly key: string
  /** What deviated here. */
  readonly deviation?: string
  /** What deviated here as well, by another key: how a service answered, where its answer was lost besides. */
  readonly besides?: { readonly key: string; readonly deviation: string }
  /** What was answered, in a word or two: `stored`, `Conflict`, `3 commits`. */
  readonly answer?: string
}

/** What did not hold. */
export interface Violation {
  /** The invariant's name: `S3`, `E1`, or the user's. */
  readonly invariant: string
  /** The invariant in words, and what contradicts it. */
  readonly message: string
  /** The step after which it did not hold. */
  readonly step: number
  /** Where the user's code threw or judged, as the runtime tells it. */
  readonly stack?: string
}

/** What came of a run. Equal plans and requests give equal runs, which have equal hashes. Times are virtual milliseconds. */
export interface Run {
  /** With the deviations that took effect, and no others. */
  readonly plan: Plan
  /** What was wanted of a replay and did not come about; absent where all did, and where chance decided. */
  readonly unmet?: Deviations
  readonly requests: ReadonlyArray<Request>
  readonly steps: ReadonlyArray<Step>
  readonly violation?: Violation
  /** How many things happened: effects of ports, and what is told of the services. */
  readonly operations: number
  /** Equal for equal runs. */
  readonly hash: string
  readonly startMs: number
}
