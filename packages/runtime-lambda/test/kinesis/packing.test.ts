import { E } from '@everfold/core'
import { aggregate, deaggregate, type StreamRecord } from '@everfold/runtime-lambda/kinesis'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { aggregatedBytes, aggregateOverheadBytes } from '../../src/kinesis/aggregate.ts'
import { aggregatedByKey, fitting } from '../../src/kinesis/packing.ts'
import { recordBytes, refusalOf } from '../../src/kinesis/stream-record.ts'
import { anyRecords, LARGEST_HASH_KEY } from './records.ts'

const sum = (sizes: ReadonlyArray<number>) => sizes.reduce((total, size) => total + size, 0)

describe('a call', () => {
  const anySizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 60 })
  const anyLimits = fc.record({
    count: fc.integer({ min: 1, max: 20 }),
    bytes: fc.integer({ min: 50, max: 300 }),
  })
  property.prop([anySizes, anyLimits, fc.nat()])(
    'never goes over a limit, and holds as many as the limits allow',
    (sizes, limits, place) => {
      const from = place % sizes.length
      const fits = fitting(sizes, limits, from)
      const more = sizes.slice(from, from + fits + 1)
      expect(fits).toBeGreaterThan(0)
      expect(fits).toBeLessThanOrEqual(limits.count)
      expect(sum(sizes.slice(from, from + fits))).toBeLessThanOrEqual(limits.bytes)
      expect(more.length === fits || fits === limits.count || sum(more) > limits.bytes).toBe(true)
    },
  )
  test('is full at its limits exactly', () => {
    const sizes = Array.from({ length: 501 }, () => 10)
    expect(fitting(sizes, { count: 500, bytes: 5000 })).toBe(500)
    expect(fitting(sizes, { count: 500, bytes: 4999 })).toBe(499)
    expect(fitting(sizes, { count: 500, bytes: 5010 })).toBe(500)
  })
})

describe('records aggregated by key', () => {
  const anyLimit = fc.integer({ min: 60, max: 2000 })
  property.prop([anyRecords, anyLimit])(
    'are complete, each once, and in order within their key',
    (records, bytes) => {
      const entries = aggregatedByKey(records, bytes)
      const seen = entries.flatMap(({ members }) => members)
      expect(seen.toSorted((one, other) => one - other)).toEqual([...records.keys()])
      for (const { record, members } of entries) {
        const apart = deaggregate(record.data)
        const inside = members.length === 1 ? [record] : E.isRight(apart) ? apart.right : undefined
        expect(inside).toEqual(members.map((place) => records[place]))
        expect(new Set(members.map((place) => keyOf(records[place] as StreamRecord))).size).toBe(1)
      }
      for (const mates of Map.groupBy(seen, (place) => keyOf(records[place] as StreamRecord)).values())
        expect(mates).toEqual(mates.toSorted((one, other) => one - other))
    },
  )
  property.prop([anyRecords, anyLimit])('never exceed the limit together, and fill it', (records, bytes) => {
    const entries = aggregatedByKey(records, bytes)
    for (const [at, { record, members }] of entries.entries()) {
      if (members.length > 1) expect(recordBytes(record)).toBeLessThanOrEqual(bytes)
      const next = entries[at + 1]
      if (next === undefined || keyOf(next.record) !== keyOf(record)) continue
      const mates = [...members, next.members[0] as number].map((place) => records[place] as StreamRecord)
      expect(recordBytes({ ...record, data: aggregate(mates) })).toBeGreaterThan(bytes)
    }
  })
  test.each([128, 16_384])('are counted to the byte, around %i bytes', (turn) => {
    for (let length = turn - 12; length < turn + 2; length += 1) {
      const record = { partitionKey: 'k'.repeat(length % 256), data: new Uint8Array(length) }
      for (const one of [record, { ...record, explicitHashKey: '0' }])
        expect(aggregateOverheadBytes(one) + aggregatedBytes(one)).toBe(aggregate([one]).length)
    }
  })
  test('fill a limit to its last byte', () => {
    const mates = [130, 5, 20_000].map((length) => ({
      partitionKey: 'gerät',
      explicitHashKey: LARGEST_HASH_KEY,
      data: new Uint8Array(length),
    }))
    const bytes = recordBytes({ partitionKey: 'gerät', data: aggregate(mates) })
    expect(aggregatedByKey(mates, bytes).map(({ members }) => members)).toEqual([[0, 1, 2]])
    expect(aggregatedByKey(mates, bytes - 1).map(({ members }) => members)).toEqual([[0, 1], [2]])
  })
})

const keyOf = ({ partitionKey, explicitHashKey }: StreamRecord) =>
  JSON.stringify([partitionKey, explicitHashKey])

describe('a record', () => {
  test('counts its key in UTF-8', () => {
    const record = { partitionKey: 'gerät', data: new Uint8Array(94) }
    expect(refusalOf(record, 100)).toBeUndefined()
    expect(refusalOf(record, 99)).toEqual({ _tag: 'RecordTooLarge', sizeBytes: 100, limitBytes: 99 })
  })
  test.each([
    ['', 'PartitionKeyInvalid'],
    ['k'.repeat(257), 'PartitionKeyInvalid'],
    ['\ud800', 'PartitionKeyInvalid'],
    ['k'.repeat(256), undefined],
  ])('under the key %j is refused as %s', (partitionKey, tag) => {
    expect(refusalOf({ partitionKey, data: new Uint8Array(1) }, 1000)?._tag).toBe(tag)
  })
  test.each([
    ['0', undefined],
    [LARGEST_HASH_KEY, undefined],
    [String(2n ** 128n), 'HashKeyInvalid'],
    ['-1', 'HashKeyInvalid'],
    ['01', 'HashKeyInvalid'],
  ])('under the explicit hash key %s is refused as %s', (explicitHashKey, tag) => {
    expect(refusalOf({ partitionKey: 'k', explicitHashKey, data: new Uint8Array(1) }, 1000)?._tag).toBe(tag)
  })
})
