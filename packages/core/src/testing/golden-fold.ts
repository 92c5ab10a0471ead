/** Golden folds: a literal for what a history folds to, so that no change of `evolve` goes unsaid. */
import { type Aggregate, decodeEvent } from '../aggregate.ts'
import type { StoredEvent } from '../commit.ts'
import { fingerprint } from '../fingerprint.ts'
import { E } from '../fp.ts'
import { throughJson } from './law.ts'

/**
 * What a stored history folds to: the reducer's version, and a fingerprint of the states that it went through, as they
 * are stored. Every state counts and not only the last, because a later event may cover what an earlier one did.
 *
 * Compare it with a literal in a test. A golden fold fails when `evolve` changes without a new reducer version, and
 * then snapshots of the old one would be read as if they were of the new. Whoever changes `evolve` raises `reducer`,
 * and then writes the new literal. A history should have every event of the aggregate.
 */
export const goldenFold = <Command, State, Event extends StoredEvent, Rejection>(
  aggregate: Aggregate<Command, State, Event, Rejection>,
  storedEvents: ReadonlyArray<StoredEvent>,
): string => {
  const { initial, evolve, reducer, snapshot } = aggregate
  let state = initial
  const states = storedEvents.map((stored) => {
    const event = decodeEvent(aggregate, stored)
    if (E.isLeft(event)) throw new Error(`not readable: ${JSON.stringify([stored, event.left.errors])}`)
    state = evolve(state, event.right)
    return throughJson(snapshot === undefined ? state : snapshot.encode(state))
  })
  return `${reducer}:${fingerprint(states)}`
}
