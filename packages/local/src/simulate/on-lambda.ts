/**
 * A service as runtime-lambda deploys it, on simulated AWS: its stores, relays, projectors and consumers unchanged, with
 * the AWS SDK's own clients, retries and serialization.
 */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import { SchedulerClient } from '@aws-sdk/client-scheduler'
import { SQSClient } from '@aws-sdk/client-sqs'
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import {
  type Clock,
  E,
  type EventStore,
  type ExecuteOptions,
  type ExecutePorts,
  execute,
  type Fault,
  type GatewayBinding,
  headCache,
  type Queue,
  resultId,
  type Service,
  streamParts,
  type TimerService,
  type ViewStore,
} from '@everfold/core'
import { callConsumer } from '@everfold/runtime-lambda/calls'
import { streamCommits } from '@everfold/runtime-lambda/change-stream'
import { commandConsumer } from '@everfold/runtime-lambda/commands'
import { batchConsumer, type WorkBatch } from '@everfold/runtime-lambda/consumers'
import { sqsDeadLetters } from '@everfold/runtime-lambda/dead-letters'
import { dynamoEventStore } from '@everfold/runtime-lambda/event-store'
import { projector } from '@everfold/runtime-lambda/projector'
import { sqsQueue } from '@everfold/runtime-lambda/queue'
import { outboxRelay, publishedEvent, relay } from '@everfold/runtime-lambda/relay'
import { systemClock } from '@everfold/runtime-lambda/system-clock'
import { createTables } from '@everfold/runtime-lambda/tables'
import { schedulerTimers } from '@everfold/runtime-lambda/timers'
import { dynamoViewStore, viewRecord } from '@everfold/runtime-lambda/view-store'
import {
  type Api,
  type Aws,
  type AwsState,
  client as callerOf,
  type Deployment,
  envelopeOf,
  type Oracle,
  type Request,
  type Sandbox,
  type Stage,
  setUpAws,
  simulatedAws,
  type World,
} from '@everfold/runtime-memory/simulation'
import { frontDoorFunction, httpClients, type RequestOf } from './behind-http.ts'

const TABLES = { events: 'events', views: 'views' }
const QUEUES = {
  commands: 'commands.fifo',
  calls: 'calls.fifo',
  dead: 'dead.fifo',
  events: 'subscriber',
}
const BUS = 'service'

export interface LambdaOptions {
  /** The service's front door behind an HTTP API, and commands as requests to it; bare commands unless told. */
  readonly http?: RequestOf
  readonly gateways?: () => ReadonlyArray<GatewayBinding>
  readonly execute?: Partial<ExecuteOptions>
  /** What else is run: the rebuild of a view, say. */
  readonly jobs?: ReadonlyArray<LambdaJob>
  /** Parts of runtime-lambda with a bug in them, in place of its own. */
  readonly parts?: Partial<LambdaParts>
}

/** A function that is invoked once, and again until it has answered that it is done. */
export interface LambdaJob {
  readonly name: string
  /** When, in milliseconds after the run's beginning. */
  readonly afterMs: number
  run(this: void, ports: JobPorts): Promise<E.Either<Fault, unknown>>
}

interface JobPorts extends Pick<SandboxPorts, 'store' | 'views' | 'clock'>, Pick<Stage, 'mark'> {}

/** What runtime-lambda is made of here; each may be replaced. */
export interface LambdaParts {
  readonly eventStore: typeof dynamoEventStore
  readonly viewStore: typeof dynamoViewStore
  readonly queue: typeof sqsQueue
  readonly timers: typeof schedulerTimers
  readonly relay: typeof relay
  readonly outboxRelay: typeof outboxRelay
  readonly projector: typeof projector
  readonly batchConsumer: typeof batchConsumer
  readonly commandConsumer: typeof commandConsumer
  readonly callConsumer: typeof callConsumer
  /** The command of a request, as the API makes it. */
  readonly envelopeOf: typeof envelopeOf
  /** What a command handler stands on, of the API as of both consumers; the sandbox has what else there is. */
  executePorts(this: void, ports: ExecutePorts, sandbox: SandboxPorts): ExecutePorts
}

