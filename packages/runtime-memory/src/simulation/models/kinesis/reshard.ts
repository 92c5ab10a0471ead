/**
 * Splits and merges: the parents are closed, and their children take over their hash keys.
 *
 * Here the change is through at once; at AWS the stream is UPDATING for some seconds, and its parents take records as long.
 * Source: Kinesis Data Streams Developer Guide, "Resharding a stream" (2026-11); for what is refused, and in which words,
 * github.com/mhart/kinesalite, issue 109 and splitShard and mergeShards, which were written beside the service (2021-02).
 */

import { type Refused, refused } from '../answer.ts'
import { isHashKey } from './put.ts'
import { sequenceNumberOf } from './sequence-number.ts'
import { isOpen, type Shard, type Stream, shardOf, withChanged, withShard } from './stream.ts'

export const splitShard = (
  stream: Stream,
  id: string,
  startingHashKey: string,
  nowMs: number,
): Stream | Refused => {
  const shard = shardOf(stream, id)
  if (shard === undefined) return missing(stream, id)
  if (!isOpen(shard)) return notOpen(stream, shard)
  const { firstHashKey, lastHashKey } = shard
  const isInside =
    isHashKey(startingHashKey) &&
    BigInt(startingHashKey) > BigInt(firstHashKey) + 1n &&
    BigInt(startingHashKey) < BigInt(lastHashKey)
  if (!isInside)
    return refused(
      'InvalidArgumentException',
      `NewStartingHashKey ${startingHashKey} used in SplitShard() on shard ${id} in stream ${stream.name} is not both greater than one plus the shard's StartingHashKey ${firstHashKey} and less than the shard's EndingHashKey ${lastHashKey}.`,
    )
  const begunSeconds = afterAll([shard], nowMs)
  const child = { parent: id, begunSeconds }
  const before = { ...child, firstHashKey, lastHashKey: String(BigInt(startingHashKey) - 1n) }
  const rest = { ...child, firstHashKey: startingHashKey, lastHashKey }
  return [before, rest].reduce(withShard, withChanged(stream, closed(shard, nowMs)))
}

/** In the middle of its hash keys; undefined where it has too few. */
export const splitInHalf = (stream: Stream, shard: Shard, nowMs: number): Stream | undefined => {
  const middle = (BigInt(shard.firstHashKey) + BigInt(shard.lastHashKey) + 1n) / 2n
  const split = splitShard(stream, shard.id, String(middle), nowMs)
  return '_tag' in split ? undefined : split
}

export const mergeShards = (
  stream: Stream,
  id: string,
  adjacentId: string,
  nowMs: number,
): Stream | Refused => {
  const shard = shardOf(stream, id)
  const adjacent = shardOf(stream, adjacentId)
  if (shard === undefined) return missing(stream, id)
  if (adjacent === undefined) return missing(stream, adjacentId)
  if (!isOpen(shard)) return notOpen(stream, shard)
  if (!isOpen(adjacent)) return notOpen(stream, adjacent)
  if (BigInt(shard.lastHashKey) + 1n !== BigInt(adjacent.firstHashKey))
    return refused(
      'InvalidArgumentException',
      `Shards ${id} and ${adjacentId} in stream ${stream.name} are not an adjacent pair of shards eligible for merging`,
    )
  const child = {
    parent: id,
    adjacentParent: adjacentId,
    firstHashKey: shard.firstHashKey,
    lastHashKey: adjacent.lastHashKey,
    begunSeconds: afterAll([shard, adjacent], nowMs),
  }
  const both = [closed(shard, nowMs), closed(adjacent, nowMs)].reduce(withChanged, stream)
  return withShard(both, child)
}

const missing = ({ name, arn }: Stream, id: string): Refused =>
  refused(
    'ResourceNotFoundException',
    `Could not find shard ${id} in stream ${name} under account ${arn.split(':')[4]}.`,
  )

const notOpen = ({ name, arn }: Stream, { id }: Shard): Refused =>
  refused(
    'InvalidArgumentException',
    `Shard ${id} in stream ${name} under account ${arn.split(':')[4]} has already been merged or split, and thus is not eligible for merging or splitting.`,
  )

/** Later than all parents, so that the children's numbers come after theirs. */
const afterAll = (parents: ReadonlyArray<Shard>, nowMs: number): number =>
  Math.max(Math.floor(nowMs / 1000), ...parents.map(({ begunSeconds }) => begunSeconds + 1))

const closed = (shard: Shard, nowMs: number): Shard => ({
  ...shard,
  closedMs: nowMs,
  lastNumber: sequenceNumberOf({
    shardSeconds: shard.begunSeconds,
    shardNumber: shard.number,
    place: shard.taken + 1,
    seconds: Math.floor(nowMs / 1000),
  }),
})
