/**
 * Simulated AWS at the level of the SDK: tables with their streams, queues, schedules, buses, and functions that are
 * invoked with the payloads that AWS hands them.
 */
import { DYNAMODB_STREAMS } from '../../limits.ts'
import {
  type DynamoDb,
  type Item,
  type LambdaRecord,
  recordsAfter,
  shards,
  streamArnOf,
} from '../../models/dynamo-db/index.ts'
import type { EventBridgeState } from '../../models/event-bridge/bus.ts'
import { due, nextDueMs as nextDeliveryMs } from '../../models/event-bridge/delivery.ts'
import { eventBridgeModel } from '../../models/event-bridge/event-bridge.ts'
import type {
  Invocation,
  ListedShard,
  StreamMappingSettings,
} from '../../models/event-source-mapping/index.ts'
import type { FunctionSettings } from '../../models/lambda/index.ts'
import { offersOf } from '../../models/offers.ts'
import type { QueueMappingSettings } from '../../models/queue-mapping.ts'
import { dueBy, nextDueMs, type SchedulerState, schedulerModel } from '../../models/scheduler.ts'
import { arnOf, type Received, type SqsRequest, type SqsState, sqsEvent, sqsModel } from '../../models/sqs.ts'
import { dynamoDbWire } from '../../sdk/dynamo-db.ts'
import { dynamoDbStreamsWire } from '../../sdk/dynamo-db-streams.ts'
import { eventBridgeWire } from '../../sdk/event-bridge.ts'
import { schedulerWire } from '../../sdk/scheduler.ts'
import { sqsWire } from '../../sdk/sqs.ts'
import { type Open, type SimulatedFunction, simulatedLambda } from '../lambda.ts'
import { drivenQueueMapping } from '../queue-mapping.ts'
import type { Stage } from '../stage.ts'
import { drivenMapping } from '../stream-mapping.ts'
import { dynamoDbSubject, eventBridgeSubject, schedulerSubject, sqsSubject } from './subjects.ts'
import { type Endpoint, type RequestHandler, requestHandler } from './transport.ts'

/** What the services hold; values that never change, so that one that was set up once serves many runs. */
export interface AwsState {
  readonly dynamoDb: DynamoDb
  readonly sqs: SqsState
  readonly scheduler: SchedulerState
  readonly eventBridge: EventBridgeState
}

export interface StreamConsumer extends StreamMappingSettings<LambdaRecord> {
  /** How a record is called in a trace. */
  readonly nameOf: (record: LambdaRecord) => string
  /** The checkpoint passed these, which the function said were done. */
  readonly passed?: (records: ReadonlyArray<LambdaRecord>) => void
}

export interface QueueConsumer extends Omit<QueueMappingSettings<Received>, 'id' | 'receipt' | 'group'> {
  readonly visibilityMs: number
  /** How a message is called in a trace: its id unless told. */
  readonly nameOf?: (message: Received) => string
  /** Told of each message that was done with. */
  readonly deleted?: (message: Pick<Received, 'messageId' | 'body'>) => void
}

export interface Aws {
  /** For the clients of whoever acts. */
  readonly requestHandler: RequestHandler
  state(this: void): AwsState
  /** A function that is invoked with events as AWS makes them. */
  deploy(
    this: void,
    name: string,
    settings: FunctionSettings,
    open: Open<unknown, unknown>,
  ): SimulatedFunction<unknown, unknown>
  redeploy(this: void, name: string): void
  /** The function takes the table's stream. */
  onTable(this: void, table: string, target: Target, consumer: StreamConsumer): void
  /** The function takes the queue's messages. */
  onQueue(this: void, queue: string, target: Target, consumer: QueueConsumer): void
  /** Told of each item that was written, when it is; what a transaction writes together. */
  written(this: void, listener: (table: string, items: ReadonlyArray<Item>) => void): void
  /** Told of each message that a queue took in. */
  sent(this: void, listener: (queue: string, body: string) => void): void
  /** Told of each event that a bus accepted. */
  published(this: void, listener: (entry: { readonly type: string; readonly detail: string }) => void): void
}

export type Target = SimulatedFunction<unknown, unknown>

/** From the write to the stream. */
const STREAM_MS = 100

