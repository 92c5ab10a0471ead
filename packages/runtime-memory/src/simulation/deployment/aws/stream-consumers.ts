/** Functions behind streams, of tables and of Kinesis: event source mappings, with payloads as AWS makes them. */
import type { LambdaRecord } from '../../models/dynamo-db/index.ts'
import type {
  Invocation,
  ListedShard,
  StreamMappingSettings,
  StreamRecord,
} from '../../models/event-source-mapping/index.ts'
import { kinesisEvent } from '../../models/kinesis/lambda-event.ts'
import type { StoredRecord } from '../../models/kinesis/stream.ts'
import type { SimulatedFunction } from '../lambda.ts'
import type { Stage } from '../stage.ts'
import { drivenMapping } from '../stream-mapping.ts'
import type { DynamoDbService } from './services/dynamo-db.ts'
import type { KinesisService } from './services/kinesis.ts'

interface Consumer<Value> extends StreamMappingSettings<Value> {
  /** How a record is called in a trace. */
  readonly nameOf: (record: Value) => string
  /** The checkpoint passed these, which the function said were done. */
  readonly passed?: (records: ReadonlyArray<Value>) => void
}

/** How a function takes a table's stream. */
export type StreamConsumer = Consumer<LambdaRecord>

/** How a function takes a stream of Kinesis. */
export type KinesisConsumer = Omit<Consumer<StoredRecord>, 'source'>

type Target = SimulatedFunction<unknown, unknown>

interface Consuming<Value> {
  readonly stage: Stage
  readonly target: Target
  readonly consumer: Consumer<Value>
  /** What Lambda hands over. */
  readonly payloadOf: (invocation: Invocation<Value>) => unknown
}

type Arrived<Value> = (
  what: string,
  listed: ReadonlyArray<ListedShard>,
  records: ReadonlyArray<Omit<StreamRecord<Value>, 'arrivedMs'>>,
) => void

/** From the write to the stream's readers. */
const STREAM_MS = 100

const consuming = <Value>({ stage, target, consumer, payloadOf }: Consuming<Value>): Arrived<Value> => {
  const { kernel } = stage
  const { nameOf, passed, ...settings } = consumer
  const mapping = drivenMapping<Value>(stage, {
    name: target.name,
    settings,
    target: {
      name: target.name,
      invoke: (what, invocation) => target.invoke(what, payloadOf(invocation)),
    },
    nameOf,
    passed: (all) =>
      passed?.(all.flatMap(({ record, because }) => (because === 'successful' ? [record.value] : []))),
  })
  return (what, listed, records) => {
    const arrivedMs = kernel.nowMs()
    kernel.at(arrivedMs + STREAM_MS, `${target.name} is told of ${what}`, () => {
      mapping.listed(listed)
      mapping.arrived(records.map((record) => ({ ...record, arrivedMs })))
    })
  }
}

export const tableConsumer = (
  stage: Stage,
  { records: recordsOf }: DynamoDbService,
  table: string,
  { target, consumer }: Pick<Consuming<LambdaRecord>, 'target' | 'consumer'>,
): void => {
  const arrived = consuming({ stage, target, consumer, payloadOf: tableEvent })
  recordsOf(table, (listed, records) =>
    arrived(
      table,
      listed,
      records.map(({ shard, record }) => ({
        shard,
        sequenceNumber: String(record.dynamodb['SequenceNumber']),
        key: JSON.stringify(record.dynamodb['Keys']),
        value: record,
      })),
    ),
  )
}

/** The mapping deals sequence numbers anew where records of different items overtake. */
const tableEvent = ({ records }: Invocation<LambdaRecord>): unknown => ({
  Records: records.map(({ value, sequenceNumber }) => ({
    ...value,
    dynamodb: { ...value.dynamodb, SequenceNumber: sequenceNumber },
  })),
})

export const kinesisConsumer = (
  stage: Stage,
  { records: recordsOf, state }: KinesisService,
  stream: string,
  { target, consumer }: { readonly target: Target; readonly consumer: KinesisConsumer },
): void => {
  const arn = state().streams.get(stream)?.arn
  if (arn === undefined) throw new Error(`there is no stream ${stream}`)
  const payloadOf = ({ shard, records }: Invocation<StoredRecord>) =>
    kinesisEvent(
      { arn },
      shard,
      records.map(({ value }) => value),
    )
  const arrived = consuming({ stage, target, consumer: { ...consumer, source: 'kinesis' }, payloadOf })
  recordsOf(stream, (listed, records) =>
    arrived(
      stream,
      listed,
      records.map(({ shard, record }) => ({
        shard,
        sequenceNumber: record.sequenceNumber,
        key: record.partitionKey,
        value: record,
      })),
    ),
  )
}
