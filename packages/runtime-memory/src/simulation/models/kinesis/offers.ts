/** What a request to Kinesis may meet that is not benign. */

import { isRefused } from '../answer.ts'
import { placeOf } from './read.ts'
import {
  type KinesisRequest,
  type KinesisState,
  type StreamRequest,
  shardAsked,
  streamFor,
} from './request.ts'
import { splitInHalf } from './reshard.ts'
import { precedes } from './sequence-number.ts'
import { isOpen, type Stream, shardOf } from './stream.ts'

export const offers = (state: KinesisState, request: KinesisRequest): ReadonlyArray<string> => {
  if (request.operation === 'CreateStream') return []
  const stream = streamFor(state, request)
  if (isRefused(stream)) return []
  const shard = shardAsked(stream, request)
  const split = shard !== undefined && isOpen(shard) && splitInHalf(stream, shard, 0) !== undefined
  return [...ownOffers(stream, request), ...(split ? ['resharded'] : [])]
}

const ownOffers = (stream: Stream, request: StreamRequest): ReadonlyArray<string> => {
  switch (request.operation) {
    case 'PutRecord':
    case 'PutRecords': {
      const count = request.operation === 'PutRecord' ? 1 : request.input.Records.length
      const failed = Array.from({ length: count }, (_, at) => `record ${at + 1} failed`)
      const strays = stream.distribution === 'AUTO' && stream.shards.filter(isOpen).length > 1
      return [...failed, 'duplicate', ...(strays ? ['other shard'] : [])]
    }
    case 'GetRecords':
      return hasMore(stream, request.input.ShardIterator) ? ['empty'] : []
    case 'DescribeStreamSummary':
    case 'ListShards':
    case 'GetShardIterator':
    case 'SplitShard':
    case 'MergeShards':
      return []
  }
}

const hasMore = (stream: Stream, iterator: string): boolean => {
  const place = placeOf(iterator)
  const records = place === undefined ? [] : (shardOf(stream, place.shard)?.records ?? [])
  return records.some(({ sequenceNumber }) => place !== undefined && !precedes(sequenceNumber, place.from))
}
