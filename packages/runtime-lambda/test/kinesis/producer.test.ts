import { E } from '@everfold/core'
import {
  deaggregate,
  type KinesisProducerOptions,
  kinesisProducer,
  type Placed,
  type PutFailure,
  type StreamRecord,
} from '@everfold/runtime-lambda/kinesis'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { recordBytes } from '../../src/kinesis/stream-record.ts'
import { KINESIS } from '../../src/limits.ts'
import { instantClock } from '../instant-clock.ts'
import { utf8 } from './records.ts'
import { type CallFault, type ScriptedKinesis, scriptedKinesis } from './scripted-kinesis.ts'

const STREAM = 'readings'

const put = (
  { client }: ScriptedKinesis,
  records: ReadonlyArray<StreamRecord>,
  how: Partial<KinesisProducerOptions> = {},
) => kinesisProducer({ client, stream: STREAM, clock: instantClock(), ...how }).put(records)()

/** Each of them other than every other, so that what is stored tells what it was. */
const numbered = (keys: ReadonlyArray<string>): ReadonlyArray<StreamRecord> =>
  keys.map((partitionKey, at) => ({ partitionKey, data: utf8(String(at)) }))

const numberOf = (data: Uint8Array) => Number(new TextDecoder().decode(data))

const places = (records: ReadonlyArray<{ readonly Data?: Uint8Array | undefined }>) =>
  records.map(({ Data = new Uint8Array() }) => numberOf(Data))

type Answer = E.Either<PutFailure, Placed>

const tagOf = (answer: Answer | undefined) =>
  answer !== undefined && E.isLeft(answer) ? answer.left._tag : 'Placed'

const placed = (answer: Answer): Placed => {
  if (E.isLeft(answer)) throw new Error(JSON.stringify(answer.left))
  return answer.right
}

/** What lies there, taken apart where it is an aggregate. */
const recordsAt = ({ stored }: ScriptedKinesis, shardId: string, sequenceNumber: string) => {
  const found = stored.find((one) => one.sequenceNumber === sequenceNumber && one.shardId === shardId)
  const { key: partitionKey, data } = found ?? { key: '', data: new Uint8Array() }
  const apart = deaggregate(data)
  return (E.isRight(apart) ? apart.right : undefined) ?? [{ partitionKey, data }]
}

const anyKeys: fc.Arbitrary<ReadonlyArray<string>> = fc.array(fc.constantFrom('a', 'bb', 'ccc', 'dddd'), {
  maxLength: 30,
})
const anyFault: fc.Arbitrary<CallFault | undefined> = fc.oneof(
  fc.constant(undefined),
  fc.record({ _tag: fc.constant('SomeFail' as const), places: fc.array(fc.nat(29), { maxLength: 10 }) }),
  fc.constant({ _tag: 'Throttled' as const }),
  fc.constant({ _tag: 'ResponseLost' as const }),
)
/** Nothing of a call that is refused for good is stored, and it is not repeated. */
const anyHopelessScript = fc.array(fc.oneof(anyFault, fc.constant({ _tag: 'Missing' as const })), {
  maxLength: 20,
})
const anyScript = fc.array(anyFault, { maxLength: 6 })