const OWN: LambdaParts = {
  eventStore: dynamoEventStore,
  viewStore: dynamoViewStore,
  queue: sqsQueue,
  timers: schedulerTimers,
  relay,
  outboxRelay,
  projector,
  batchConsumer,
  commandConsumer,
  callConsumer,
  envelopeOf,
  executePorts: (ports) => ports,
}

/** Sets the services up once, by the SDK, and answers what opens each run on them. */
export const onLambda = async (options: LambdaOptions = {}): Promise<Deployment> =>
  (await lambdaSetUp())(options)

/** The same for several deployments: what is set up is the same for every service. */
export const lambdaSetUp = async (): Promise<(options: LambdaOptions) => Deployment> => {
  const state = await setUp()
  return (options) => ({
    globals: 'virtual',
    open: (stage, oracle) => world(options, state, stage, oracle),
  })
}

const setUp = (): Promise<AwsState> =>
  setUpAws({
    queues: [
      { name: QUEUES.dead, attributes: { FifoQueue: 'true' } },
      { name: QUEUES.commands, attributes: { FifoQueue: 'true', ContentBasedDeduplication: 'true' } },
      { name: QUEUES.calls, attributes: { FifoQueue: 'true' } },
      { name: QUEUES.events },
    ],
    buses: [{ name: BUS, rules: [{ name: 'all', targets: [{ id: '1', queue: QUEUES.events }] }] }],
    tables: async (requestHandler) => {
      const plain = new DynamoDBClient(clientOf(requestHandler))
      const made = await createTables({ client: plain, names: TABLES, clock: still, guarded: false })()
      if (E.isLeft(made)) throw new Error(`the tables cannot be made: ${JSON.stringify(made.left)}`)
    },
  })

/** Nothing waits while the services are set up. */
const still: Clock = { nowMs: () => 0, sleep: () => Promise.resolve(), random: () => 0.5 }

/**
 * The SDK's own settings by name, so that none of the machine's reaches a run, or is looked for at each cold start. What
 * nobody checks here, a signature, is not made.
 */
const clientOf = (requestHandler: Aws['requestHandler']) => ({
  region: 'us-east-1',
  endpoint: 'https://simulated',
  credentials: { accessKeyId: 'simulated', secretAccessKey: 'simulated' },
  signer: { sign: <Signed>(request: Signed) => Promise.resolve(request) } as never,
  authSchemePreference: [] as Array<string>,
  defaultsMode: 'standard' as const,
  maxAttempts: 3,
  retryMode: 'standard',
  useDualstackEndpoint: false,
  useFipsEndpoint: false,
  userAgentAppId: 'simulated',
  requestHandler: requestHandler as never,
})

/** Those that DynamoDB's client has besides. Source: AWS SDK, client-dynamodb (2026-11). */
const DYNAMODB_CLIENT = {
  accountIdEndpointMode: 'disabled',
  endpointDiscoveryEnabledProvider: () => Promise.resolve(undefined),
  maxAttempts: 4,
} as const

const world = (options: LambdaOptions, state: AwsState, stage: Stage, oracle: Oracle): World => {
  const aws = simulatedAws(stage, state)
  const parts = { ...OWN, ...options.parts }
  judged(aws, oracle)
  streamFunctions(aws, oracle, parts)
  queueFunctions(options, aws, oracle, parts)
  subscriber(aws, oracle)
  for (const job of options.jobs ?? []) runJob(job, aws, stage, { oracle, parts })
  return {
    send: clientsOf(options, aws, stage, { oracle, parts }),
    ended: () => oracle.events.complete({ published: true, heard: true }),
    redeploy: aws.redeploy,
  }
}

