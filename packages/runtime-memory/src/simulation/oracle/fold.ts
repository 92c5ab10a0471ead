/**
 * A stream as one version of the code folds it: what was decided by that version follows from its own fold.
 *
 * An older version may be unable to read what a newer one wrote; then it knows the state only from a snapshot that it
 * reads, and decides nothing without.
 */
import {
  type AnyAggregate,
  type Commit,
  E,
  encodeEvent,
  type Fault,
  type RecordedEvent,
  type StoredAnswer,
  type StoredEvent,
} from '@everfold/core'
import { isSame } from './same.ts'
import type { Witness } from './witness.ts'

export interface Fold {
  readonly aggregate: AnyAggregate
  readonly witness: Witness
  /** Undefined while this version cannot know it. */
  state: { readonly value: unknown } | undefined
}

export const foldOf = (aggregate: AnyAggregate, witness: Witness): Fold => ({
  aggregate,
  witness,
  state: { value: aggregate.initial },
})

type Read = E.Either<Fault, ReadonlyArray<RecordedEvent<StoredEvent>>>

/** Takes in the events of a commit from one place to another, as this version reads them. */
export const evolved = (fold: Fold, read: Read | undefined, from: number, to: number): void => {
  const { aggregate, state } = fold
  if (state === undefined) return
  if (read === undefined || E.isLeft(read)) fold.state = undefined
  else
    fold.state = {
      value: read.right
        .slice(from, to)
        .reduce((value, { event }) => aggregate.evolve(value, event), state.value),
    }
}

/** The state as a commit's snapshot tells it to this version. */
export const fromSnapshot = (
  { fingerprint, snapshot: codec }: AnyAggregate,
  commit: Commit,
): Fold['state'] => {
  const { snapshot } = commit
  return snapshot === undefined || codec === undefined || snapshot.fingerprint !== fingerprint
    ? undefined
    : { value: codec.decode(snapshot.state) }
}

/** Whether an answer is what its command comes to, by a version that was seen deciding on it; true where none was seen. */
export const isDecidedOn = (folds: ReadonlyArray<Fold>, answer: StoredAnswer): boolean => {
  let seen = false
  for (const { aggregate, witness, state } of folds) {
    const commands = witness.commandsOf(aggregate.name, answer.id)
    if (commands.length === 0) continue
    seen = true
    if (state !== undefined && commands.some((command) => leadsTo(aggregate, state.value, command, answer)))
      return true
  }
  return !seen
}

const leadsTo = (
  aggregate: AnyAggregate,
  state: unknown,
  command: unknown,
  answer: StoredAnswer,
): boolean => {
  const outcome = aggregate.decide(command, state, { timeMs: answer.timeMs, commandId: answer.id })
  if (E.isLeft(outcome))
    return 'rejection' in answer && isSame(aggregate.rejection.encode(outcome.left), answer.rejection)
  return (
    !('rejection' in answer) &&
    isSame(
      outcome.right.map((event) => encodeEvent(aggregate, event)),
      answer.events,
    )
  )
}