describe('whatever goes wrong for a while', () => {
  property.prop([anyKeys, anyScript, fc.boolean(), fc.constantFrom('coarse' as const, 'strict' as const)])(
    'every record is in the stream where its answer says',
    async (keys, script, aggregate, order) => {
      const records = numbered(keys)
      const kinesis = scriptedKinesis(script)
      const answers = await put(kinesis, records, { aggregate, order, budgetMs: 600_000 })
      expect(answers.length).toBe(records.length)
      for (const [at, { shardId, sequenceNumber, subsequence }] of answers.map(placed).entries())
        expect(recordsAt(kinesis, shardId, sequenceNumber)[subsequence]).toEqual(records[at])
    },
  )
  property.prop([fc.nat(1200), anyScript])(
    'only what failed is put again, in front of what has not been sent',
    async (count, script) => {
      const kinesis = scriptedKinesis(script)
      await put(kinesis, numbered(Array.from({ length: count }, () => 'a')), { budgetMs: 600_000 })
      let due = [...Array(count).keys()]
      for (const [at, call] of kinesis.calls.entries()) {
        const fault = script[at]
        expect(places(call)).toEqual(due.slice(0, 500))
        if (fault?._tag === 'Throttled' || fault?._tag === 'ResponseLost') continue
        const failed = due.filter((_, place) => fault?._tag === 'SomeFail' && fault.places.includes(place))
        due = [...failed, ...due.slice(500)]
      }
      expect(due).toEqual([])
    },
  )
  property.prop([
    anyKeys,
    anyHopelessScript,
    fc.option(fc.constant({ _tag: 'Throttled' as const }), { nil: undefined }),
  ])(
    'in the strict order a key has, apart from doubles, a beginning of what was given, and the rest is told',
    async (keys, script, forever) => {
      const records = numbered(keys)
      const kinesis = scriptedKinesis(script, forever)
      const answers = await put(kinesis, records, { order: 'strict' })
      for (const key of new Set(keys)) {
        const given = [...records.keys()].filter((at) => keys[at] === key)
        const stored = kinesis.stored.filter((one) => one.key === key).map(({ data }) => numberOf(data))
        expect(stored).toEqual(stored.toSorted((one, other) => one - other))
        const distinct = [...new Set(stored)]
        expect(distinct).toEqual(given.slice(0, distinct.length))
        const acknowledged = given.filter((at) => tagOf(answers[at]) === 'Placed')
        expect(acknowledged).toEqual(given.slice(0, acknowledged.length))
      }
    },
  )
  property.prop([anyKeys, anyScript])(
    'in the strict order each record is chained to the place that the one before it was answered with',
    async (keys, script) => {
      const kinesis = scriptedKinesis(script)
      const answers = (await put(kinesis, numbered(keys), { order: 'strict', budgetMs: 600_000 })).map(placed)
      for (const { data, key, after } of kinesis.stored) {
        const before = keys.slice(0, numberOf(data)).lastIndexOf(key)
        expect(after).toBe(answers[before]?.sequenceNumber)
      }
    },
  )
})

describe('whatever goes wrong for good', () => {
  const forever: ReadonlyArray<CallFault> = [
    { _tag: 'Throttled' },
    { _tag: 'ResponseLost' },
    { _tag: 'SomeFail', places: [0, 1, 2, 3, 4] },
  ]
  test.each(forever)('$_tag ends within its time, with a fault for each record', async (fault) => {
    for (const order of ['coarse', 'strict'] as const) {
      const clock = instantClock()
      const startMs = clock.nowMs()
      const kinesis = scriptedKinesis([], fault)
      const answers = await put(kinesis, numbered(['a', 'a', 'bb']), {
        clock,
        order,
        budgetMs: 5000,
        parallel: 1,
      })
      expect(answers.map(tagOf)).toEqual(['Unavailable', 'Unavailable', 'Unavailable'])
      expect(clock.nowMs() - startMs).toBeLessThanOrEqual(5000)
      expect(kinesis.calls.length).toBeGreaterThan(3)
    }
  })
  test.each(['coarse', 'strict'] as const)(
    'a slow service, %s, is asked no more once the time is over',
    async (order) => {
      const clock = instantClock()
      const kinesis = scriptedKinesis([])
      kinesis.client.middlewareStack.add(
        (next) => async (args) => {
          await clock.sleep(3000)
          return next(args)
        },
        { step: 'initialize', priority: 'high' },
      )
      const answers = await put(kinesis, numbered(Array.from({ length: 3000 }, () => 'a')), { clock, order })
      expect(kinesis.calls.length).toBe(4)
      expect(answers.filter((answer) => tagOf(answer) === 'Placed').length).toBe(kinesis.stored.length)
    },
  )
  test('one record that always fails keeps no other from the stream', async () => {
    const kinesis = scriptedKinesis([], { _tag: 'SomeFail', places: [0] })
    const records = numbered(Array.from({ length: 1200 }, () => 'a'))
    const answers = await put(kinesis, records)
    expect(answers.map(tagOf).filter((tag) => tag !== 'Placed')).toEqual(['Unavailable'])
  })
  test('an error that no repeat helps against is not repeated, and the next call is tried', async () => {
    const kinesis = scriptedKinesis([{ _tag: 'Missing' }])
    const answers = await put(kinesis, numbered(Array.from({ length: 501 }, () => 'a')))
    expect(kinesis.calls.map(({ length }) => length)).toEqual([500, 1])
    expect(answers.map(tagOf).indexOf('Placed')).toBe(500)
  })
})

