/** The model of a table's stream: every change once, in the order of its item, and nothing else in order. */
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { DYNAMODB_STREAMS } from '../../src/simulation/limits.ts'
import {
  type DynamoDb,
  dynamoDb,
  dynamoDbStreams,
  type Item,
  type LambdaRecord,
  recordsAfter,
  shards,
  streamArnOf,
} from '../../src/simulation/models/dynamo-db/index.ts'
import {
  after,
  empty,
  inputOf,
  itemOf,
  N,
  offers,
  putIn,
  puts,
  START_MS,
  step,
  TABLE,
} from './dynamo-db-table.ts'

const arnIn = (state: DynamoDb): string => streamArnOf(state, TABLE) ?? ''

/** What a poller holds: how far it is in each shard, and what it has delivered. */
interface Poller {
  readonly places: Map<string, string>
  readonly ended: Set<string>
  readonly delivered: Array<LambdaRecord>
}

const newPoller = (): Poller => ({ places: new Map(), ended: new Set(), delivered: [] })

/** Reads on in every shard whose parent was read to its end. */
const poll = (state: DynamoDb, poller: Poller, nowMs: number): void => {
  const stream = arnIn(state)
  const listed = shards(state, stream, nowMs)
  for (const { id, parent, end } of listed) {
    if (parent !== undefined && listed.some((one) => one.id === parent) && !poller.ended.has(parent)) continue
    const { Records } = recordsAfter(state, { stream, shard: id }, nowMs, poller.places.get(id))
    for (const record of Records) {
      poller.delivered.push(record)
      poller.places.set(id, String(record.dynamodb['SequenceNumber']))
    }
    if (end !== undefined) poller.ended.add(id)
  }
}

const everything = (state: DynamoDb, nowMs: number): ReadonlyArray<LambdaRecord> => {
  const poller = newPoller()
  poll(state, poller, nowMs)
  return poller.delivered
}

interface Write {
  readonly items: ReadonlyArray<Item>
  readonly deviation: number
  readonly isTransaction: boolean
  readonly waitMs: number
}

const anyWrite: fc.Arbitrary<Write> = fc.record({
  items: fc.uniqueArray(
    fc
      .tuple(fc.constantFrom('p', 'q', 'r'), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 0, max: 2 }))
      .map(([pk, sk, n]) => itemOf(pk, sk, { n: N(n) })),
    { minLength: 1, maxLength: 3, selector: ({ pk, sk }) => JSON.stringify([pk, sk]) },
  ),
  deviation: fc.nat({ max: 3 }),
  isTransaction: fc.boolean(),
  waitMs: fc.constantFrom(0, 1, 600, 1000, 5000),
})

const requestOf = ({ items, isTransaction }: Write): readonly [string, object] =>
  isTransaction
    ? ['TransactWriteItems', { TransactItems: items.map((item) => putIn(item)) }]
    : ['PutItem', { Item: items[0] ?? itemOf('p', 1) }]

/** The images of each item, in the order of its records. */
const imagesByItem = (records: ReadonlyArray<LambdaRecord>) => {
  const images = new Map<string, Array<unknown>>()
  for (const { dynamodb } of records) {
    const item = JSON.stringify(dynamodb['Keys'])
    images.set(item, [...(images.get(item) ?? []), dynamodb['NewImage']])
  }
  return images
}

const skOf = (state: DynamoDb, nowMs: number) =>
  everything(state, nowMs).map(({ dynamodb }) => (dynamodb['Keys'] as { sk: { N: string } }).sk.N)

