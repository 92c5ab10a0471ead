/**
 * Puts records into a Kinesis stream, and says of each where it lies or why not.
 *
 * Every record that is answered with its place is in the stream at least once: a call without an answer is made again,
 * by the SDK and by us, and what it had stored is stored twice, with other sequence numbers. A consumer tells such
 * doubles only by what the writer put into the bytes.
 *
 * Order. PutRecords keeps none: each record of a call succeeds or fails for itself, and a failed one is put again behind
 * those that came after it. Failed records go first into the next call, so that records of a key change places only
 * around a failure. In the strict order each record is put on its own after the one before it of its key, chained by
 * SequenceNumberForOrdering, and nothing of a key is put behind a record that could not be: what is stored of a key is
 * a beginning of what was given, apart from doubles. It holds while one producer writes a key.
 * Source: AWS SDK, PutRecordCommand and PutRecordsCommand.
 */
import {
  type KinesisClient,
  PutRecordCommand,
  PutRecordsCommand,
  type PutRecordsResultEntry,
} from '@aws-sdk/client-kinesis'
import { type Clock, E, type Fault, unavailable } from '@everfold/core'
import { KINESIS } from '../limits.ts'
import { inParallel } from '../parallel.ts'
import { isTransient, patiently } from '../patience.ts'
import { isAggregate } from './aggregate.ts'
import { aggregatedByKey, type Entry, fitting, plainly } from './packing.ts'
import { type RecordRefusal, recordBytes, refusalOf, type StreamRecord } from './stream-record.ts'

/** Where a record lies; of an aggregate's records, `subsequence` is the place in it, and 0 of any other. */
export interface Placed {
  readonly shardId: string
  readonly sequenceNumber: string
  readonly subsequence: number
}

/** A record that was refused was never sent; of one that is `Unavailable` nobody knows whether it is in the stream. */
export type PutFailure = RecordRefusal | Extract<Fault, { readonly _tag: 'Unavailable' }>

export interface KinesisProducer {
  /** One answer per record, in their order. */
  put(
    this: void,
    records: ReadonlyArray<StreamRecord>,
  ): () => Promise<ReadonlyArray<E.Either<PutFailure, Placed>>>
}

export interface KinesisProducerOptions {
  readonly client: KinesisClient
  /** The stream's name. */
  readonly stream: string
  readonly clock: Clock
  /** No call of a `put` is begun after so long; 10 s unless told. */
  readonly budgetMs?: number
  /** The largest record with its key; 1 MiB unless told, and no more than the stream has been set to take. */
  readonly recordBytes?: number
  /** Puts records of one key together into records of so many bytes; `true` means 51,200, as in Amazon's own library. */
  readonly aggregate?: boolean | number
  /** `strict` costs one call for each record (or aggregate); `coarse` unless told. */
  readonly order?: 'coarse' | 'strict'
  /** In the strict order, how many keys are put at a time; 16 unless told. */
  readonly parallel?: number
}

type Answer = E.Either<PutFailure, Placed>
type Send = (entries: ReadonlyArray<Entry>) => Promise<ReadonlyArray<Answer>>

export const kinesisProducer = (options: KinesisProducerOptions): KinesisProducer => {
  const { recordBytes: limit = KINESIS.recordBytes, aggregate = false, order = 'coarse' } = options
  const limitBytes = Math.min(limit, KINESIS.largestRecordBytes)
  const aggregateBytes = Math.min(aggregate === true ? KINESIS.aggregateBytes : Number(aggregate), limitBytes)
  const strict = order === 'strict'
  const send = strict ? oneByOne(options) : manyAtOnce(options)
  const refused = (record: StreamRecord): RecordRefusal | undefined =>
    aggregateBytes > 0 && isAggregate(record.data)
      ? { _tag: 'AlreadyAggregated' }
      : refusalOf(record, limitBytes)
  return {
    put: (records) => async () => {
      const { answers, sound } = sorted(records, refused, strict)
      const given = sound.map((place) => records[place] as StreamRecord)
      const entries = aggregateBytes > 0 ? aggregatedByKey(given, aggregateBytes) : plainly(given)
      for (const [at, answer] of (await send(entries)).entries())
        for (const [subsequence, member] of (entries[at]?.members ?? []).entries())
          answers[sound[member] as number] = E.isLeft(answer)
            ? answer
            : E.right({ ...answer.right, subsequence })
      return answers
    },
  }
}

/** The places of the records to be sent, and the answers to the others. */
const sorted = (
  records: ReadonlyArray<StreamRecord>,
  refused: (record: StreamRecord) => RecordRefusal | undefined,
  strict: boolean,
): { readonly answers: Array<Answer>; readonly sound: ReadonlyArray<number> } => {
  const stopped = new Set<string>()
  const answers = records.map((record): Answer => {
    const refusal = refused(record)
    if (refusal !== undefined) {
      stopped.add(record.partitionKey)
      return E.left(refusal)
    }
    return strict && stopped.has(record.partitionKey) ? HELD_BACK : NOT_SENT
  })
  return { answers, sound: [...answers.keys()].filter((place) => answers[place] === NOT_SENT) }
}

const lacking = (what: string, cause?: unknown): E.Either<PutFailure, never> =>
  E.left(unavailable(what, cause) as PutFailure)

