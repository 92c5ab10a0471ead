/** The producer, the reader and the consumer of Kinesis, unchanged, over the simulated service; and its model beside kinesis-local. */
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  ExpiredIteratorException,
  GetRecordsCommand,
  GetShardIteratorCommand,
  KinesisClient,
  ListShardsCommand,
  ProvisionedThroughputExceededException,
  PutRecordCommand,
  ResourceNotFoundException,
  SplitShardCommand,
} from '@aws-sdk/client-kinesis'
import { E } from '@everfold/core'
import {
  type KinesisProducerOptions,
  kinesisConsumer,
  kinesisProducer,
  kinesisReader,
  type StreamRecord,
  type UserRecord,
} from '@everfold/runtime-lambda/kinesis'
import { fc, test as property } from '@fast-check/vitest'
import type { KinesisStreamEvent } from 'aws-lambda'
import { describe, expect, test } from 'vitest'
import { kinesisWith } from '../../../runtime-memory/src/simulation/models/kinesis/kinesis.ts'
import { kinesisEvent } from '../../../runtime-memory/src/simulation/models/kinesis/lambda-event.ts'
import { recordsAfter, shards } from '../../../runtime-memory/src/simulation/models/kinesis/stream.ts'
import { kinesisWire } from '../../../runtime-memory/src/simulation/sdk/kinesis.ts'
import { instantClock } from '../instant-clock.ts'
import { utf8 } from '../kinesis/records.ts'
import { type Deviate, simulated } from './simulated-service.ts'

const STREAM = 'readings'

const service = (deviate?: Deviate, count = 2) => {
  const clock = instantClock()
  const options = [{ name: STREAM, shards: count }]
  const { config, ...rest } = simulated(
    kinesisWire,
    kinesisWith(options, clock.nowMs()),
    clock.nowMs,
    deviate,
  )
  return { client: new KinesisClient(config), clock, ...rest }
}

type Service = ReturnType<typeof service>

const readings = (devices: number, count: number): ReadonlyArray<StreamRecord> =>
  Array.from({ length: count }, (_, at) => ({
    partitionKey: `device-${at % devices}`,
    data: utf8(String(Math.floor(at / devices))),
  }))

/** What a consumer takes of all that is in the stream. */
const read = async ({ client, clock }: Service): Promise<ReadonlyArray<UserRecord>> => {
  const taken: Array<UserRecord> = []
  const handler = kinesisConsumer({
    take: (records) => async () => {
      taken.push(...records)
      return E.right(undefined)
    },
    report: (failure) => expect.unreachable(JSON.stringify(failure)),
  })
  expect(await kinesisReader({ client, stream: STREAM, clock, handler, batchSize: 7 }).drain()).toEqual(
    E.right(undefined),
  )
  return taken
}

const put = (
  { client, clock }: Service,
  records: ReadonlyArray<StreamRecord>,
  how: Partial<KinesisProducerOptions> = {},
) => kinesisProducer({ client, stream: STREAM, clock, ...how }).put(records)()

const textsByKey = (records: ReadonlyArray<Pick<StreamRecord, 'partitionKey' | 'data'>>) =>
  Object.fromEntries(
    [...Map.groupBy(records, ({ partitionKey }) => partitionKey)].map(([key, mates]) => [
      key,
      mates.map(({ data }) => new TextDecoder().decode(data)),
    ]),
  )

const unlike =
  (deviations: ReadonlyArray<number>): Deviate =>
  (call, offered) =>
    offered[deviations[call - 1] ?? 999]

const anyDeviations = fc.array(fc.nat(24), { maxLength: 12 })

describe('producer, reader and consumer', () => {
  property.prop([anyDeviations, fc.boolean()], { numRuns: 15 })(
    'take every record to its taker, whatever deviates',
    async (deviations, aggregate) => {
      const run = service(unlike(deviations))
      const records = readings(5, 20)
      const answers = await put(run, records, { aggregate })
      expect(answers.every(E.isRight)).toBe(true)
      const taken = await read(run)
      for (const [key, texts] of Object.entries(textsByKey(records)))
        expect(new Set(textsByKey(taken)[key])).toEqual(new Set(texts))
    },
  )
  property.prop([anyDeviations], { numRuns: 15 })(
    'keep the order of each key, where it is strict',
    async (deviations) => {
      const run = service(unlike(deviations))
      const records = readings(3, 12)
      const answers = await put(run, records, { order: 'strict' })
      expect(answers.every(E.isRight)).toBe(true)
      const taken = textsByKey(await read(run))
      // A double follows the record that it is a double of.
      for (const [key, texts] of Object.entries(textsByKey(records)))
        expect(taken[key]?.filter((text, at, all) => text !== all[at - 1])).toEqual(texts)
    },
  )
  test('lose the order of a key around a failure, where it is coarse', async () => {
    const run = service((call) => (call === 1 ? 'record 1 failed' : undefined), 1)
    await put(run, readings(1, 3))
    expect(textsByKey(await read(run))).toEqual({ 'device-0': ['1', '2', '0'] })
  })
})

