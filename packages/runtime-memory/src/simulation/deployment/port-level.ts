/**
 * A service deployed on simulated AWS, at the level of core's ports: a table with its stream, a relay, a projector for
 * each view, queues of commands and calls with their consumers, timers, and an API with its clients.
 */
import {
  type Commit,
  E,
  type EventStore,
  type ExecuteOptions,
  elapsed,
  type Fault,
  type GatewayBinding,
  headCache,
  type KeyRing,
  messageOf,
  type Received,
  type TimerPayload,
  type ViewStore,
} from '@everfold/core'
import { type MemoryEventStore, memoryEventStore } from '../../event-store.ts'
import type { Kernel } from '../../kernel.ts'
import { memoryKeyRing } from '../../key-ring.ts'
import { type MemoryQueue, memoryQueue } from '../../queue.ts'
import { hash32 } from '../../random.ts'
import { memoryTimerService } from '../../timer-service.ts'
import { memoryViewStore, type ViewStoreOptions } from '../../view-store.ts'
import type { Invocation, StreamRecord } from '../models/event-source-mapping/index.ts'
import type { Oracle } from '../oracle/oracle.ts'
import type { Request } from '../run.ts'
import { client } from './client.ts'
import { type FunctionPorts, type Functions, functions as ownFunctions, type Placed } from './functions.ts'
import { gatewayCalls, type Stuck } from './gateway-calls.ts'
import { type Sandbox, type SimulatedFunction, simulatedLambda } from './lambda.ts'
import { drivenQueueMapping, type PolledQueue } from './queue-mapping.ts'
import type { Stage } from './stage.ts'
import { storeHistory } from './store-history.ts'
import { drivenMapping } from './stream-mapping.ts'

/** What gateways may be made with. */
export interface GatewayPorts {
  readonly store: EventStore
  readonly views: ViewStore
  readonly keys: KeyRing
  readonly kernel: Kernel
  /** Notes that something has happened which should in some runs. */
  mark(this: void, name: string): void
}

/** Other parts in place of our own: a user's, or one with a bug in it. */
export interface Parts {
  readonly store: (kernel: Kernel) => MemoryEventStore
  readonly views: (kernel: Kernel, options: ViewStoreOptions) => ViewStore
  /** What the functions are given; to give one of them other ports. */
  readonly ports: (ports: FunctionPorts, sandbox: Sandbox) => FunctionPorts
  readonly functions: Partial<Functions>
  /** What else is run: the rebuild of a view, say. */
  readonly jobs: ReadonlyArray<Job>
}

/** A function that is invoked once, and again until it has answered that it is done. */
export interface Job {
  readonly name: string
  /** When, in milliseconds after the run's beginning. */
  readonly afterMs: number
  run(this: void, ports: FunctionPorts): Promise<E.Either<Fault, unknown>>
}

export interface PortLevelOptions {
  readonly gateways: (ports: GatewayPorts) => ReadonlyArray<GatewayBinding>
  readonly parts: Partial<Parts>
  readonly execute: Partial<ExecuteOptions>
  readonly stage: Stage
  readonly oracle: Oracle
}

/** A deployed service in one run: what comes in from outside, and what has to hold of it in the end. */
export interface World {
  /** A client sends its command until it is answered. */
  send(this: void, request: Request): Promise<void>
  /** Nothing moves any more: what has to hold of this deployment in the end. */
  ended?(this: void): void
  /** The next version of the code is deployed: `oracle.code` of what a sandbox's version is. */
  redeploy?(this: void): void
  /** Why it does not come to rest, where that is known. */
  stuck?(this: void): Stuck | undefined
}

/** How long a function may run. */
const TIMEOUT_MS = 60_000
const VISIBILITY_MS = 6 * TIMEOUT_MS
const SHARDS = 2
/** From the append to the stream. */
const STREAM_MS = 100
const LATE = ['late, behind other items']
const LATE_MS = 5000

