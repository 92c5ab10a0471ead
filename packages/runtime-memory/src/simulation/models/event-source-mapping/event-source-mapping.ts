/**
 * The event source mapping of a stream: reads its shards, hands batches to a function, and keeps how far it has come.
 *
 * A child shard waits until its parents are done with. What fails blocks its shard until it succeeds, is given up or is
 * too old. Law: the checkpoint passes what was successful, given up, filtered or trimmed, and nothing else.
 *
 * Source: Lambda Developer Guide, "Using AWS Lambda with Amazon DynamoDB" and its pages on parameters, errors, windows
 * and partial batch responses (2026-11).
 */
import type { At } from '../model.ts'
import { offersOf } from '../offers.ts'
import { type Discarded, expired, type InvocationOutcome, settledBy } from './answering.ts'
import { deviated, offersOfShard } from './deviations.ts'
import { handedOut, type Invocation, isOpen, readyAtMs } from './handing-out.ts'
import type { ListedShard, Settled, StreamMappingSettings, StreamRecord } from './settings.ts'
import { settled } from './settings.ts'
import { checkpointed, type Passed, type Shard, shardOf } from './shard.ts'

export interface StreamMappingState<Value> {
  readonly shards: ReadonlyMap<string, Shard<Value>>
}

/** What a step did. */
export interface StreamMappingStep<Value> {
  readonly state: StreamMappingState<Value>
  /** What the function is to be invoked with, now. */
  readonly invocations: ReadonlyArray<Invocation<Value>>
  /** What the checkpoint has passed in this step, in order, shard after shard. */
  readonly passed: ReadonlyArray<Passed<Value>>
  /** What was given up in this step; `onFailure` tells a destination of it. */
  readonly discarded: ReadonlyArray<Discarded<Value>>
  /** What the stream no longer keeps, and nobody has worked on. */
  readonly trimmed: ReadonlyArray<StreamRecord<Value>>
  /** When something will be due though nothing else happens. */
  readonly wakeMs?: number
}

export interface StreamMapping<Value> {
  readonly initial: StreamMappingState<Value>
  /** Shards that are new, or whose parents or end are. A shard that is not listed has no parent. */
  listed(
    this: void,
    state: StreamMappingState<Value>,
    shards: ReadonlyArray<ListedShard>,
  ): StreamMappingState<Value>
  /** Records, each beyond the last of its shard. Those before the starting position are missed. */
  arrived(
    this: void,
    state: StreamMappingState<Value>,
    records: ReadonlyArray<StreamRecord<Value>>,
  ): { readonly state: StreamMappingState<Value>; readonly missed: ReadonlyArray<StreamRecord<Value>> }
  /** The deviations that `next` takes now; it goes to the first shard that it fits. */
  offers(this: void, state: StreamMappingState<Value>, nowMs: number): ReadonlyArray<string>
  /** Whatever is due. Another call at the same time hands out nothing more, unless something has happened. */
  next(this: void, state: StreamMappingState<Value>, at: At): StreamMappingStep<Value>
  /** An answer that nobody waits for, of a zombie or from before a take-over, changes nothing. `next` goes on from it. */
  answered(
    this: void,
    state: StreamMappingState<Value>,
    invocation: string,
    outcome: InvocationOutcome,
    nowMs: number,
  ): StreamMappingStep<Value>
}

export const streamMapping = <Value>(told: StreamMappingSettings<Value>): StreamMapping<Value> => {
  const settings = settled(told)
  return {
    initial: { shards: new Map() },
    listed,
    arrived: (state, records) => arrived(settings, state, records),
    offers: (state, nowMs) =>
      offersOf(
        [...state.shards.values()].flatMap((shard) => offersOfShard(settings, state.shards, shard, nowMs)),
      ),
    next: (state, at) => next(settings, state, at),
    answered: (state, invocation, outcome, nowMs) =>
      answered(settings, state, { invocation, outcome, nowMs }),
  }
}

/** The sequence number of the last record of a shard that needs not come again; undefined before the first. */
export const checkpoint = <Value>(state: StreamMappingState<Value>, shard: string): string | undefined =>
  state.shards.get(shard)?.checkpoint

/** What has arrived in a shard and is not behind its checkpoint, oldest first. */
export const pending = <Value>(
  state: StreamMappingState<Value>,
  shard: string,
): ReadonlyArray<StreamRecord<Value>> => {
  const known = state.shards.get(shard)
  return known === undefined ? [] : known.entries.slice(known.passed).map(({ record }) => record)
}

const listed = <Value>(
  state: StreamMappingState<Value>,
  shards: ReadonlyArray<ListedShard>,
): StreamMappingState<Value> => {
  const next = new Map(state.shards)
  for (const { shard, parents, closed } of shards) {
    const known = next.get(shard) ?? shardOf<Value>({ shard })
    next.set(shard, { ...known, parents: parents ?? known.parents, closed: closed ?? known.closed })
  }
  return { shards: next }
}

