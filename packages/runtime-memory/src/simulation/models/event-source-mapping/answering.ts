/** What the answer to a batch makes of it: done, to come again (whole, from a record on, or in halves), or given up. */
import { EVENT_SOURCE_MAPPING } from '../../limits.ts'
import { reported } from './batch-item-failures.ts'
import type { Settled, StreamRecord } from './settings.ts'
import { type Batch, decided, type Shard } from './shard.ts'

/** How an invocation ended, as the mapping hears of it. */
export type InvocationOutcome =
  | { readonly _tag: 'Returned'; readonly value: unknown }
  /** A function error, a timeout or a crash. */
  | { readonly _tag: 'Failed' }
  /** The function was not run: that counts as no attempt. */
  | { readonly _tag: 'Throttled' }

/** Records that are given up, as one batch. */
export interface Discarded<Value> {
  readonly shard: string
  readonly records: ReadonlyArray<StreamRecord<Value>>
  readonly reason: 'retries exhausted' | 'too old'
  readonly invocations: number
}

interface Settlement<Value> {
  readonly shard: Shard<Value>
  readonly discarded: ReadonlyArray<Discarded<Value>>
}

/** The batch is one of the shard's. */
export const settledBy = <Value>(
  settings: Settled<Value>,
  shard: Shard<Value>,
  batch: Batch<Value>,
  outcome: InvocationOutcome,
  nowMs: number,
): Settlement<Value> => {
  switch (outcome._tag) {
    case 'Throttled':
      return { shard: replaced(shard, batch, [later(batch, batch.failures, nowMs)]), discarded: [] }
    case 'Failed':
      return failed(settings, shard, batch, nowMs)
    case 'Returned': {
      const done = succeeded(settings, batch, outcome.value)
      if (done === undefined) return failed(settings, shard, batch, nowMs)
      const passed = decided(
        aggregated(settings, shard, batch, outcome.value),
        batch.records.slice(0, done),
        'successful',
      )
      if (done === batch.records.length)
        return { shard: { ...replaced(passed, batch, []), finished: later(batch, 0, nowMs) }, discarded: [] }
      return retried(settings, passed, batch, { ...batch, records: batch.records.slice(done) }, nowMs)
    }
  }
}

/** How many records, from the first on, the answer reports as done; undefined where the whole batch has failed. */
const succeeded = <Value>(
  { reportBatchItemFailures, tumblingWindowMs }: Settled<Value>,
  { records }: Batch<Value>,
  value: unknown,
): number | undefined => {
  if (tumblingWindowMs > 0 && stateOf(value) === undefined) return undefined
  if (!reportBatchItemFailures) return records.length
  const failures = reported(value, new Set(records.map(({ sequenceNumber }) => sequenceNumber)))
  switch (failures._tag) {
    case 'AllFailed':
      return undefined
    case 'AllSucceeded':
      return records.length
    case 'SomeFailed':
      // They ascend, so the first that is reported has the lowest number.
      return records.findIndex(({ sequenceNumber }) => failures.identifiers.has(sequenceNumber))
  }
}

/** The state of the tumbling window that the function hands on; undefined where it returned none. */
const stateOf = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && 'state' in value ? (value.state ?? undefined) : undefined

const aggregated = <Value>(
  { tumblingWindowMs }: Settled<Value>,
  shard: Shard<Value>,
  { window }: Batch<Value>,
  value: unknown,
): Shard<Value> => {
  const state = stateOf(value)
  if (tumblingWindowMs === 0 || window === undefined || state === undefined) return shard
  if (window.final) return { ...shard, aggregation: undefined }
  const early = Buffer.byteLength(JSON.stringify(state) ?? '') > EVENT_SOURCE_MAPPING.windowStateBytes
  return { ...shard, aggregation: { startMs: window.startMs, state, early } }
}

/** Splitting does not use up a retry. */
const failed = <Value>(
  settings: Settled<Value>,
  shard: Shard<Value>,
  batch: Batch<Value>,
  nowMs: number,
): Settlement<Value> => {
  const { records, failures } = batch
  if (!settings.bisectBatchOnFunctionError || records.length < 2)
    return retried(settings, shard, batch, batch, nowMs)
  const middle = Math.ceil(records.length / 2)
  const halves = [records.slice(0, middle), records.slice(middle)].map((half) =>
    later({ ...batch, records: half }, failures, nowMs),
  )
  return { shard: replaced(shard, batch, halves), discarded: [] }
}