const NOT_SENT = lacking('kinesis: no time was left to put the record')
const HELD_BACK = lacking('kinesis: a record before it of the same key could not be put')

const BUDGET_MS = 10_000

/** By PutRecords, packed to its limits; what failed is in front of what has not been sent. */
const manyAtOnce = (options: KinesisProducerOptions): Send => {
  const { client, stream, clock, budgetMs = BUDGET_MS } = options
  return async (entries) => {
    const untilMs = clock.nowMs() + budgetMs
    const answers: Array<Answer> = entries.map(() => NOT_SENT)
    const sizes = entries.map(({ record }) => recordBytes(record))
    let pending: ReadonlyArray<number> = [...entries.keys()]
    let pack = pending
    const call = async (): Promise<void> => {
      const next = pending.slice(0, PUT_LIMITS.count)
      const fits = fitting(
        next.map((at) => sizes[at] ?? 0),
        PUT_LIMITS,
      )
      pack = next.slice(0, fits)
      const command = new PutRecordsCommand({
        StreamName: stream,
        Records: pack.map((at) => wireOf(entries[at] as Entry)),
      })
      const { Records: results = [] } = await client.send(command)
      for (const [at, place] of pack.entries()) answers[place] = answerOf(results[at])
      const failed = pack.filter((place) => E.isLeft(answers[place] as Answer))
      pending = [...failed, ...pending.slice(fits)]
      if (failed.length > 0) throw new SomeFailed(failed.length)
    }
    while (pending.length > 0 && clock.nowMs() <= untilMs) {
      const patience = { clock, budgetMs: untilMs - clock.nowMs() }
      const outcome = await patiently(patience, call, isWorthRepeating)
      if (E.isRight(outcome)) continue
      const { left: error } = outcome
      if (error instanceof SomeFailed) break
      for (const place of pack) answers[place] = lacking('kinesis', error)
      if (isTransient(error)) break
      // What is wrong with this call may be wrong with nothing of the next.
      pending = pending.slice(pack.length)
    }
    return answers
  }
}

const PUT_LIMITS = { count: KINESIS.putRecords, bytes: KINESIS.putBytes }

/** Thrown and caught here: says to `patiently` that records are left of a call that went through. */
class SomeFailed extends Error {
  constructor(count: number) {
    super(`${count} records failed`)
  }
}

const isWorthRepeating = (error: unknown): boolean => error instanceof SomeFailed || isTransient(error)

const wireOf = ({ record: { partitionKey, explicitHashKey, data } }: Entry) => ({
  PartitionKey: partitionKey,
  ...(explicitHashKey === undefined ? {} : { ExplicitHashKey: explicitHashKey }),
  Data: data,
})

const answerOf = (result: PutRecordsResultEntry | undefined): Answer => {
  const { SequenceNumber: sequenceNumber, ShardId: shardId, ErrorCode, ErrorMessage } = result ?? {}
  return sequenceNumber === undefined || shardId === undefined
    ? lacking('kinesis', { name: ErrorCode, message: ErrorMessage })
    : E.right({ shardId, sequenceNumber, subsequence: 0 })
}

/** The keys whose latest place is remembered from one `put` to the next. */
const REMEMBERED_KEYS = 10_000

/** By PutRecord, one after the other within a key; calls of `put` take turns, or they would overtake each other. */
const oneByOne = (options: KinesisProducerOptions): Send => {
  const { client, stream, clock, budgetMs = BUDGET_MS, parallel = 16 } = options
  const latest = new Map<string, string>()
  let turn: Promise<unknown> = Promise.resolve()
  const putOne = async (entry: Entry, untilMs: number): Promise<Answer> => {
    const { partitionKey } = entry.record
    const after = latest.get(partitionKey)
    const command = {
      StreamName: stream,
      ...wireOf(entry),
      ...(after === undefined ? {} : { SequenceNumberForOrdering: after }),
    }
    const patience = { clock, budgetMs: untilMs - clock.nowMs() }
    const outcome = await patiently(patience, () => client.send(new PutRecordCommand(command)))
    if (E.isLeft(outcome)) return lacking('kinesis', outcome.left)
    const answer = answerOf(outcome.right)
    if (E.isRight(answer)) remember(latest, partitionKey, answer.right.sequenceNumber)
    return answer
  }
  const putAll: Send = async (entries) => {
    const untilMs = clock.nowMs() + budgetMs
    const answers: Array<Answer> = entries.map(() => NOT_SENT)
    const chains = Map.groupBy(entries.keys(), (at) => entries[at]?.record.partitionKey)
    await inParallel(chains.values(), parallel, async (chain) => {
      let stopped: Answer | undefined
      for (const at of chain) {
        if (clock.nowMs() > untilMs) return
        const answer = stopped ?? (await putOne(entries[at] as Entry, untilMs))
        answers[at] = answer
        if (E.isLeft(answer)) stopped = HELD_BACK
      }
    })
    return answers
  }
  return (entries) => {
    const answered = turn.then(() => putAll(entries))
    turn = answered
    return answered
  }
}

const remember = (latest: Map<string, string>, key: string, sequenceNumber: string): void => {
  latest.delete(key)
  latest.set(key, sequenceNumber)
  const [oldest] = latest.keys()
  if (latest.size > REMEMBERED_KEYS && oldest !== undefined) latest.delete(oldest)
}
