/**
 * Simulated AWS at the level of the SDK: tables with their streams, streams of Kinesis, queues, schedules, buses, and
 * functions that are invoked with the payloads that AWS hands them. Each service is a file of `services/`.
 */
import type { DynamoDb } from '../../models/dynamo-db/index.ts'
import type { EventBridgeState } from '../../models/event-bridge/bus.ts'
import type { KinesisState } from '../../models/kinesis/request.ts'
import type { FunctionSettings } from '../../models/lambda/index.ts'
import type { QueueMappingSettings } from '../../models/queue-mapping.ts'
import type { SchedulerState } from '../../models/scheduler.ts'
import { type Received, type SqsState, sqsEvent } from '../../models/sqs.ts'
import { type AsynchronousFunction, type AsynchronousSettings, asynchronous } from '../asynchronous.ts'
import { type HttpApi, type HttpApiOptions, httpApi } from '../http-api.ts'
import { type Open, type SimulatedFunction, simulatedLambda } from '../lambda.ts'
import { drivenQueueMapping } from '../queue-mapping.ts'
import type { Stage } from '../stage.ts'
import { dynamoDbService, type WrittenListener } from './services/dynamo-db.ts'
import { eventBridgeService, type PublishedListener } from './services/event-bridge.ts'
import { kinesisService } from './services/kinesis.ts'
import { schedulerService } from './services/scheduler.ts'
import { type DeletedListener, type SentListener, type SqsService, sqsService } from './services/sqs.ts'
import {
  type KinesisConsumer,
  kinesisConsumer,
  type StreamConsumer,
  tableConsumer,
} from './stream-consumers.ts'
import { functionArn, giving } from './targets.ts'
import { type RequestHandler, requestHandler } from './transport.ts'

/** What the services hold; values that never change, so that one that was set up once serves many runs. */
export interface AwsState {
  readonly dynamoDb: DynamoDb
  readonly sqs: SqsState
  readonly scheduler: SchedulerState
  readonly eventBridge: EventBridgeState
  readonly kinesis: KinesisState
}

/** How a function takes a queue's messages; times are milliseconds. */
export interface QueueConsumer extends Omit<QueueMappingSettings<Received>, 'id' | 'receipt' | 'group'> {
  readonly visibilityMs: number
  /** How a message is called in a trace: its id unless told. */
  readonly nameOf?: (message: Received) => string
  /** Told of each message that was done with. */
  readonly deleted?: DeletedListener
}

/** How a function is deployed. */
export interface DeploySettings extends FunctionSettings {
  /** What becomes of events that rules and schedules give to the function. */
  readonly asynchronous?: AsynchronousSettings
}

/** The services of one run. Functions, tables and queues are named as in AWS; what is told to listeners has taken effect. */
export interface Aws {
  /** For the clients of whoever acts. */
  readonly requestHandler: RequestHandler
  state(this: void): AwsState
  /** A function that is invoked with events as AWS makes them. */
  deploy(
    this: void,
    name: string,
    settings: DeploySettings,
    open: Open<unknown, unknown>,
  ): SimulatedFunction<unknown, unknown>
  /** From now on cold starts of all functions run new code, and warm sandboxes the old one for a while. */
  redeploy(this: void): void
  /** An HTTP API in front of the function, and its clients. */
  api(this: void, target: Target, options?: HttpApiOptions): HttpApi
  /** The function takes the table's stream. */
  onTable(this: void, table: string, target: Target, consumer: StreamConsumer): void
  /** The function takes the stream of Kinesis. */
  onStream(this: void, stream: string, target: Target, consumer: KinesisConsumer): void
  /** The function takes the queue's messages. */
  onQueue(this: void, queue: string, target: Target, consumer: QueueConsumer): void
  /** Told of items that were written, when they are; what a transaction writes together. */
  written(this: void, listener: WrittenListener): void
  /** Told of each message that a queue took in. */
  sent(this: void, listener: SentListener): void
  /** Told of each event that a bus accepted. */
  published(this: void, listener: PublishedListener): void
}

type Target = SimulatedFunction<unknown, unknown>

/**
 * Simulated AWS on a run's stage, as `setUpAws` or an earlier run left it. Clients of the AWS SDK reach it by its
 * `requestHandler`, which rejects what is for a service that is not simulated.
 */
export const simulatedAws = (stage: Stage, initial: AwsState): Aws => {
  const sqs = sqsService(stage, initial.sqs)
  const functions = new Map<string, AsynchronousFunction>()
  const give = giving(sqs, functions)
  const send = (queueArn: string, body: string, what: string) => void give(queueArn, { what, body })
  const dynamoDb = dynamoDbService(stage, initial.dynamoDb)
  const scheduler = schedulerService(stage, initial.scheduler, give)
  const eventBridge = eventBridgeService(stage, initial.eventBridge, give)
  const kinesis = kinesisService(initial.kinesis)
  const lambda = simulatedLambda(stage, 'a function error')
  const services = [dynamoDb, sqs, scheduler, eventBridge, kinesis]
  return {
    requestHandler: requestHandler(
      stage,
      services.flatMap(({ endpoints }) => endpoints),
    ),
    state: () => ({
      dynamoDb: dynamoDb.state(),
      sqs: sqs.state(),
      scheduler: scheduler.state(),
      eventBridge: eventBridge.state(),
      kinesis: kinesis.state(),
    }),
    deploy: (name, { asynchronous: settings = {}, ...own }, open) => {
      const target = lambda.deploy(name, own, open)
      const arn = functionArn(name)
      functions.set(arn, asynchronous(stage, { target, arn, settings, send }))
      return target
    },
    redeploy: lambda.redeploy,
    api: (target, options) => httpApi(stage, target, options),
    onTable: (table, target, consumer) => tableConsumer(stage, dynamoDb, table, { target, consumer }),
    onStream: (stream, target, consumer) => kinesisConsumer(stage, kinesis, stream, { target, consumer }),
    onQueue: (queue, target, consumer) => onQueue(stage, sqs, queue, { target, consumer }),
    written: dynamoDb.written,
    sent: sqs.sent,
    published: eventBridge.published,
  }
}

/** A function, and how it is to be invoked. */
interface Consuming {
  readonly target: Target
  readonly consumer: QueueConsumer
}

const onQueue = (
  stage: Stage,
  { polled, sent }: SqsService,
  queue: string,
  { target, consumer }: Consuming,
): void => {
  const { visibilityMs, nameOf, deleted, ...settings } = consumer
  const named = nameOf ?? (({ messageId }: Received) => messageId)
  const mapping = drivenQueueMapping<Received>(stage, {
    name: target.name,
    settings: {
      id: ({ messageId }) => messageId,
      receipt: ({ receiptHandle }) => receiptHandle,
      group: ({ attributes }) => (queue.endsWith('.fifo') ? attributes['MessageGroupId'] : undefined),
      ...settings,
    },
    queue: polled(queue, visibilityMs, deleted),
    target: {
      name: target.name,
      invoke: (_what, messages) => target.invoke(messages.map(named).join(' '), sqsEvent(messages, queue)),
    },
    visibilityMs,
  })
  sent((to) => {
    if (to === queue) mapping.wake()
  })
}
