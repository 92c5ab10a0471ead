import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { KINESIS } from '../../src/simulation/limits.ts'
import { kinesisModel, kinesisWith } from '../../src/simulation/models/kinesis/kinesis.ts'
import { kinesisEvent } from '../../src/simulation/models/kinesis/lambda-event.ts'
import type { PutRecordsOutput, PutResult } from '../../src/simulation/models/kinesis/put.ts'
import type { GetRecordsOutput } from '../../src/simulation/models/kinesis/read.ts'
import type { KinesisRequest, KinesisState } from '../../src/simulation/models/kinesis/request.ts'
import { precedes } from '../../src/simulation/models/kinesis/sequence-number.ts'
import {
  hashKeyOf,
  isOpen,
  recordsAfter,
  type StoredRecord,
  type Stream,
  shards,
  trimmed,
} from '../../src/simulation/models/kinesis/stream.ts'
import {
  anyMoves,
  benignMoves,
  type Made,
  play,
  STREAM,
  start,
  streamIn,
  TIME_MS,
} from './kinesis-histories.ts'

const distribution = fc.constantFrom('USER_PARTITION_KEY' as const, 'AUTO' as const)

const storedIn = (stream: Stream): ReadonlyArray<StoredRecord> =>
  shards(stream).flatMap(({ records }) => records)

/** The records that a put said are in the stream, with their bytes. */
const accepted = ({ request, answer }: Made): ReadonlyArray<PutResult & { readonly Data: string }> => {
  if (answer._tag === 'Refused') return []
  const { operation, input } = request
  if (operation === 'PutRecord') return [{ ...(answer.output as PutResult), Data: input.Data ?? '' }]
  if (operation !== 'PutRecords') return []
  return (answer.output as PutRecordsOutput).Records.flatMap((result, at) =>
    result.ErrorCode === undefined ? [{ ...result, Data: input.Records[at]?.Data ?? '' }] : [],
  )
}

describe('whatever is asked of a stream, and whatever deviates', () => {
  property.prop([anyMoves, distribution])(
    'an accepted record is where the answer says until it is a day old',
    (moves, how) => {
      const played = play(start(how), moves)
      const last = played.at(-1)
      if (last === undefined) return
      for (const made of played)
        for (const { ShardId, SequenceNumber, Data } of accepted(made)) {
          const found = recordsAfter(streamIn(last.after), ShardId ?? '').filter(
            ({ sequenceNumber }) => sequenceNumber === SequenceNumber,
          )
          const isKept = last.nowMs - made.nowMs < KINESIS.retentionMs
          if (isKept) expect(found).toMatchObject([{ data: Data }])
        }
    },
  )
  property.prop([anyMoves, distribution])(
    'every record was put, and is in exactly one shard',
    (moves, how) => {
      const played = play(start(how), moves)
      const put = played.flatMap(({ request: { operation, input } }) =>
        operation === 'PutRecords'
          ? input.Records.map(({ Data }) => Data)
          : operation === 'PutRecord'
            ? [input.Data]
            : [],
      )
      for (const { after } of played.slice(-1)) {
        const records = storedIn(streamIn(after))
        expect(new Set(records.map(({ sequenceNumber }) => sequenceNumber)).size).toBe(records.length)
        for (const { data } of records) expect(put).toContain(data)
      }
    },
  )
  property.prop([anyMoves, distribution])(
    'the numbers of a shard grow, and begin behind those of its parents',
    (moves, how) => {
      for (const { after } of play(start(how), moves).slice(-1)) {
        const stream = streamIn(after)
        for (const shard of shards(stream)) {
          const numbers = [
            shard.firstNumber,
            ...shard.records.map(({ sequenceNumber }) => sequenceNumber),
            ...(shard.lastNumber === undefined ? [] : [shard.lastNumber]),
          ]
          for (const [at, number] of numbers.entries())
            if (at > 0) expect(precedes(numbers[at - 1] ?? '', number)).toBe(true)
          for (const parent of shards(stream).filter(
            ({ id }) => id === shard.parent || id === shard.adjacentParent,
          ))
            expect(precedes(parent.lastNumber ?? '', shard.firstNumber)).toBe(true)
        }
      }
    },
  )
  property.prop([anyMoves])(
    'the numbers that puts are answered grow in each shard, whatever was trimmed',
    (moves) => {
      const given = play(start(), moves).flatMap(accepted)
      for (const [, mates] of Map.groupBy(given, ({ ShardId }) => ShardId))
        for (const [at, { SequenceNumber = '' }] of mates.entries())
          if (at > 0) expect(precedes(mates[at - 1]?.SequenceNumber ?? '', SequenceNumber)).toBe(true)
    },
  )
  property.prop([anyMoves, fc.bigInt(0n, 2n ** 128n - 1n)])(
    'every hash key belongs to exactly one open shard',
    (moves, hashKey) => {
      for (const { after } of play(start(), moves).slice(-1)) {
        const owners = shards(streamIn(after)).filter(
          (shard) =>
            isOpen(shard) && BigInt(shard.firstHashKey) <= hashKey && hashKey <= BigInt(shard.lastHashKey),
        )
        expect(owners.length).toBe(1)
      }
    },
  )
  property.prop([anyMoves, distribution])(
    'no state changes that was passed in, and the same again answers the same',
    (moves, how) => {
      const played = play(start(how), moves)
      const images = played.map(({ before }) => structuredClone(before))
      expect(play(start(how), moves)).toEqual(played)
      expect(played.map(({ before }) => before)).toEqual(images)
    },
  )
  property.prop([anyMoves])('nothing is kept that is a day old', (moves) => {
    for (const { after, nowMs } of play(start(), moves))
      for (const { arrivedMs } of storedIn(streamIn(after)))
        expect(nowMs - arrivedMs).toBeLessThan(KINESIS.retentionMs)
  })
})

