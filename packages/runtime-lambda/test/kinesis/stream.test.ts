import {
  ExpiredIteratorException,
  MergeShardsCommand,
  type PutRecordsInput,
  type PutRecordsOutput,
  SplitShardCommand,
} from '@aws-sdk/client-kinesis'
import { E } from '@everfold/core'
import {
  type KinesisProducerOptions,
  kinesisConsumer,
  kinesisProducer,
  kinesisReader,
  type ShardPosition,
  type StreamRecord,
  type UserRecord,
} from '@everfold/runtime-lambda/kinesis'
import { describe, expect, test, vi } from 'vitest'
import { instantClock } from '../instant-clock.ts'
import { active, createStream, localKinesis, shardsOf } from './local-stream.ts'
import { utf8 } from './records.ts'

vi.setConfig({ testTimeout: 60_000 })

const clock = instantClock()
const client = localKinesis()

/** The records of some devices in turn, numbered within each. */
const readings = (devices: number, count: number, from = 0): ReadonlyArray<StreamRecord> =>
  Array.from({ length: count }, (_, at) => ({
    partitionKey: `device-${at % devices}`,
    data: utf8(String(from + Math.floor(at / devices))),
  }))

const reading = (stream: string, checkpoints?: Map<string, ShardPosition>) => {
  const taken: Array<UserRecord> = []
  const handler = kinesisConsumer({
    take: (records) => async () => {
      taken.push(...records)
      return E.right(undefined)
    },
    report: (failure) => expect.unreachable(JSON.stringify(failure)),
  })
  const reader = kinesisReader({
    client,
    stream,
    clock,
    handler,
    batchSize: 10,
    ...(checkpoints === undefined ? {} : { checkpoints }),
  })
  return { taken, reader }
}

const byDevice = (records: ReadonlyArray<Pick<StreamRecord, 'partitionKey' | 'data'>>) =>
  Object.fromEntries(
    [...Map.groupBy(records, ({ partitionKey }) => partitionKey)].map(([device, mates]) => [
      device,
      mates.map(({ data }) => new TextDecoder().decode(data)),
    ]),
  )

const putAll = async (
  stream: string,
  records: ReadonlyArray<StreamRecord>,
  how: Partial<KinesisProducerOptions> = {},
) => {
  const answers = await kinesisProducer({ client, stream, clock, ...how }).put(records)()
  return answers.map((answer) =>
    E.isRight(answer) ? answer.right : expect.unreachable(JSON.stringify(answer.left)),
  )
}

describe('what is put into a stream', () => {
  test.each<[string, Partial<KinesisProducerOptions>]>([
    ['coarse', {}],
    ['aggregated', { aggregate: true }],
    ['strict', { order: 'strict' }],
    ['strict-aggregated', { order: 'strict', aggregate: 40 }],
  ])('%s is taken from where the producer says, in order within a key', async (name, how) => {
    const stream = `round-trip-${name}`
    await createStream(client, stream, 2)
    const records = readings(5, 20)
    const placed = await putAll(stream, records, how)
    const { taken, reader } = reading(stream)
    expect(await reader.drain()).toEqual(E.right(undefined))
    expect(byDevice(taken)).toEqual(byDevice(records))
    const ids = new Set(
      placed.map((place) => `${place.shardId}:${place.sequenceNumber}:${place.subsequence}`),
    )
    expect(new Set(taken.map(({ id }) => id))).toEqual(ids)
    expect(ids.size).toBe(records.length)
  })
})

/** The client, with records of a call that fail before the service hears of them, and with answers that are lost. */
const failing = (fault: (call: number) => { readonly fails?: number; readonly lost?: boolean }) => {
  const faulty = localKinesis()
  let calls = 0
  faulty.middlewareStack.add(
    (next) => async (args) => {
      const { fails = 0, lost = false } = fault((calls += 1))
      const { Records = [] } = args.input as PutRecordsInput
      const refused = Records.slice(0, fails).map(() => ({
        ErrorCode: 'InternalFailure',
        ErrorMessage: 'planted',
      }))
      const { output, ...rest } = await next({
        ...args,
        input: { ...args.input, Records: Records.slice(fails) },
      })
      if (lost) throw Object.assign(new Error('planted'), { code: 'ECONNRESET' })
      return {
        ...rest,
        output: { ...output, Records: [...refused, ...((output as PutRecordsOutput).Records ?? [])] },
      }
    },
    { step: 'initialize' },
  )
  return { client: faulty, calls: () => calls }
}