export const simulatedAws = (stage: Stage, initial: AwsState): Aws => {
  const { kernel } = stage
  const services = servicesOf(stage, initial)
  const lambda = simulatedLambda(stage, 'a function error')
  return {
    requestHandler: requestHandler(stage, services.endpoints),
    state: services.state,
    deploy: lambda.deploy,
    redeploy: lambda.redeploy,
    written: services.written,
    sent: services.sent,
    published: services.published,
    onTable: (table, target, { nameOf, passed, ...settings }) => {
      const mapping = drivenMapping<LambdaRecord>(stage, {
        name: target.name,
        settings,
        target: withPayload(target, batchOf),
        nameOf,
        passed: (all) =>
          passed?.(all.flatMap(({ record, because }) => (because === 'successful' ? [record.value] : []))),
      })
      services.records(table, (listed, records) => {
        const arrivedMs = kernel.nowMs()
        kernel.at(arrivedMs + STREAM_MS, `${target.name} is told of ${table}`, () => {
          mapping.listed(listed)
          mapping.arrived(
            records.map(({ shard, record }) => ({
              shard,
              sequenceNumber: String(record.dynamodb['SequenceNumber']),
              key: JSON.stringify(record.dynamodb['Keys']),
              arrivedMs,
              value: record,
            })),
          )
        })
      })
    },
    onQueue: (queue, target, { visibilityMs, nameOf, deleted, ...settings }) => {
      const named = nameOf ?? (({ messageId }: Received) => messageId)
      const mapping = drivenQueueMapping<Received>(stage, {
        name: target.name,
        settings: {
          id: ({ messageId }) => messageId,
          receipt: ({ receiptHandle }) => receiptHandle,
          group: ({ attributes }) => (queue.endsWith('.fifo') ? attributes['MessageGroupId'] : undefined),
          ...settings,
        },
        queue: services.polled(queue, visibilityMs, deleted),
        target: {
          name: target.name,
          invoke: (_what, messages) =>
            target.invoke(messages.map(named).join(' '), sqsEvent(messages, queue)),
        },
        visibilityMs,
      })
      services.sent((to) => {
        if (to === queue) mapping.wake()
      })
    },
  }
}

const withPayload = <Event>(
  target: Target,
  payloadOf: (event: Event) => unknown,
): SimulatedFunction<Event, unknown> => ({
  name: target.name,
  invoke: (what, event) => target.invoke(what, payloadOf(event)),
})

/** What Lambda hands over; the mapping deals sequence numbers anew where records of different items overtake. */
const batchOf = ({ records }: Invocation<LambdaRecord>): unknown => ({
  Records: records.map(({ value, sequenceNumber }) => ({
    ...value,
    dynamodb: { ...value.dynamodb, SequenceNumber: sequenceNumber },
  })),
})

/** The shards of a stream, and what is new in them. */
type RecordsListener = (
  listed: ReadonlyArray<ListedShard>,
  records: ReadonlyArray<{ readonly shard: string; readonly record: LambdaRecord }>,
) => void

interface Services extends Pick<Aws, 'state' | 'written' | 'sent' | 'published'> {
  readonly endpoints: ReadonlyArray<Endpoint>
  records(this: void, table: string, listener: RecordsListener): void
  polled(
    this: void,
    queue: string,
    visibilityMs: number,
    deleted?: QueueConsumer['deleted'],
  ): Parameters<typeof drivenQueueMapping<Received>>[1]['queue']
}