export const portLevel = (options: PortLevelOptions): World => {
  const { parts, stage, oracle } = options
  const { service } = oracle
  const shared = sharedOf(options)
  const history = storeHistory(shared.store)
  const { bindings, stuck } = gatewayCalls(
    stage,
    options.gateways(gatewayPorts(stage, shared, history.asked('a gateway'))),
    oracle.deliveries,
  )
  const functions: Functions = { ...ownFunctions, ...parts.functions }
  const portsOf = (sandbox: Sandbox): FunctionPorts => {
    const { views, to } = shared
    const own: FunctionPorts = {
      ...oracle.code(sandbox.version),
      store: history.asked(sandbox.name),
      views,
      to,
      gateways: bindings,
      clock: sandbox.clock,
      cache: headCache(1000),
      execute: options.execute,
      bury: oracle.deliveries.buried,
      mark: stage.mark,
    }
    return parts.ports?.(own, sandbox) ?? own
  }
  const lambdas = simulatedLambda(stage, 'broken')
  const lambda = <Event, Value>(
    name: string,
    open: (ports: FunctionPorts) => (event: Event) => Promise<Value>,
  ): SimulatedFunction<Event, Value> =>
    lambdas.deploy(name, { timeoutMs: TIMEOUT_MS }, (sandbox) => open(portsOf(sandbox)))
  const api = lambda('api', functions.api)
  const stream = changesOf(stage, shared.store)
  stream(
    'relay',
    lambda('relay', (ports) => batchOf(functions.relay(ports))),
    (commit) => oracle.deliveries.relayed(commit),
  )
  for (const name of new Set(service.projections.map((projection) => projection.name))) {
    const target = lambda(`projector ${name}`, (ports) => batchOf(functions.projector(ports, name)))
    stream(`projector ${name}`, target, (commit) => oracle.projected(name, commit))
  }
  const consumer = (queue: MemoryQueue, name: 'commands' | 'calls') => {
    const open = (ports: FunctionPorts) => {
      const work = functions[name](ports)
      return async (batch: ReadonlyArray<Received>) => ({
        batchItemFailures: (await work(batch)).map((itemIdentifier) => ({ itemIdentifier })),
      })
    }
    const mapping = drivenQueueMapping<Received>(stage, {
      name,
      settings: { ...READING, reportBatchItemFailures: true },
      queue: polled(queue),
      target: lambda(name, open),
      visibilityMs: VISIBILITY_MS,
    })
    queue.subscribe(mapping.wake)
  }
  for (const job of parts.jobs ?? [])
    runJob(
      stage,
      job,
      lambda(job.name, (ports) => () => job.run(ports)),
    )
  consumer(shared.commands, 'commands')
  consumer(shared.calls, 'calls')
  const send = client(stage, api, oracle)
  const ended = () => history.check(oracle.judge)
  return { send, stuck, ended, redeploy: lambdas.redeploy }
}

const gatewayPorts = ({ kernel, mark }: Stage, { views, keys }: Shared, store: EventStore): GatewayPorts => ({
  store,
  views,
  keys,
  kernel,
  mark,
})

const READING = {
  id: ({ id }: Received) => id,
  receipt: ({ receipt }: Received) => receipt,
  group: ({ group }: Received) => group,
}

const polled = (queue: MemoryQueue): PolledQueue<Received> => ({
  receive: async (limit) => {
    const received = await queue.receive(limit)()
    return E.isLeft(received) ? [] : received.right
  },
  delete: (receipts) => queue.delete(receipts)(),
  release: (receipts) => queue.release(receipts)(),
  isEmpty: () => queue.size() === 0,
})

const JOB_RETRY_MS = 60_000

const runJob = (
  { kernel }: Stage,
  { name, afterMs }: Job,
  target: SimulatedFunction<undefined, E.Either<Fault, unknown>>,
): void => {
  const invoke = async (): Promise<void> => {
    const outcome = await target.invoke(name, undefined)
    if (outcome._tag !== 'Returned' || E.isLeft(outcome.value)) due(kernel.nowMs() + JOB_RETRY_MS)
  }
  const due = (dueMs: number) => void kernel.at(dueMs, `${name} is due`, () => void invoke())
  due(kernel.nowMs() + afterMs)
}

