import { describe, expect, test } from 'vitest'
import {
  checkpoint,
  type InvocationOutcome,
  onFailure,
  pending,
  type StreamMapping,
  type StreamMappingSettings,
  type StreamMappingState,
  type StreamMappingStep,
  type StreamRecord,
  streamMapping,
} from '../../src/simulation/models/event-source-mapping/index.ts'

const DAY_MS = 24 * 60 * 60_000
const FAILED: InvocationOutcome = { _tag: 'Failed' }
const DONE: InvocationOutcome = { _tag: 'Returned', value: null }
const failing = (...numbers: ReadonlyArray<string>): InvocationOutcome => ({
  _tag: 'Returned',
  value: { batchItemFailures: numbers.map((itemIdentifier) => ({ itemIdentifier })) },
})

const record = (number: number, key: string, arrivedMs = 0, shard = 's'): StreamRecord<string> => ({
  shard,
  sequenceNumber: String(number),
  key,
  arrivedMs,
  value: `${key}${number}`,
})

const mappingOf = (settings: Partial<StreamMappingSettings<string>> = {}): StreamMapping<string> =>
  streamMapping({ source: 'dynamodb', ...settings })

const having = (mapping: StreamMapping<string>, ...records: ReadonlyArray<StreamRecord<string>>) =>
  mapping.arrived(mapping.initial, records).state

const values = ({ invocations }: StreamMappingStep<string>): ReadonlyArray<ReadonlyArray<string>> =>
  invocations.map(({ records }) => records.map(({ value }) => value))

/** Fails every batch that holds the record, and does all others, until nothing is due within the time. */
const untilAtRest = (mapping: StreamMapping<string>, state: StreamMappingState<string>, poison: string) => {
  const steps: Array<StreamMappingStep<string>> = []
  let nowMs = 0
  let step = mapping.next(state, { nowMs })
  for (let turn = 0; turn < 200; turn += 1) {
    steps.push(step)
    const [invocation] = step.invocations
    if (invocation === undefined && step.wakeMs === undefined) break
    if (invocation === undefined) nowMs = step.wakeMs ?? nowMs
    else {
      const outcome = invocation.records.some(({ value }) => value === poison) ? FAILED : DONE
      const answered = mapping.answered(step.state, invocation.id, outcome, nowMs)
      steps.push(answered)
      step = answered
    }
    step = mapping.next(step.state, { nowMs })
  }
  return steps
}

const five = [record(1, 'a'), record(2, 'b'), record(3, 'a'), record(4, 'c'), record(5, 'a')]

describe('a batch that fails', () => {
  test('blocks its shard, comes again whole after a pause, and is given up after its retries', () => {
    const mapping = mappingOf({ maximumRetryAttempts: 1, batchSize: 2 })
    const steps = untilAtRest(mapping, having(mapping, ...five), 'b2')
    expect(steps.flatMap(values)).toEqual([['a1', 'b2'], ['a1', 'b2'], ['a3', 'c4'], ['a5']])
    const [discarded] = steps.flatMap((step) => step.discarded)
    expect(discarded).toMatchObject({ reason: 'retries exhausted', invocations: 2 })
    expect(discarded?.records.map(({ value }) => value)).toEqual(['a1', 'b2'])
  })
  test('is halved until its culprit is alone, and splitting uses up no retry', () => {
    const mapping = mappingOf({ maximumRetryAttempts: 1, bisectBatchOnFunctionError: true })
    const steps = untilAtRest(mapping, having(mapping, ...five), 'b2')
    expect(steps.flatMap(values)).toEqual([
      ['a1', 'b2', 'a3', 'c4', 'a5'],
      ['a1', 'b2', 'a3'],
      ['a1', 'b2'],
      ['a1'],
      ['b2'],
      ['b2'],
      ['a3'],
      ['c4', 'a5'],
    ])
    expect(steps.flatMap(({ discarded }) => discarded.flatMap(({ records }) => records))).toEqual([five[1]])
  })
  test('comes again from the lowest number that is reported, whatever the order of the report', () => {
    const mapping = mappingOf({ reportBatchItemFailures: true })
    const first = mapping.next(having(mapping, ...five), { nowMs: 0 })
    const answered = mapping.answered(first.state, 's#1', failing('5', '3'), 10)
    expect(checkpoint(answered.state, 's')).toBe('2')
    expect(answered.passed.map(({ record: { value }, because }) => [value, because])).toEqual([
      ['a1', 'successful'],
      ['b2', 'successful'],
    ])
    expect(answered.wakeMs).toBe(1010)
    const again = mapping.next(answered.state, { nowMs: 1010 })
    expect(values(again)).toEqual([['a3', 'c4', 'a5']])
    expect(again.invocations[0]?.attempt).toBe(2)
  })
  test('is done where the mapping does not hear of single failures', () => {
    const mapping = mappingOf()
    const first = mapping.next(having(mapping, ...five), { nowMs: 0 })
    expect(checkpoint(mapping.answered(first.state, 's#1', failing('1'), 10).state, 's')).toBe('5')
  })
  test('has used up no attempt where its function was throttled', () => {
    const mapping = mappingOf({ maximumRetryAttempts: 0 })
    const first = mapping.next(having(mapping, ...five), { nowMs: 0 })
    const throttled = mapping.answered(first.state, 's#1', { _tag: 'Throttled' }, 0)
    expect(throttled.discarded).toEqual([])
    expect(mapping.next(throttled.state, { nowMs: 1000 }).invocations[0]?.attempt).toBe(1)
  })
  test('loses what grows too old, and is gone where the stream has forgotten it', () => {
    const mapping = mappingOf({ maximumRecordAgeMs: 60_000 })
    const first = mapping.next(having(mapping, record(1, 'a'), record(2, 'a', 50_000)), { nowMs: 50_000 })
    const failed = mapping.answered(first.state, 's#1', FAILED, 60_000)
    const old = mapping.next(failed.state, { nowMs: 61_000 })
    expect(old.discarded).toMatchObject([{ reason: 'too old', invocations: 1, records: [{ value: 'a1' }] }])
    expect(values(old)).toEqual([['a2']])
    const patient = mappingOf()
    const again = patient.answered(
      patient.next(having(patient, ...five), { nowMs: 0 }).state,
      's#1',
      FAILED,
      0,
    )
    const forgotten = patient.next(again.state, { nowMs: DAY_MS })
    expect(forgotten.trimmed).toHaveLength(5)
    expect(checkpoint(forgotten.state, 's')).toBe('5')
  })
})

