/**
 * DynamoDB Streams as a model: reading the streams of the tables. Nothing that is asked changes anything.
 *
 * Source: Amazon DynamoDB Streams API reference; AWS SDK, client-dynamodb-streams (2026-11).
 */
import { DYNAMODB_STREAMS } from '../../limits.ts'
import type { Model } from '../model.ts'
import type { DynamoDbAnswer, DynamoDbRequest } from './dynamo-db.ts'
import { invalid, Refusal } from './refusal.ts'
import { type DynamoDb, EMPTY } from './state.ts'
import type { Shard, Stream } from './stream.ts'
import { type ListedShard, recordShown, recordsOf, shards, streamAt, trimmedUpTo } from './stream-read.ts'

interface ListInput {
  readonly TableName?: string
  readonly Limit?: number
  readonly ExclusiveStartStreamArn?: string
}

interface DescribeInput {
  readonly StreamArn: string
  readonly Limit?: number
  readonly ExclusiveStartShardId?: string
  readonly ShardFilter?: { readonly Type?: string; readonly ShardId?: string }
}

interface IteratorInput {
  readonly StreamArn: string
  readonly ShardId: string
  readonly ShardIteratorType: string
  readonly SequenceNumber?: string
}

interface RecordsInput {
  readonly ShardIterator: string
  readonly Limit?: number
}

const notFound = (what: string): Refusal =>
  new Refusal('ResourceNotFoundException', `Requested resource not found: ${what}`)

const trimmed = (): Refusal =>
  new Refusal(
    'TrimmedDataAccessException',
    'The operation attempted to read past the oldest stream record in a shard.',
  )

const streamOf = (state: DynamoDb, arn: string, nowMs: number): Stream => {
  const stream = streamAt(state, arn, nowMs)
  if (stream === undefined) throw notFound(`Stream: ${arn} not found`)
  return stream
}

const list = (
  state: DynamoDb,
  { TableName, Limit, ExclusiveStartStreamArn: after = '' }: ListInput,
): object => {
  const named = [...state.tables.values()]
    .flatMap(({ name, stream }) =>
      stream === undefined || (TableName ?? name) !== name
        ? []
        : [{ StreamArn: stream.arn, TableName: name, StreamLabel: stream.label }],
    )
    .toSorted((one, other) => (one.StreamArn < other.StreamArn ? -1 : 1))
    .filter(({ StreamArn }) => StreamArn > after)
  const page = named.slice(0, Limit ?? DYNAMODB_STREAMS.listedStreams)
  const last = page.length < named.length ? page.at(-1) : undefined
  return { Streams: page, ...(last === undefined ? {} : { LastEvaluatedStreamArn: last.StreamArn }) }
}

const describe = (state: DynamoDb, input: DescribeInput, nowMs: number, most: number): object => {
  const stream = streamOf(state, input.StreamArn, nowMs)
  const table = [...state.tables.values()].find((one) => one.stream?.arn === stream.arn)
  const all = shards(state, stream.arn, nowMs)
  const { ExclusiveStartShardId: start, ShardFilter: filter } = input
  const from = start === undefined ? 0 : all.findIndex(({ id }) => id === start) + 1
  const wanted = all
    .slice(from)
    .filter(({ parent }) => filter?.Type !== 'CHILD_SHARDS' || parent === filter.ShardId)
  const page = wanted.slice(0, Math.min(most, input.Limit ?? DYNAMODB_STREAMS.describedShards))
  const last = page.length < wanted.length ? page.at(-1) : undefined
  return {
    StreamDescription: {
      StreamArn: stream.arn,
      StreamLabel: stream.label,
      StreamStatus: stream.isEnabled ? 'ENABLED' : 'DISABLED',
      StreamViewType: stream.view,
      CreationRequestDateTime: stream.createdMs / 1000,
      TableName: table?.name,
      Shards: page.map(shown),
      ...(last === undefined ? {} : { LastEvaluatedShardId: last.id }),
    },
  }
}

const shown = ({ id, parent, start, end }: ListedShard): object => ({
  ShardId: id,
  ...(parent === undefined ? {} : { ParentShardId: parent }),
  SequenceNumberRange: {
    StartingSequenceNumber: start,
    ...(end === undefined ? {} : { EndingSequenceNumber: end }),
  },
})

/** A place in a shard, in an iterator's text. */
interface Place {
  readonly arn: string
  readonly shard: string
  /** All numbers above it are ahead. */
  readonly after: string
  /** Begun at what is left, so that nothing is missed that was gone before. */
  readonly fromHorizon: boolean
  readonly issuedMs: number
}

const iteratorText = (place: Place): string => Buffer.from(JSON.stringify(place)).toString('base64')

const placeIn = (iterator: string): Place => {
  try {
    return JSON.parse(Buffer.from(iterator, 'base64').toString()) as Place
  } catch {
    throw invalid('Invalid ShardIterator')
  }
}

const shardIn = (
  state: DynamoDb,
  arn: string,
  id: string,
  nowMs: number,
): { stream: Stream; shard: Shard } => {
  const stream = streamOf(state, arn, nowMs)
  const isListed = shards(state, arn, nowMs).some((one) => one.id === id)
  const shard = stream.shards.find((one) => one.id === id)
  if (shard === undefined || !isListed) throw notFound(`Shard: ${id} in Stream: ${arn} not found`)
  return { stream, shard }
}