/** The services' states, and what follows from each change of them. */
const servicesOf = (stage: Stage, initial: AwsState): Services => {
  const { kernel, choose } = stage
  const state = { ...initial }
  const recordListeners = new Map<string, Array<RecordsListener>>()
  const sentListeners: Array<(queue: string, body: string) => void> = []
  const publishedListeners: Array<(entry: { readonly type: string; readonly detail: string }) => void> = []
  const writtenListeners: Array<(table: string, items: ReadonlyArray<Item>) => void> = []
  const read = new Map<string, string>()
  const tellRecords = () => {
    for (const [table, listeners] of recordListeners) {
      const stream = streamArnOf(state.dynamoDb, table)
      if (stream === undefined) continue
      const all = shards(state.dynamoDb, stream, kernel.nowMs())
      const records = all.flatMap(({ id: shard }) => {
        const place = { stream, shard }
        const { Records: news } = recordsAfter(state.dynamoDb, place, kernel.nowMs(), read.get(shard))
        const last = news.at(-1)
        if (last !== undefined) read.set(shard, String(last.dynamodb['SequenceNumber']))
        return news.map((record) => ({ shard, record }))
      })
      if (records.length === 0) continue
      const listed = all.map(({ id: shard, parent, end }) => ({
        shard,
        parents: parent === undefined ? [] : [parent],
        closed: end !== undefined,
      }))
      for (const listener of listeners) listener(listed, records)
    }
  }
  const sqs = (request: SqsRequest, deviation?: string) => {
    const stepped = sqsModel.step(state.sqs, request, {
      nowMs: kernel.nowMs(),
      ...(deviation === undefined ? {} : { deviation }),
    })
    state.sqs = stepped.state
    return stepped.answer
  }
  const sending = (queue: string, bodies: ReadonlyArray<string>) => {
    for (const listener of sentListeners) for (const body of bodies) listener(queue, body)
  }
  const scheduling = scheduled(stage, state, sqs, sending)
  const delivering = routed(stage, state, sqs, sending)
  const endpoints: ReadonlyArray<Endpoint> = [
    {
      name: 'dynamodb',
      target: 'DynamoDB_2012',
      subjectOf: dynamoDbSubject,
      sent: (request) => ({ ...request, sentAfter: state.dynamoDb.writes }),
      offers: (request) => dynamoDbWire.offers(state.dynamoDb, request),
      step: (request, at) => {
        const before = state.dynamoDb
        const stepped = dynamoDbWire.step(before, request, at)
        state.dynamoDb = stepped.state
        if (stepped.state.writes !== before.writes) {
          for (const [table, items] of itemsWritten(before, stepped.state))
            for (const listener of writtenListeners) listener(table, items)
          tellRecords()
          // A record that others have overtaken comes by itself, in the end.
          kernel.at(kernel.nowMs() + DYNAMODB_STREAMS.lateMs + 1, 'late records come', tellRecords)
        }
        return stepped.answer
      },
    },
    {
      name: 'dynamodb streams',
      target: 'DynamoDBStreams_',
      subjectOf: dynamoDbSubject,
      offers: (request) => dynamoDbStreamsWire.offers(state.dynamoDb, request),
      step: (request, at) => {
        const stepped = dynamoDbStreamsWire.step(state.dynamoDb, request, at)
        state.dynamoDb = stepped.state
        return stepped.answer
      },
    },
    {
      name: 'sqs',
      target: 'AmazonSQS.',
      subjectOf: sqsSubject,
      offers: (request) => sqsWire.offers(state.sqs, request),
      step: (request, at) => {
        const before = state.sqs
        const stepped = sqsWire.wire(state.sqs, request, at)
        state.sqs = stepped.state
        tellSent(before, state.sqs, sending)
        return stepped.answer
      },
    },
    {
      name: 'scheduler',
      target: '/schedule',
      subjectOf: schedulerSubject,
      offers: (request) => schedulerWire.offers(state.scheduler, request),
      step: (request, at) => {
        const stepped = schedulerWire.wire(state.scheduler, request, at)
        state.scheduler = stepped.state
        scheduling()
        return stepped.answer
      },
    },
    {
      name: 'eventbridge',
      target: 'AWSEvents.',
      subjectOf: eventBridgeSubject,
      offers: (request) => eventBridgeWire.offers(state.eventBridge, request),
      step: (request, at) => {
        const stepped = eventBridgeWire.wire(state.eventBridge, request, at)
        state.eventBridge = stepped.state
        tellPublished(request, stepped.answer, publishedListeners)
        delivering()
        return stepped.answer
      },
    },
  ]
  return {
    endpoints,
    state: () => ({ ...state }),
    records: (table, listener) => {
      const listeners = recordListeners.get(table)
      if (listeners === undefined) recordListeners.set(table, [listener])
      else listeners.push(listener)
    },
    written: (listener) => void writtenListeners.push(listener),
    sent: (listener) => void sentListeners.push(listener),
    published: (listener) => void publishedListeners.push(listener),
    polled: (queue, visibilityMs, deleted) => {
      const perform = kernel.port('sqs')
      let receives = 0
      const receive = (limit: number) => {
        const request = { _tag: 'Receive', queue, limit, visibilitySeconds: visibilityMs / 1000 } as const
        receives += 1
        const offers = offersOf(sqsModel.offers(state.sqs, request))
        const deviation =
          offers.length === 0
            ? undefined
            : choose(`${queue}: receive ${receives}`, offers, { port: 'sqs', operation: 'Receive' })
        const answer = sqs(request, deviation)
        return answer._tag === 'Received' ? answer.messages : []
      }
      const each = (receipts: ReadonlyArray<string>, request: (receipt: string) => SqsRequest) => () => {
        for (const receipt of receipts) sqs(request(receipt))
      }
      const remove = (receipts: ReadonlyArray<string>) => () => {
        for (const receipt of receipts) {
          const message = state.sqs.queues.get(queue)?.messages.find((one) => one.receipt === receipt)
          sqs({ _tag: 'Delete', queue, receipt })
          if (message !== undefined) deleted?.(message)
        }
      }
      const failing = { unanswered: () => undefined }
      return {
        receive: (limit) =>
          perform('Receive', queue, () => receive(limit), { unanswered: (): ReadonlyArray<Received> => [] }),
        delete: (receipts) => perform('Delete', queue, remove(receipts), failing),
        release: (receipts) =>
          perform(
            'ChangeVisibility',
            queue,
            each(receipts, (receipt) => ({ _tag: 'ChangeVisibility', queue, receipt, visibilitySeconds: 0 })),
            failing,
          ),
        isEmpty: () => (state.sqs.queues.get(queue)?.messages.length ?? 0) === 0,
      }
    },
  }
}