describe('of a stream that keeps keys', () => {
  property.prop([anyMoves])('a record is in the shard that has its hash key', (moves) => {
    for (const { after } of play(start(), moves).slice(-1))
      for (const shard of shards(streamIn(after)))
        for (const record of shard.records) {
          expect(hashKeyOf(record)).toBeGreaterThanOrEqual(BigInt(shard.firstHashKey))
          expect(hashKeyOf(record)).toBeLessThanOrEqual(BigInt(shard.lastHashKey))
        }
  })
  property.prop([benignMoves])(
    'a key is read in the order in which it was put, parents before children',
    (moves) => {
      const played = play(start(), moves)
      const put = played.flatMap((made) => accepted(made).map(({ Data }) => Data))
      for (const { after } of played.slice(-1))
        for (const [, mates] of Map.groupBy(storedIn(streamIn(after)), ({ partitionKey }) => partitionKey)) {
          const mine = mates.map(({ data }) => data)
          expect(mine).toEqual(put.filter((data) => mine.includes(data)))
        }
    },
  )
})

const ask = (state: KinesisState, request: KinesisRequest, nowMs = TIME_MS, deviation?: string) =>
  kinesisModel.step(state, request, { nowMs, ...(deviation === undefined ? {} : { deviation }) })

const outputOf = ({ answer }: ReturnType<typeof ask>): unknown => {
  if (answer._tag === 'Refused') throw new Error(`${answer.error}: ${answer.message}`)
  return answer.output
}
const putOf = (asked: ReturnType<typeof ask>) => outputOf(asked) as PutRecordsOutput
const pageOf = (asked: ReturnType<typeof ask>) => outputOf(asked) as GetRecordsOutput

const putting = (...texts: ReadonlyArray<string>): KinesisRequest => ({
  operation: 'PutRecords',
  input: { StreamName: STREAM, Records: texts.map((text) => ({ PartitionKey: 'a', Data: btoa(text) })) },
})

const one = (): KinesisState => kinesisWith([{ name: STREAM, shards: 1 }], TIME_MS)

const iterator = (state: KinesisState, more: object = {}): string => {
  const about = { StreamName: STREAM, ShardId: 'shardId-000000000000' }
  const input = { ...about, ShardIteratorType: 'TRIM_HORIZON', ...more }
  const output = outputOf(ask(state, { operation: 'GetShardIterator', input }))
  return (output as { readonly ShardIterator: string }).ShardIterator
}

