/**
 * Many user records in one record of the stream, as the Kinesis Producer Library writes them and AWS's consumers read them.
 *
 * The bytes: four magic ones, a protobuf message, the MD5 of that message. The message (proto2):
 *
 *     message AggregatedRecord { repeated string partition_key_table = 1; repeated string explicit_hash_key_table = 2; repeated Record records = 3; }
 *     message Record { required uint64 partition_key_index = 1; optional uint64 explicit_hash_key_index = 2; required bytes data = 3; repeated Tag tags = 4; }
 *
 * Only the reader and the writer of protobufjs are used: its reflection compiles functions from text at run time and
 * weighs three times as much. Tags were never implemented by AWS's libraries; they are passed over, as every unknown field is.
 *
 * Source: github.com/awslabs/amazon-kinesis-producer, aggregation-format.md.
 */
import { createHash } from 'node:crypto'
import { E, type InputFault, type InvalidInput } from '@everfold/core'
import protobuf from 'protobufjs/minimal.js'
import type { StreamRecord } from './stream-record.ts'

const MAGIC = Uint8Array.of(0xf3, 0x89, 0x9a, 0xc2)
const MD5_BYTES = 16
const FRAME_BYTES = MAGIC.length + MD5_BYTES

const VARINT = 0
const DELIMITED = 2
const tagOf = (field: number, wireType: number): number => (field << 3) | wireType

const PARTITION_KEY = tagOf(1, DELIMITED)
const HASH_KEY = tagOf(2, DELIMITED)
const RECORD = tagOf(3, DELIMITED)
const KEY_INDEX = tagOf(1, VARINT)
const HASH_KEY_INDEX = tagOf(2, VARINT)
const DATA = tagOf(3, DELIMITED)

/** One record's bytes that holds all of these, in this order; each key is stored once. */
export const aggregate = (records: ReadonlyArray<StreamRecord>): Uint8Array => {
  const keys = placesOf(records.map(({ partitionKey }) => partitionKey))
  const hashKeys = placesOf(records.flatMap(({ explicitHashKey: key }) => (key === undefined ? [] : [key])))
  const writer = protobuf.Writer.create()
  for (const key of keys.keys()) writer.uint32(PARTITION_KEY).string(key)
  for (const key of hashKeys.keys()) writer.uint32(HASH_KEY).string(key)
  for (const { partitionKey, explicitHashKey, data } of records) {
    writer.uint32(RECORD).fork()
    writer.uint32(KEY_INDEX).uint32(keys.get(partitionKey) ?? 0)
    if (explicitHashKey !== undefined)
      writer.uint32(HASH_KEY_INDEX).uint32(hashKeys.get(explicitHashKey) ?? 0)
    writer.uint32(DATA).bytes(data).ldelim()
  }
  const message = writer.finish()
  return Uint8Array.from(Buffer.concat([MAGIC, message, md5(message)]))
}

const placesOf = (keys: ReadonlyArray<string>): ReadonlyMap<string, number> =>
  new Map([...new Set(keys)].map((key, place) => [key, place]))

const md5 = (bytes: Uint8Array): Buffer => createHash('md5').update(bytes).digest()

/** What an aggregate of records under one key needs beside its records. */
export const aggregateOverheadBytes = ({
  partitionKey,
  explicitHashKey,
}: Omit<StreamRecord, 'data'>): number =>
  FRAME_BYTES +
  delimitedBytes(Buffer.byteLength(partitionKey)) +
  (explicitHashKey === undefined ? 0 : delimitedBytes(explicitHashKey.length))

/** What a record adds to an aggregate of records under its one key. */
export const aggregatedBytes = ({ explicitHashKey, data }: StreamRecord): number =>
  delimitedBytes(2 + (explicitHashKey === undefined ? 0 : 2) + delimitedBytes(data.length))

const delimitedBytes = (length: number): number => 1 + varintBytes(length) + length

const varintBytes = (value: number): number => {
  let bytes = 1
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) bytes += 1
  return bytes
}

/** Whether a consumer would take these bytes apart. */
export const isAggregate = (data: Uint8Array): boolean => messageOf(data) !== undefined

const messageOf = (data: Uint8Array): Uint8Array | undefined => {
  if (data.length < FRAME_BYTES || MAGIC.some((byte, at) => data[at] !== byte)) return undefined
  const message = data.subarray(MAGIC.length, -MD5_BYTES)
  return md5(message).equals(data.subarray(-MD5_BYTES)) ? message : undefined
}

