import { E } from '@everfold/core'
import {
  aggregate,
  type BatchFailure,
  type KinesisConsumerOptions,
  kinesisConsumer,
  type UserRecord,
} from '@everfold/runtime-lambda/kinesis'
import { fc, test as property } from '@fast-check/vitest'
import type { KinesisStreamEvent, KinesisStreamHandler, KinesisStreamRecordPayload } from 'aws-lambda'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { MalformedEvent } from '../../src/consumers/malformed-event.ts'
import { framed, utf8 } from './records.ts'
import { SHARD, sequenceNumberOf, streamEvent } from './stream-event.ts'

/** Takes what it is not told to fail, and remembers it; each planned failure happens once. */
const taking = (failing: ReadonlySet<string> = new Set(), options: Partial<KinesisConsumerOptions> = {}) => {
  const planned = new Set(failing)
  const taken: Array<UserRecord> = []
  const failures: Array<BatchFailure> = []
  const handler = kinesisConsumer({
    take: (records) => async () => {
      const at = records.findIndex(({ id }) => planned.delete(id))
      if (at < 0) {
        taken.push(...records)
        return E.right(undefined)
      }
      if (at % 2 === 1) throw new Error('planted')
      taken.push(...records.slice(0, at))
      return E.left({ taken: at, cause: 'planted' })
    },
    report: (failure) => void failures.push(failure),
    ...options,
  })
  return { handler, taken, failures }
}

/** What each record of a stream holds: a plain one, or an aggregate of some. Numbered, so that all differ. */
type Plan = ReadonlyArray<ReadonlyArray<string>>
const anyKey = fc.constantFrom('a', 'b', 'c')
const anyPlan: fc.Arbitrary<Plan> = fc.array(fc.array(anyKey, { minLength: 1, maxLength: 4 }), {
  minLength: 1,
  maxLength: 12,
})

const batchOf = (plan: Plan) => {
  let number = 0
  const units = plan.map((keys) =>
    keys.map((partitionKey) => ({ partitionKey, data: utf8(String(number++)) })),
  )
  const event = streamEvent(
    units.map((unit) => {
      const [first] = unit
      return unit.length === 1 && first !== undefined
        ? first
        : { partitionKey: 'whole', data: aggregate(unit) }
    }),
  )
  const ids = units.flatMap((unit, at) => unit.map((_, place) => `${SHARD}:${sequenceNumberOf(at)}:${place}`))
  return { event, records: units.flat(), ids }
}

const valuesOf = (
  records: ReadonlyArray<{ readonly partitionKey: string; readonly data: Uint8Array }>,
  key: string,
) =>
  records.filter(({ partitionKey }) => partitionKey === key).map(({ data }) => new TextDecoder().decode(data))

const tail = ({ Records }: KinesisStreamEvent, from: string): KinesisStreamEvent => ({
  Records: Records.slice(Records.findIndex(({ kinesis }) => kinesis.sequenceNumber === from)),
})

