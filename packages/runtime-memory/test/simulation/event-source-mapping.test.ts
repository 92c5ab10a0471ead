import { fc, test as property } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import {
  type Invocation,
  type InvocationOutcome,
  pending,
  type StreamMappingSettings,
  type StreamMappingState,
  type StreamMappingStep,
  type StreamRecord,
  streamMapping,
} from '../../src/simulation/models/event-source-mapping/index.ts'
import { frozenDeep } from './frozen-deep.ts'

type Value = { readonly name: string; readonly meant: boolean }
type Records = ReadonlyArray<StreamRecord<Value>>
type Settings = StreamMappingSettings<Value>

const SHARDS = ['one', 'two']
const KEYS = ['a', 'b', 'c']

const anyRecord = fc.record({
  shard: fc.constantFrom(...SHARDS),
  key: fc.constantFrom(...KEYS),
  meant: fc.boolean(),
  afterMs: fc.constantFrom(0, 0, 10, 5000, 3_600_000),
})
const anyRecords = fc
  .array(anyRecord, { minLength: 1, maxLength: 16, size: 'max' })
  .map((drafts): Records => {
    let arrivedMs = 1000
    return drafts.map(({ shard, key, meant, afterMs }, at) => {
      arrivedMs += afterMs
      const name = `${shard}/${key}/${at}`
      return { shard, key, arrivedMs, sequenceNumber: String(9 * (at + 1)), value: { name, meant } }
    })
  })
const anySettings = fc.record({
  source: fc.constantFrom('dynamodb' as const, 'kinesis' as const),
  batchSize: fc.integer({ min: 1, max: 6 }),
  maximumBatchingWindowMs: fc.constantFrom(0, 0, 300),
  parallelizationFactor: fc.integer({ min: 1, max: 3 }),
  bisectBatchOnFunctionError: fc.boolean(),
  reportBatchItemFailures: fc.boolean(),
  tumblingWindowMs: fc.constantFrom(0, 0, 0, 4000),
})
const anyLimits = fc.record({
  maximumRetryAttempts: fc.constantFrom(-1, 0, 2),
  maximumRecordAgeMs: fc.constantFrom(-1, 60_000),
})
/** What becomes of the invocations, each by its turn; then all is well. */
const anyChance = fc.array(fc.nat(1_000_000), { maxLength: 60, size: 'max' })

interface History {
  readonly invocations: Array<{ readonly invocation: Invocation<Value>; readonly atMs: number }>
  readonly succeeded: Set<string>
  readonly discarded: Set<string>
  readonly trimmed: Set<string>
  readonly passed: Array<{ readonly record: StreamRecord<Value>; readonly because: string }>
  readonly states: Array<StreamMappingState<Value>>
  state: StreamMappingState<Value>
}

const names = (records: Records): ReadonlyArray<string> => records.map(({ value }) => value.name)

/** Drives a mapping through chance, and then without deviations until nothing is left to be done. */
const driven = (settings: Settings, records: Records, chance: ReadonlyArray<number>): History => {
  const mapping = streamMapping({ ...settings, filter: ({ meant }) => meant })
  const dice = [...chance]
  const roll = (sides: number): number => (dice.shift() ?? 0) % sides
  const history: History = {
    invocations: [],
    succeeded: new Set(),
    discarded: new Set(),
    trimmed: new Set(),
    passed: [],
    states: [],
    state: mapping.listed(mapping.initial, [{ shard: 'one' }, { shard: 'two', parents: ['one'] }]),
  }
  const underWay: Array<Invocation<Value>> = []
  const left = [...records]
  let nowMs = 1000
  const took = (step: StreamMappingStep<Value>) => {
    history.state = frozenDeep(step.state)
    history.states.push(step.state)
    history.passed.push(...step.passed)
    for (const { records: given } of step.discarded)
      for (const name of names(given)) history.discarded.add(name)
    for (const name of names(step.trimmed)) history.trimmed.add(name)
    underWay.push(...step.invocations)
    history.invocations.push(...step.invocations.map((invocation) => ({ invocation, atMs: nowMs })))
    return step.wakeMs
  }
  for (let turn = 0; turn < 1000; turn += 1) {
    const due = left.filter(({ arrivedMs }) => arrivedMs <= nowMs)
    left.splice(0, due.length)
    history.state = mapping.arrived(history.state, due).state
    if (left.length === 0) history.state = mapping.listed(history.state, [{ shard: 'one', closed: true }])
    const offers = ['', ...mapping.offers(history.state, nowMs)]
    const deviation = offers[roll(offers.length)] ?? ''
    const wakeMs = took(mapping.next(history.state, deviation === '' ? { nowMs } : { nowMs, deviation }))
    const [invocation] = underWay.splice(roll(Math.max(1, underWay.length)), 1)
    if (invocation !== undefined) {
      nowMs += roll(3) * 500
      const outcome = outcomeOf(invocation, roll(6), settings)
      if (outcome._tag === 'Returned')
        for (const name of successful(invocation, outcome, settings)) history.succeeded.add(name)
      took(mapping.answered(history.state, invocation.id, outcome, nowMs))
      continue
    }
    const next = Math.min(wakeMs ?? Number.POSITIVE_INFINITY, left[0]?.arrivedMs ?? Number.POSITIVE_INFINITY)
    if (!Number.isFinite(next)) return history
    nowMs = Math.max(nowMs, next)
  }
  throw new Error('the mapping does not come to rest')
}