/**
 * The records of an aggregate in its order; undefined where the bytes are none, and so are a plain record's own.
 *
 * Bytes with the magic but another checksum are a plain record's, as they are to AWS's own consumer (KCL, AggregatorUtil).
 * With the right checksum and a message that cannot be read, they are an aggregate by a broken writer: invalid input.
 */
export const deaggregate = (
  data: Uint8Array,
): E.Either<InvalidInput, ReadonlyArray<StreamRecord> | undefined> => {
  const message = messageOf(data)
  if (message === undefined) return NOT_AGGREGATED
  const read = readMessage(message)
  return E.isLeft(read) ? E.left({ _tag: 'InvalidInput', errors: [read.left] }) : read
}

const NOT_AGGREGATED: E.Either<never, undefined> = E.right(undefined)

type Read<A> = E.Either<InputFault, A>

const readMessage = (message: Uint8Array): Read<ReadonlyArray<StreamRecord>> => {
  const keys: Array<Uint8Array> = []
  const hashKeys: Array<Uint8Array> = []
  const bodies: Array<Uint8Array> = []
  const tables = new Map([
    [PARTITION_KEY, keys],
    [HASH_KEY, hashKeys],
    [RECORD, bodies],
  ])
  const walked = walk(message, '', (reader, tag) => {
    const table = tables.get(tag)
    table?.push(reader.bytes())
    return table !== undefined
  })
  if (E.isLeft(walked)) return walked
  const partitionKeyTable = readTable(keys, '/partition_key_table')
  if (E.isLeft(partitionKeyTable)) return partitionKeyTable
  const hashKeyTable = readTable(hashKeys, '/explicit_hash_key_table')
  if (E.isLeft(hashKeyTable)) return hashKeyTable
  const records: Array<StreamRecord> = []
  for (const [at, body] of bodies.entries()) {
    const record = readRecord(body, `/records/${at}`, partitionKeyTable.right, hashKeyTable.right)
    if (E.isLeft(record)) return record
    records.push(record.right)
  }
  return E.right(records)
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const readTable = (entries: ReadonlyArray<Uint8Array>, pointer: string): Read<ReadonlyArray<string>> => {
  const keys: Array<string> = []
  for (const [at, bytes] of entries.entries())
    try {
      keys.push(strictUtf8.decode(bytes))
    } catch {
      return E.left({ pointer: `${pointer}/${at}`, detail: 'is no UTF-8' })
    }
  return E.right(keys)
}

const readRecord = (
  body: Uint8Array,
  pointer: string,
  keys: ReadonlyArray<string>,
  hashKeys: ReadonlyArray<string>,
): Read<StreamRecord> => {
  let keyIndex: number | undefined
  let hashKeyIndex: number | undefined
  let data: Uint8Array | undefined
  const walked = walk(body, pointer, (reader, tag) => {
    if (tag === KEY_INDEX) keyIndex = Number(reader.uint64())
    else if (tag === HASH_KEY_INDEX) hashKeyIndex = Number(reader.uint64())
    else if (tag === DATA) data = reader.bytes()
    else return false
    return true
  })
  if (E.isLeft(walked)) return walked
  if (keyIndex === undefined) return missing(`${pointer}/partition_key_index`)
  if (data === undefined) return missing(`${pointer}/data`)
  const partitionKey = keys[keyIndex]
  if (partitionKey === undefined) return outside(`${pointer}/partition_key_index`, keyIndex, keys)
  if (hashKeyIndex === undefined) return E.right({ partitionKey, data })
  const explicitHashKey = hashKeys[hashKeyIndex]
  if (explicitHashKey === undefined)
    return outside(`${pointer}/explicit_hash_key_index`, hashKeyIndex, hashKeys)
  return E.right({ partitionKey, explicitHashKey, data })
}

const missing = (pointer: string): Read<never> => E.left({ pointer, detail: 'is required' })

const outside = (pointer: string, index: number, table: ReadonlyArray<string>): Read<never> =>
  E.left({ pointer, detail: `is ${index}, and the table has ${table.length} entries` })

/** Goes through the fields of a message; those that `read` does not know are passed over. */
const walk = (
  message: Uint8Array,
  pointer: string,
  read: (reader: protobuf.Reader, tag: number) => boolean,
): Read<void> => {
  const reader = protobuf.Reader.create(message)
  try {
    while (reader.pos < reader.len) {
      const tag = reader.tag()
      if (!read(reader, tag)) reader.skipType(tag & 7, 0, tag >>> 3)
    }
    return E.right(undefined)
  } catch (cause) {
    return E.left({ pointer, detail: `is no protobuf: ${(cause as Error).message}` })
  }
}