const reading = (ShardIterator: string, Limit?: number): KinesisRequest => ({
  operation: 'GetRecords',
  input: { ShardIterator, ...(Limit === undefined ? {} : { Limit }) },
})

const textsOf = ({ Records }: GetRecordsOutput): ReadonlyArray<string> =>
  Records.map(({ Data }) => atob(Data))

describe('a put', () => {
  test('of which one record fails takes those behind it', () => {
    const put = ask(one(), putting('1', '2', '3'), TIME_MS, 'record 2 failed')
    expect(outputOf(put)).toMatchObject({
      FailedRecordCount: 1,
      Records: [
        { ShardId: 'shardId-000000000000' },
        { ErrorCode: 'ProvisionedThroughputExceededException' },
        { ShardId: 'shardId-000000000000' },
      ],
    })
    expect(textsOf(pageOf(ask(put.state, reading(iterator(put.state)))))).toEqual(['1', '3'])
  })
  test('of one record that fails is refused as a whole', () => {
    const request: KinesisRequest = {
      operation: 'PutRecord',
      input: { StreamName: STREAM, PartitionKey: 'a', Data: '' },
    }
    const { state, answer } = ask(one(), request, TIME_MS, 'record 1 failed')
    expect(answer).toMatchObject({ _tag: 'Refused', error: 'ProvisionedThroughputExceededException' })
    expect(storedIn(streamIn(state))).toEqual([])
  })
  test('that is doubled stores the same bytes under other numbers', () => {
    const { state } = ask(one(), putting('1', '2'), TIME_MS, 'duplicate')
    expect(textsOf(pageOf(ask(state, reading(iterator(state)))))).toEqual(['1', '2', '1', '2'])
  })
  test('meets a split, and its records are in a child', () => {
    const put = ask(one(), putting('1'), TIME_MS, 'resharded')
    expect(shards(streamIn(put.state)).map(isOpen)).toEqual([false, true, true])
    expect(putOf(put).Records[0]?.ShardId).not.toBe('shardId-000000000000')
  })
  test('strays where the distribution is AUTO, and only there', () => {
    expect(kinesisModel.offers(start(), putting('1'))).not.toContain('other shard')
    const auto = start('AUTO')
    expect(kinesisModel.offers(auto, putting('1'))).toContain('other shard')
    const shardAt = (deviation?: string) =>
      putOf(ask(auto, putting('1'), TIME_MS, deviation)).Records[0]?.ShardId
    expect(shardAt('other shard')).not.toBe(shardAt())
  })
  test('is refused at the limits of its documents', () => {
    const many = Array.from({ length: KINESIS.putRecords + 1 }, String)
    expect(ask(one(), putting(...many)).answer).toMatchObject({ error: 'ValidationException' })
    expect(ask(one(), putting()).answer).toMatchObject({ error: 'ValidationException' })
    expect(ask(one(), putting('x'.repeat(KINESIS.recordBytes))).answer).toMatchObject({
      error: 'ValidationException',
    })
  })
  test('of more than a shard takes in a second fails for the rest, and goes in a second later', () => {
    const half = Array.from({ length: 500 }, String)
    const full = [putting(...half), putting(...half)].reduce((state, put) => ask(state, put).state, one())
    expect(outputOf(ask(full, putting('more')))).toMatchObject({ FailedRecordCount: 1 })
    expect(outputOf(ask(full, putting('more'), TIME_MS + 1000))).toMatchObject({ FailedRecordCount: 0 })
  })
})

