/** What Kinesis tells of a stream and of its shards. */
import { KINESIS } from '../../limits.ts'
import { type Answer, output, refused } from '../answer.ts'
import { isOpen, type Shard, type Stream } from './stream.ts'

export const describeStreamSummary = (stream: Stream): Answer<unknown> =>
  output({
    StreamDescriptionSummary: {
      StreamName: stream.name,
      StreamARN: stream.arn,
      StreamStatus: 'ACTIVE',
      StreamModeDetails: { StreamMode: 'PROVISIONED' },
      RetentionPeriodHours: stream.retentionMs / 3_600_000,
      StreamCreationTimestamp: stream.createdMs / 1000,
      EnhancedMonitoring: [{ ShardLevelMetrics: [] }],
      EncryptionType: 'NONE',
      OpenShardCount: stream.shards.filter(isOpen).length,
      ConsumerCount: 0,
      MaxRecordSizeInKiB: stream.recordBytes / 1024,
      RecordDistributionStrategy: stream.distribution,
    },
  })

export interface ListShardsInput {
  readonly MaxResults?: number
  readonly ExclusiveStartShardId?: string
}

/** A token for the next page: the stream and the last shard of this one. */
interface ListToken {
  readonly stream: string
  readonly after: string
}

export const listTokenOf = (token: string): ListToken | undefined => {
  try {
    return JSON.parse(Buffer.from(token, 'base64').toString()) as ListToken
  } catch {
    return undefined
  }
}

export const listShards = (stream: Stream, input: ListShardsInput): Answer<unknown> => {
  const { MaxResults: most = KINESIS.listShards, ExclusiveStartShardId: after } = input
  if (!Number.isInteger(most) || most < 1)
    return refused(
      'ValidationException',
      `1 validation error detected: Value '${most}' at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 1`,
    )
  const rest = after === undefined ? stream.shards : stream.shards.filter(({ id }) => id > after)
  const page = rest.slice(0, most)
  const last = page.at(-1)
  const token =
    last === undefined || page.length === rest.length
      ? {}
      : { NextToken: Buffer.from(JSON.stringify({ stream: stream.name, after: last.id })).toString('base64') }
  return output({ Shards: page.map(shardOutput), ...token })
}

const shardOutput = (shard: Shard) => ({
  ShardId: shard.id,
  ...(shard.parent === undefined ? {} : { ParentShardId: shard.parent }),
  ...(shard.adjacentParent === undefined ? {} : { AdjacentParentShardId: shard.adjacentParent }),
  HashKeyRange: { StartingHashKey: shard.firstHashKey, EndingHashKey: shard.lastHashKey },
  SequenceNumberRange: {
    StartingSequenceNumber: shard.firstNumber,
    ...(shard.lastNumber === undefined ? {} : { EndingSequenceNumber: shard.lastNumber }),
  },
})