describe('a stream', () => {
  property.prop([fc.array(anyWrite, { maxLength: 20 })], { numRuns: 200 })(
    'delivers every change once and each item’s in order, whatever is late, split or polled meanwhile',
    (writes) => {
      const poller = newPoller()
      const expected = new Map<string, Array<unknown>>()
      let [state, nowMs] = [empty(), START_MS]
      for (const write of writes) {
        const [operation, input] = requestOf(write)
        const offered = offers(state, operation, input).filter((words) =>
          ['overtaken', 'split'].includes(words),
        )
        const deviation = offered[write.deviation]
        const before = state
        state = step(state, operation, input, {
          nowMs,
          ...(deviation === undefined ? {} : { deviation }),
        }).state
        for (const item of write.isTransaction ? write.items : write.items.slice(0, 1)) {
          const { pk, sk } = item
          const had = step(before, 'GetItem', { Key: { pk, sk }, ConsistentRead: true }).answer
          if (JSON.stringify(had).includes(JSON.stringify(item))) continue
          const key = JSON.stringify({ pk, sk })
          expected.set(key, [...(expected.get(key) ?? []), item])
        }
        poll(state, poller, nowMs)
        nowMs += write.waitMs
      }
      // Children are read once their parents are, so that it takes a round for each generation.
      for (let round = 0; round < 10; round += 1) poll(state, poller, nowMs + DYNAMODB_STREAMS.lateMs)
      expect(imagesByItem(poller.delivered)).toEqual(expected)
      const numbers = poller.delivered.map(({ dynamodb }) => dynamodb['SequenceNumber'])
      expect(new Set(numbers).size).toBe(numbers.length)
    },
  )

  test('has a late record behind those of other items, also of the same partition key, and before its item’s next', () => {
    const late = step(empty(), 'PutItem', { Item: itemOf('p', 1) }, { deviation: 'overtaken' }).state
    expect(skOf(late, START_MS)).toEqual([])
    expect(skOf(late, START_MS + DYNAMODB_STREAMS.lateMs)).toEqual(['1'])
    expect(skOf(puts(late, itemOf('p', 2)), START_MS)).toEqual(['2', '1'])
    expect(skOf(puts(late, itemOf('p', 1, { n: N(1) })), START_MS)).toEqual(['1', '1'])
  })

  test('may have the records of a transaction as 2, 3, 1', () => {
    const TransactItems = [1, 2, 3].map((sk) => putIn(itemOf('p', sk)))
    const state = after(empty(), ['TransactWriteItems', { TransactItems }, { deviation: 'overtaken' }])
    expect(everything(state, START_MS).map(({ dynamodb }) => dynamodb['NewImage'])).toEqual(
      [2, 3, 1].map((sk) => itemOf('p', sk)),
    )
  })

  test('has no record of a write that changes nothing', () => {
    const state = puts(empty(), itemOf('p', 1), itemOf('p', 1))
    const Key = itemOf('p', 2)
    expect(everything(after(state, ['DeleteItem', { Key }]), START_MS)).toHaveLength(1)
  })

  test('hands a function what Lambda does', () => {
    const state = puts(empty(), itemOf('p', 1, { n: N(1) }), itemOf('p', 1, { n: N(2) }))
    expect(everything(state, START_MS).at(1)).toEqual({
      eventID: expect.stringMatching(/^[0-9a-f]{32}$/),
      eventName: 'MODIFY',
      eventVersion: '1.1',
      eventSource: 'aws:dynamodb',
      awsRegion: 'us-east-1',
      dynamodb: {
        ApproximateCreationDateTime: START_MS / 1000,
        Keys: itemOf('p', 1),
        NewImage: itemOf('p', 1, { n: N(2) }),
        OldImage: itemOf('p', 1, { n: N(1) }),
        SequenceNumber: expect.stringMatching(/^\d{21}$/),
        SizeBytes: 27,
        StreamViewType: 'NEW_AND_OLD_IMAGES',
      },
      eventSourceARN: arnIn(state),
    })
  })

  test('tells of an expiry who removed the item', () => {
    const state = puts(empty(), itemOf('p', 1, { ttl: N(START_MS / 1000) }))
    const sweep = { operation: 'Sweep', input: { TableName: TABLE } }
    const swept = dynamoDb.step(state, sweep, { nowMs: START_MS + 1000 }).state
    expect(everything(swept, START_MS + 1000).at(1)).toMatchObject({
      eventName: 'REMOVE',
      userIdentity: { type: 'Service', principalId: 'dynamodb.amazonaws.com' },
    })
  })
})

const read = (state: DynamoDb, operation: string, input: object, nowMs = START_MS, deviation?: string) => {
  const at = deviation === undefined ? { nowMs } : { nowMs, deviation }
  const { answer } = dynamoDbStreams.step(state, { operation, input: inputOf(input) }, at)
  return answer._tag === 'Refused' ? answer.error : (answer.output as Readonly<Record<string, unknown>>)
}

const openOf = (state: DynamoDb, pk: string) => {
  const StreamArn = arnIn(state)
  const shard = shards(state, StreamArn, START_MS).find(
    ({ id }) => recordsAfter(state, { stream: StreamArn, shard: id }, START_MS).Records.length > 0,
  )
  if (shard === undefined) throw new Error(`no record of ${pk}`)
  return { StreamArn, ShardId: shard.id }
}

const iteratorOf = (state: DynamoDb, place: object, nowMs = START_MS): string => {
  const found = read(state, 'GetShardIterator', place, nowMs)
  return typeof found === 'string' ? found : String(found['ShardIterator'])
}

const numbersOf = (answer: ReturnType<typeof read>) =>
  typeof answer === 'string'
    ? answer
    : (answer['Records'] as ReadonlyArray<{ dynamodb: { SequenceNumber: string } }>).map(
        ({ dynamodb }) => dynamodb.SequenceNumber,
      )

