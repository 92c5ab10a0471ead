/**
 * The port to what was appended, after the fact: the outbox from which everything else is published.
 *
 * Every commit is delivered at least once. Commits of one stream may come twice and in any order; consumers number.
 */
import type { Commit } from '../commit.ts'
import type { Fault } from '../fault.ts'
import type { TE } from '../fp.ts'

export interface Changes {
  readonly commits: ReadonlyArray<Commit>
  /** Pass it back to read on; what lies before it is not lost if it is never passed. */
  readonly checkpoint: string
}

export interface ChangeStream {
  /** The next commits after a checkpoint, or from the oldest kept; an empty list when there are none yet. */
  read(this: void, checkpoint: string | undefined, limit: number): TE.TaskEither<Fault, Changes>
}
