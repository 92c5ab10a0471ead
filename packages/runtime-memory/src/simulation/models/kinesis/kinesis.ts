/**
 * Kinesis Data Streams, as far as producers and readers of a stream meet it, under the names of its API.
 *
 * Deviations. `record 2 failed`: the second record of a put is refused, those behind it go in. `duplicate`: what is put
 * goes in twice, as when the first answer was lost and the producer tried again. `resharded`: the shard that is asked
 * was split just before. `other shard`: a record strays from its key's shard, where the distribution is AUTO. `empty`:
 * a read finds nothing, though there is.
 *
 * Source: AWS SDK, client-kinesis; Kinesis Data Streams Developer Guide, "Handle duplicate records" (2026-11).
 */

import { isRefused, output, type Refused, refused } from '../answer.ts'
import type { At, Model, Stepped } from '../model.ts'
import { describeStreamSummary, listShards, listTokenOf } from './describe.ts'
import { offers } from './offers.ts'
import { type PutFault, putRecord, putRecords } from './put.ts'
import { getRecords, getShardIterator, placeOf } from './read.ts'
import {
  type KinesisAnswer,
  type KinesisRequest,
  type KinesisState,
  noIterator,
  type Operations,
  type StreamRequest,
  shardAsked,
  streamFor,
} from './request.ts'
import { mergeShards, splitInHalf, splitShard } from './reshard.ts'
import { type Stream, type StreamOptions, streamOf, trimmed } from './stream.ts'

/** Kinesis with these streams, made at this time. */
export const kinesisWith = (streams: ReadonlyArray<StreamOptions>, nowMs: number): KinesisState => ({
  streams: new Map(streams.map((options) => [options.name, streamOf(options, nowMs)])),
})

type Outcome = Stepped<KinesisState, KinesisAnswer>

const step = (state: KinesisState, request: KinesisRequest, at: At): Outcome => {
  if (request.operation === 'CreateStream') return createStream(state, request.input, at.nowMs)
  const found = streamFor(state, request)
  if (isRefused(found)) return { state, answer: found }
  const kept = trimmed(found, at.nowMs)
  const stream = at.deviation === 'resharded' ? resharded(kept, request, at.nowMs) : kept
  const { stream: next, answer } = asked(stream, request, at)
  return { state: next === found ? state : withStream(state, next), answer }
}

const withStream = ({ streams }: KinesisState, stream: Stream): KinesisState => ({
  streams: new Map(streams).set(stream.name, stream),
})

interface Asked {
  readonly stream: Stream
  readonly answer: KinesisAnswer
}

const asked = (stream: Stream, request: StreamRequest, { nowMs, deviation }: At): Asked => {
  switch (request.operation) {
    case 'DescribeStreamSummary':
      return { stream, answer: describeStreamSummary(stream) }
    case 'ListShards': {
      const after = listTokenOf(request.input.NextToken ?? '')?.after
      const page = after === undefined ? {} : { ExclusiveStartShardId: after }
      return { stream, answer: listShards(stream, { ...request.input, ...page }) }
    }
    case 'GetShardIterator':
      return { stream, answer: getShardIterator(stream, request.input, nowMs) }
    case 'GetRecords': {
      const { ShardIterator: iterator, Limit: limit } = request.input
      const place = placeOf(iterator)
      if (place === undefined) return { stream, answer: noIterator }
      const reading = { nowMs, empty: deviation === 'empty', ...(limit === undefined ? {} : { limit }) }
      return { stream, answer: getRecords(stream, place, reading) }
    }
    case 'PutRecord':
    case 'PutRecords': {
      const first = put(stream, request, nowMs, faultOf(deviation))
      return deviation === 'duplicate' ? put(first.stream, request, nowMs, {}) : first
    }
    case 'SplitShard': {
      const { ShardToSplit: id, NewStartingHashKey: hashKey } = request.input
      return changed(stream, splitShard(stream, id, hashKey, nowMs))
    }
    case 'MergeShards': {
      const { ShardToMerge: id, AdjacentShardToMerge: adjacent } = request.input
      return changed(stream, mergeShards(stream, id, adjacent, nowMs))
    }
  }
}

type PutRequest = Extract<KinesisRequest, { readonly operation: 'PutRecord' | 'PutRecords' }>

const put = (stream: Stream, request: PutRequest, nowMs: number, fault: PutFault): Asked =>
  request.operation === 'PutRecord'
    ? putRecord(stream, request.input, nowMs, fault)
    : putRecords(stream, request.input.Records, nowMs, fault)

/** Records are counted from 1, as people do. */
const faultOf = (deviation: string | undefined): PutFault => {
  if (deviation === 'other shard') return { strayed: true }
  const failed = /^record (\d+) failed$/.exec(deviation ?? '')?.[1]
  return failed === undefined ? {} : { failed: Number(failed) - 1 }
}

const changed = (stream: Stream, outcome: Stream | Refused): Asked =>
  isRefused(outcome) ? { stream, answer: outcome } : { stream: outcome, answer: output({}) }

const createStream = (state: KinesisState, input: Operations['CreateStream'], nowMs: number): Outcome => {
  const { StreamName: name, ShardCount: shards = 4 } = input
  if (state.streams.has(name))
    return {
      state,
      answer: refused('ResourceInUseException', `Stream ${name} under account 000000000000 already exists.`),
    }
  return { state: withStream(state, streamOf({ name, shards }, nowMs)), answer: output({}) }
}

const resharded = (stream: Stream, request: StreamRequest, nowMs: number): Stream => {
  const shard = shardAsked(stream, request)
  return (shard === undefined ? undefined : splitInHalf(stream, shard, nowMs)) ?? stream
}

/** No streams at first. */
export const kinesisModel: Model<KinesisState, KinesisRequest, KinesisAnswer> = {
  initial: { streams: new Map() },
  offers,
  step,
}
