/** What AWS may do to a shard beyond the benign, before anything of it is handed out. */
import { type Invocation, invoked, isOpen, nextBatch } from './handing-out.ts'
import type { Settled } from './settings.ts'
import { overtaken, type Shard, takenOver } from './shard.ts'

/** What `next` may do to this shard. */
export const offersOfShard = <Value>(
  settings: Settled<Value>,
  shards: ReadonlyMap<string, Shard<Value>>,
  shard: Shard<Value>,
  nowMs: number,
): ReadonlyArray<string> => {
  const offers: Array<string> = []
  const { running, idle } = Object.groupBy(shard.batches, (batch) =>
    batch.running === undefined ? 'idle' : 'running',
  )
  if (isOpen(shards, shard) && shard.batches.length < settings.parallelizationFactor) {
    const length = nextBatch(settings, shard, nowMs)?.records.length ?? 0
    if (length > 1) offers.push('batch of 1')
    if (length > 2) offers.push('batch of 2')
    if (settings.source === 'dynamodb' && length > 0 && overtaken(shard) !== undefined)
      offers.push('overtaken')
  }
  if (running === undefined && isRepeatable(shard)) offers.push('redelivered')
  if (running?.some(({ zombie }) => !zombie) === true) offers.push('meanwhile')
  if (shard.passed > 0 || (idle ?? running) !== undefined) offers.push('forgotten checkpoint')
  return offers
}

/** What the deviation makes of the shard before anything is handed out. */
export const deviated = <Value>(
  settings: Settled<Value>,
  shard: Shard<Value>,
  deviation: string | undefined,
  nowMs: number,
): { readonly shard: Shard<Value>; readonly limit?: number; readonly again?: Invocation<Value> } => {
  switch (deviation) {
    case 'batch of 1':
      return { shard, limit: 1 }
    case 'batch of 2':
      return { shard, limit: 2 }
    case 'overtaken':
      return { shard: overtaken(shard) ?? shard }
    case 'redelivered':
      return shard.finished === undefined
        ? { shard }
        : {
            shard: {
              ...shard,
              batches: [{ ...shard.finished, failures: 0, dueMs: nowMs }, ...shard.batches],
              finished: undefined,
            },
          }
    case 'meanwhile': {
      const batch = shard.batches.find(({ running, zombie }) => running !== undefined && !zombie)
      if (batch === undefined) return { shard }
      const { shard: doubled, invocation } = invoked(settings, shard, batch)
      return { shard: doubled, again: invocation }
    }
    case 'forgotten checkpoint':
      return { shard: takenOver(shard) }
    default:
      return { shard }
  }
}

/** A batch of a tumbling window that has ended does not come again: its state would take the place of the next one's. */
const isRepeatable = <Value>({ finished, aggregation }: Shard<Value>): boolean =>
  finished !== undefined &&
  finished.records.length > 0 &&
  (finished.window === undefined || finished.window.startMs === aggregation?.startMs)