describe('reading a shard', () => {
  const state = puts(empty(), ...[1, 2, 3].map((sk) => itemOf('p', sk)))
  const shard = openOf(state, 'p')
  const all = everything(state, START_MS).map(({ dynamodb }) => String(dynamodb['SequenceNumber']))

  const from = (ShardIteratorType: string, number?: string) =>
    numbersOf(
      read(state, 'GetRecords', {
        ShardIterator: iteratorOf(state, {
          ...shard,
          ShardIteratorType,
          ...(number === undefined ? {} : { SequenceNumber: number }),
        }),
      }),
    )

  test('begins at an iterator of any of the four types', () => {
    expect(from('TRIM_HORIZON')).toEqual(all)
    expect(from('AT_SEQUENCE_NUMBER', all[1])).toEqual(all.slice(1))
    expect(from('AFTER_SEQUENCE_NUMBER', all[1])).toEqual(all.slice(2))
    expect(from('LATEST')).toEqual([])
  })

  test('may answer less than is there, or nothing, and goes on behind it', () => {
    const ShardIterator = iteratorOf(state, { ...shard, ShardIteratorType: 'TRIM_HORIZON' })
    const short = read(state, 'GetRecords', { ShardIterator }, START_MS, 'short page')
    expect(numbersOf(short)).toEqual(all.slice(0, 1))
    const none = read(state, 'GetRecords', { ShardIterator }, START_MS, 'empty page')
    expect(numbersOf(none)).toEqual([])
    for (const [answer, left] of [
      [short, all.slice(1)],
      [none, all],
    ] as const) {
      const next = typeof answer === 'string' ? '' : answer['NextShardIterator']
      expect(numbersOf(read(state, 'GetRecords', { ShardIterator: next }))).toEqual(left)
    }
  })

  test('ends with its iterator after 15 minutes', () => {
    const ShardIterator = iteratorOf(state, { ...shard, ShardIteratorType: 'TRIM_HORIZON' })
    const { iteratorMs } = DYNAMODB_STREAMS
    expect(numbersOf(read(state, 'GetRecords', { ShardIterator }, START_MS + iteratorMs))).toEqual(all)
    expect(read(state, 'GetRecords', { ShardIterator }, START_MS + iteratorMs + 1)).toBe(
      'ExpiredIteratorException',
    )
  })

  test('is refused at and after what was trimmed, and at the horizon finds what is left', () => {
    const later = START_MS + DYNAMODB_STREAMS.retentionMs
    const more = after(state, ['PutItem', { Item: itemOf('p', 4) }, { nowMs: later }])
    for (const ShardIteratorType of ['AT_SEQUENCE_NUMBER', 'AFTER_SEQUENCE_NUMBER'])
      expect(iteratorOf(more, { ...shard, ShardIteratorType, SequenceNumber: all[1] }, later)).toBe(
        'TrimmedDataAccessException',
      )
    const old = iteratorOf(
      state,
      { ...shard, ShardIteratorType: 'AT_SEQUENCE_NUMBER', SequenceNumber: all[0] },
      later - 1,
    )
    expect(read(more, 'GetRecords', { ShardIterator: old }, later)).toBe('TrimmedDataAccessException')
    const ShardIterator = iteratorOf(more, { ...shard, ShardIteratorType: 'TRIM_HORIZON' }, later)
    expect(numbersOf(read(more, 'GetRecords', { ShardIterator }, later))).toHaveLength(1)
  })

  test('that was split ends, and goes on in two children, which are listed with it for a day', () => {
    const Split = { operation: 'Split', input: { TableName: TABLE, ShardId: shard.ShardId } }
    const parted = dynamoDb.step(state, Split, { nowMs: START_MS }).state
    const ShardIterator = iteratorOf(parted, { ...shard, ShardIteratorType: 'TRIM_HORIZON' })
    expect(read(parted, 'GetRecords', { ShardIterator })).not.toHaveProperty('NextShardIterator')
    const children = {
      StreamArn: shard.StreamArn,
      ShardFilter: { Type: 'CHILD_SHARDS', ShardId: shard.ShardId },
    }
    const described = read(parted, 'DescribeStream', children)
    expect(described).toMatchObject({
      StreamDescription: { Shards: [{ ParentShardId: shard.ShardId }, { ParentShardId: shard.ShardId }] },
    })
    const later = START_MS + DYNAMODB_STREAMS.retentionMs
    expect(shards(parted, shard.StreamArn, later).map(({ id }) => id)).not.toContain(shard.ShardId)
  })
})