/** The items that are otherwise than before, of each table that has some. Partitions that were not touched are shared. */
const itemsWritten = (
  before: DynamoDb,
  after: DynamoDb,
): ReadonlyArray<readonly [table: string, items: ReadonlyArray<Item>]> =>
  [...after.tables].flatMap(([name, { items }]) => {
    const known = before.tables.get(name)?.items
    if (known === undefined || known === items) return []
    const changed = [...items].flatMap(([key, partition]) => {
      const old = known.get(key)
      if (old === partition) return []
      const kept = new Set(old)
      return partition.filter((item) => !kept.has(item))
    })
    return changed.length === 0 ? [] : [[name, changed]]
  })

type Sending = (queue: string, bodies: ReadonlyArray<string>) => void

/** The queues that took messages in, found by what they hold more than before. */
const tellSent = (before: SqsState, after: SqsState, sending: Sending): void => {
  if (before.made === after.made) return
  for (const [name, queue] of after.queues) {
    const known = before.queues.get(name)
    if (known === queue) continue
    const ids = new Set(known?.messages.map(({ messageId }) => messageId))
    sending(
      name,
      queue.messages.filter(({ messageId }) => !ids.has(messageId)).map(({ body }) => body),
    )
  }
}

/** The events of a call that were accepted. */
const tellPublished = (
  request: Parameters<typeof eventBridgeWire.wire>[1],
  answer: { readonly body: Uint8Array },
  listeners: ReadonlyArray<(entry: { readonly type: string; readonly detail: string }) => void>,
): void => {
  if (listeners.length === 0) return
  const text =
    request.body instanceof Uint8Array ? new TextDecoder().decode(request.body) : String(request.body)
  const { Entries: entries = [] } = JSON.parse(text) as {
    readonly Entries?: ReadonlyArray<{ readonly DetailType: string; readonly Detail: string }>
  }
  const { Entries: results = [] } = JSON.parse(new TextDecoder().decode(answer.body)) as {
    readonly Entries?: ReadonlyArray<{ readonly EventId?: string }>
  }
  for (const [at, { DetailType: type, Detail: detail }] of entries.entries())
    if (results[at]?.EventId !== undefined) for (const listener of listeners) listener({ type, detail })
}

type Sqs = (request: SqsRequest, deviation?: string) => unknown