describe('several batches of a shard at once', () => {
  const mapping = mappingOf({ parallelizationFactor: 3, batchSize: 1 })
  const three = mapping.next(having(mapping, ...five), { nowMs: 0 })

  test('share no item', () => {
    expect(values(three)).toEqual([['a1'], ['b2'], ['c4']])
    const later = mapping.answered(three.state, 's#2', DONE, 0)
    expect(values(mapping.next(later.state, { nowMs: 0 }))).toEqual([])
    const first = mapping.answered(three.state, 's#1', DONE, 0)
    expect(values(mapping.next(first.state, { nowMs: 0 }))).toEqual([['a3']])
  })
  test('leave the checkpoint before the first that is not done', () => {
    const later = mapping.answered(mapping.answered(three.state, 's#2', DONE, 0).state, 's#3', DONE, 0)
    expect(checkpoint(later.state, 's')).toBeUndefined()
    expect(checkpoint(mapping.answered(later.state, 's#1', DONE, 0).state, 's')).toBe('2')
  })
})

describe('AWS may', () => {
  const mapping = mappingOf({ batchSize: 3 })
  const state = having(mapping, ...five)
  const first = mapping.next(state, { nowMs: 0 })
  const done = mapping.answered(first.state, 's#1', DONE, 0)

  test('cut a batch anywhere', () => {
    expect(mapping.offers(state, 0)).toEqual(['batch of 1', 'batch of 2', 'overtaken'])
    expect(values(mapping.next(state, { nowMs: 0, deviation: 'batch of 1' }))).toEqual([['a1']])
    expect(values(mapping.next(state, { nowMs: 0, deviation: 'batch of 2' }))).toEqual([['a1', 'b2']])
  })
  test('bring items in another order than they were written in, numbered in that order', () => {
    const overtaken = mapping.next(state, { nowMs: 0, deviation: 'overtaken' })
    expect(values(overtaken)).toEqual([['b2', 'a1', 'a3']])
    expect(overtaken.invocations[0]?.records.map(({ sequenceNumber }) => sequenceNumber)).toEqual([
      '1',
      '2',
      '3',
    ])
    const kinesis = mappingOf({ source: 'kinesis' })
    expect(kinesis.offers(having(kinesis, ...five), 0)).not.toContain('overtaken')
  })
  test('bring a batch that was done once more, before anything else of the shard', () => {
    expect(mapping.offers(done.state, 0)).toContain('redelivered')
    const again = mapping.next(done.state, { nowMs: 0, deviation: 'redelivered' })
    expect(values(again)).toEqual([['a1', 'b2', 'a3']])
    const after = mapping.answered(again.state, 's#2', DONE, 0)
    expect(after.passed).toEqual([])
    expect(values(mapping.next(after.state, { nowMs: 0 }))).toEqual([['c4', 'a5']])
  })
  test('bring a batch twice at once, and hear the later answer alone', () => {
    const twice = mapping.next(first.state, { nowMs: 0, deviation: 'meanwhile' })
    expect(values(twice)).toEqual([['a1', 'b2', 'a3']])
    const zombie = mapping.answered(twice.state, 's#1', DONE, 0)
    expect(checkpoint(zombie.state, 's')).toBeUndefined()
    expect(checkpoint(mapping.answered(zombie.state, 's#2', DONE, 0).state, 's')).toBe('3')
  })
  test('forget the last checkpoint, so that all since the one before comes again', () => {
    const second = mapping.next(done.state, { nowMs: 0 })
    const both = mapping.answered(second.state, 's#2', DONE, 0)
    expect(checkpoint(both.state, 's')).toBe('5')
    const forgotten = mapping.next(both.state, { nowMs: 0, deviation: 'forgotten checkpoint' })
    expect(checkpoint(forgotten.state, 's')).toBe('3')
    expect(values(forgotten)).toEqual([['c4', 'a5']])
    const fromTheStart = mapping.next(second.state, { nowMs: 0, deviation: 'forgotten checkpoint' })
    expect(values(fromTheStart)).toEqual([['a1', 'b2', 'a3']])
    expect(mapping.answered(fromTheStart.state, 's#2', DONE, 0).passed).toEqual([])
    const again = mapping.answered(fromTheStart.state, 's#3', DONE, 0)
    expect(mapping.offers(again.state, 0)).not.toContain('overtaken')
  })
})