describe('a read', () => {
  test('goes on behind what it has read, and says how far behind it is', () => {
    const { state } = ask(one(), putting('1', '2', '3'))
    const page = pageOf(ask(state, reading(iterator(state), 2), TIME_MS + 5000))
    expect(textsOf(page)).toEqual(['1', '2'])
    expect(page.MillisBehindLatest).toBe(5000)
    const rest = pageOf(ask(state, reading(page.NextShardIterator ?? '')))
    expect(textsOf(rest)).toEqual(['3'])
    expect(rest.MillisBehindLatest).toBe(0)
  })
  test('may find nothing though there is, and misses nothing by that', () => {
    const { state } = ask(one(), putting('1'))
    const asked = reading(iterator(state))
    expect(kinesisModel.offers(state, asked)).toContain('empty')
    const page = pageOf(ask(state, asked, TIME_MS, 'empty'))
    expect(textsOf(page)).toEqual([])
    expect(page.MillisBehindLatest).toBeGreaterThan(0)
    expect(textsOf(pageOf(ask(state, reading(page.NextShardIterator ?? ''))))).toEqual(['1'])
  })
  test('ends with the children of a closed shard', () => {
    const { state } = ask(one(), putting('1'))
    const split = ask(state, { operation: 'ListShards', input: { StreamName: STREAM } }, TIME_MS, 'resharded')
    const page = pageOf(ask(split.state, reading(iterator(split.state))))
    expect(page.NextShardIterator).toBeUndefined()
    expect(page.ChildShards).toMatchObject([
      { ShardId: 'shardId-000000000001', ParentShards: ['shardId-000000000000'] },
      { ShardId: 'shardId-000000000002' },
    ])
  })
  test('by an iterator that is more than five minutes old is refused', () => {
    const state = one()
    const old = reading(iterator(state))
    expect(ask(state, old, TIME_MS + KINESIS.iteratorMs).answer._tag).toBe('Output')
    expect(ask(state, old, TIME_MS + KINESIS.iteratorMs + 1).answer).toMatchObject({
      error: 'ExpiredIteratorException',
    })
  })
  test('begins where its iterator says', () => {
    const first = ask(one(), putting('1', '2'))
    const numbers = putOf(first).Records.map(({ SequenceNumber }) => SequenceNumber)
    const { state } = ask(first.state, putting('3'), TIME_MS + 1500)
    const from = (more: object) => textsOf(pageOf(ask(state, reading(iterator(state, more)))))
    expect(from({ ShardIteratorType: 'LATEST' })).toEqual([])
    expect(from({ ShardIteratorType: 'AT_SEQUENCE_NUMBER', StartingSequenceNumber: numbers[1] })).toEqual([
      '2',
      '3',
    ])
    expect(from({ ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber: numbers[1] })).toEqual([
      '3',
    ])
    expect(from({ ShardIteratorType: 'AT_TIMESTAMP', Timestamp: TIME_MS / 1000 + 1 })).toEqual(['3'])
  })
})

describe('an old shard', () => {
  test('is not listed any more once nothing of it is kept', () => {
    const split = ask(one(), { operation: 'ListShards', input: { StreamName: STREAM } }, TIME_MS, 'resharded')
    const later = trimmed(streamIn(split.state), TIME_MS + KINESIS.retentionMs)
    expect(shards(later).map(({ id }) => id)).toEqual(['shardId-000000000001', 'shardId-000000000002'])
  })
})

test('a batch is handed to a function as Lambda does it', () => {
  const stream = streamIn(ask(one(), putting('1')).state)
  const records = recordsAfter(stream, 'shardId-000000000000')
  expect(kinesisEvent(stream, 'shardId-000000000000', records)).toEqual({
    Records: [
      {
        kinesis: {
          kinesisSchemaVersion: '1.0',
          partitionKey: 'a',
          sequenceNumber: records[0]?.sequenceNumber,
          data: btoa('1'),
          approximateArrivalTimestamp: TIME_MS / 1000,
        },
        eventSource: 'aws:kinesis',
        eventVersion: '1.0',
        eventID: `shardId-000000000000:${records[0]?.sequenceNumber}`,
        eventName: 'aws:kinesis:record',
        invokeIdentityArn: 'arn:aws:iam::000000000000:role/lambda-role',
        awsRegion: 'us-east-1',
        eventSourceARN: 'arn:aws:kinesis:us-east-1:000000000000:stream/readings',
      },
    ],
  })
})
