/** What became of a record that was put. */
import type { KinesisClient, PutRecordsResultEntry } from '@aws-sdk/client-kinesis'
import { type Clock, E, type Fault, unavailable } from '@everfold/core'
import type { Entry } from './packing.ts'
import type { RecordRefusal } from './stream-record.ts'

/** Where a record lies; of an aggregate's records, `subsequence` is the place in it, and 0 of any other. */
export interface Placed {
  readonly shardId: string
  readonly sequenceNumber: string
  readonly subsequence: number
}

/** A record that was refused was never sent; of one that is `Unavailable` nobody knows whether it is in the stream. */
export type PutFailure = RecordRefusal | Extract<Fault, { readonly _tag: 'Unavailable' }>

export type Answer = E.Either<PutFailure, Placed>

/** One answer per entry, in their order. */
export type Send = (entries: ReadonlyArray<Entry>) => Promise<ReadonlyArray<Answer>>

/** To where entries are sent, and how long it may take. */
export interface Line {
  readonly client: KinesisClient
  readonly stream: string
  readonly clock: Clock
  readonly budgetMs: number
}

export const lacking = (what: string, cause?: unknown): E.Either<PutFailure, never> =>
  E.left(unavailable(what, cause) as PutFailure)

export const NOT_SENT = lacking('kinesis: no time was left to put the record')
export const HELD_BACK = lacking('kinesis: a record before it of the same key could not be put')

/** The entry as both calls name it. */
export const wireOf = ({ record: { partitionKey, explicitHashKey, data } }: Entry) => ({
  PartitionKey: partitionKey,
  ...(explicitHashKey === undefined ? {} : { ExplicitHashKey: explicitHashKey }),
  Data: data,
})

export const answerOf = (result: PutRecordsResultEntry | undefined): Answer => {
  const { SequenceNumber: sequenceNumber, ShardId: shardId, ErrorCode, ErrorMessage } = result ?? {}
  return sequenceNumber === undefined || shardId === undefined
    ? lacking('kinesis', { name: ErrorCode, message: ErrorMessage })
    : E.right({ shardId, sequenceNumber, subsequence: 0 })
}
