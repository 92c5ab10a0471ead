/** Which batches of a shard are handed out next: those that come again first, then as many new ones as may run at once. */
import { EVENT_SOURCE_MAPPING } from '../../limits.ts'
import type { Settled, StreamRecord } from './settings.ts'
import { type Aggregation, type Batch, type Entry, isFinished, keysOf, type Shard, waiting } from './shard.ts'

/** A batch that is handed to the function. */
export interface Invocation<Value> {
  readonly id: string
  readonly shard: string
  /** Ascending; none in the call that closes a tumbling window. */
  readonly records: ReadonlyArray<StreamRecord<Value>>
  /** 1, 2, 3, ...: how often this batch failed before, and once more. */
  readonly attempt: number
  readonly window?: TumblingWindow
}

/** What the payload says of a tumbling window. */
interface TumblingWindow {
  readonly startMs: number
  readonly endMs: number
  readonly state: unknown
  readonly isFinalInvokeForWindow: boolean
  readonly isWindowTerminatedEarly: boolean
}

interface HandedOut<Value> {
  readonly shard: Shard<Value>
  readonly invocations: ReadonlyArray<Invocation<Value>>
}

/** `limit` cuts the first of the new batches. */
export const handedOut = <Value>(
  settings: Settled<Value>,
  shard: Shard<Value>,
  nowMs: number,
  limit?: number,
): HandedOut<Value> => {
  const full = withNewBatches(settings, shard, nowMs, limit)
  const startable = startableOf(settings, full).filter(
    ({ running, dueMs }) => running === undefined && dueMs <= nowMs,
  )
  return startable.reduce<HandedOut<Value>>(
    (before, batch) => {
      const { shard: after, invocation } = invoked(settings, before.shard, batch)
      return { shard: after, invocations: [...before.invocations, invocation] }
    },
    { shard: full, invocations: [] },
  )
}

/** Runs a batch of the shard, whether or not it is running already. */
export const invoked = <Value>(
  settings: Settled<Value>,
  shard: Shard<Value>,
  batch: Batch<Value>,
): { readonly shard: Shard<Value>; readonly invocation: Invocation<Value> } => {
  const invocations = shard.invocations + 1
  const id = `${shard.id}#${invocations}`
  const running = { ...batch, running: id, zombie: batch.zombie || batch.running !== undefined }
  const batches = shard.batches.map((other) => (other === batch ? running : other))
  const window = batch.window === undefined ? {} : { window: windowOf(settings, shard, batch.window) }
  const { records, failures } = batch
  return {
    shard: { ...shard, invocations, batches },
    invocation: { id, shard: shard.id, records, attempt: failures + 1, ...window },
  }
}

const windowOf = <Value>(
  { tumblingWindowMs }: Settled<Value>,
  { aggregation }: Shard<Value>,
  { startMs, final, early }: NonNullable<Batch<Value>['window']>,
): TumblingWindow => ({
  startMs,
  endMs: startMs + tumblingWindowMs,
  state: aggregation?.startMs === startMs ? aggregation.state : {},
  isFinalInvokeForWindow: final,
  isWindowTerminatedEarly: early,
})

/** The batches that may run: as many as are allowed, from the first on, and none that shares a key with an earlier one. */
const startableOf = <Value>(
  { parallelizationFactor }: Settled<Value>,
  { batches }: Shard<Value>,
): ReadonlyArray<Batch<Value>> =>
  batches
    .filter(({ records }, at) => {
      const earlier = keysOf(batches.slice(0, at).flatMap((batch) => batch.records))
      return !records.some(({ key }) => earlier.has(key))
    })
    .slice(0, parallelizationFactor)

const withNewBatches = <Value>(
  settings: Settled<Value>,
  shard: Shard<Value>,
  nowMs: number,
  limit?: number,
): Shard<Value> => {
  if (shard.batches.length >= settings.parallelizationFactor) return shard
  const batch = nextBatch(settings, shard, nowMs, limit)
  if (batch === undefined) return shard
  const numbers = new Set(batch.records.map(({ sequenceNumber }) => sequenceNumber))
  const entries = shard.entries.map((entry) =>
    numbers.has(entry.record.sequenceNumber) ? { ...entry, delivered: true } : entry,
  )
  const { window } = batch
  const opens = window !== undefined && shard.aggregation?.startMs !== window.startMs
  const aggregation = opens ? { startMs: window.startMs, state: {}, early: false } : shard.aggregation
  return withNewBatches(
    settings,
    { ...shard, entries, batches: [...shard.batches, batch], aggregation },
    nowMs,
  )
}

const fresh = { failures: 0, zombie: false, dueMs: 0 } as const

