/**
 * The other end of a client's line as AWS documents it: takes puts into shards, and goes wrong call by call as a script says.
 *
 * For what no local service does: records of a call that fail, throttling, and answers that are lost.
 */
import {
  KinesisClient,
  ProvisionedThroughputExceededException,
  type PutRecordInput,
  type PutRecordsInput,
  type PutRecordsRequestEntry,
  ResourceNotFoundException,
} from '@aws-sdk/client-kinesis'

export type CallFault =
  /** These places of the call fail, the others go in. */
  | { readonly _tag: 'SomeFail'; readonly places: ReadonlyArray<number> }
  | { readonly _tag: 'Throttled' }
  /** All goes in, and the connection breaks. */
  | { readonly _tag: 'ResponseLost' }
  /** An error that no repeat helps against. */
  | { readonly _tag: 'Missing' }

interface Stored {
  readonly key: string
  readonly data: Uint8Array
  readonly shardId: string
  readonly sequenceNumber: string
  /** What it was said to come after. */
  readonly after: string | undefined
}

export interface ScriptedKinesis {
  readonly client: KinesisClient
  /** The records of each call, as they were sent. */
  readonly calls: ReadonlyArray<ReadonlyArray<PutRecordsRequestEntry>>
  readonly stored: ReadonlyArray<Stored>
}

/** `script` has the fault of each call in turn; the calls behind its end go well, or as `forever` says. */
export const scriptedKinesis = (
  script: ReadonlyArray<CallFault | undefined>,
  forever?: CallFault,
): ScriptedKinesis => {
  const calls: Array<ReadonlyArray<PutRecordsRequestEntry>> = []
  const stored: Array<Stored> = []
  const store = (
    { PartitionKey: key = '', Data: data = new Uint8Array() }: PutRecordsRequestEntry,
    after?: string,
  ) => {
    const place = { shardId: `shardId-${key.length % 3}`, sequenceNumber: String(1000 + stored.length) }
    stored.push({ key, data, ...place, after })
    return { ShardId: place.shardId, SequenceNumber: place.sequenceNumber }
  }
  const client = new KinesisClient({ region: 'local', maxAttempts: 1 })
  const answer = (input: PutRecordsInput | PutRecordInput): object => {
    const records = 'Records' in input ? (input.Records ?? []) : [input]
    const fault = calls.length < script.length ? script[calls.length] : forever
    calls.push(records)
    const failing = new Set(fault?._tag === 'SomeFail' ? fault.places : [])
    // Of a single record Kinesis throws what it says in the answer about one of many.
    if (fault?._tag === 'Throttled' || (!('Records' in input) && failing.has(0)))
      throw new ProvisionedThroughputExceededException({ message: 'Rate exceeded', $metadata: {} })
    if (fault?._tag === 'Missing')
      throw new ResourceNotFoundException({ message: 'No such stream', $metadata: { httpStatusCode: 400 } })
    const after = 'Records' in input ? undefined : input.SequenceNumberForOrdering
    const results = records.map((record, place) => (failing.has(place) ? REFUSED : store(record, after)))
    if (fault?._tag === 'ResponseLost')
      throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
    return 'Records' in input ? { Records: results } : { ...results[0] }
  }
  client.middlewareStack.add(
    () =>
      async ({ input }) => ({
        response: {},
        output: { $metadata: {}, ...answer(input as PutRecordsInput | PutRecordInput) },
      }),
    { step: 'initialize' },
  )
  return { client, calls, stored }
}

const REFUSED = { ErrorCode: 'ProvisionedThroughputExceededException', ErrorMessage: 'Rate exceeded' }