/** The oracle hears of all that takes effect. */
const judged = (aws: Aws, oracle: Oracle): void => {
  aws.written((table, items) => {
    for (const item of items) {
      if (table === TABLES.events) void commitIn(item, oracle)
      else if (table === TABLES.views) {
        const found = viewRecord(item)
        if (found?._tag === 'Row') oracle.rowStored(found.generation, found.row)
        else if (found?._tag === 'Progress') oracle.advanced(found.generation, found.position)
      }
    }
  })
  aws.sent((queue, body) => {
    if (queue === QUEUES.commands || queue === QUEUES.calls)
      oracle.deliveries.sent((JSON.parse(body) as { readonly id: string }).id)
    else if (queue === QUEUES.dead) oracle.deliveries.buried('a message', body.slice(0, 200))
  })
  aws.published(({ detail }) => {
    const { id, event } = JSON.parse(detail) as { readonly id: string; readonly event: unknown }
    oracle.events.published(id, event)
  })
}

const commitIn = async (item: Readonly<Record<string, unknown>>, oracle: Oracle): Promise<void> => {
  const { pk, sk } = item
  const record = {
    eventID: '1',
    eventName: 'INSERT',
    eventSource: 'aws:dynamodb',
    dynamodb: { Keys: { pk, sk }, NewImage: item, SequenceNumber: '1', StreamViewType: 'NEW_IMAGE' },
  }
  const arrivals = await streamCommits({ Records: [record] })
  if (E.isLeft(arrivals)) throw new Error('an item of the log is no record')
  for (const { commit } of arrivals.right)
    if (E.isLeft(commit))
      oracle.judge.broken('S2', `what is stored decodes, and this does not: ${JSON.stringify(commit.left)}`)
    else if (commit.right !== undefined) oracle.committed(commit.right)
}

/** What a sandbox makes outside its handler, once it is asked for: its clients, and the ports over them. */
export interface SandboxPorts {
  readonly clock: Clock
  /** For a client of any service. */
  readonly configuration: ReturnType<typeof clientOf>
  readonly sqs: SQSClient
  queueOf(this: void, name: string): Queue
  readonly store: EventStore
  readonly views: ViewStore
  readonly timers: TimerService
  /** What a command handler stands on. */
  readonly executePorts: ExecutePorts
}

const portsOf = (aws: Aws, oracle: Oracle, parts: LambdaParts): SandboxPorts => {
  const configuration = clientOf(aws.requestHandler)
  const clock = systemClock
  const client = once(() =>
    DynamoDBDocumentClient.from(new DynamoDBClient({ ...configuration, ...DYNAMODB_CLIENT })),
  )
  const sqs = once(() => new SQSClient(configuration))
  const store = once(() => parts.eventStore({ client: client(), table: TABLES.events, clock }))
  const views = once(() => parts.viewStore({ client: client(), table: TABLES.views, clock }))
  const timers = once(() => told(parts.timers(timersOptions(configuration, clock)), oracle))
  const executePorts = once(() =>
    parts.executePorts({ store: ports.store, clock, cache: headCache(1000) }, ports),
  )
  const ports: SandboxPorts = {
    clock,
    configuration,
    get sqs() {
      return sqs()
    },
    queueOf: (name) => parts.queue({ client: sqs(), queueUrl: urlOf(name), clock }),
    get store() {
      return store()
    },
    get views() {
      return views()
    },
    get timers() {
      return timers()
    },
    get executePorts() {
      return executePorts()
    },
  }
  return ports
}

const once = <Made>(make: () => Made): (() => Made) => {
  let made: { readonly it: Made } | undefined
  return () => (made ??= { it: make() }).it
}

const timersOptions = (configuration: SandboxPorts['configuration'], clock: Clock) => ({
  client: new SchedulerClient(configuration),
  group: 'default',
  targetArn: arnOf(QUEUES.commands),
  roleArn: `arn:aws:iam::${ACCOUNT}:role/scheduler`,
  clock,
})

const ACCOUNT = '000000000000'
const urlOf = (queue: string): string => `https://sqs.us-east-1.amazonaws.com/${ACCOUNT}/${queue}`
const arnOf = (queue: string): string => `arn:aws:sqs:us-east-1:${ACCOUNT}:${queue}`

const TIMEOUT_MS = 60_000
const VISIBILITY_MS = 6 * TIMEOUT_MS

