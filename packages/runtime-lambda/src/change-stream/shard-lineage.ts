/**
 * Which shards of a stream to read now: a parent is read to its end before its children are begun.
 *
 * Law: every record of a parent is delivered before any of its children's, whatever is listed and in which order.
 */

export interface ListedShard {
  readonly id: string
  /** Absent, or not listed any more, where all of the parent's records are gone. */
  readonly parent?: string
  /** The first sequence number of its records. */
  readonly start?: string
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

/**
 * Where a shard that was not begun has to begin for nothing to be passed over: its first number, which is refused where
 * that is gone. Undefined for a shard that no parent was read of: there a reader takes what is left.
 */
export const beginningOf = (
  listed: ReadonlyArray<ListedShard>,
  positions: Positions,
  shard: string,
): string | undefined => {
  const { parent, start } = listed.find(({ id }) => id === shard) ?? {}
  return parent !== undefined && positions.has(parent) ? start : undefined
}

/** Without the shards that were read to their end and are listed no more, once all of their children were begun. */
export const withoutGone = (listed: ReadonlyArray<ListedShard>, positions: Positions): Positions => {
  const ids = new Set(listed.map(({ id }) => id))
  const awaited = new Set(listed.flatMap(({ id, parent }) => (positions.has(id) ? [] : [parent])))
  return new Map(
    [...positions].filter(([id, position]) => position !== null || ids.has(id) || awaited.has(id)),
  )
}
