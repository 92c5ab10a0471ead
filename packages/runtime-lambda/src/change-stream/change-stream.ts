/**
 * The change stream on DynamoDB Streams, read by polling: for this machine, and wherever no event source mapping reads.
 *
 * The shards that can be read are read beside each other, a parent always to its end before its children. A shard that
 * cannot be read stops all: nothing is passed over. What the stream has dropped unread is a fault that says so.
 */
import {
  DescribeStreamCommand,
  type DynamoDBStreamsClient,
  GetRecordsCommand,
  type GetRecordsOutput,
  GetShardIteratorCommand,
} from '@aws-sdk/client-dynamodb-streams'
import { type ChangeStream, type Changes, type Commit, E, type Fault, unavailable } from '@everfold/core'
import { DYNAMODB_STREAMS } from '../limits.ts'
import { errorName, type Patience, patiently, patientlyOr } from '../patience.ts'
import type { ClaimCheck } from '../store/claim-check.ts'
import { type Checkpoint, checkpointOf, checkpointText } from './checkpoint.ts'
import {
  awaitsChildren,
  beginningOf,
  type ListedShard,
  lostShards,
  readableShards,
  withoutGone,
} from './shard-lineage.ts'
import { recordedCommit, streamRecord } from './stream-record.ts'

export interface DynamoChangeStreamOptions extends Patience {
  readonly client: DynamoDBStreamsClient
  /** The ARN of the table's stream; `streamOfTable` finds it. */
  readonly stream: string
  /** Where the parts of large commits lie. */
  readonly claimCheck?: ClaimCheck
}

/** How old the list of shards may be, and how old where a closed shard's children are awaited. */
const LISTED_MS = 60_000
const LISTED_AGAIN_MS = 1000
/** How old the time of a checkpoint may become while nothing moves. */
const RENEWED_MS = 60_000

/** An iterator, and the position that it reads on from. */
interface Place {
  readonly position: string | undefined
  readonly iterator: string
}

/** What is kept between reads to spare requests; a reader without it reads the same. */
interface Kept {
  listed: ReadonlyArray<ListedShard>
  listedMs: number
  readonly places: Map<string, Place>
  /** Turns with every read, so that no shard is left out where there are more of them than commits asked for. */
  turn: number
}

export const dynamoChangeStream = (options: DynamoChangeStreamOptions): ChangeStream => {
  const kept: Kept = { listed: [], listedMs: Number.NEGATIVE_INFINITY, places: new Map(), turn: 0 }
  return {
    read: (checkpoint, limit) => async () => {
      const from = startOf(options, checkpoint)
      if (E.isLeft(from)) return from
      const listed = await shardsFor(options, kept, from.right)
      if (E.isLeft(listed)) return listed
      return readShards(options, kept, from.right, limit)
    },
  }
}

const startOf = (
  { stream, clock }: DynamoChangeStreamOptions,
  checkpoint: string | undefined,
): E.Either<Fault, Checkpoint> => {
  const nowMs = clock.nowMs()
  if (checkpoint === undefined) return E.right({ stream, atMs: nowMs, positions: new Map() })
  const from = checkpointOf(checkpoint)
  if (E.isLeft(from)) return E.left(unavailable(`the checkpoint of ${stream}`, from.left))
  const { stream: other, atMs } = from.right
  if (other !== stream)
    return E.left(lost(from.right, `this checkpoint is of ${other}, and ${stream} is read`))
  return nowMs - atMs > DYNAMODB_STREAMS.retentionMs
    ? E.left(lost(from.right, `${stream} keeps records for a day, and has not been read for longer`))
    : from
}

/** Whatever a checkpoint had left unread was appended within the day before it, its commands perhaps long before. */
const lost = ({ atMs }: Checkpoint, why: string, cause?: unknown): Fault => {
  const since = new Date(Math.max(0, atMs - DYNAMODB_STREAMS.retentionMs)).toISOString()
  const remedy = `begin without a checkpoint, then run "everfold republish --since ${since}" (commands that waited longer than its --waited days are not among these)`
  return unavailable(`the change stream: ${why}, so commits may be lost to this reader; ${remedy}`, cause)
}