/** The next batch that is ready now, if there is one. */
export const nextBatch = <Value>(
  settings: Settled<Value>,
  shard: Shard<Value>,
  nowMs: number,
  limit: number = settings.batchSize,
): Batch<Value> | undefined => {
  const candidates = candidatesOf(settings, shard)
  const { aggregation } = shard
  if (aggregation !== undefined && closes(settings, shard, aggregation, candidates[0], nowMs)) {
    const { startMs } = aggregation
    const early = aggregation.early || nowMs < startMs + settings.tumblingWindowMs
    return { ...fresh, records: [], window: { startMs, final: true, early } }
  }
  const readyMs = readyAtMs(settings, shard, candidates)
  if (readyMs === undefined || readyMs > nowMs) return undefined
  const records = withinPayload(settings, sameWindow(settings, candidates)).slice(0, limit)
  const [first] = records
  if (first === undefined) return undefined
  return settings.tumblingWindowMs === 0
    ? { ...fresh, records }
    : { ...fresh, records, window: { startMs: windowStartMs(settings, first), final: false, early: false } }
}

/** What waits, and shares no key with a batch that is under way. */
const candidatesOf = <Value>(
  { batchSize }: Settled<Value>,
  shard: Shard<Value>,
): ReadonlyArray<StreamRecord<Value>> => {
  const waits = waiting(shard)
  if (waits.length === 0) return []
  const held = keysOf(shard.batches.flatMap(({ records }) => records))
  return waits
    .filter(({ record }: Entry<Value>) => !held.has(record.key))
    .slice(0, batchSize)
    .map(({ record }) => record)
}

const windowStartMs = <Value>(
  { tumblingWindowMs }: Settled<Value>,
  { arrivedMs }: StreamRecord<Value>,
): number => arrivedMs - (arrivedMs % tumblingWindowMs)

const sameWindow = <Value>(
  settings: Settled<Value>,
  records: ReadonlyArray<StreamRecord<Value>>,
): ReadonlyArray<StreamRecord<Value>> => {
  const [first] = records
  if (first === undefined || settings.tumblingWindowMs === 0) return records
  const startMs = windowStartMs(settings, first)
  const other = records.findIndex((record) => windowStartMs(settings, record) !== startMs)
  return other < 0 ? records : records.slice(0, other)
}

/** At least one record, however large: the stream takes none that a payload could not hold. */
const withinPayload = <Value>(
  { sizeOf }: Settled<Value>,
  records: ReadonlyArray<StreamRecord<Value>>,
): ReadonlyArray<StreamRecord<Value>> => {
  let bytes = 0
  const beyond = records.findIndex(({ value }, at) => {
    bytes += sizeOf(value)
    return at > 0 && bytes > EVENT_SOURCE_MAPPING.payloadBytes
  })
  return beyond < 0 ? records : records.slice(0, beyond)
}

/** A window ends with its time, before the first record of a later one, when it grew too large, and with its shard. */
const closes = <Value>(
  settings: Settled<Value>,
  shard: Shard<Value>,
  { startMs, early }: Aggregation,
  first: StreamRecord<Value> | undefined,
  nowMs: number,
): boolean => {
  if (early) return true
  if (first !== undefined) return windowStartMs(settings, first) !== startMs
  return nowMs >= startMs + settings.tumblingWindowMs || shard.closed
}

/** When a new batch can be made of what has arrived; undefined where nothing waits, or no more batches may run. */
export const readyAtMs = <Value>(
  settings: Settled<Value>,
  shard: Shard<Value>,
  candidates: ReadonlyArray<StreamRecord<Value>> = candidatesOf(settings, shard),
): number | undefined => {
  if (shard.batches.length >= settings.parallelizationFactor) return undefined
  const { tumblingWindowMs, batchSize, maximumBatchingWindowMs } = settings
  const { aggregation } = shard
  const [first] = candidates
  if (first === undefined)
    return aggregation === undefined ? undefined : aggregation.startMs + tumblingWindowMs
  const together = withinPayload(settings, sameWindow(settings, candidates))
  const full = together.length >= batchSize || together.length < candidates.length || shard.closed
  return full ? first.arrivedMs : first.arrivedMs + maximumBatchingWindowMs
}

/** Whether the shard's parents are done with, and theirs: before that, none of its records is handed out. */
export const isOpen = <Value>(
  shards: ReadonlyMap<string, Shard<Value>>,
  { parents }: Shard<Value>,
): boolean =>
  parents.every((parent) => {
    const known = shards.get(parent)
    return known === undefined || (isFinished(known) && isOpen(shards, known))
  })