test('a batch waits to be full, no longer than its window', () => {
  const mapping = mappingOf({ maximumBatchingWindowMs: 300, batchSize: 2 })
  const one = having(mapping, record(1, 'a', 100))
  expect(mapping.next(one, { nowMs: 100 })).toMatchObject({ invocations: [], wakeMs: 400 })
  expect(values(mapping.next(one, { nowMs: 400 }))).toEqual([['a1']])
  const two = mapping.arrived(one, [record(2, 'b', 200)]).state
  expect(values(mapping.next(two, { nowMs: 200 }))).toEqual([['a1', 'b2']])
})

test('a payload holds no more than it can', () => {
  const mapping = mappingOf({ sizeOf: () => 2_500_000 })
  expect(values(mapping.next(having(mapping, ...five), { nowMs: 0 }))).toEqual([['a1', 'b2']])
})

test('what arrived before the mapping polled is missed from LATEST on', () => {
  const mapping = mappingOf({ startingPosition: { latestFromMs: 100 } })
  const { state, missed } = mapping.arrived(mapping.initial, [record(1, 'a', 99), record(2, 'a', 100)])
  expect(missed.map(({ value }) => value)).toEqual(['a1'])
  expect(pending(state, 's').map(({ value }) => value)).toEqual(['a2'])
})

test('what is not meant moves the checkpoint unseen', () => {
  const mapping = mappingOf({ filter: (value) => value.startsWith('a') })
  const first = mapping.next(having(mapping, record(1, 'b'), record(2, 'a')), { nowMs: 0 })
  expect(values(first)).toEqual([['a2']])
  expect(first.passed).toMatchObject([{ because: 'filtered', record: { value: 'b1' } }])
})

test('a merged shard waits for both of its parents', () => {
  const mapping = mappingOf({ source: 'kinesis' })
  const lineage = [
    { shard: 'child', parents: ['one', 'two', 'long gone'] },
    { shard: 'one', closed: true },
    { shard: 'two', closed: true },
  ]
  const records = ['child', 'one', 'two'].map((shard) => record(1, shard, 0, shard))
  const both = mapping.next(mapping.arrived(mapping.listed(mapping.initial, lineage), records).state, {
    nowMs: 0,
  })
  expect(values(both)).toEqual([['one1'], ['two1']])
  const one = mapping.answered(both.state, 'one#1', DONE, 0)
  expect(values(mapping.next(one.state, { nowMs: 0 }))).toEqual([])
  const two = mapping.answered(one.state, 'two#1', DONE, 0)
  expect(values(mapping.next(two.state, { nowMs: 0 }))).toEqual([['child1']])
})

