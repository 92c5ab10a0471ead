/** What can be asked of Kinesis, and which stream and shard a request is about. */

import { type Answer, type Refused, refused } from '../answer.ts'
import { type ListShardsInput, listTokenOf } from './describe.ts'
import { isHashKey, type PutEntry } from './put.ts'
import { type IteratorInput, placeOf } from './read.ts'
import { hashKeyOf, isOpen, type Shard, type Stream, shardFor, shardOf } from './stream.ts'

export interface KinesisState {
  readonly streams: ReadonlyMap<string, Stream>
}

/** A stream is named by one of both. */
interface Named {
  readonly StreamName?: string
  readonly StreamARN?: string
}

export type Operations = {
  readonly CreateStream: { readonly StreamName: string; readonly ShardCount?: number }
  readonly DescribeStreamSummary: Named
  readonly ListShards: Named & ListShardsInput & { readonly NextToken?: string }
  readonly GetShardIterator: Named & IteratorInput
  readonly GetRecords: Named & { readonly ShardIterator: string; readonly Limit?: number }
  readonly PutRecord: Named & PutEntry & { readonly SequenceNumberForOrdering?: string }
  readonly PutRecords: Named & { readonly Records: ReadonlyArray<PutEntry> }
  readonly SplitShard: Named & { readonly ShardToSplit: string; readonly NewStartingHashKey: string }
  readonly MergeShards: Named & { readonly ShardToMerge: string; readonly AdjacentShardToMerge: string }
}

export type KinesisRequest = {
  [Operation in keyof Operations]: { readonly operation: Operation; readonly input: Operations[Operation] }
}[keyof Operations]

export type StreamRequest = Exclude<KinesisRequest, { readonly operation: 'CreateStream' }>

export type KinesisAnswer = Answer<unknown>

/** All that the model knows. */
export const KINESIS_OPERATIONS: ReadonlySet<string> = new Set<keyof Operations>([
  'CreateStream',
  'DescribeStreamSummary',
  'ListShards',
  'GetShardIterator',
  'GetRecords',
  'PutRecord',
  'PutRecords',
  'SplitShard',
  'MergeShards',
])

export const noIterator = refused('InvalidArgumentException', 'Invalid ShardIterator.')

/** The stream that a request is about. */
export const streamFor = ({ streams }: KinesisState, request: StreamRequest): Stream | Refused => {
  const { StreamName: name, StreamARN: arn } = request.input
  const meant = name ?? arn?.split('/').at(-1) ?? namedWithin(request)
  if (meant === undefined)
    return request.operation === 'GetRecords'
      ? noIterator
      : refused('InvalidArgumentException', 'Either a stream name or a stream ARN must be given.')
  return (
    streams.get(meant) ??
    refused('ResourceNotFoundException', `Stream ${meant} under account 000000000000 not found.`)
  )
}

/** Iterators and the tokens of pages hold the name of their stream. */
const namedWithin = (request: StreamRequest): string | undefined => {
  switch (request.operation) {
    case 'GetRecords':
      return placeOf(request.input.ShardIterator)?.stream
    case 'ListShards':
      return listTokenOf(request.input.NextToken ?? '')?.stream
    case 'DescribeStreamSummary':
    case 'GetShardIterator':
    case 'PutRecord':
    case 'PutRecords':
    case 'SplitShard':
    case 'MergeShards':
      return undefined
  }
}

/** The shard that a request is about, if it takes records still: that of the first record, or the first of the stream. */
export const shardAsked = (stream: Stream, request: StreamRequest): Shard | undefined => {
  switch (request.operation) {
    case 'PutRecord':
      return shardFor(stream, hashKeyOf(routeOf(request.input)))
    case 'PutRecords':
      return shardFor(stream, hashKeyOf(routeOf(request.input.Records[0] ?? {})))
    case 'GetRecords':
      return shardOf(stream, placeOf(request.input.ShardIterator)?.shard ?? '')
    case 'GetShardIterator':
      return shardOf(stream, request.input.ShardId)
    case 'DescribeStreamSummary':
    case 'ListShards':
      return stream.shards.find(isOpen)
    case 'SplitShard':
    case 'MergeShards':
      return undefined
  }
}

const routeOf = ({ PartitionKey: partitionKey = '', ExplicitHashKey: key }: PutEntry) => ({
  partitionKey,
  ...(key === undefined || !isHashKey(key) ? {} : { explicitHashKey: key }),
})
