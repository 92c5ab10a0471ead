/**
 * How far a mapping has come in one shard: what has arrived and is not behind the checkpoint before the last, and the
 * batches that are being worked on.
 *
 * Law: the checkpoint stands behind the last record of the longest run, from the first on, in which every record was
 * successful, discarded, filtered or trimmed.
 */
import type { ListedShard, StreamRecord } from './settings.ts'

/** Why a record need not come again. */
export type Fate = 'successful' | 'discarded' | 'filtered' | 'trimmed'

export interface Entry<Value> {
  readonly record: StreamRecord<Value>
  readonly fate?: Fate
  /** Whether it was ever handed out; its place among the others is fixed then. */
  readonly delivered: boolean
}

/** Records that are handed out together until they have a fate. */
export interface Batch<Value> {
  readonly records: ReadonlyArray<StreamRecord<Value>>
  /** How often it was worked on and failed. */
  readonly failures: number
  /** The invocation whose answer counts; absent while the batch waits. */
  readonly running?: string
  /** Whether an invocation that nobody listens to any more is under way, too. */
  readonly zombie: boolean
  /** Not handed out before then. */
  readonly dueMs: number
  /** The tumbling window that it belongs to; `final` is the call that closes it, without records. */
  readonly window?: { readonly startMs: number; readonly final: boolean; readonly early: boolean }
}

/** What a tumbling window has come to. */
export interface Aggregation {
  readonly startMs: number
  readonly state: unknown
  /** Whether it ends before its time. */
  readonly early: boolean
}

export interface Shard<Value> {
  readonly id: string
  readonly parents: ReadonlyArray<string>
  readonly closed: boolean
  /** Ascending; the first `passed` of them are behind the checkpoint. */
  readonly entries: ReadonlyArray<Entry<Value>>
  readonly passed: number
  /** The sequence numbers of the last record that was passed, now and before; undefined at the beginning. */
  readonly checkpoint: string | undefined
  readonly previous: string | undefined
  /** In order; a later one waits for an earlier one that shares a key. */
  readonly batches: ReadonlyArray<Batch<Value>>
  /** The last batch that was successful. */
  readonly finished: Batch<Value> | undefined
  readonly invocations: number
  readonly aggregation: Aggregation | undefined
  /** What the checkpoint before the last goes with. */
  readonly previousAggregation: Aggregation | undefined
}

export const shardOf = <Value>({ shard, parents = [], closed = false }: ListedShard): Shard<Value> => ({
  id: shard,
  parents,
  closed,
  entries: [],
  passed: 0,
  checkpoint: undefined,
  previous: undefined,
  batches: [],
  finished: undefined,
  invocations: 0,
  aggregation: undefined,
  previousAggregation: undefined,
})

/** Nothing of it is left to be done. */
export const isFinished = <Value>(shard: Shard<Value>): boolean =>
  shard.closed &&
  shard.batches.length === 0 &&
  shard.aggregation === undefined &&
  shard.passed === shard.entries.length

/** What is neither done nor in a batch, oldest first. */
export const waiting = <Value>(shard: Shard<Value>): ReadonlyArray<Entry<Value>> => {
  const open = shard.entries.filter(({ fate }) => fate === undefined)
  if (open.length === 0) return open
  const held = numbersOf(shard.batches)
  return open.filter(({ record }) => !held.has(record.sequenceNumber))
}

const numbersOf = <Value>(batches: ReadonlyArray<Batch<Value>>): ReadonlySet<string> =>
  new Set(batches.flatMap(({ records }) => records.map(({ sequenceNumber }) => sequenceNumber)))

export const keysOf = <Value>(records: ReadonlyArray<StreamRecord<Value>>): ReadonlySet<string> =>
  new Set(records.map(({ key }) => key))

/** Gives records a fate, unless they have one. Those of a batch that came again may be gone. */
export const decided = <Value>(
  shard: Shard<Value>,
  records: ReadonlyArray<StreamRecord<Value>>,
  fate: Fate,
): Shard<Value> => {
  if (records.length === 0) return shard
  const numbers = new Set(records.map(({ sequenceNumber }) => sequenceNumber))
  const entries = shard.entries.map((entry) =>
    entry.fate === undefined && numbers.has(entry.record.sequenceNumber) ? { ...entry, fate } : entry,
  )
  return { ...shard, entries }
}

/** A record that the checkpoint has just passed, and why it might. */
export interface Passed<Value> {
  readonly record: StreamRecord<Value>
  readonly because: Fate
}

/** Moves the checkpoint on as far as the law allows, and forgets what is behind the one before it. */
export const checkpointed = <Value>(
  shard: Shard<Value>,
): { readonly shard: Shard<Value>; readonly passed: ReadonlyArray<Passed<Value>> } => {
  const passed: Array<Passed<Value>> = []
  for (const { record, fate } of shard.entries.slice(shard.passed)) {
    if (fate === undefined) break
    passed.push({ record, because: fate })
  }
  const last = passed.at(-1)
  if (last === undefined) return { shard, passed }
  const entries = shard.entries.slice(shard.passed)
  const moved = { entries, passed: passed.length, checkpoint: last.record.sequenceNumber }
  return { shard: { ...shard, ...moved, previous: shard.checkpoint }, passed }
}

/** Another reader takes the shard over from the checkpoint before the last, and hears of no answer to the old one. */
export const takenOver = <Value>(shard: Shard<Value>): Shard<Value> => ({
  ...shard,
  entries: shard.entries.map(({ record, fate, delivered }) =>
    fate === 'successful' || fate === 'discarded'
      ? { record, delivered }
      : { record, delivered, ...(fate === undefined ? {} : { fate }) },
  ),
  passed: 0,
  checkpoint: shard.previous,
  batches: [],
  finished: undefined,
  aggregation: shard.previousAggregation,
})

/**
 * The first record that waits is passed by the next one of another item, which takes its sequence number: between items
 * the stream promises no order. Undefined where no such two wait, or where they were handed out already.
 */
export const overtaken = <Value>(shard: Shard<Value>): Shard<Value> | undefined => {
  const held = numbersOf(shard.batches)
  const first = shard.entries.findIndex(
    ({ fate, record }) => fate === undefined && !held.has(record.sequenceNumber),
  )
  const slow = shard.entries[first]
  if (slow === undefined) return undefined
  const next = shard.entries.findIndex(
    ({ fate, record }, at) => at > first && fate === undefined && record.key !== slow.record.key,
  )
  const fast = shard.entries[next]
  if (fast === undefined) return undefined
  const between = shard.entries.slice(first, next)
  if ([...between, fast].some(({ delivered }) => delivered)) return undefined
  const numbers = [...between, fast].map(({ record }) => record.sequenceNumber)
  const dealt = [fast, ...between].map((entry, at) => renumbered(entry, numbers[at]))
  return { ...shard, entries: [...shard.entries.slice(0, first), ...dealt, ...shard.entries.slice(next + 1)] }
}

const renumbered = <Value>(
  { record, ...entry }: Entry<Value>,
  sequenceNumber: string = record.sequenceNumber,
): Entry<Value> => ({ ...entry, record: { ...record, sequenceNumber } })
