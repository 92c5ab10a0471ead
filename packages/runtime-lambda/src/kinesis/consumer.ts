/**
 * A Lambda function behind a Kinesis stream: takes the records of a batch in order, and reports from where on the batch
 * has to come again.
 *
 * Lambda goes on behind the lowest sequence number that is reported, so that everything from there on comes again, taken
 * or not: delivery is at least once, and the taker tells doubles by their ids. Lambda listens to the report only if
 * `ReportBatchItemFailures` is switched on in the event source mapping. An aggregate fails as a whole.
 * An event that no record of can be named is thrown: then the whole batch comes again.
 * Source: Lambda Developer Guide, "Configuring partial batch response with Kinesis Data Streams and Lambda".
 *
 * A stream whose `RecordDistributionStrategy` is AUTO spreads a key over shards, and so has no order to keep.
 *
 * Laws: records of one group are taken in order; whatever precedes the reported number has been taken; nothing is
 * reported iff everything has been taken.
 */
import { E, type InvalidInput, type TE } from '@everfold/core'
import type { BatchResponse } from '../consumers/batch-response.ts'
import { MalformedEvent } from '../consumers/malformed-event.ts'
import { inParallel } from '../parallel.ts'
import { type Unit, type UserRecord, unitsOf } from './user-record.ts'

export interface TakeFailure {
  /** How many of the records, from the first, were taken nevertheless; none unless told. */
  readonly taken?: number
  readonly cause: unknown
}

export type BatchFailure =
  /** The record is broken, and comes again until the mapping's retries or its age end it. */
  | {
      readonly _tag: 'RecordInvalid'
      readonly sequenceNumber: string
      readonly errors: InvalidInput['errors']
    }
  | { readonly _tag: 'NotTaken'; readonly id: string; readonly cause: unknown }

export interface KinesisConsumerOptions {
  /** Takes records of one group, oldest first, at least one. A promise that is rejected counts as a failure of them all. */
  readonly take: (records: ReadonlyArray<UserRecord>) => TE.TaskEither<TakeFailure, void>
  /** Hears of everything that makes a batch come again. */
  readonly report: (failure: BatchFailure) => void
  /** What has to stay in order; the partition key unless told. A constant takes the batch as one. */
  readonly groupBy?: (record: UserRecord) => string
  /** How many groups are taken at a time; 10 unless told. */
  readonly parallel?: number
}

export const kinesisConsumer = (
  options: KinesisConsumerOptions,
): ((event: unknown) => Promise<BatchResponse>) => {
  const { report } = options
  return async (event) => {
    const units = unitsOf(event)
    if (E.isLeft(units)) throw new MalformedEvent('an event of a Kinesis stream', units.left)
    const { sound, broken } = beforeBroken(units.right, report)
    const failed = await takeGroups(sound, options)
    const first = failed === undefined ? broken : units.right[failed]
    return { batchItemFailures: first === undefined ? [] : [{ itemIdentifier: first.sequenceNumber }] }
  }
}

/** A user record and the place of its unit in the batch. */
interface Sound {
  readonly record: UserRecord
  readonly place: number
}

/** The records before the first broken one: what follows it comes again with it, so that taking it now is in vain. */
const beforeBroken = (
  units: ReadonlyArray<Unit>,
  report: KinesisConsumerOptions['report'],
): { readonly sound: ReadonlyArray<Sound>; readonly broken?: Unit } => {
  const sound: Array<Sound> = []
  for (const [place, unit] of units.entries()) {
    const { sequenceNumber, records } = unit
    if (E.isLeft(records)) {
      report({ _tag: 'RecordInvalid', sequenceNumber, errors: records.left.errors })
      return { sound, broken: unit }
    }
    for (const record of records.right) sound.push({ record, place })
  }
  return { sound }
}

/** The place of the first unit that was not taken as a whole. */
const takeGroups = async (
  sound: ReadonlyArray<Sound>,
  { take, report, groupBy = ({ partitionKey }) => partitionKey, parallel = 10 }: KinesisConsumerOptions,
): Promise<number | undefined> => {
  let failed = Number.POSITIVE_INFINITY
  const groups = Map.groupBy(sound, ({ record }) => groupBy(record))
  await inParallel(groups.values(), parallel, async (group) => {
    // What follows a failure comes again with it.
    if ((group[0]?.place ?? 0) > failed) return
    const outcome = await settled(
      take,
      group.map(({ record }) => record),
    )
    if (E.isRight(outcome)) return
    const { taken = 0, cause } = outcome.left
    const first = group[taken] ?? group[0]
    if (first === undefined) return
    failed = Math.min(failed, first.place)
    report({ _tag: 'NotTaken', id: first.record.id, cause })
  })
  return failed === Number.POSITIVE_INFINITY ? undefined : failed
}

const settled = async (
  take: KinesisConsumerOptions['take'],
  records: ReadonlyArray<UserRecord>,
): Promise<E.Either<TakeFailure, void>> => {
  try {
    return await take(records)()
  } catch (cause) {
    return E.left({ cause })
  }
}
