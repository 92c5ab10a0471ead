/** What has to come about in some run, told by what the last commit put on record. */
import type { Commit } from '@everfold/core'
import { streamParts } from '@everfold/core'
import { type Invariant, sometimesOverall } from '@everfold/runtime-memory/simulation'

/** An event of this tag of these streams. */
export const sometimesRecorded = (
  name: string,
  { name: category }: { readonly name: string },
  tag: string,
): Invariant =>
  sometimesOverall(
    name,
    ({ log }) =>
      lastOf(log, category)?.answers.some(({ events }) => events.some(({ _tag }) => _tag === tag)) === true,
  )

/** A command to one of these streams is refused so. */
export const sometimesRefused = (
  name: string,
  { name: category }: { readonly name: string },
  tag: string,
): Invariant =>
  sometimesOverall(
    name,
    ({ log }) =>
      lastOf(log, category)?.answers.some(
        (answer) =>
          'rejection' in answer && (answer.rejection as { readonly _tag?: unknown } | null)?._tag === tag,
      ) === true,
  )

/** It is judged after each commit, so the last is enough. */
const lastOf = (log: ReadonlyArray<Commit>, category: string): Commit | undefined => {
  const last = log.at(-1)
  return last !== undefined && streamParts(last.stream).category === category ? last : undefined
}
