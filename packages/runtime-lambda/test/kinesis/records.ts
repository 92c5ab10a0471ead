/** Records as properties need them: few keys, so that they meet, and bytes of all kinds. */
import { createHash } from 'node:crypto'
import type { StreamRecord } from '@everfold/runtime-lambda/kinesis'
import { fc } from '@fast-check/vitest'

export const LARGEST_HASH_KEY = String(2n ** 128n - 1n)

const anyKey = fc.oneof(
  fc.constantFrom('a', 'b', 'gerät-3'),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
)
const anyHashKey = fc.oneof(
  fc.constantFrom('0', LARGEST_HASH_KEY),
  fc.bigInt(0n, 2n ** 128n - 1n).map(String),
)
/** A plain array in the same realm as what `subarray` gives, so that it compares equal. */
const anyBytes = fc.uint8Array({ maxLength: 300 }).map((bytes) => Uint8Array.from(bytes))

const anyRecord: fc.Arbitrary<StreamRecord> = fc.record(
  { partitionKey: anyKey, explicitHashKey: anyHashKey, data: anyBytes },
  { requiredKeys: ['partitionKey', 'data'] },
)

export const anyRecords = fc.array(anyRecord, { maxLength: 40 })

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/** The message in the frame of an aggregate, under its right checksum. */
export const framed = (message: Uint8Array): Uint8Array =>
  Uint8Array.from([0xf3, 0x89, 0x9a, 0xc2, ...message, ...createHash('md5').update(message).digest()])