test('a shard of a split shard waits for the first one, though nothing came in between', () => {
  const mapping = mappingOf({ source: 'kinesis' })
  const lineage = [
    { shard: 'one', closed: true },
    { shard: 'child', parents: ['one'], closed: true },
    { shard: 'grandchild', parents: ['child'] },
  ]
  const records = ['grandchild', 'one'].map((shard) => record(1, shard, 0, shard))
  const first = mapping.next(mapping.arrived(mapping.listed(mapping.initial, lineage), records).state, {
    nowMs: 0,
  })
  expect(values(first)).toEqual([['one1']])
  const done = mapping.answered(first.state, 'one#1', DONE, 0)
  expect(values(mapping.next(done.state, { nowMs: 0 }))).toEqual([['grandchild1']])
})

const returning = (state: unknown): InvocationOutcome => ({ _tag: 'Returned', value: { state } })

describe('a tumbling window', () => {
  const mapping = mappingOf({ tumblingWindowMs: 10_000, batchSize: 2, source: 'kinesis' })

  test('hands its state on, and closes with a call of its own', () => {
    const records = [record(1, 'a', 1000), record(2, 'b', 2000), record(3, 'c', 9000), record(4, 'd', 11_000)]
    let step = mapping.next(having(mapping, ...records), { nowMs: 11_000 })
    const windows: Array<unknown> = []
    for (const sum of [1, 2, 3, 4]) {
      const [invocation] = step.invocations
      if (invocation === undefined) throw new Error('nothing was handed out')
      windows.push([invocation.records.length, invocation.window])
      step = mapping.next(mapping.answered(step.state, invocation.id, returning({ sum }), 11_000).state, {
        nowMs: 11_000,
      })
    }
    const window = {
      startMs: 0,
      endMs: 10_000,
      isFinalInvokeForWindow: false,
      isWindowTerminatedEarly: false,
    }
    expect(windows).toEqual([
      [2, { ...window, state: {} }],
      [1, { ...window, state: { sum: 1 } }],
      [0, { ...window, state: { sum: 2 }, isFinalInvokeForWindow: true }],
      [1, { ...window, startMs: 10_000, endMs: 20_000, state: {} }],
    ])
    expect(step).toMatchObject({ invocations: [], wakeMs: 20_000 })
  })
  test('has failed where no state is returned', () => {
    const first = mapping.next(having(mapping, record(1, 'a', 0)), { nowMs: 0 })
    const answered = mapping.answered(first.state, 's#1', DONE, 0)
    expect(checkpoint(answered.state, 's')).toBeUndefined()
  })
  test('ends early where its state grows too large, and with its shard', () => {
    const state = having(mapping, record(1, 'a', 0))
    const large = mapping.answered(
      mapping.next(state, { nowMs: 0 }).state,
      's#1',
      returning('x'.repeat(1024 * 1024)),
      0,
    )
    const closed = mapping.listed(
      mapping.answered(mapping.next(state, { nowMs: 0 }).state, 's#1', returning(1), 0).state,
      [{ shard: 's', closed: true }],
    )
    for (const ending of [large.state, closed])
      expect(mapping.next(ending, { nowMs: 1 }).invocations).toMatchObject([
        { records: [], window: { isFinalInvokeForWindow: true, isWindowTerminatedEarly: true } },
      ])
  })
})

test('a destination hears of the shard and the numbers, and of no record', () => {
  const discarded = { shard: 's', records: five, reason: 'retries exhausted', invocations: 3 } as const
  const context = {
    functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:f',
    streamArn: 'arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/l',
    requestId: 'r',
    nowMs: 1000,
  }
  expect(onFailure(discarded, { ...context, source: 'dynamodb' })).toEqual({
    requestContext: {
      requestId: 'r',
      functionArn: context.functionArn,
      condition: 'RetryAttemptsExhausted',
      approximateInvokeCount: 3,
    },
    responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
    version: '1.0',
    timestamp: '1970-01-01T00:00:01.000Z',
    DDBStreamBatchInfo: {
      shardId: 's',
      startSequenceNumber: '1',
      endSequenceNumber: '5',
      approximateArrivalOfFirstRecord: '1970-01-01T00:00:00.000Z',
      approximateArrivalOfLastRecord: '1970-01-01T00:00:00.000Z',
      batchSize: 5,
      streamArn: context.streamArn,
    },
  })
  expect(onFailure({ ...discarded, reason: 'too old' }, { ...context, source: 'kinesis' })).toMatchObject({
    requestContext: { condition: 'RecordAgeExpired' },
    KinesisBatchInfo: { batchSize: 5 },
  })
})

test('a record that arrives behind another of its shard is a mistake of whoever brings it', () => {
  const mapping = mappingOf()
  expect(() => having(mapping, record(2, 'a'), record(1, 'b'))).toThrow('1 arrived behind 2 in s')
})
