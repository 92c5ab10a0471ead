/** Batches, of which one entry may fail and another not. */
import { E } from '@everfold/core'
import { SQS } from '../../limits.ts'
import type { At, Stepped } from '../model.ts'
import { type Entry, type Refusal, refused, type Sent, type SqsAnswer } from './messages.ts'
import type { SqsState } from './queue.ts'

/** Does the entries one after the other, each on what the one before it left. */
export const batched = <What>(
  state: SqsState,
  entries: ReadonlyArray<Entry<What>>,
  { deviation }: At,
  apply: (
    state: SqsState,
    entry: What,
    first: boolean,
  ) => Stepped<SqsState, E.Either<Refusal, Partial<Sent>>>,
): Stepped<SqsState, SqsAnswer> => {
  const refusal = refusalOf(entries.map(({ id }) => id))
  if (refusal !== undefined) return { state, answer: { _tag: 'Refused', ...refusal } }
  const failing = failingOf(entries.length, deviation)
  const successful: Array<Entry<Partial<Sent>>> = []
  const failed: Array<Entry<Refusal>> = []
  let now = state
  for (const [place, entry] of entries.entries()) {
    const { id } = entry
    if (place === failing) {
      failed.push({ id, ...FAILED })
      continue
    }
    const done = apply(now, entry, place === 0)
    now = done.state
    if (E.isLeft(done.answer)) failed.push({ id, ...done.answer.left })
    else successful.push({ id, ...done.answer.right })
  }
  return { state: now, answer: { _tag: 'Batch', successful, failed } }
}

const FAILED: Refusal = {
  code: 'InternalError',
  message: 'We encountered an internal error.',
  senderFault: false,
}

/** The deviations of every batch. */
export const batchOffers = (entries: number): ReadonlyArray<string> =>
  entries > 1 ? ['entry failed', 'last entry failed'] : ['entry failed']

const failingOf = (entries: number, deviation: string | undefined): number => {
  if (deviation === 'entry failed') return 0
  return deviation === 'last entry failed' ? entries - 1 : -1
}

const refusalOf = (ids: ReadonlyArray<string>): Refusal | undefined => {
  if (ids.length === 0)
    return refused(
      'EmptyBatchRequest',
      'There should be at least one SendMessageBatchRequestEntry in the request.',
    )
  if (ids.length > SQS.batchEntries)
    return refused(
      'TooManyEntriesInBatchRequest',
      `Maximum number of entries per request are ${SQS.batchEntries}.`,
    )
  if (new Set(ids).size < ids.length)
    return refused('BatchEntryIdsNotDistinct', 'Two entries have the same id.')
  return ids.every((id) => /^[\w-]{1,80}$/.test(id))
    ? undefined
    : refused(
        'InvalidBatchEntryId',
        'A batch entry id can only contain alphanumeric characters, hyphens and underscores.',
      )
}
