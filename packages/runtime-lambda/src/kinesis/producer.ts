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
 * a beginning of what was given, apart from doubles. It holds while one producer writes a key
 * (here: a partition key with one explicit hash key or none, since two of them may mean two shards).
 * Source: AWS SDK, PutRecordCommand and PutRecordsCommand.
 */
import type { KinesisClient } from '@aws-sdk/client-kinesis'
import { type Clock, E } from '@everfold/core'
import { KINESIS } from '../limits.ts'
import { isAggregate } from './aggregate.ts'
import { manyAtOnce } from './many-at-once.ts'
import { oneByOne } from './one-by-one.ts'
import { aggregatedByKey, plainly } from './packing.ts'
import { type Answer, HELD_BACK, NOT_SENT, type Placed, type PutFailure } from './put-answer.ts'
import { type RecordRefusal, refusalOf, routeOf, type StreamRecord } from './stream-record.ts'

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

const BUDGET_MS = 10_000

export const kinesisProducer = (options: KinesisProducerOptions): KinesisProducer => {
  const { recordBytes: limit = KINESIS.recordBytes, aggregate = false, order = 'coarse' } = options
  const limitBytes = Math.min(limit, KINESIS.largestRecordBytes)
  const aggregateBytes = Math.min(aggregate === true ? KINESIS.aggregateBytes : Number(aggregate), limitBytes)
  const strict = order === 'strict'
  const { client, stream, clock, budgetMs = BUDGET_MS, parallel = 16 } = options
  const line = { client, stream, clock, budgetMs }
  const send = strict ? oneByOne(line, parallel) : manyAtOnce(line)
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
      stopped.add(routeOf(record))
      return E.left(refusal)
    }
    return strict && stopped.has(routeOf(record)) ? HELD_BACK : NOT_SENT
  })
  return { answers, sound: [...answers.keys()].filter((place) => answers[place] === NOT_SENT) }
}