/** Lists the shards again where the list is old, or lacks something that the checkpoint tells of. */
const shardsFor = async (
  options: DynamoChangeStreamOptions,
  kept: Kept,
  from: Checkpoint,
): Promise<E.Either<Fault, void>> => {
  const ageMs = options.clock.nowMs() - kept.listedMs
  const unknown = lostShards(kept.listed, from.positions).length > 0
  const awaited = awaitsChildren(kept.listed, from.positions) && ageMs > LISTED_AGAIN_MS
  if (unknown || awaited || ageMs > LISTED_MS) {
    const listed = await describe(options)
    if (E.isLeft(listed)) return listed
    kept.listed = listed.right
    kept.listedMs = options.clock.nowMs()
  }
  const gone = lostShards(kept.listed, from.positions)
  return gone.length === 0
    ? E.right(undefined)
    : E.left(lost(from, `${gone.join(', ')} of ${from.stream} was dropped before it was read to its end`))
}

const describe = async (
  options: DynamoChangeStreamOptions,
): Promise<E.Either<Fault, ReadonlyArray<ListedShard>>> => {
  const { client, stream } = options
  const listed: Array<ListedShard> = []
  let after: string | undefined
  do {
    const input = { StreamArn: stream, ...(after === undefined ? {} : { ExclusiveStartShardId: after }) }
    const page = await patientlyOr(options, `the shards of ${stream}`, () =>
      client.send(new DescribeStreamCommand(input)),
    )
    if (E.isLeft(page)) return page
    const { Shards: shards = [], LastEvaluatedShardId } = page.right.StreamDescription ?? {}
    for (const shard of shards) {
      const { ShardId: id, ParentShardId: parent } = shard
      const { StartingSequenceNumber: start } = shard.SequenceNumberRange ?? {}
      if (id === undefined) continue
      listed.push({
        id,
        ...(parent === undefined ? {} : { parent }),
        ...(start === undefined ? {} : { start }),
      })
    }
    after = LastEvaluatedShardId
  } while (after !== undefined)
  return E.right(listed)
}

/** What was read of one shard: its commits up to a record that cannot be read, and how far that is. */
interface Portion {
  readonly shard: string
  readonly commits: ReadonlyArray<Commit>
  readonly position: string | null | undefined
  readonly fault?: Fault
}

const readShards = async (
  options: DynamoChangeStreamOptions,
  kept: Kept,
  from: Checkpoint,
  limit: number,
): Promise<E.Either<Fault, Changes>> => {
  const readable = readableShards(kept.listed, from.positions)
  const first = readable.length > limit ? kept.turn++ % readable.length : 0
  const shards = [...readable.slice(first), ...readable.slice(0, first)].slice(0, limit)
  const share = Math.min(DYNAMODB_STREAMS.getRecords, Math.max(1, Math.floor(limit / shards.length)))
  const portions = await Promise.all(shards.map((shard) => readShard(options, kept, from, { shard, share })))
  const positions = new Map(from.positions)
  const commits: Array<Commit> = []
  for (const portion of portions) {
    if (E.isLeft(portion)) return portion
    const { shard, position, fault } = portion.right
    if (fault !== undefined && portion.right.commits.length === 0) return E.left(fault)
    commits.push(...portion.right.commits)
    if (position !== undefined) positions.set(shard, position)
  }
  const next = { ...from, positions: withoutGone(kept.listed, positions) }
  return E.right({ commits, checkpoint: renewed(from, next, options.clock.nowMs()) })
}

/** The same text while nothing has moved, so that it need not be kept again, but for once in a minute. */
const renewed = (from: Checkpoint, next: Checkpoint, nowMs: number): string => {
  const text = checkpointText(next)
  const same = text === checkpointText(from) && nowMs - from.atMs < RENEWED_MS
  return same ? text : checkpointText({ ...next, atMs: nowMs })
}

