/**
 * Reads a stream as Lambda's event source mapping does, and calls the very function that is deployed: for tests and local
 * runs, where there is no Lambda.
 *
 * Law: every record of a shard's parents is taken before any of its own; of a shard, a batch is taken before the next, and
 * one that was not taken comes again from the number that was reported.
 * Source: Kinesis Data Streams Developer Guide, "Resharding a stream"; AWS SDK, GetRecordsCommand.
 */
import {
  ExpiredIteratorException,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
  type Shard,
  ShardIteratorType,
  type _Record as ShardRecord,
} from '@aws-sdk/client-kinesis'
import { type Clock, E, type Fault, type TE, unavailable } from '@everfold/core'
import type { BatchResponse } from '../consumers/batch-response.ts'
import { KINESIS } from '../limits.ts'
import { patiently, patientlyOr } from '../patience.ts'

/** How far a shard was taken: up to a sequence number, not at all (undefined), or to its end (null). */
export type ShardPosition = string | undefined | null

export interface KinesisReaderOptions {
  readonly client: KinesisClient
  /** The stream's name. */
  readonly stream: string
  readonly clock: Clock
  /** The Lambda function: `kinesisConsumer(...)`, or a handler around it. */
  readonly handler: (event: unknown) => Promise<BatchResponse>
  /** How far each shard was taken; the reader goes on from there, and keeps it. */
  readonly checkpoints?: Map<string, ShardPosition>
  /** The most records of one batch; 100 unless told, as Lambda's. */
  readonly batchSize?: number
}

export interface Step {
  /** The records that were handed over; those that come again count again. */
  readonly records: number
  /** Whether more is known to wait: behind what was read, or because it was not taken. */
  readonly behind: boolean
  /** Whether a batch was not taken whole, and comes again. */
  readonly failed: boolean
}

export interface KinesisReader {
  /** One batch from each shard that may be read now. */
  readonly step: TE.TaskEither<Fault, Step>
  /** Steps until nothing is known to wait, with a pause after what was not taken: for ever, if a record never is. */
  readonly drain: TE.TaskEither<Fault, void>
}

export const kinesisReader = (options: KinesisReaderOptions): KinesisReader => {
  const { checkpoints = new Map<string, ShardPosition>() } = options
  const iterators = new Map<string, string>()
  const step = async (): Promise<E.Either<Fault, Step>> => {
    const listed = await listShards(options)
    if (E.isLeft(listed)) return listed
    let records = 0
    let behind = false
    let failed = false
    for (const shard of readable(listed.right, checkpoints)) {
      const stepped = await stepShard(options, { shard, checkpoints, iterators })
      if (E.isLeft(stepped)) return stepped
      records += stepped.right.records
      behind ||= stepped.right.behind
      failed ||= stepped.right.failed
    }
    return E.right({ records, behind, failed })
  }
  const drain = async (): Promise<E.Either<Fault, void>> => {
    for (;;) {
      const stepped = await step()
      if (E.isLeft(stepped)) return stepped
      if (!stepped.right.behind) return E.right(undefined)
      if (stepped.right.failed) await options.clock.sleep(PAUSE_MS)
    }
  }
  return { step, drain }
}

/** Lambda asks each shard four times a second. Source: Lambda Developer Guide, "Using AWS Lambda with Amazon Kinesis". */
const PAUSE_MS = 250

type Reading = Pick<KinesisReaderOptions, 'client' | 'stream' | 'clock'>

const listShards = async ({
  client,
  stream,
  clock,
}: Reading): Promise<E.Either<Fault, ReadonlyArray<Shard>>> => {
  const shards: Array<Shard> = []
  let token: string | undefined
  do {
    const from: { NextToken: string } | { StreamName: string } =
      token === undefined ? { StreamName: stream } : { NextToken: token }
    const page = await patientlyOr({ clock }, 'kinesis', () => client.send(new ListShardsCommand(from)))
    if (E.isLeft(page)) return page
    shards.push(...(page.right.Shards ?? []))
    token = page.right.NextToken
  } while (token !== undefined)
  return E.right(shards)
}

/** The shards that are not at their end and whose parents are: a merged one has two, and none that is listed no more counts. */
const readable = (
  shards: ReadonlyArray<Shard>,
  checkpoints: ReadonlyMap<string, ShardPosition>,
): ReadonlyArray<string> => {
  const open = new Set(shards.flatMap(({ ShardId: id = '' }) => (checkpoints.get(id) === null ? [] : [id])))
  return shards.flatMap(
    ({ ShardId: id = '', ParentShardId: parent = '', AdjacentParentShardId: other = '' }) =>
      open.has(id) && !open.has(parent) && !open.has(other) ? [id] : [],
  )
}

