/** Random histories of one simulated stream: requests that mean something in the state in which they are made. */
import { fc } from '@fast-check/vitest'
import { kinesisModel, kinesisWith } from '../../src/simulation/models/kinesis/kinesis.ts'
import type {
  KinesisAnswer,
  KinesisRequest,
  KinesisState,
} from '../../src/simulation/models/kinesis/request.ts'
import { isOpen, type Stream, shards } from '../../src/simulation/models/kinesis/stream.ts'

export const STREAM = 'readings'

/** The first of January 2026. */
export const TIME_MS = 1_767_225_600_000

const key = fc.constantFrom('a', 'b', 'c', 'd', 'gerät-3')

/** What a client does next; numbers pick among the shards that there are. */
type Act =
  | { readonly _tag: 'Put'; readonly keys: ReadonlyArray<string> }
  | { readonly _tag: 'PutOne'; readonly key: string }
  | { readonly _tag: 'Split' | 'Merge' | 'Read'; readonly pick: number }
  | { readonly _tag: 'List' }

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      _tag: fc.constant('Put' as const),
      keys: fc.array(key, { minLength: 1, maxLength: 5 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ _tag: fc.constant('PutOne' as const), key }) },
  {
    weight: 3,
    arbitrary: fc.record({
      _tag: fc.constantFrom('Split' as const, 'Merge' as const, 'Read' as const),
      pick: fc.nat(20),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ _tag: 'List' as const }) },
)

export interface Move {
  readonly act: Act
  readonly afterMs: number
  /** Picks among what the model offers; nothing deviates where it picks none. */
  readonly deviation: number
}

const moves = (deviating: boolean, afterMs: fc.Arbitrary<number>): fc.Arbitrary<ReadonlyArray<Move>> =>
  fc.array(fc.record({ act, afterMs, deviation: deviating ? fc.nat(11) : fc.constant(99) }), {
    maxLength: 30,
  })

export const benignMoves = moves(false, fc.nat(2000))

/** Now and then hours pass. */
export const anyMoves = moves(true, fc.oneof(fc.nat(2000), fc.nat(2000), fc.nat(30 * 3_600_000)))

export interface Made {
  readonly request: KinesisRequest
  readonly deviation?: string
  readonly answer: KinesisAnswer
  readonly before: KinesisState
  readonly after: KinesisState
  readonly nowMs: number
}

export const streamIn = ({ streams }: KinesisState): Stream => {
  const stream = streams.get(STREAM)
  if (stream === undefined) throw new Error('the stream is gone')
  return stream
}

export const start = (distribution: Stream['distribution'] = 'USER_PARTITION_KEY'): KinesisState =>
  kinesisWith([{ name: STREAM, shards: 2, distribution }], TIME_MS)

/** Each record's data is its number, so that none is like another. */
const requestsOf = (stream: Stream, { act: does }: Move, at: number): KinesisRequest => {
  const open = shards(stream).filter(isOpen)
  const shard = (pick: number, of = open) => of[pick % of.length]
  const data = (place: number) => Buffer.from(`${at}.${place}`).toString('base64')
  const StreamName = STREAM
  switch (does._tag) {
    case 'Put':
      return {
        operation: 'PutRecords',
        input: {
          StreamName,
          Records: does.keys.map((PartitionKey, place) => ({ PartitionKey, Data: data(place) })),
        },
      }
    case 'PutOne':
      return { operation: 'PutRecord', input: { StreamName, PartitionKey: does.key, Data: data(0) } }
    case 'Split': {
      const { id = '', firstHashKey = '0', lastHashKey = '0' } = shard(does.pick) ?? {}
      const NewStartingHashKey = String((BigInt(firstHashKey) + BigInt(lastHashKey) + 1n) / 2n)
      return { operation: 'SplitShard', input: { StreamName, ShardToSplit: id, NewStartingHashKey } }
    }
    case 'Merge': {
      const sorted = open.toSorted((one, other) =>
        BigInt(one.firstHashKey) < BigInt(other.firstHashKey) ? -1 : 1,
      )
      const ShardToMerge = shard(does.pick, sorted)?.id ?? ''
      const AdjacentShardToMerge = shard(does.pick + 1, sorted)?.id ?? ''
      return { operation: 'MergeShards', input: { StreamName, ShardToMerge, AdjacentShardToMerge } }
    }
    case 'Read': {
      const ShardId = shard(does.pick, [...shards(stream)])?.id ?? ''
      return {
        operation: 'GetShardIterator',
        input: { StreamName, ShardId, ShardIteratorType: 'TRIM_HORIZON' },
      }
    }
    case 'List':
      return { operation: 'ListShards', input: { StreamName } }
  }
}

/** What was asked and answered, move by move. */
export const play = (first: KinesisState, history: ReadonlyArray<Move>): ReadonlyArray<Made> => {
  let state = first
  let nowMs = TIME_MS
  return history.map((move, at) => {
    nowMs += move.afterMs
    const request = requestsOf(streamIn(state), move, at)
    const deviation = kinesisModel.offers(state, request)[move.deviation]
    const before = state
    const stepped = kinesisModel.step(state, request, {
      nowMs,
      ...(deviation === undefined ? {} : { deviation }),
    })
    state = stepped.state
    return {
      request,
      ...(deviation === undefined ? {} : { deviation }),
      answer: stepped.answer,
      before,
      after: state,
      nowMs,
    }
  })
}
