/** The services before a run: set up once, benignly and in no time, and then shared by many runs. */

import { type Bus, eventBridgeWith, type Target } from '../../models/event-bridge/bus.ts'
import { kinesisModel } from '../../models/kinesis/kinesis.ts'
import { schedulerModel } from '../../models/scheduler.ts'
import { arnOf, sqsModel } from '../../models/sqs.ts'
import { dynamoDbWire } from '../../sdk/dynamo-db.ts'
import { headerOf } from '../../sdk/http.ts'
import { kinesisWire } from '../../sdk/kinesis.ts'
import type { AwsState } from './aws.ts'
import { functionArn } from './targets.ts'
import type { RequestHandler } from './transport.ts'

/** What there is before a run: tables and streams, queues, and buses with their rules. */
export interface SetUp {
  /** Makes the tables, and streams of Kinesis, by clients of the SDK with this request handler. */
  tables(this: void, requestHandler: RequestHandler): Promise<void>
  readonly queues?: ReadonlyArray<{
    readonly name: string
    readonly attributes?: Readonly<Record<string, string>>
  }>
  /** Buses whose rules have queues and functions of the same account as their targets. */
  readonly buses?: ReadonlyArray<{
    readonly name: string
    readonly rules: ReadonlyArray<{
      readonly name: string
      /** As PutRule takes it; every event unless told. */
      readonly pattern?: object
      readonly targets: ReadonlyArray<TargetSetUp>
    }>
    readonly archives?: NonNullable<Bus['archives']>
  }>
}

/** A queue or a function, by its name. */
type TargetSetUp = Pick<Target, 'id' | 'retries' | 'retryMs'> & {
  /** The name of the queue for what could not be delivered. */
  readonly deadLetters?: string
} & ({ readonly queue: string } | { readonly function: string })

/**
 * Sets the services up, once for many runs: the answer never changes. Rejects where `tables` does. It is done outside of
 * runs because the first client of a process reads the machine's files.
 */
export const setUpAws = async ({ tables, queues = [], buses = [] }: SetUp): Promise<AwsState> => {
  let dynamoDb = dynamoDbWire.initial()
  let kinesis = kinesisModel.initial
  await tables({
    handle: (request) => {
      const at = { nowMs: 0 }
      if (headerOf(request, 'x-amz-target').startsWith('Kinesis_')) {
        const stepped = kinesisWire.wire(kinesis, request, at)
        kinesis = stepped.state
        return Promise.resolve({ response: stepped.answer })
      }
      const stepped = dynamoDbWire.step(dynamoDb, request, at)
      dynamoDb = stepped.state
      return Promise.resolve({ response: stepped.answer })
    },
    destroy: () => undefined,
    updateHttpClientConfig: () => undefined,
    httpHandlerConfigs: () => ({}),
  })
  let sqs = sqsModel.initial
  for (const { name: queue, attributes = {} } of queues)
    ({ state: sqs } = sqsModel.step(sqs, { _tag: 'CreateQueue', queue, attributes }, { nowMs: 0 }))
  const eventBridge = eventBridgeWith(
    buses.map(
      ({ rules, ...bus }): Bus => ({
        ...bus,
        rules: rules.map(({ targets, ...rule }) => ({ ...rule, targets: targets.map(targetOf) })),
      }),
    ),
  )
  return { dynamoDb, sqs, scheduler: schedulerModel.initial, eventBridge, kinesis }
}

const targetOf = ({ id, retries, retryMs, deadLetters, ...of }: TargetSetUp): Target => ({
  id,
  arn: 'queue' in of ? arnOf(of.queue) : functionArn(of.function),
  ...(retries === undefined ? {} : { retries }),
  ...(retryMs === undefined ? {} : { retryMs }),
  ...(deadLetters === undefined ? {} : { deadLetters: arnOf(deadLetters) }),
})
