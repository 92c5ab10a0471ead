/** A stream of its own for a test, in the Kinesis of this run. */
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  KinesisClient,
  ListShardsCommand,
} from '@aws-sdk/client-kinesis'
import { localClient } from '@everfold/aws-local'
import { inject } from 'vitest'

export const localKinesis = (): KinesisClient =>
  new KinesisClient({ ...localClient(inject('endpoints').kinesis), maxAttempts: 1 })

export const createStream = async (client: KinesisClient, stream: string, shards: number): Promise<void> => {
  await client.send(new CreateStreamCommand({ StreamName: stream, ShardCount: shards }))
  await active(client, stream)
}

/** Resolves when a change of the stream's shards is through. */
export const active = async (client: KinesisClient, stream: string): Promise<void> => {
  for (;;) {
    const { StreamDescriptionSummary: summary } = await client.send(
      new DescribeStreamSummaryCommand({ StreamName: stream }),
    )
    if (summary?.StreamStatus === 'ACTIVE') return
  }
}

export const shardsOf = async (client: KinesisClient, stream: string) =>
  (await client.send(new ListShardsCommand({ StreamName: stream }))).Shards ?? []