const iterator = (state: DynamoDb, input: IteratorInput, nowMs: number): object => {
  const { StreamArn: arn, ShardId: id, ShardIteratorType: type, SequenceNumber: number } = input
  const { shard } = shardIn(state, arn, id, nowMs)
  if ((number !== undefined) !== type.endsWith('_SEQUENCE_NUMBER'))
    throw invalid('SequenceNumber goes with AT_SEQUENCE_NUMBER and AFTER_SEQUENCE_NUMBER alone')
  if (number !== undefined && number <= trimmedUpTo(shard, nowMs)) throw trimmed()
  return {
    ShardIterator: iteratorText({
      arn,
      shard: id,
      after: afterOf(shard, type, number ?? ''),
      fromHorizon: type === 'TRIM_HORIZON',
      issuedMs: nowMs,
    }),
  }
}

const afterOf = (shard: Shard, type: string, number: string): string => {
  switch (type) {
    case 'TRIM_HORIZON':
      return ''
    case 'LATEST':
      return shard.records.at(-1)?.sequenceNumber ?? shard.start
    case 'AFTER_SEQUENCE_NUMBER':
      return number
    case 'AT_SEQUENCE_NUMBER':
      return String(BigInt(number) - 1n)
    default:
      throw invalid(
        `1 validation error detected: Value '${type}' at 'shardIteratorType' failed to satisfy constraint`,
      )
  }
}

const records = (state: DynamoDb, input: RecordsInput, nowMs: number, most: number): object => {
  const { Limit: limit = DYNAMODB_STREAMS.getRecords } = input
  const place = placeIn(input.ShardIterator)
  const { stream, shard } = shardIn(state, place.arn, place.shard, nowMs)
  if (limit < 1 || limit > DYNAMODB_STREAMS.getRecords)
    throw invalid("1 validation error detected: Value at 'limit' failed to satisfy constraint")
  if (nowMs - place.issuedMs > DYNAMODB_STREAMS.iteratorMs)
    throw new Refusal(
      'ExpiredIteratorException',
      'The shard iterator is expired and can no longer be used to retrieve stream records.',
    )
  if (!place.fromHorizon && trimmedUpTo(shard, nowMs) > place.after) throw trimmed()
  const ahead = recordsOf(shard, nowMs, place.after)
  const page = fitting(ahead, Math.min(limit, most))
  const atEnd = shard.closed !== undefined && page.length === ahead.length
  const after = page.at(-1)?.sequenceNumber ?? place.after
  const next: Place = {
    ...place,
    after,
    fromHorizon: place.fromHorizon && page.length === 0,
    issuedMs: nowMs,
  }
  return {
    Records: page.map((record) => recordShown(stream, record)),
    ...(atEnd ? {} : { NextShardIterator: iteratorText(next) }),
  }
}

const fitting = (ahead: ReturnType<typeof recordsOf>, most: number) => {
  let sizeBytes = 0
  const end = ahead.findIndex((record, at) => {
    sizeBytes += record.sizeBytes
    return at >= most || (at > 0 && sizeBytes > DYNAMODB_STREAMS.getRecordsBytes)
  })
  return end < 0 ? ahead : ahead.slice(0, end)
}

const ALL = Number.POSITIVE_INFINITY

/** How many records or shards an answer has at most, by what deviates. */
const MOST: ReadonlyMap<string, number> = new Map([
  ['empty page', 0],
  ['short page', 1],
])

const answered = (
  state: DynamoDb,
  { operation, input }: DynamoDbRequest,
  nowMs: number,
  deviation = '',
): object => {
  if (deviation === 'throttled') throw new Refusal('LimitExceededException', 'Your request rate is too high.')
  const most = MOST.get(deviation) ?? ALL
  switch (operation) {
    case 'ListStreams':
      return list(state, input as ListInput)
    case 'DescribeStream':
      return describe(state, input as DescribeInput, nowMs, most)
    case 'GetShardIterator':
      return iterator(state, input as IteratorInput, nowMs)
    case 'GetRecords':
      return records(state, input as RecordsInput, nowMs, most)
    default:
      throw new Refusal('UnknownOperationException', `Not simulated: ${operation}`)
  }
}

/** Which records are ahead is not known without a time, so that a page may be called short that is whole. */
const OFFERED: ReadonlyMap<string, ReadonlyArray<string>> = new Map([
  ['ListStreams', []],
  ['DescribeStream', ['short page', 'throttled']],
  ['GetShardIterator', ['throttled']],
  ['GetRecords', ['empty page', 'short page', 'throttled']],
])

export const dynamoDbStreams: Model<DynamoDb, DynamoDbRequest, DynamoDbAnswer> = {
  initial: EMPTY,
  offers: (_state, { operation }) => OFFERED.get(operation) ?? [],
  step: (state, request, { nowMs, deviation }) => {
    try {
      return { state, answer: { _tag: 'Answered', output: answered(state, request, nowMs, deviation) } }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      const { name, message, fields } = error
      return { state, answer: { _tag: 'Refused', error: name, message, fields } }
    }
  },
}
