/**
 * DynamoDB Streams as its client sees it, with all that DynamoDB Local never does: shards that split, empty pages, short
 * lists, iterators that expire and records that are dropped.
 */
import { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams'
import type { Clock, Commit } from '@everfold/core'
import { itemOf } from '../../src/store/commit-item.ts'

export interface ScriptedShard {
  readonly id: string
  readonly parent?: string
  readonly commits: ReadonlyArray<Commit>
  closed: boolean
  /** How many of its first records are gone. */
  dropped: number
}

export const STREAM = 'arn:aws:dynamodb:us-east-1:123456789012:table/events/stream/2026-11-01T00:00:00.000'

const ITERATOR_MS = 15 * 60_000

interface Scripted {
  readonly shards: Array<ScriptedShard>
  readonly clock: Clock
  /** Asked before each page of a shard: how many records at most; 0 is an empty page. */
  readonly page: (shard: number) => number
}

type Input = Readonly<Record<string, string | number | undefined>>

/** The number of a shard's record: unlike any other's. */
const numberOf = (shard: number, at: number): string => String(10n ** 20n + BigInt(shard * 1000 + at))

const operationsOf = ({ shards, clock, page }: Scripted) => {
  const shardOf = (id: unknown): number => {
    const at = shards.findIndex((shard) => shard.id === id)
    if (at < 0) throw refusal('ResourceNotFoundException')
    return at
  }
  const DescribeStream = ({ ExclusiveStartShardId: after }: Input) => {
    const from = after === undefined ? 0 : shardOf(after) + 1
    const listed = shards.slice(from, from + 2)
    return {
      StreamDescription: {
        Shards: listed.map(({ id, parent }, at) => ({
          ShardId: id,
          ParentShardId: parent,
          SequenceNumberRange: { StartingSequenceNumber: numberOf(from + at, 0) },
        })),
        LastEvaluatedShardId: from + 2 < shards.length ? listed.at(-1)?.id : undefined,
      },
    }
  }
  const GetShardIterator = ({ ShardId: id, ShardIteratorType: type, SequenceNumber: number }: Input) => {
    const shard = shardOf(id)
    const { dropped, commits } = shards[shard] ?? { dropped: 0, commits: [] }
    // A shard's first number is there to begin at, even while it has no record.
    const at = Math.max(
      0,
      commits.findIndex((_, place) => numberOf(shard, place) === number),
    )
    const from = { TRIM_HORIZON: dropped, AT_SEQUENCE_NUMBER: at, AFTER_SEQUENCE_NUMBER: at + 1 }[
      type as 'TRIM_HORIZON' | 'AT_SEQUENCE_NUMBER' | 'AFTER_SEQUENCE_NUMBER'
    ]
    if (from < dropped) throw refusal('TrimmedDataAccessException')
    return { ShardIterator: `${shard}/${from}/${clock.nowMs()}` }
  }
  const GetRecords = ({ ShardIterator: iterator = '', Limit: limit = 1000 }: Input) => {
    const [at = 0, from = 0, madeMs = 0] = String(iterator).split('/').map(Number)
    if (clock.nowMs() - madeMs >= ITERATOR_MS) throw refusal('ExpiredIteratorException')
    const shard = shards[at]
    if (shard === undefined) throw refusal('ResourceNotFoundException')
    if (from < shard.dropped) throw refusal('TrimmedDataAccessException')
    const until = Math.min(shard.commits.length, from + Math.min(Number(limit), page(at)))
    const ended = shard.closed && until === shard.commits.length
    return {
      Records: shard.commits
        .slice(from, until)
        .map((commit, index) => record(commit, numberOf(at, from + index))),
      NextShardIterator: ended ? undefined : `${at}/${until}/${clock.nowMs()}`,
    }
  }
  return { DescribeStream, GetShardIterator, GetRecords }
}

const refusal = (name: string): Error => Object.assign(new Error(name), { name })

const record = (commit: Commit, sequenceNumber: string) => {
  const image = Object.fromEntries(
    Object.entries(itemOf(commit)).map(([name, value]) => [
      name,
      typeof value === 'number' ? { N: String(value) } : { S: value as string },
    ]),
  )
  return {
    eventID: sequenceNumber,
    eventName: 'INSERT',
    eventSource: 'aws:dynamodb',
    dynamodb: {
      Keys: { pk: image['pk'], sk: image['sk'] },
      NewImage: image,
      SequenceNumber: sequenceNumber,
      StreamViewType: 'NEW_IMAGE',
    },
  }
}

const response = (statusCode: number, headers: Record<string, string>, body: unknown) => ({
  response: { statusCode, headers, body: Buffer.from(JSON.stringify(body)) } as never,
})

interface Request {
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** The official client, whose requests end here. */
export const scriptedStreams = (scripted: Scripted): DynamoDBStreamsClient => {
  const operations = operationsOf(scripted)
  return new DynamoDBStreamsClient({
    region: 'us-east-1',
    endpoint: 'http://scripted.invalid',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
    requestHandler: {
      handle: async (request: Request) => {
        const operation = /\w+$/.exec(request.headers['x-amz-target'] ?? '')?.[0] as keyof typeof operations
        try {
          return response(
            200,
            {},
            operations[operation](JSON.parse(new TextDecoder().decode(request.body as Uint8Array)) as Input),
          )
        } catch (error) {
          const { name } = error as Error
          return response(400, { 'x-amzn-errortype': name }, { __type: name, message: name })
        }
      },
    },
  })
}
