/**
 * The port to where commits are kept: append under a condition, read either way, scan everything.
 *
 * `append` is atomic with its markers and puts the commit at its number iff that place is free; `appendTogether` does
 * so for commits of several streams, all or none.
 * Reads are strongly consistent; a page may be shorter than asked while `done` is false, but then it is not empty.
 */
import type { CommandId } from '../command-id.ts'
import type { Commit, Position } from '../commit.ts'
import type { Fault } from '../fault.ts'
import type { TE } from '../fp.ts'
import type { StreamName } from '../stream-name.ts'

/** Commits in the order of the reading direction; `done` when no more lie in that direction. */
export interface Page {
  readonly commits: ReadonlyArray<Commit>
  readonly done: boolean
}

export type AppendFailure =
  /** The place is taken, by another's write or by one's own earlier one. */
  | { readonly _tag: 'Conflict'; readonly stream: StreamName }
  /** A marker exists: the id was answered by that commit of the stream. */
  | {
      readonly _tag: 'Marked'
      readonly stream: StreamName
      readonly commandId: CommandId
      readonly commit: number
    }
  /** Nobody knows whether the commit was stored, or still will be. */
  | { readonly _tag: 'OutcomeUnknown'; readonly cause?: unknown }
  | Extract<Fault, { readonly _tag: 'TooLarge' }>

/**
 * Why none of several commits was stored. Where more than one is to blame, any of them is named; where all of them are
 * too large together, the largest. A stream that should not have moved, and has, is a conflict too.
 */
export type TogetherFailure =
  | AppendFailure
  /** Each commit is an action, and each marker, and each stream that must not have moved. */
  | { readonly _tag: 'TooMany'; readonly actions: number; readonly limitActions: number }
  | { readonly _tag: 'StreamTwice'; readonly stream: StreamName }

/** The place of a commit that cannot be read, and why. */
export interface Unreadable extends Position {
  readonly fault: Fault
}

/** Part of the log, in which all that can be read is among the commits. */
export interface Scanned {
  readonly commits: ReadonlyArray<Commit>
  readonly unreadable: ReadonlyArray<Unreadable>
  readonly cursor?: string
}

export interface EventStore {
  /** The newest commits below `before` (or from the head), newest first, at most `limit`. */
  readBackward(
    this: void,
    stream: StreamName,
    options: { readonly before?: number; readonly limit: number },
  ): TE.TaskEither<Fault, Page>
  /** The commits after number `after`, oldest first, at most `limit`. */
  readForward(
    this: void,
    stream: StreamName,
    options: { readonly after: number; readonly limit: number },
  ): TE.TaskEither<Fault, Page>
  /** The commit that a marker of this stream names for the id; undefined where there is no marker. */
  marker(this: void, stream: StreamName, id: CommandId): TE.TaskEither<Fault, number | undefined>
  /** The answers with `marked` leave a marker in the same transaction, for 24 hours at least. */
  append(this: void, commit: Commit): TE.TaskEither<AppendFailure, void>
  /**
   * Commits of different streams, each as by `append`, in one transaction: at most 100 actions and 4 MB. Iff each of
   * `unmoved` is still its stream's newest commit (0 for a stream without one); no commit of these streams is written.
   */
  appendTogether(
    this: void,
    commits: ReadonlyArray<Commit>,
    unmoved?: ReadonlyArray<Position>,
  ): TE.TaskEither<TogetherFailure, void>
  /**
   * One page of one of `segments` equal parts of all commits, in no order between streams; `cursor` is what the
   * page before answered, and no `cursor` in the answer ends the segment. A commit that cannot be read is told of and
   * keeps back no other; only what could not be scanned at all is a fault.
   */
  scan(
    this: void,
    options: { readonly segment: number; readonly segments: number; readonly cursor?: string },
  ): TE.TaskEither<Fault, Scanned>
}
