/**
 * Which shards of a stream to read now: a parent is read to its end before its children are begun.
 *
 * Law: every record of a parent is delivered before any of its children's, whatever is listed and in which order.
 */

export interface ListedShard {
  readonly id: string
  /** Absent, or not listed any more, where all of the parent's records are gone. */
  readonly parent?: string
}

/** By shard: the sequence number of the last record that was read, or null where it was read to its end. */
export type Positions = ReadonlyMap<string, string | null>

/** The shards that have records to read and whose parents have none left. */
export const readableShards = (
  listed: ReadonlyArray<ListedShard>,
  positions: Positions,
): ReadonlyArray<string> => {
  const ids = new Set(listed.map(({ id }) => id))
  return listed
    .filter(
      ({ id, parent }) =>
        positions.get(id) !== null &&
        (parent === undefined || !ids.has(parent) || positions.get(parent) === null),
    )
    .map(({ id }) => id)
}

/** The shards that were begun, not read to their end, and are gone: what was left in them is lost. */
export const lostShards = (
  listed: ReadonlyArray<ListedShard>,
  positions: Positions,
): ReadonlyArray<string> => {
  const ids = new Set(listed.map(({ id }) => id))
  return [...positions].flatMap(([id, position]) => (position === null || ids.has(id) ? [] : [id]))
}

/** Whether a shard was read to its end and its children are not listed yet, which a closed shard always gets. */
export const awaitsChildren = (listed: ReadonlyArray<ListedShard>, positions: Positions): boolean => {
  const parents = new Set(listed.map(({ parent }) => parent))
  return listed.some(({ id }) => positions.get(id) === null && !parents.has(id))
}

/** Without the shards that were read to their end and are listed no more. */
export const withoutGone = (listed: ReadonlyArray<ListedShard>, positions: Positions): Positions => {
  const ids = new Set(listed.map(({ id }) => id))
  return new Map([...positions].filter(([id, position]) => position !== null || ids.has(id)))
}