describe('a call that goes wrong', () => {
  test('with some records failed puts those again, and each is in the stream once', async () => {
    const stream = 'some-fail'
    await createStream(client, stream, 2)
    const records = readings(10, 20)
    const faulty = failing((call) => ({ fails: Math.max(0, 8 - 3 * call) }))
    const placed = await putAll(stream, records, { client: faulty.client })
    expect(faulty.calls()).toBe(3)
    const { taken, reader } = reading(stream)
    expect(await reader.drain()).toEqual(E.right(undefined))
    const found = new Map(taken.map((record) => [record.id, record]))
    expect(found.size).toBe(records.length)
    for (const [at, { shardId, sequenceNumber }] of placed.entries())
      expect(found.get(`${shardId}:${sequenceNumber}:0`)).toMatchObject(records[at] ?? {})
  })
  test('with its answer lost is made again, and its records are in the stream twice', async () => {
    const stream = 'answer-lost'
    await createStream(client, stream, 1)
    await putAll(stream, readings(1, 3), { client: failing((call) => ({ lost: call === 1 })).client })
    const { taken, reader } = reading(stream)
    expect(await reader.drain()).toEqual(E.right(undefined))
    expect(byDevice(taken)).toEqual({ 'device-0': ['0', '1', '2', '0', '1', '2'] })
  })
})

describe('a stream that is split and merged', () => {
  const stream = 'resharded'
  const SPLIT_AT = String(2n ** 127n)
  const resharded = async () => {
    await createStream(client, stream, 1)
    const records = [readings(5, 15), readings(5, 15, 3), readings(5, 15, 6)] as const
    await putAll(stream, records[0])
    const [root] = await shardsOf(client, stream)
    const split = { StreamName: stream, ShardToSplit: root?.ShardId, NewStartingHashKey: SPLIT_AT }
    await client.send(new SplitShardCommand(split))
    await active(client, stream)
    await putAll(stream, records[1])
    const [, one, other] = await shardsOf(client, stream)
    const merge = { StreamName: stream, ShardToMerge: one?.ShardId, AdjacentShardToMerge: other?.ShardId }
    await client.send(new MergeShardsCommand(merge))
    await active(client, stream)
    await putAll(stream, records[2])
    return records.flat()
  }
  test('is taken parents before children, so that a key stays in order, and never twice', async () => {
    const records = await resharded()
    const checkpoints = new Map<string, ShardPosition>()
    const { taken, reader } = reading(stream, checkpoints)
    expect(await reader.drain()).toEqual(E.right(undefined))
    expect(byDevice(taken)).toEqual(byDevice(records))
    expect([...checkpoints.values()].map((position) => position === null)).toEqual([true, true, true, false])

    const again = reading(stream, checkpoints)
    expect(await again.reader.drain()).toEqual(E.right(undefined))
    expect(again.taken).toEqual([])
  })
})

const throws = () => Promise.reject(new Error('planted'))

describe('a reader', () => {
  test('goes on from what was taken after its iterator has expired, and takes again what was not', async () => {
    const stream = 'expiring'
    await createStream(client, stream, 1)
    await putAll(stream, readings(1, 30))
    const expiring = localKinesis()
    let reads = 0
    expiring.middlewareStack.add(
      (next, { commandName }) =>
        async (args) => {
          if (commandName === 'GetRecordsCommand' && (reads += 1) % 2 === 0)
            throw new ExpiredIteratorException({ message: 'Iterator expired.', $metadata: {} })
          return next(args)
        },
      { step: 'initialize' },
    )
    const taken: Array<string> = []
    const unlucky = new Set(['4', '17'])
    const handler = kinesisConsumer({
      take: (records) => async () => {
        const numbers = records.map(({ data }) => new TextDecoder().decode(data))
        const at = numbers.findIndex((number) => unlucky.delete(number))
        taken.push(...(at < 0 ? numbers : numbers.slice(0, at)))
        return at < 0 ? E.right(undefined) : E.left({ taken: at, cause: 'planted' })
      },
      report: () => {},
    })
    const reader = kinesisReader({ client: expiring, stream, clock, handler, batchSize: 10 })
    expect(await reader.drain()).toEqual(E.right(undefined))
    expect(taken).toEqual(readings(1, 30).map(({ data }) => new TextDecoder().decode(data)))
  })
  test('ends with what its handler throws, and the batch comes again', async () => {
    const stream = 'throwing'
    await createStream(client, stream, 1)
    await putAll(stream, readings(1, 3))
    const checkpoints = new Map<string, ShardPosition>()
    const throwing = kinesisReader({ client, stream, clock, handler: throws, checkpoints })
    expect(await throwing.drain()).toMatchObject(
      E.left({ _tag: 'Unavailable', what: 'kinesis: the handler' }),
    )
    const { taken, reader } = reading(stream, checkpoints)
    expect(await reader.drain()).toEqual(E.right(undefined))
    expect(taken.length).toBe(3)
  })
  test('says that a stream is not there', async () => {
    const { reader } = reading('nowhere')
    expect(await reader.step()).toMatchObject(E.left({ _tag: 'Unavailable', what: 'kinesis' }))
  })
})
