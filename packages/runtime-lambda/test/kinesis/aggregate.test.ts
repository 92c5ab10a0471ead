import { E } from '@everfold/core'
import { aggregate, deaggregate, type StreamRecord } from '@everfold/runtime-lambda/kinesis'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { anyRecords, framed, LARGEST_HASH_KEY, utf8 } from './records.ts'

/** Made by AWS's own aws-kinesis-agg 4.0.4 from these records. */
const GOLDEN = {
  records: [
    { partitionKey: 'device-1', data: utf8('21.5') },
    { partitionKey: 'device-2', explicitHashKey: LARGEST_HASH_KEY, data: Uint8Array.of(0, 255, 128) },
    { partitionKey: 'device-1', data: utf8('21.6') },
    { partitionKey: 'gerät-3', explicitHashKey: '5000000000', data: Uint8Array.of() },
  ],
  hex:
    'f3899ac20a086465766963652d310a086465766963652d320a08676572c3a4742d33122733343032383233363639323039' +
    '3338343633343633333734363037343331373638323131343535120a353030303030303030301a0808001a0432312e351a' +
    '09080110001a0300ff801a0808001a0432312e361a06080210011a002740ede02b2836948312cc44ad350bab',
}

const faults = (data: Uint8Array) => {
  const apart = deaggregate(data)
  return E.isLeft(apart) ? apart.left.errors : apart.right
}

/** The golden record that lies in the frame, so that a fault can be put into it. */
const ONE: StreamRecord = { partitionKey: 'a', data: utf8('x') }
const oneAggregated = aggregate([ONE])
const message = oneAggregated.subarray(4, -16)
const withRecord = (...body: ReadonlyArray<number>) =>
  framed(Uint8Array.from([...message.subarray(0, 3), 0x1a, body.length, ...body]))

describe('an aggregate of the Kinesis Producer Library', () => {
  test('made by AWS is read', () => {
    const bytes = Uint8Array.from(Buffer.from(GOLDEN.hex, 'hex'))
    expect(deaggregate(bytes)).toEqual(E.right(GOLDEN.records))
  })
  property.prop([anyRecords])('gives back the records that went in, in their order', (records) => {
    expect(deaggregate(aggregate(records))).toEqual(E.right(records))
  })
  test('stores each key once', () => {
    expect(message).toEqual(Uint8Array.of(0x0a, 1, 97, 0x1a, 5, 8, 0, 0x1a, 1, 120))
  })
})

describe('bytes that are no aggregate', () => {
  property.prop([fc.uint8Array({ maxLength: 200 })])('are a plain record', (bytes) => {
    expect(deaggregate(bytes)).toEqual(E.right(undefined))
  })
  property.prop([anyRecords, fc.nat(), fc.integer({ min: 1, max: 255 })])(
    'are a plain record where any byte is another than was written',
    (records, at, flip) => {
      const bytes = aggregate(records)
      bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ flip
      expect(deaggregate(bytes)).toEqual(E.right(undefined))
    },
  )
  property.prop([anyRecords, fc.nat()])(
    'are a plain record where any are missing at the end',
    (records, count) => {
      const bytes = aggregate(records)
      expect(deaggregate(bytes.subarray(0, count % bytes.length))).toEqual(E.right(undefined))
    },
  )
})

describe('a message that cannot be read under its right checksum', () => {
  property.prop([fc.uint8Array({ maxLength: 100 })])('is told with its path, whatever it is', (bytes) => {
    const apart = deaggregate(framed(bytes))
    if (E.isLeft(apart))
      for (const { pointer, detail } of apart.left.errors) {
        expect(pointer).toMatch(/^($|\/(partition_key_table|explicit_hash_key_table|records)\/\d+)/)
        expect(detail).not.toBe('')
      }
    else expect(apart.right).toBeDefined()
  })
  property.prop([anyRecords.filter(({ length }) => length > 0), fc.nat(), fc.nat(255)])(
    'is told with its path where a byte was changed before the checksum',
    (records, at, byte) => {
      const bytes = aggregate(records).slice(4, -16)
      bytes[at % bytes.length] = byte
      const apart = deaggregate(framed(bytes))
      if (E.isLeft(apart)) expect(apart.left._tag).toBe('InvalidInput')
    },
  )
  test('cut short', () => {
    expect(faults(framed(message.subarray(0, -1)))).toMatchObject([{ pointer: '' }])
  })
  test('a record cut short in itself', () => {
    expect(faults(withRecord(8, 0, 0x1a, 9, 120))).toMatchObject([{ pointer: '/records/0' }])
  })
  test('a key that is not in the table', () => {
    expect(faults(withRecord(8, 1, 0x1a, 1, 120))).toEqual([
      { pointer: '/records/0/partition_key_index', detail: 'is 1, and the table has 1 entries' },
    ])
  })
  test('an index that is right only in its lower 32 bits', () => {
    const index = [8, 0x80, 0x80, 0x80, 0x80, 0x10]
    expect(faults(withRecord(...index, 0x1a, 1, 120))).toEqual([
      { pointer: '/records/0/partition_key_index', detail: `is ${2 ** 32}, and the table has 1 entries` },
    ])
  })
  test('an explicit hash key that is not in the table', () => {
    expect(faults(withRecord(8, 0, 16, 0, 0x1a, 1, 120))).toEqual([
      { pointer: '/records/0/explicit_hash_key_index', detail: 'is 0, and the table has 0 entries' },
    ])
  })
  test('no key, no data', () => {
    expect(faults(withRecord(0x1a, 1, 120))).toEqual([
      { pointer: '/records/0/partition_key_index', detail: 'is required' },
    ])
    expect(faults(withRecord(8, 0))).toEqual([{ pointer: '/records/0/data', detail: 'is required' }])
  })
  test('a key that is no UTF-8', () => {
    expect(faults(framed(Uint8Array.of(0x0a, 1, 0xff)))).toEqual([
      { pointer: '/partition_key_table/0', detail: 'is no UTF-8' },
    ])
  })
})

test('tags and fields of a later version are passed over', () => {
  const tag = [0x22, 3, 0x0a, 1, 107]
  expect(faults(withRecord(8, 0, ...tag, 0x1a, 1, 120, 0x28, 1))).toEqual([ONE])
})