interface ShardPlace {
  readonly shard: string
  readonly checkpoints: Map<string, ShardPosition>
  readonly iterators: Map<string, string>
}

const stepShard = async (
  options: KinesisReaderOptions,
  { shard, checkpoints, iterators }: ShardPlace,
): Promise<E.Either<Fault, Step>> => {
  const iterator = await iteratorOf(options, shard, checkpoints.get(shard), iterators.get(shard))
  if (E.isLeft(iterator)) return iterator
  iterators.delete(shard)
  const { client, clock, batchSize = 100 } = options
  const Limit = Math.min(batchSize, KINESIS.getRecords)
  const read = await patiently({ clock }, () =>
    client.send(new GetRecordsCommand({ ShardIterator: iterator.right, Limit })),
  )
  if (E.isLeft(read))
    // Five minutes old: the next step takes a new one from the checkpoint.
    return read.left instanceof ExpiredIteratorException
      ? E.right({ records: 0, behind: true, failed: false })
      : E.left(unavailable('kinesis', read.left))
  const { Records: records = [], NextShardIterator: next, MillisBehindLatest: lag = 0 } = read.right
  const answered = await firstFailed(options, shard, records)
  if (E.isLeft(answered)) return answered
  const taken = records[answered.right - 1]?.SequenceNumber
  if (taken !== undefined) checkpoints.set(shard, taken)
  if (answered.right < records.length) return E.right({ records: records.length, behind: true, failed: true })
  if (next === undefined) checkpoints.set(shard, null)
  else iterators.set(shard, next)
  // A page may be short while more waits behind it, and behind a shard's end its children may.
  const behind = records.length > 0 || lag > 0 || next === undefined
  return E.right({ records: records.length, behind, failed: false })
}

const iteratorOf = async (
  { client, stream, clock }: Reading,
  shard: string,
  position: ShardPosition,
  known: string | undefined,
): Promise<E.Either<Fault, string>> => {
  if (known !== undefined) return E.right(known)
  const from =
    typeof position === 'string'
      ? { ShardIteratorType: ShardIteratorType.AFTER_SEQUENCE_NUMBER, StartingSequenceNumber: position }
      : { ShardIteratorType: ShardIteratorType.TRIM_HORIZON }
  const answer = await patientlyOr({ clock }, 'kinesis', () =>
    client.send(new GetShardIteratorCommand({ StreamName: stream, ShardId: shard, ...from })),
  )
  if (E.isLeft(answer)) return answer
  const { ShardIterator: iterator } = answer.right
  return iterator === undefined ? E.left(unavailable('kinesis: a shard gave no iterator')) : E.right(iterator)
}

/** The place of the first record that has to come again; the number of records where none has to. */
const firstFailed = async (
  { stream, handler }: KinesisReaderOptions,
  shard: string,
  records: ReadonlyArray<ShardRecord>,
): Promise<E.Either<Fault, number>> => {
  if (records.length === 0) return E.right(0)
  try {
    const { batchItemFailures } = await handler(eventOf(stream, shard, records))
    const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier))
    if (failed.size === 0) return E.right(records.length)
    // A number that is none of the batch fails it whole, as at Lambda.
    const first = records.findIndex(({ SequenceNumber: number = '' }) => failed.has(number))
    return E.right(Math.max(0, first))
  } catch (cause) {
    return E.left(unavailable('kinesis: the handler', cause))
  }
}

/** As Lambda gives it to a function. Source: Lambda Developer Guide, "Using AWS Lambda with Amazon Kinesis". */
const eventOf = (stream: string, shard: string, records: ReadonlyArray<ShardRecord>): unknown => ({
  Records: records.map((record) => ({
    kinesis: {
      kinesisSchemaVersion: '1.0',
      partitionKey: record.PartitionKey,
      sequenceNumber: record.SequenceNumber,
      data: Buffer.from(record.Data ?? []).toString('base64'),
      approximateArrivalTimestamp: (record.ApproximateArrivalTimestamp?.getTime() ?? 0) / 1000,
    },
    eventSource: 'aws:kinesis',
    eventVersion: '1.0',
    eventID: `${shard}:${record.SequenceNumber}`,
    eventName: 'aws:kinesis:record',
    invokeIdentityArn: 'arn:aws:iam::000000000000:role/local',
    awsRegion: 'local',
    eventSourceARN: `arn:aws:kinesis:local:000000000000:stream/${stream}`,
  })),
})