describe('a call', () => {
  test('has 500 records or 10 MiB with the keys, and not one more', async () => {
    const kinesis = scriptedKinesis([])
    const mebibyte = { partitionKey: 'k'.repeat(24), data: new Uint8Array(1024 * 1024 - 24) }
    const small = Array.from({ length: 1001 }, () => ({ partitionKey: 'k', data: utf8('1') }))
    await put(kinesis, [...Array.from({ length: 11 }, () => mebibyte), ...small])
    expect(kinesis.calls.map(({ length }) => length)).toEqual([10, 500, 500, 2])
    for (const call of kinesis.calls) {
      const sizes = call.map(({ PartitionKey: partitionKey = '', Data: data = new Uint8Array() }) =>
        recordBytes({ partitionKey, data }),
      )
      expect(sizes.reduce((total, size) => total + size, 0)).toBeLessThanOrEqual(KINESIS.putBytes)
    }
  })
  test('is made of nothing for nothing', async () => {
    const kinesis = scriptedKinesis([])
    expect(await put(kinesis, [])).toEqual([])
    expect(kinesis.calls).toEqual([])
  })
})

describe('a record that cannot be put', () => {
  const large = { partitionKey: 'a', data: new Uint8Array(1024 * 1024) }
  test('is refused by name and never sent, and the others are put', async () => {
    const kinesis = scriptedKinesis([])
    const answers = await put(kinesis, [large, ...numbered(['a', 'bb'])])
    expect(answers[0]).toEqual(
      E.left({ _tag: 'RecordTooLarge', sizeBytes: 1024 * 1024 + 1, limitBytes: 1024 * 1024 }),
    )
    expect(answers.map(tagOf)).toEqual(['RecordTooLarge', 'Placed', 'Placed'])
    expect(kinesis.stored.length).toBe(2)
  })
  test('holds back its key in the strict order', async () => {
    const kinesis = scriptedKinesis([])
    const answers = await put(kinesis, [large, ...numbered(['a', 'bb'])], { order: 'strict' })
    expect(answers.map(tagOf)).toEqual(['RecordTooLarge', 'Unavailable', 'Placed'])
  })
  test('is one that is an aggregate, where the producer aggregates: it would come back as another', async () => {
    const inner = scriptedKinesis([])
    await put(inner, numbered(['a', 'a']), { aggregate: true })
    const [aggregated] = inner.stored
    expect(inner.stored.length).toBe(1)
    const again = [{ partitionKey: 'a', data: aggregated?.data ?? new Uint8Array() }]
    expect((await put(scriptedKinesis([]), again, { aggregate: true })).map(tagOf)).toEqual([
      'AlreadyAggregated',
    ])
    expect((await put(scriptedKinesis([]), again)).map(tagOf)).toEqual(['Placed'])
  })
})

test('calls of a strict producer take turns, and the second is chained to the first', async () => {
  const kinesis = scriptedKinesis([])
  const { client } = kinesis
  const producer = kinesisProducer({ client, stream: STREAM, clock: instantClock(), order: 'strict' })
  await Promise.all([producer.put(numbered(['a', 'a']))(), producer.put(numbered(['a']))()])
  expect(kinesis.stored.map(({ data, after }) => [numberOf(data), after])).toEqual([
    [0, undefined],
    [1, '1000'],
    [0, '1001'],
  ])
})
