/**
 * What the service may do to a request other than the benign, in stable words, and the exceptions of it.
 *
 * Sources: AWS SDK, errors of client-dynamodb; DynamoDB Developer Guide, "Amazon DynamoDB Transactions: How it works"
 * (2026-11).
 */

import { Refusal } from './refusal.ts'
import { tableArn } from './stream.ts'

export const throttled = (table: string, kind: 'Read' | 'Write'): Refusal =>
  new Refusal(
    'ProvisionedThroughputExceededException',
    'Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your table or index so please try again shortly.',
    { ThrottlingReasons: [{ reason: `Table${kind}KeyRangeThroughputExceeded`, resource: tableArn(table) }] },
  )

export const conflict = (): Refusal =>
  new Refusal('TransactionConflictException', 'Transaction is ongoing for the item')

export const inProgress = (): Refusal =>
  new Refusal('TransactionInProgressException', 'Transaction is currently in progress')

/** Why one action of a transaction did not go through. */
export interface Reason {
  readonly Code: string
  readonly Message?: string
  readonly Item?: object
}

export const canceled = (reasons: ReadonlyArray<Reason>): Refusal =>
  new Refusal(
    'TransactionCanceledException',
    `Transaction cancelled, please refer cancellation reasons for specific reasons [${reasons.map(({ Code }) => Code).join(', ')}]`,
    { CancellationReasons: reasons },
  )

/** All of the reasons are `None` but the one of this action. */
export const canceledBy = (actions: number, at: number, reason: Reason): Refusal =>
  canceled(Array.from({ length: actions }, (_, one) => (one === at ? reason : { Code: 'None' })))

export const CONFLICT: Reason = {
  Code: 'TransactionConflict',
  Message: 'Transaction is ongoing for the item',
}

export const THROTTLED: Reason = {
  Code: 'ThrottlingError',
  Message:
    'Throughput exceeds the current capacity of your table or index. DynamoDB is automatically scaling your table or index so please try again shortly.',
}

/** How many writes ago a stale read sees, by its words. */
export const STALE: ReadonlyMap<string, number> = new Map([
  ['stale by 1', 1],
  ['stale by 2', 2],
  ['stale by 4', 4],
])

/** Which part of the newest transaction a read sees, by its words. */
export const HALVES: ReadonlyMap<string, 'first half' | 'second half'> = new Map([
  ['half of a transaction', 'first half'],
  ['other half of a transaction', 'second half'],
])

/** What becomes of the records of a write, by the words for it. */
export const ofStream = (deviation: string | undefined) => ({
  isOvertaken: deviation === 'overtaken',
  isSplitting: deviation === 'split',
})