describe('a client of the SDK', () => {
  test('is answered as by the service', async () => {
    const { client, clock } = service()
    await client.send(new CreateStreamCommand({ StreamName: 'other', ShardCount: 1 }))
    const { StreamDescriptionSummary: summary } = await client.send(
      new DescribeStreamSummaryCommand({ StreamName: 'other' }),
    )
    expect(summary).toMatchObject({ StreamStatus: 'ACTIVE', OpenShardCount: 1, RetentionPeriodHours: 24 })
    expect(summary?.StreamCreationTimestamp).toEqual(new Date(clock.nowMs()))
    const stored = await client.send(
      new PutRecordCommand({ StreamName: 'other', PartitionKey: 'k', Data: utf8('käse') }),
    )
    const { ShardIterator } = await client.send(
      new GetShardIteratorCommand({
        StreamName: 'other',
        ShardId: stored.ShardId,
        ShardIteratorType: 'AT_SEQUENCE_NUMBER',
        StartingSequenceNumber: stored.SequenceNumber,
      }),
    )
    const { Records: [record] = [] } = await client.send(new GetRecordsCommand({ ShardIterator }))
    expect(record).toMatchObject({ PartitionKey: 'k', SequenceNumber: stored.SequenceNumber })
    expect(new TextDecoder().decode(record?.Data)).toBe('käse')
    expect(record?.ApproximateArrivalTimestamp).toEqual(new Date(clock.nowMs()))
  })
  test('throws the exceptions of the service by their classes', async () => {
    const { client, clock } = service((_, offered) => offered.find((word) => word === 'record 1 failed'))
    const record = { StreamName: STREAM, PartitionKey: 'k', Data: utf8('1') }
    await expect(client.send(new PutRecordCommand(record))).rejects.toThrow(
      ProvisionedThroughputExceededException,
    )
    await expect(client.send(new ListShardsCommand({ StreamName: 'none' }))).rejects.toThrow(
      ResourceNotFoundException,
    )
    const { ShardIterator } = await client.send(
      new GetShardIteratorCommand({
        StreamName: STREAM,
        ShardId: 'shardId-000000000000',
        ShardIteratorType: 'TRIM_HORIZON',
      }),
    )
    await clock.sleep(5 * 60_000 + 1)
    await expect(client.send(new GetRecordsCommand({ ShardIterator }))).rejects.toThrow(
      ExpiredIteratorException,
    )
  })
  test('lists shards page by page, and sees them split', async () => {
    const { client } = service()
    const StreamName = STREAM
    const split = { StreamName, ShardToSplit: 'shardId-000000000000', NewStartingHashKey: '7' }
    await client.send(new SplitShardCommand(split))
    const first = await client.send(new ListShardsCommand({ StreamName, MaxResults: 3 }))
    const rest = await client.send(new ListShardsCommand({ NextToken: first.NextToken }))
    const listed = [...(first.Shards ?? []), ...(rest.Shards ?? [])]
    expect(listed.map(({ ParentShardId }) => ParentShardId)).toEqual([
      undefined,
      undefined,
      'shardId-000000000000',
      'shardId-000000000000',
    ])
    expect(listed[0]?.SequenceNumberRange?.EndingSequenceNumber).toMatch(/^\d{56}$/)
    expect(rest.NextToken).toBeUndefined()
  })
})

test('the event of the model is one of Lambda, and the consumer takes it', async () => {
  const run = service()
  await put(run, readings(2, 4))
  const stream = run.state().streams.get(STREAM)
  if (stream === undefined) throw new Error('the stream is gone')
  const taken: Array<UserRecord> = []
  const consumer = kinesisConsumer({
    take: (records) => async () => {
      taken.push(...records)
      return E.right(undefined)
    },
    report: () => {},
  })
  for (const { id } of shards(stream)) {
    const event: KinesisStreamEvent = structuredClone(
      kinesisEvent(stream, id, recordsAfter(stream, id)),
    ) as KinesisStreamEvent
    expect(await consumer(event)).toEqual({ batchItemFailures: [] })
  }
  expect(textsByKey(taken)).toEqual(textsByKey(readings(2, 4)))
})