/** What is left of a batch comes again, unless it has had its retries. */
const retried = <Value>(
  { maximumRetryAttempts }: Settled<Value>,
  shard: Shard<Value>,
  batch: Batch<Value>,
  left: Batch<Value>,
  nowMs: number,
): Settlement<Value> => {
  const failures = batch.failures + 1
  if (maximumRetryAttempts < 0 || failures <= maximumRetryAttempts)
    return { shard: replaced(shard, batch, [later(left, failures, nowMs)]), discarded: [] }
  const { records, window } = left
  const given = decided(replaced(shard, batch, []), records, 'discarded')
  return {
    shard: window?.final === true ? { ...given, aggregation: undefined } : given,
    discarded: [{ shard: shard.id, records, reason: 'retries exhausted', invocations: failures }],
  }
}

const later = <Value>({ records, window }: Batch<Value>, failures: number, nowMs: number): Batch<Value> => ({
  records,
  failures,
  zombie: false,
  dueMs: nowMs + backoffMs(failures),
  ...(window === undefined ? {} : { window }),
})

const backoffMs = (failures: number): number => {
  const { firstBackoffMs, longestBackoffMs } = EVENT_SOURCE_MAPPING
  return Math.min(longestBackoffMs, firstBackoffMs * 2 ** Math.min(30, Math.max(0, failures - 1)))
}

const replaced = <Value>(
  shard: Shard<Value>,
  batch: Batch<Value>,
  by: ReadonlyArray<Batch<Value>>,
): Shard<Value> => ({ ...shard, batches: shard.batches.flatMap((other) => (other === batch ? by : [other])) })

/**
 * Gives up what is too old, and loses what the stream no longer keeps, unless it is being worked on just now. A batch
 * of which nothing is left is gone.
 */
export const expired = <Value>(
  { maximumRecordAgeMs, retentionMs }: Settled<Value>,
  shard: Shard<Value>,
  nowMs: number,
): Settlement<Value> & { readonly trimmed: ReadonlyArray<StreamRecord<Value>> } => {
  const oldestMs = nowMs - (maximumRecordAgeMs < 0 ? retentionMs : Math.min(retentionMs, maximumRecordAgeMs))
  if (!shard.entries.some(({ fate, record }) => fate === undefined && record.arrivedMs <= oldestMs))
    return { shard, discarded: [], trimmed: [] }
  const busy = new Set(
    shard.batches
      .flatMap(({ running, records }) => (running === undefined ? [] : records))
      .map((record) => record.sequenceNumber),
  )
  const idle = shard.entries
    .filter(({ fate, record }) => fate === undefined && !busy.has(record.sequenceNumber))
    .map(({ record }) => record)
  const trimmed = idle.filter(({ arrivedMs }) => nowMs - arrivedMs >= retentionMs)
  const old =
    maximumRecordAgeMs < 0
      ? []
      : idle.filter((record) => nowMs - record.arrivedMs > maximumRecordAgeMs && !trimmed.includes(record))
  if (trimmed.length === 0 && old.length === 0) return { shard, discarded: [], trimmed }
  const gone = new Set([...trimmed, ...old].map(({ sequenceNumber }) => sequenceNumber))
  const batches = shard.batches.flatMap((batch) => {
    if (batch.running !== undefined || batch.records.length === 0) return [batch]
    const records = batch.records.filter(({ sequenceNumber }) => !gone.has(sequenceNumber))
    return records.length === 0 ? [] : [{ ...batch, records }]
  })
  const left = decided(decided({ ...shard, batches }, trimmed, 'trimmed'), old, 'discarded')
  return { shard: left, trimmed, discarded: old.length === 0 ? [] : [tooOld(shard, old)] }
}

const tooOld = <Value>(
  shard: Shard<Value>,
  records: ReadonlyArray<StreamRecord<Value>>,
): Discarded<Value> => {
  const numbers = new Set(records.map(({ sequenceNumber }) => sequenceNumber))
  const batch = shard.batches.find(({ records: those }) =>
    those.some(({ sequenceNumber }) => numbers.has(sequenceNumber)),
  )
  return { shard: shard.id, records, reason: 'too old', invocations: batch?.failures ?? 0 }
}