/** A letter for a queue by its ARN, as AWS's own services send it. */
const sendTo = (sqs: Sqs, sending: Sending, arn: string, body: string, group?: string): boolean => {
  const queue = arn.slice(arn.lastIndexOf(':') + 1)
  if (arnOf(queue) !== arn && !arn.includes(':sqs:')) return false
  const letter = { body, ...(group === undefined ? {} : { group }) }
  const answer = sqs({ _tag: 'Send', queue, letter }) as { readonly _tag: string }
  if (answer._tag === 'Sent') sending(queue, [body])
  return answer._tag === 'Sent'
}

/** Lets schedules fire when they are due. */
const scheduled = (
  { kernel, choose, tell, lane }: Stage,
  state: { scheduler: SchedulerState },
  sqs: Sqs,
  sending: Sending,
): (() => void) => {
  let cancel: (() => void) | undefined
  let fires = 0
  lane('scheduler', 'scheduler')
  const step = (request: Parameters<typeof schedulerModel.step>[1], deviation?: string) => {
    const at = { nowMs: kernel.nowMs(), ...(deviation === undefined ? {} : { deviation }) }
    const stepped = schedulerModel.step(state.scheduler, request, at)
    state.scheduler = stepped.state
    return stepped.answer._tag === 'Fired' ? stepped.answer.invocations : []
  }
  const fire = () => {
    for (const { id } of dueBy(state.scheduler, kernel.nowMs())) {
      fires += 1
      const request = { _tag: 'Due', invocation: id } as const
      const offers = offersOf(schedulerModel.offers(state.scheduler, request))
      const key = `scheduler: ${id} #${fires}`
      const deviation = choose(key, offers, { port: 'scheduler', operation: 'fires' })
      tell({
        lane: 'scheduler',
        operation: 'fires',
        subject: id,
        key,
        ...(deviation === undefined ? {} : { deviation }),
      })
      for (const { targetArn, input, messageGroupId } of step(request, deviation)) {
        const taken = sendTo(sqs, sending, targetArn, input, messageGroupId)
        step({ _tag: 'Settle', invocation: id, taken })
      }
    }
    wake()
  }
  const wake = () => {
    cancel?.()
    const dueMs = nextDueMs(state.scheduler)
    if (dueMs !== undefined) cancel = kernel.at(Math.max(dueMs, kernel.nowMs()), 'schedules are due', fire)
  }
  return wake
}

/** Delivers events to the targets of the rules that they match. */
const routed = (
  { kernel, choose, tell, lane }: Stage,
  state: { eventBridge: EventBridgeState },
  sqs: Sqs,
  sending: Sending,
): (() => void) => {
  let cancel: (() => void) | undefined
  lane('eventbridge', 'eventbridge')
  const step = (request: Parameters<typeof eventBridgeModel.step>[1], deviation?: string) => {
    const at = { nowMs: kernel.nowMs(), ...(deviation === undefined ? {} : { deviation }) }
    const stepped = eventBridgeModel.step(state.eventBridge, request, at)
    state.eventBridge = stepped.state
    return stepped.answer
  }
  const deliver = () => {
    for (const { id, attempt } of due(state.eventBridge, kernel.nowMs())) {
      const request = { _tag: 'Deliver', delivery: id } as const
      const offers = offersOf(eventBridgeModel.offers(state.eventBridge, request))
      const key = `eventbridge: ${id} #${attempt}`
      const deviation = choose(key, offers, { port: 'eventbridge', operation: 'delivers' })
      tell({
        lane: 'eventbridge',
        operation: 'delivers',
        subject: id,
        key,
        ...(deviation === undefined ? {} : { deviation }),
      })
      const answer = step(request, deviation)
      if (answer._tag !== 'Delivering') continue
      const { target, event } = answer.delivery
      const taken = sendTo(sqs, sending, target.arn, JSON.stringify(event))
      step(
        taken
          ? { _tag: 'Delivered', delivery: id }
          : {
              _tag: 'Failed',
              delivery: id,
              retriable: true,
              code: 'NO_TARGET',
              message: `nothing takes ${target.arn}`,
            },
      )
    }
    wake()
  }
  const wake = () => {
    cancel?.()
    const dueMs = nextDeliveryMs(state.eventBridge)
    if (dueMs !== undefined)
      cancel = kernel.at(Math.max(dueMs, kernel.nowMs()), 'deliveries are due', deliver)
  }
  return wake
}