const arrived = <Value>(
  { startingPosition, filter }: Settled<Value>,
  state: StreamMappingState<Value>,
  records: ReadonlyArray<StreamRecord<Value>>,
): ReturnType<StreamMapping<Value>['arrived']> => {
  const fromMs =
    startingPosition === 'TRIM_HORIZON' ? Number.NEGATIVE_INFINITY : startingPosition.latestFromMs
  const shards = new Map(state.shards)
  const missed = records.filter(({ arrivedMs }) => arrivedMs < fromMs)
  for (const record of records) {
    if (record.arrivedMs < fromMs) continue
    const shard = shards.get(record.shard) ?? shardOf<Value>({ shard: record.shard })
    const last = shard.entries.at(-1)?.record.sequenceNumber ?? shard.checkpoint
    if (last !== undefined && BigInt(record.sequenceNumber) <= BigInt(last))
      throw new Error(`${record.sequenceNumber} arrived behind ${last} in ${record.shard}`)
    const meant = filter(record.value) ? {} : { fate: 'filtered' as const }
    shards.set(record.shard, {
      ...shard,
      entries: [...shard.entries, { record, delivered: false, ...meant }],
    })
  }
  return { state: { shards }, missed }
}

const next = <Value>(
  settings: Settled<Value>,
  state: StreamMappingState<Value>,
  { nowMs, deviation }: At,
): StreamMappingStep<Value> => {
  const shards = new Map(state.shards)
  const steps = { invocations: [], passed: [], discarded: [], trimmed: [] } as {
    [Key in 'invocations' | 'passed' | 'discarded' | 'trimmed']: Array<StreamMappingStep<Value>[Key][number]>
  }
  let left = deviation
  for (const [id, before] of parentsFirst(state.shards)) {
    const kept = expired(settings, before, nowMs)
    const fits = left !== undefined && offersOfShard(settings, shards, kept.shard, nowMs).includes(left)
    const changed = deviated(settings, kept.shard, fits ? left : undefined, nowMs)
    if (fits) left = undefined
    const open = isOpen(shards, changed.shard)
    const out = open
      ? handedOut(settings, changed.shard, nowMs, changed.limit)
      : { shard: changed.shard, invocations: [] }
    const moved = checkpointed(out.shard)
    shards.set(id, moved.shard)
    steps.invocations.push(...(changed.again === undefined ? [] : [changed.again]), ...out.invocations)
    steps.passed.push(...moved.passed)
    steps.discarded.push(...kept.discarded)
    steps.trimmed.push(...kept.trimmed)
  }
  return { state: { shards }, ...steps, ...wakeAt(settings, shards, nowMs) }
}

/** So that what a parent has just been done with does not hold its children up. */
const parentsFirst = <Value>(
  shards: ReadonlyMap<string, Shard<Value>>,
): ReadonlyMap<string, Shard<Value>> => {
  if ([...shards.values()].every(({ parents }) => parents.length === 0)) return shards
  const ordered = new Map<string, Shard<Value>>()
  const add = (id: string) => {
    const shard = shards.get(id)
    if (shard === undefined || ordered.has(id)) return
    for (const parent of shard.parents) add(parent)
    ordered.set(id, shard)
  }
  for (const id of shards.keys()) add(id)
  return ordered
}

/** The next time at which a batch is full enough, comes again, or a window ends. */
const wakeAt = <Value>(
  settings: Settled<Value>,
  shards: ReadonlyMap<string, Shard<Value>>,
  nowMs: number,
): { readonly wakeMs?: number } => {
  let wakeMs = Number.POSITIVE_INFINITY
  const atLatest = (timeMs: number | undefined) => {
    if (timeMs !== undefined && timeMs > nowMs) wakeMs = Math.min(wakeMs, timeMs)
  }
  for (const shard of shards.values()) {
    if (!isOpen(shards, shard)) continue
    atLatest(readyAtMs(settings, shard))
    for (const { running, dueMs } of shard.batches) if (running === undefined) atLatest(dueMs)
  }
  return Number.isFinite(wakeMs) ? { wakeMs } : {}
}

interface Answer {
  readonly invocation: string
  readonly outcome: InvocationOutcome
  readonly nowMs: number
}

const answered = <Value>(
  settings: Settled<Value>,
  state: StreamMappingState<Value>,
  { invocation, outcome, nowMs }: Answer,
): StreamMappingStep<Value> => {
  const none = { invocations: [], passed: [], discarded: [], trimmed: [] }
  for (const [id, shard] of state.shards) {
    const batch = shard.batches.find(({ running }) => running === invocation)
    if (batch === undefined) continue
    const { shard: after, discarded } = settledBy(settings, shard, batch, outcome, nowMs)
    const moved = checkpointed(after)
    const shards = new Map(state.shards).set(id, moved.shard)
    return { ...none, state: { shards }, passed: moved.passed, discarded, ...wakeAt(settings, shards, nowMs) }
  }
  return { ...none, state }
}