interface Judged {
  readonly oracle: Oracle
  readonly parts: LambdaParts
}

const clientsOf = (
  { http, execute: tuning = {} }: LambdaOptions,
  aws: Aws,
  stage: Stage,
  { oracle, parts }: Judged,
): World['send'] => {
  if (http === undefined) return callerOf(stage, apiOf(aws, oracle, parts, tuning), oracle)
  const door = aws.deploy('api', { timeoutMs: TIMEOUT_MS }, ({ version }) =>
    frontDoorFunction(oracle.code(version), portsOf(aws, oracle, parts).executePorts),
  )
  return httpClients(aws.api(door), oracle, http)
}

const apiOf = (aws: Aws, oracle: Oracle, parts: LambdaParts, tuning: Partial<ExecuteOptions>): Api => {
  const open = ({ version }: Sandbox) => {
    const { clock, executePorts } = portsOf(aws, oracle, parts)
    const { aggregates } = oracle.code(version)
    return async (event: unknown) => {
      const request = event as Request
      const aggregate = aggregates.get(streamParts(request.stream).category)
      if (aggregate === undefined) throw new Error(`there is no aggregate for ${request.stream}`)
      const sent = parts.envelopeOf(aggregate, request, clock.nowMs())
      const answers = await execute(aggregate, executePorts, tuning)(request.stream, [sent])()
      if (E.isLeft(answers)) return answers
      const [answer] = answers.right
      if (answer === undefined) throw new Error('a command handler answers every member of its group')
      return E.right(answer)
    }
  }
  return aws.deploy('api', { timeoutMs: TIMEOUT_MS }, open) as unknown as Api
}

const streamFunctions = (aws: Aws, oracle: Oracle, parts: LambdaParts): void => {
  const onEvents = (
    name: string,
    work: (ports: SandboxPorts, service: Service) => WorkBatch,
    passed: (commit: Parameters<Oracle['deliveries']['relayed']>[0]) => void,
  ) => {
    const open = ({ version }: Sandbox) =>
      parts.batchConsumer({ work: work(portsOf(aws, oracle, parts), oracle.code(version).service) })
    const target = aws.deploy(name, { timeoutMs: TIMEOUT_MS }, open)
    aws.onTable(TABLES.events, target, {
      source: 'dynamodb',
      reportBatchItemFailures: true,
      nameOf: ({ dynamodb }) => keysIn(dynamodb['Keys']),
      passed: (records) => {
        for (const { dynamodb } of records) {
          const [stream, number] = keysOf(dynamodb['Keys'])
          const commit = oracle.log.find((one) => one.stream === stream && one.number === number)
          if (commit !== undefined) passed(commit)
        }
      },
    })
  }
  onEvents(
    'outbox',
    ({ queueOf, timers }, service) =>
      parts.outboxRelay({
        service,
        commands: queueOf(QUEUES.commands),
        calls: queueOf(QUEUES.calls),
        timers,
      }),
    oracle.deliveries.relayed,
  )
  onEvents(
    'publisher',
    ({ configuration, clock }, service) =>
      parts.relay({ client: new EventBridgeClient(configuration), bus: BUS, source: service.name, clock }),
    () => undefined,
  )
  for (const name of new Set(oracle.service.projections.map((projection) => projection.name)))
    onEvents(
      `projector ${name}`,
      ({ store, views, clock }, { projections }) =>
        parts.projector({
          projections: projections.filter((projection) => projection.name === name),
          store,
          views,
          clock,
        }),
      (commit) => oracle.projected(name, commit),
    )
}

/** The oracle hears of timers from whoever sets them: a schedule's name tells of none what it is for. */
const told = (timers: ReturnType<typeof schedulerTimers>, { deliveries }: Oracle): typeof timers => ({
  schedule: (timer) => async () => {
    const done = await timers.schedule(timer)()
    if (E.isRight(done)) deliveries.scheduled(timer.id)
    return done
  },
  cancel: (id) => async () => {
    const done = await timers.cancel(id)()
    if (E.isRight(done)) deliveries.canceled(id)
    return done
  },
})

