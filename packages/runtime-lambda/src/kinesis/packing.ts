/** What goes into one call and what into one aggregate, by the limits of both. */
import { aggregate, aggregatedBytes, aggregateOverheadBytes } from './aggregate.ts'
import { routeOf, type StreamRecord } from './stream-record.ts'

export interface Limits {
  readonly count: number
  readonly bytes: number
}

/** How many of `sizes`, from place `from` on, fit into one call; one at least, so that no packing stands still. */
export const fitting = (sizes: ReadonlyArray<number>, { count, bytes }: Limits, from: number = 0): number => {
  let total = 0
  let at = from
  for (; at < sizes.length && at - from < count; at += 1) {
    total += sizes[at] ?? 0
    if (at > from && total > bytes) break
  }
  return at - from
}

/** A record as it is sent, and which of the given records it holds, by their places. */
export interface Entry {
  readonly record: StreamRecord
  readonly members: ReadonlyArray<number>
}

/** Every record on its own. */
export const plainly = (records: ReadonlyArray<StreamRecord>): ReadonlyArray<Entry> =>
  records.map((record, place) => ({ record, members: [place] }))

/**
 * Records of one key together, in their order, up to `bytes` with the key; a record that is larger goes alone.
 *
 * Only what has the same partition key and the same explicit hash key shares an aggregate: no map of the shards is
 * needed then, and all of it stays with its key when the shards are split.
 */
export const aggregatedByKey = (records: ReadonlyArray<StreamRecord>, bytes: number): ReadonlyArray<Entry> =>
  placesByKey(records).flatMap((places) => {
    const entries: Array<Entry> = []
    const mates = places.map((place) => records[place] as StreamRecord)
    const sizes = mates.map(aggregatedBytes)
    const limits = { count: Number.POSITIVE_INFINITY, bytes: bytes - overheadBytes(mates[0] as StreamRecord) }
    for (let from = 0; from < places.length; ) {
      const to = from + fitting(sizes, limits, from)
      entries.push({ record: together(mates.slice(from, to)), members: places.slice(from, to) })
      from = to
    }
    return entries
  })

const placesByKey = (records: ReadonlyArray<StreamRecord>): ReadonlyArray<ReadonlyArray<number>> => [
  ...Map.groupBy(records.keys(), (place) => routeOf(records[place] as StreamRecord)).values(),
]

const overheadBytes = (record: StreamRecord): number =>
  aggregateOverheadBytes(record) + Buffer.byteLength(record.partitionKey)

/** One record alone needs no frame. */
const together = (records: ReadonlyArray<StreamRecord>): StreamRecord => {
  const first = records[0] as StreamRecord
  return records.length === 1 ? first : { ...first, data: aggregate(records) }
}
