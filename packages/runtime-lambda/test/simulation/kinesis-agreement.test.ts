/**
 * The model of Kinesis and kinesis-local answer random sequential histories alike, as far as kinesis-local is right.
 *
 * Not compared: the digits of sequence numbers, times, and how far behind a read is. kinesis-local never fails a record of
 * a put, never throttles, gives no empty read, trims nothing and doubles nothing; what the model knows of these rests on
 * AWS's documents alone.
 */
import {
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
  MergeShardsCommand,
  PutRecordCommand,
  PutRecordsCommand,
  SplitShardCommand,
} from '@aws-sdk/client-kinesis'
import { fc, test as property } from '@fast-check/vitest'
import { expect } from 'vitest'
import { kinesisModel } from '../../../runtime-memory/src/simulation/models/kinesis/kinesis.ts'
import { kinesisWire } from '../../../runtime-memory/src/simulation/sdk/kinesis.ts'
import { active, createStream, localKinesis } from '../kinesis/local-stream.ts'
import { LARGEST_HASH_KEY, utf8 } from '../kinesis/records.ts'
import { simulated } from './simulated-service.ts'

const record = fc.record(
  {
    PartitionKey: fc.constantFrom('a', 'b', 'c', 'gerät-3', 'x'.repeat(257)),
    ExplicitHashKey: fc.constantFrom('0', LARGEST_HASH_KEY, String(2n ** 126n), String(2n ** 128n), '-1'),
    Data: fc.constantFrom('1', '', 'käse').map(utf8),
  },
  { requiredKeys: ['PartitionKey', 'Data'] },
)

/** A shard by its number, which may be none. */
const shard = fc.nat(6).map((number) => `shardId-${String(number).padStart(12, '0')}`)

const act = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      _tag: fc.constant('PutRecords' as const),
      records: fc.array(record, { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant('PutRecord' as const), record }) },
  {
    weight: 2,
    arbitrary: fc.record({
      _tag: fc.constant('Split' as const),
      shard,
      parts: fc.constantFrom(2n, 4n),
    }),
  },
  { weight: 4, arbitrary: fc.record({ _tag: fc.constant('Merge' as const), shard, other: shard }) },
  {
    weight: 2,
    arbitrary: fc.record({
      _tag: fc.constant('Read' as const),
      shard,
      type: fc.constantFrom('TRIM_HORIZON' as const, 'LATEST' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant('ReadOn' as const), Limit: fc.constantFrom(1, 2) }) },
)
type Act = typeof act extends fc.Arbitrary<infer One> ? One : never

/** A client, and where its last put went, for reading on from there. */
interface Subject {
  readonly client: KinesisClient
  readonly stream: string
  latest?: { readonly shard: string; readonly number: string }
}

const read = async ({ client, stream: StreamName }: Subject, from: object, Limit?: number) => {
  const { ShardIterator } = await client.send(new GetShardIteratorCommand({ StreamName, ...from } as never))
  const { Records = [], NextShardIterator: next } = await client.send(
    new GetRecordsCommand({ ShardIterator, ...(Limit === undefined ? {} : { Limit }) }),
  )
  const texts = Records.map(({ PartitionKey, Data }) => `${PartitionKey}: ${new TextDecoder().decode(Data)}`)
  return { texts, ended: next === undefined }
}

/** A hash key within a shard, behind its first half or quarter; kinesis-local splits anywhere, which leaves shards without any. */
const within = async ({ client, stream }: Subject, id: string, parts: bigint): Promise<string> => {
  const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName: stream }))
  const { StartingHashKey: first = '0', EndingHashKey: last = '8' } =
    Shards.find(({ ShardId }) => ShardId === id)?.HashKeyRange ?? {}
  return String(BigInt(first) + (BigInt(last) - BigInt(first)) / parts)
}

const perform = async (subject: Subject, does: Act): Promise<unknown> => {
  const { client, stream: StreamName, latest } = subject
  switch (does._tag) {
    case 'PutRecords': {
      const { Records = [], FailedRecordCount = 0 } = await client.send(
        new PutRecordsCommand({ StreamName, Records: does.records }),
      )
      return { FailedRecordCount, shards: Records.map(({ ShardId }) => ShardId) }
    }
    case 'PutRecord': {
      const { ShardId = '', SequenceNumber = '' } = await client.send(
        new PutRecordCommand({ StreamName, ...does.record }),
      )
      subject.latest = { shard: ShardId, number: SequenceNumber }
      return ShardId
    }
    case 'Split': {
      const NewStartingHashKey = await within(subject, does.shard, does.parts)
      await client.send(new SplitShardCommand({ StreamName, ShardToSplit: does.shard, NewStartingHashKey }))
      return active(client, StreamName)
    }
    case 'Merge':
      await client.send(
        new MergeShardsCommand({ StreamName, ShardToMerge: does.shard, AdjacentShardToMerge: does.other }),
      )
      return active(client, StreamName)
    case 'Read':
      return read(subject, { ShardId: does.shard, ShardIteratorType: does.type })
    case 'ReadOn':
      return latest === undefined
        ? undefined
        : read(
            subject,
            {
              ShardId: latest.shard,
              ShardIteratorType: 'AT_SEQUENCE_NUMBER',
              StartingSequenceNumber: latest.number,
            },
            does.Limit,
          )
  }
}

/**
 * The names under which a wrong request is refused: kinesis-local has one for what AWS gives another, and says of a shard
 * that was split before that it is in use. Source: github.com/mhart/kinesalite/issues/109 (2021-02).
 */
const MALFORMED: ReadonlySet<string> = new Set([
  'InvalidArgumentException',
  'ResourceInUseException',
  'ValidationException',
])

const kindOf = (error: string): string => (MALFORMED.has(error) ? 'malformed' : error)

const outcome = async (subject: Subject, does: Act): Promise<unknown> => {
  try {
    return { answer: await perform(subject, does) }
  } catch (error) {
    // Where a merge is wrong in two ways, which of them it is refused for is nobody's promise.
    return { error: does._tag === 'Merge' ? 'refused' : kindOf((error as Error).name) }
  }
}

/** The shards and all that is in them. */
const image = async (subject: Subject) => {
  const { Shards = [] } = await subject.client.send(new ListShardsCommand({ StreamName: subject.stream }))
  const listed = Shards.toSorted((one, other) => ((one.ShardId ?? '') < (other.ShardId ?? '') ? -1 : 1))
  return Promise.all(
    listed.map(async ({ SequenceNumberRange: range, ...shown }) => ({
      shown,
      closed: range?.EndingSequenceNumber !== undefined,
      held: await read(subject, { ShardId: shown.ShardId, ShardIteratorType: 'TRIM_HORIZON' }),
    })),
  )
}

let streams = 0

property.prop([fc.constantFrom(1, 3), fc.array(act, { maxLength: 12 })], { numRuns: 25 })(
  'the model and kinesis-local answer alike, and hold the same in the end',
  async (count, acts) => {
    streams += 1
    const stream = `agreement-${streams}`
    const clockMs = Date.now()
    const { config } = simulated(kinesisWire, kinesisModel.initial, () => clockMs)
    const subjects = [
      { client: new KinesisClient(config), stream },
      { client: localKinesis(), stream },
    ] as const
    for (const { client } of subjects) await createStream(client, stream, count)
    for (const does of acts) {
      const [ours, theirs] = [await outcome(subjects[0], does), await outcome(subjects[1], does)]
      expect({ does, outcome: ours }).toEqual({ does, outcome: theirs })
    }
    expect(await image(subjects[0])).toEqual(await image(subjects[1]))
  },
)