const readShard = async (
  options: DynamoChangeStreamOptions,
  kept: Kept,
  from: Checkpoint,
  { shard, share }: { readonly shard: string; readonly share: number },
): Promise<E.Either<Fault, Portion>> => {
  const position = from.positions.get(shard) ?? undefined
  const place = kept.places.get(shard)
  const iterator = place?.position === position ? place?.iterator : undefined
  const begin = beginningOf(kept.listed, from.positions, shard)
  const asked = { shard, position, begin, share, iterator }
  const outcome = await patiently(options, () => recordsOf(options, asked))
  if (E.isLeft(outcome)) return E.left(faultOf(from, shard, outcome.left))
  const { Records: records = [], NextShardIterator: next } = outcome.right
  const portion = await portionOf(options, shard, records, position)
  if (portion.fault !== undefined) return E.right(portion)
  if (next === undefined) {
    kept.places.delete(shard)
    return E.right({ ...portion, position: null })
  }
  kept.places.set(shard, { position: portion.position ?? undefined, iterator: next })
  return E.right(portion)
}

interface Asked {
  readonly shard: string
  readonly position: string | undefined
  /** The first number of a shard whose records all have to be there. */
  readonly begin: string | undefined
  readonly share: number
  /** What a read before has left to go on with; it lives for 15 minutes. */
  readonly iterator: string | undefined
}

const recordsOf = async (options: DynamoChangeStreamOptions, asked: Asked): Promise<GetRecordsOutput> => {
  const { share, iterator } = asked
  const get = async (from: string) =>
    options.client.send(new GetRecordsCommand({ ShardIterator: from, Limit: share }))
  if (iterator !== undefined)
    try {
      return await get(iterator)
    } catch (error) {
      if (errorName(error) !== 'ExpiredIteratorException') throw error
    }
  return get(await iteratorOf(options, asked))
}

const iteratorOf = async (
  { client, stream }: DynamoChangeStreamOptions,
  { shard, position, begin }: Asked,
): Promise<string> => {
  const { ShardIterator: iterator } = await client.send(
    new GetShardIteratorCommand({ StreamArn: stream, ShardId: shard, ...placeOf(position, begin) }),
  )
  if (iterator === undefined) throw new Error(`${shard} of ${stream} gave no iterator`)
  return iterator
}

/** What is gone is passed over in silence at TRIM_HORIZON; at or after a number that is gone it is refused. */
const placeOf = (position: string | undefined, begin: string | undefined) => {
  if (position !== undefined)
    return { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: position } as const
  return begin === undefined
    ? ({ ShardIteratorType: 'TRIM_HORIZON' } as const)
    : ({ ShardIteratorType: 'AT_SEQUENCE_NUMBER', SequenceNumber: begin } as const)
}

const faultOf = (from: Checkpoint, shard: string, error: unknown): Fault => {
  const name = errorName(error)
  return name === 'TrimmedDataAccessException' || name === 'ResourceNotFoundException'
    ? lost(from, `records of ${shard} of ${from.stream} were dropped before they were read`, error)
    : unavailable(`${shard} of ${from.stream}`, error)
}

const portionOf = async (
  { claimCheck }: DynamoChangeStreamOptions,
  shard: string,
  records: ReadonlyArray<unknown>,
  from: string | undefined,
): Promise<Portion> => {
  const commits: Array<Commit> = []
  let position = from
  for (const [at, input] of records.entries()) {
    const record = streamRecord(input, `/Records/${at}`)
    if (E.isLeft(record)) {
      const what = `a record of ${shard} after ${position ?? 'its beginning'}`
      return { shard, commits, position, fault: unavailable(what, record.left) }
    }
    const commit = await recordedCommit(record.right, claimCheck)
    if (E.isLeft(commit)) return { shard, commits, position, fault: commit.left }
    if (commit.right !== undefined) commits.push(commit.right)
    position = record.right.sequenceNumber
  }
  return { shard, commits, position }
}