const batchOf =
  (take: (batch: ReadonlyArray<Placed>) => Promise<unknown>) =>
  ({ records }: Invocation<Commit>): Promise<unknown> =>
    take(records.map(({ sequenceNumber, value }) => ({ sequenceNumber, commit: value })))

interface Shared {
  readonly store: MemoryEventStore
  readonly views: ViewStore
  readonly keys: KeyRing
  readonly commands: MemoryQueue
  readonly calls: MemoryQueue
  readonly to: FunctionPorts['to']
}

/** The services that outlive every function; the oracle hears of what takes effect in them. */
const sharedOf = ({ parts, stage, oracle }: PortLevelOptions): Shared => {
  const { kernel } = stage
  const { deliveries } = oracle
  const store = (parts.store ?? memoryEventStore)(kernel)
  const views = (parts.views ?? memoryViewStore)(kernel, {
    stored: oracle.rowStored,
    advanced: oracle.advanced,
  })
  let known = 0
  const learn = () => {
    for (; known < store.log.length; known += 1) {
      const commit = store.log[known]
      if (commit !== undefined) oracle.committed(commit)
    }
  }
  // A store may come with a history.
  learn()
  store.subscribe(learn)
  const queueOf = (name: string) =>
    memoryQueue(kernel, { name, visibilityMs: VISIBILITY_MS, sent: ({ id }) => deliveries.sent(id) })
  const commands = queueOf('commands')
  const calls = queueOf('calls')
  const fire = async ({ payload }: { readonly payload: unknown }): Promise<void> => {
    const sent = await kernel.as('scheduler', () =>
      commands.send([messageOf(elapsed(payload as TimerPayload))])(),
    )
    if (E.isLeft(sent)) throw new Error('the queue took no message')
  }
  const { scheduled, canceled } = deliveries
  const timers = memoryTimerService(kernel, fire, { scheduled, canceled })
  return { store, views, keys: memoryKeyRing(kernel), commands, calls, to: { commands, calls, timers } }
}

/**
 * The table's stream: every commit reaches each mapping, in the shard of its stream. It is an item of its own, and
 * between items the stream promises no order. Source: DynamoDB Developer Guide, "Change data capture for DynamoDB
 * Streams" (2026-11).
 */
const changesOf = ({ kernel, ...stage }: Stage, store: MemoryEventStore) => {
  const { choose, tell } = stage
  const listeners: Array<(record: StreamRecord<Commit>) => void> = []
  let read = 0
  let arrived = 0
  const arrive = (commit: Commit) => {
    arrived += 1
    const record = {
      shard: `shard ${(hash32(commit.stream) % SHARDS) + 1}`,
      sequenceNumber: String(arrived),
      key: placeOf(commit),
      arrivedMs: kernel.nowMs(),
      value: commit,
    }
    for (const listener of listeners) listener(record)
  }
  const stream = (commit: Commit) => {
    const place = placeOf(commit)
    const key = `stream: ${place}`
    const deviation = choose(key, LATE, { port: 'stream', operation: 'record' })
    if (deviation !== undefined)
      tell({ lane: 'stream', operation: 'takes in', subject: place, key, deviation })
    const afterMs = deviation === undefined ? STREAM_MS : LATE_MS
    kernel.at(kernel.nowMs() + afterMs, `${key} arrives`, () => arrive(commit))
  }
  const take = () => {
    for (; read < store.log.length; read += 1) {
      const commit = store.log[read]
      if (commit !== undefined) stream(commit)
    }
  }
  take()
  store.subscribe(take)
  return (
    name: string,
    target: SimulatedFunction<Invocation<Commit>, unknown>,
    passed: (commit: Commit) => void,
  ): void => {
    const mapping = drivenMapping<Commit>(
      { kernel, ...stage },
      {
        name,
        target,
        settings: { source: 'dynamodb', reportBatchItemFailures: true },
        nameOf: placeOf,
        passed: (all) => {
          for (const { record, because } of all) if (because === 'successful') passed(record.value)
        },
      },
    )
    listeners.push((record) => mapping.arrived([record]))
  }
}

const placeOf = ({ stream, number }: Commit): string => `${stream}@${number}`