const keysOf = (keys: unknown): readonly [stream: string, number: number] => {
  const { pk, sk } = keys as { readonly pk: { readonly S: string }; readonly sk: { readonly N?: string } }
  return [pk.S, Number(sk.N)]
}
const keysIn = (keys: unknown): string => keysOf(keys).join('@')

const queueFunctions = (
  { gateways = () => [], execute: tuning = {} }: LambdaOptions,
  aws: Aws,
  oracle: Oracle,
  parts: LambdaParts,
): void => {
  const consumer = { visibilityMs: VISIBILITY_MS, reportBatchItemFailures: true, nameOf: letterId }
  const deadLetters = (sqs: SQSClient, clock: Clock) =>
    sqsDeadLetters({ client: sqs, queueUrl: urlOf(QUEUES.dead), clock })
  const commands = aws.deploy('commands', { timeoutMs: TIMEOUT_MS }, ({ version }) => {
    const { clock, sqs, executePorts: ports } = portsOf(aws, oracle, parts)
    return parts.commandConsumer({
      aggregates: oracle.code(version).aggregates,
      ports,
      execute: tuning,
      deadLetters: deadLetters(sqs, clock),
    })
  })
  aws.onQueue(QUEUES.commands, commands, consumer)
  const calls = aws.deploy('calls', { timeoutMs: TIMEOUT_MS }, ({ version }) => {
    const { clock, sqs, executePorts: ports } = portsOf(aws, oracle, parts)
    const { aggregates } = oracle.code(version)
    const bound = gateways().map(
      ({ gateway, call }): GatewayBinding => ({
        call: (asked) => async () => {
          const result = await call(asked)()
          if (E.isRight(result))
            oracle.deliveries.made(resultId(gateway.name, asked.recorded), result.right !== undefined)
          return result
        },
        gateway: { ...gateway, aggregate: aggregates.get(gateway.aggregate.name) ?? gateway.aggregate },
      }),
    )
    return parts.callConsumer({
      gateways: bound,
      ports,
      execute: tuning,
      deadLetters: deadLetters(sqs, clock),
    })
  })
  aws.onQueue(QUEUES.calls, calls, consumer)
}

const JOB_RETRY_MS = 60_000

const runJob = (
  { name, afterMs, run }: LambdaJob,
  aws: Aws,
  { kernel, mark }: Stage,
  { oracle, parts }: Judged,
): void => {
  const target = aws.deploy(name, { timeoutMs: TIMEOUT_MS }, () => {
    const ports = portsOf(aws, oracle, parts)
    return () => run({ store: ports.store, views: ports.views, clock: ports.clock, mark })
  })
  const invoke = async (): Promise<void> => {
    const outcome = await target.invoke(name, undefined)
    const done = outcome._tag === 'Returned' && E.isRight(outcome.value as E.Either<Fault, unknown>)
    if (!done) due(kernel.nowMs() + JOB_RETRY_MS)
  }
  const due = (dueMs: number) => void kernel.at(dueMs, `${name} is due`, () => void invoke())
  due(kernel.nowMs() + afterMs)
}

const letterId = ({ body }: { readonly body: string }): string =>
  (JSON.parse(body) as { readonly id?: string }).id ?? ''

/** Takes every event off the bus, and counts each once by its id. */
const subscriber = (aws: Aws, oracle: Oracle): void => {
  const heard = aws.deploy('subscriber', { timeoutMs: TIMEOUT_MS }, () => async (event) => {
    const { Records: records } = event as { readonly Records: ReadonlyArray<{ readonly body: string }> }
    for (const { body } of records) {
      const { detail } = JSON.parse(body) as { readonly detail: unknown }
      const published = await publishedEvent(detail)()
      if (E.isLeft(published)) throw new Error('what is on the bus is no event')
      oracle.events.heard(published.right.id)
    }
    return undefined
  })
  aws.onQueue(QUEUES.events, heard, {
    visibilityMs: VISIBILITY_MS,
    nameOf: ({ body }) => (JSON.parse(body) as { readonly detail: { readonly id: string } }).detail.id,
  })
}