const outcomeOf = (
  { records }: Invocation<Value>,
  rolled: number,
  { tumblingWindowMs = 0 }: Settings,
): InvocationOutcome => {
  const state = tumblingWindowMs > 0 ? { state: { sum: 1 } } : {}
  if (rolled === 1) return { _tag: 'Failed' }
  if (rolled === 2) return { _tag: 'Throttled' }
  if (rolled < 4 || records.length === 0) return { _tag: 'Returned', value: state }
  const from = rolled === 4 ? 0 : Math.floor(records.length / 2)
  const batchItemFailures = records
    .slice(from)
    .map(({ sequenceNumber }) => ({ itemIdentifier: sequenceNumber }))
  return { _tag: 'Returned', value: { ...state, batchItemFailures: batchItemFailures.toReversed() } }
}

/** What the function itself would say that it has done. */
const successful = (
  { records }: Invocation<Value>,
  { value }: { readonly value: unknown },
  { reportBatchItemFailures = false }: Settings,
): ReadonlyArray<string> => {
  const { batchItemFailures = [] } = value as {
    batchItemFailures?: ReadonlyArray<{ itemIdentifier: string }>
  }
  if (!reportBatchItemFailures) return names(records)
  const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier))
  return names(records.filter(({ sequenceNumber }) => !failed.has(sequenceNumber)))
}

describe('whatever AWS and the function do', () => {
  property.prop([anySettings, anyLimits, anyRecords, anyChance])(
    'no record is lost: in the end each was successful, given up, filtered or trimmed',
    (settings, limits, records, chance) => {
      const { state, passed, succeeded, discarded, trimmed } = driven(
        { ...settings, ...limits },
        records,
        chance,
      )
      for (const shard of SHARDS) expect(pending(state, shard)).toEqual([])
      expect(new Set(passed.map(({ record }) => record.value.name))).toEqual(new Set(names(records)))
      for (const { value } of records)
        expect(
          !value.meant || succeeded.has(value.name) || discarded.has(value.name) || trimmed.has(value.name),
        ).toBe(true)
    },
  )

  property.prop([anySettings, anyLimits, anyRecords, anyChance])(
    'the checkpoint never passes what was not successful, given up, filtered or trimmed',
    (settings, limits, records, chance) => {
      const { passed, succeeded, discarded, trimmed } = driven({ ...settings, ...limits }, records, chance)
      const allowed: Readonly<Record<string, (value: Value) => boolean>> = {
        successful: ({ name }) => succeeded.has(name),
        discarded: ({ name }) => discarded.has(name),
        trimmed: ({ name }) => trimmed.has(name),
        filtered: ({ meant }) => !meant,
      }
      for (const { record, because } of passed) expect(allowed[because]?.(record.value)).toBe(true)
    },
  )

  property.prop([anySettings, anyRecords, anyChance])(
    'the first deliveries of an item are in order, and a parent is done with before its child begins',
    (settings, records, chance) => {
      const { invocations } = driven(settings, records, chance)
      const delivered = invocations.flatMap(({ invocation }) => names(invocation.records))
      const first = [...new Set(delivered)]
      for (const key of KEYS)
        for (const shard of SHARDS) {
          const of = (all: ReadonlyArray<string>) => all.filter((name) => name.startsWith(`${shard}/${key}/`))
          const expected = of(names(records.filter(({ value }) => value.meant)))
          expect(of(first)).toEqual(expected)
        }
      expect(
        first.toSorted((one, other) => SHARDS.indexOf(one.slice(0, 3)) - SHARDS.indexOf(other.slice(0, 3))),
      ).toEqual(first)
    },
  )

  property.prop([anySettings, anyRecords, anyChance])(
    'with retries without end every record that is meant is successful once the function is well',
    (settings, records, chance) => {
      const { succeeded, discarded, trimmed } = driven(settings, records, chance)
      const meant = names(records.filter(({ value }) => value.meant))
      expect(new Set([...succeeded, ...trimmed])).toEqual(new Set(meant))
      expect(discarded.size).toBe(0)
    },
  )

  property.prop([anySettings, anyRecords, anyChance])(
    'a batch ascends, is not empty but to close a window, and holds no more than it may',
    (settings, records, chance) => {
      for (const { invocation } of driven(settings, records, chance).invocations) {
        const numbers = invocation.records.map(({ sequenceNumber }) => Number(sequenceNumber))
        expect(numbers).toEqual([...numbers].toSorted((one, other) => one - other))
        expect(numbers.length).toBeLessThanOrEqual(settings.batchSize)
        expect(numbers.length > 0 || invocation.window?.isFinalInvokeForWindow === true).toBe(true)
      }
    },
  )

  property.prop([anySettings, anyRecords, anyChance])(
    'no two batches of a shard that are listened to share an item, and no more of them run than may',
    (settings, records, chance) => {
      for (const { shards } of driven(settings, records, chance).states)
        for (const { batches } of shards.values()) {
          const running = batches.filter((batch) => batch.running !== undefined)
          expect(running.length).toBeLessThanOrEqual(settings.parallelizationFactor)
          const keys = running.flatMap((batch) => Array.from(new Set(batch.records.map(({ key }) => key))))
          expect(new Set(keys).size).toBe(keys.length)
        }
    },
  )

  property.prop([anySettings, anyLimits, anyRecords, anyChance])(
    'the same chance makes the same history',
    (settings, limits, records, chance) => {
      const once = driven({ ...settings, ...limits }, records, chance)
      expect(driven({ ...settings, ...limits }, records, chance)).toEqual(once)
    },
  )
})
