/** The commits of a Lambda event from the table's stream: record by record, each a commit or why it is none. */
import { type Commit, E, type Fault, type InvalidInput } from '@everfold/core'
import { inParallel } from '../parallel.ts'
import type { ClaimCheck } from '../store/claim-check.ts'
import { isObject } from './stream-image.ts'
import { recordedCommit, type StreamRecord, streamRecord } from './stream-record.ts'

/** What one record brought. */
export interface Arrival {
  readonly sequenceNumber: string
  /** Undefined where the record is passed over: a marker, or a removal. */
  readonly commit: E.Either<Fault, Commit | undefined>
}

/** How many claim checks are redeemed at once. */
const REDEEMED = 8

/**
 * Invalid input is an event that nothing of can be taken in or named: no list of records, none in it, or one without a
 * sequence number. Every other fault stays with its record.
 */
export const streamCommits = async (
  event: unknown,
  claimCheck?: ClaimCheck,
): Promise<E.Either<InvalidInput, ReadonlyArray<Arrival>>> => {
  const records = recordsOf(event)
  if (E.isLeft(records)) return records
  const arrivals: Array<Arrival> = []
  await inParallel(records.right.entries(), REDEEMED, async ([at, record]) => {
    arrivals[at] = {
      sequenceNumber: record.sequenceNumber,
      commit: await recordedCommit(record, claimCheck),
    }
  })
  return E.right(arrivals)
}

const recordsOf = (event: unknown): E.Either<InvalidInput, ReadonlyArray<StreamRecord>> => {
  if (!isObject(event)) return invalid('', 'is not an object')
  const { Records: inputs } = event
  if (!Array.isArray(inputs) || inputs.length === 0) return invalid('/Records', 'is not a list of records')
  const records: Array<StreamRecord> = []
  for (const [at, input] of inputs.entries()) {
    const record = streamRecord(input, `/Records/${at}`)
    if (E.isLeft(record)) return record
    records.push(record.right)
  }
  return E.right(records)
}

const invalid = (pointer: string, detail: string): E.Either<InvalidInput, never> =>
  E.left({ _tag: 'InvalidInput', errors: [{ pointer, detail }] })