describe('a batch', () => {
  property.prop([anyPlan])(
    'without failures is taken once, in order within each key, under ids of its own',
    async (plan) => {
      const { event, records, ids } = batchOf(plan)
      const { handler, taken, failures } = taking()
      expect(await handler(event)).toEqual({ batchItemFailures: [] })
      expect(failures).toEqual([])
      for (const key of ['a', 'b', 'c']) expect(valuesOf(taken, key)).toEqual(valuesOf(records, key))
      expect(taken.map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
    },
  )
  property.prop([anyPlan, fc.array(fc.nat(40)), fc.integer({ min: 1, max: 4 })])(
    'with failures is reported from the first record that was not taken, and is taken in the end',
    async (plan, failing, parallel) => {
      const { event, records, ids } = batchOf(plan)
      const planned = new Set(ids.filter((_, at) => failing.includes(at)))
      const { handler, taken, failures } = taking(planned, { parallel })
      let due = event
      for (let round = 0; due.Records.length > 0; round += 1) {
        expect(round).toBeLessThanOrEqual(planned.size)
        const heard = failures.length
        const { batchItemFailures } = await handler(due)
        expect(failures.length > heard).toBe(batchItemFailures.length > 0)
        const [first] = batchItemFailures
        if (first === undefined) break
        const had = new Set(taken.map(({ id }) => id))
        const isBefore = (id: string) => (id.split(':')[1] ?? '') < first.itemIdentifier
        expect(ids.filter((id) => isBefore(id) && !had.has(id))).toEqual([])
        due = tail(due, first.itemIdentifier)
      }
      const firsts = [...new Map(taken.map((record) => [record.id, record])).values()]
      for (const key of ['a', 'b', 'c']) expect(valuesOf(firsts, key)).toEqual(valuesOf(records, key))
    },
  )
  test('gives each record its place, key and time', async () => {
    const { handler, taken } = taking()
    await handler(
      streamEvent([
        {
          partitionKey: 'whole',
          data: aggregate([{ partitionKey: 'a', explicitHashKey: '7', data: utf8('x') }]),
        },
      ]),
    )
    expect(taken).toEqual([
      {
        id: `${SHARD}:${sequenceNumberOf(0)}:0`,
        shardId: SHARD,
        sequenceNumber: sequenceNumberOf(0),
        subsequence: 0,
        partitionKey: 'a',
        explicitHashKey: '7',
        data: utf8('x'),
        arrivedAtMs: 1545084650987,
      },
    ])
  })
  test('may be taken as one', async () => {
    const sizes: Array<number> = []
    const handler = kinesisConsumer({
      take: (records) => async () => {
        sizes.push(records.length)
        return E.right(undefined)
      },
      report: () => {},
      groupBy: () => '',
    })
    await handler(batchOf([['a'], ['b', 'c'], ['a']]).event)
    expect(sizes).toEqual([4])
  })
  test('has its keys taken beside each other, up to the limit', async () => {
    let under = 0
    let most = 0
    const handler = kinesisConsumer({
      take: () => async () => {
        under += 1
        most = Math.max(most, under)
        await Promise.resolve()
        under -= 1
        return E.right(undefined)
      },
      report: () => {},
      parallel: 3,
    })
    await handler(
      streamEvent(Array.from({ length: 20 }, (_, at) => ({ partitionKey: `k${at}`, data: utf8('x') }))),
    )
    expect(most).toBe(3)
  })
})

describe('a broken record', () => {
  const broken = { partitionKey: 'whole', data: framed(utf8('broken')) }
  const plain = { partitionKey: 'a', data: utf8('x') }
  test('fails alone, with the path of its fault; what is before it is taken', async () => {
    const { handler, taken, failures } = taking()
    expect(await handler(streamEvent([plain, broken, plain]))).toEqual({
      batchItemFailures: [{ itemIdentifier: sequenceNumberOf(1) }],
    })
    expect(taken.map(({ sequenceNumber }) => sequenceNumber)).toEqual([sequenceNumberOf(0)])
    expect(failures).toMatchObject([
      {
        _tag: 'RecordInvalid',
        sequenceNumber: sequenceNumberOf(1),
        errors: [{ pointer: '/Records/1/kinesis/data' }],
      },
    ])
  })
  test.each<[keyof KinesisStreamRecordPayload, unknown]>([
    ['data', '*AAA'],
    ['data', 'AAA'],
    ['data', 7],
    ['partitionKey', ''],
    ['partitionKey', undefined],
    ['approximateArrivalTimestamp', 'today'],
    ['approximateArrivalTimestamp', Number.NaN],
  ])('with a %s of %j fails with its path', async (field, value) => {
    const { handler, taken, failures } = taking()
    expect(
      await handler(changed(streamEvent([plain, plain]), ['Records', 1, 'kinesis', field], value)),
    ).toEqual({
      batchItemFailures: [{ itemIdentifier: sequenceNumberOf(1) }],
    })
    expect(taken.length).toBe(1)
    expect(failures).toMatchObject([{ errors: [{ pointer: `/Records/1/kinesis/${field}` }] }])
  })
  test('behind a failure is reported by the failure', async () => {
    const { handler } = taking(new Set([`${SHARD}:${sequenceNumberOf(0)}:0`]))
    expect(await handler(streamEvent([plain, broken]))).toEqual({
      batchItemFailures: [{ itemIdentifier: sequenceNumberOf(0) }],
    })
  })
})

/** A place in a JSON value. */
type Path = ReadonlyArray<string | number>

const pathsOf = (value: unknown, path: Path = []): ReadonlyArray<Path> => [
  path,
  ...(typeof value === 'object' && value !== null
    ? Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, [...path, key]))
    : []),
]

/** The value with another one at the path, or with nothing there. */
const changed = (value: unknown, [step, ...rest]: Path, to: unknown): unknown => {
  if (step === undefined) return to
  const copy = Array.isArray(value) ? [...(value as ReadonlyArray<unknown>)] : { ...(value as object) }
  const inner = changed((value as Record<string, unknown>)[step], rest, to)
  if (rest.length === 0 && to === undefined) Reflect.deleteProperty(copy, step)
  else Reflect.set(copy, step, inner)
  return copy
}

const anyValue = fc.oneof(
  fc.constant(undefined),
  fc.jsonValue({ maxDepth: 2 }),
  fc.string(),
  fc.constantFrom('', '0', '-1', 'AA', 'A===', '*AAA', null, Number.NaN, -1, `${SHARD}:1`),
)

describe('an event of another shape', () => {
  property.prop([anyPlan, fc.array(fc.tuple(fc.nat(), anyValue), { minLength: 1, maxLength: 3 })], {
    numRuns: 500,
  })(
    'is refused with its path, or is reported from a record of it, or has been taken whole',
    async (plan, changes) => {
      let event: unknown = batchOf(plan).event
      for (const [at, to] of changes) {
        const paths = pathsOf(event)
        event = changed(event, paths[at % paths.length] ?? [], to)
      }
      const { handler, taken, failures } = taking()
      const answer = await handler(event).catch((error: unknown) => error)
      if (answer instanceof Error) {
        expect(answer).toBeInstanceOf(MalformedEvent)
        for (const { pointer } of (answer as MalformedEvent).errors) expect(pointer).toMatch(/^\/Records/)
        expect(taken).toEqual([])
        return
      }
      const { batchItemFailures } = answer as Awaited<ReturnType<KinesisStreamHandler>> & object
      const numbers = (event as KinesisStreamEvent).Records.map(({ kinesis }) => kinesis.sequenceNumber)
      expect(batchItemFailures.length).toBe(failures.length)
      const had = new Set(taken.map(({ sequenceNumber }) => sequenceNumber))
      if (batchItemFailures.length === 0) expect(had).toEqual(new Set(numbers))
      for (const { itemIdentifier } of batchItemFailures) expect(numbers).toContain(itemIdentifier)
    },
  )
  test.each([undefined, null, [], {}, { Records: {} }, { Records: [] }, { Records: [null] }, 'Records'])(
    '%j is refused',
    async (event) => {
      await expect(taking().handler(event)).rejects.toThrow(/^not an event of a Kinesis stream: \/Records/)
    },
  )
})

test('it is a handler of Lambda', () => {
  expectTypeOf<ReturnType<typeof kinesisConsumer>>().toExtend<KinesisStreamHandler>()
})
