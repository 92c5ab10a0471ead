/**
 * The runtime: interprets a whole service over the ports, as the Lambda functions of a deployment do in their parts.
 *
 * Commands go through mailboxes to the handler. Whatever is appended reaches the relay and the projections through
 * the change stream; the relay sends what a commit asks for: commands to a queue, calls to the gateways' queue,
 * timers to the timer service. Nothing else publishes, and everything may be delivered twice.
 */
import {
  type AnyAggregate,
  aggregatesOf,
  type ChangeStream,
  type Commit,
  type Delivery,
  dispatchOf,
  E,
  type Envelope,
  type ExecuteOptions,
  type ExecutePorts,
  elapsed,
  envelope,
  execute,
  type Fault,
  type GatewayBinding,
  groupOf,
  type Json,
  type KeyRing,
  load,
  messageOf,
  outbox,
  project,
  type Queue,
  type Received,
  recall,
  recordedEvents,
  requestOf,
  resultId,
  type Service,
  type StreamName,
  type TE,
  type TimerPayload,
  unavailable,
  type ViewStore,
} from '@everfold/core'
import { memoryChangeStream } from './change-stream.ts'
import { consumer, inOrder } from './consumer.ts'
import { type MemoryEventStore, memoryEventStore } from './event-store.ts'
import { headCache } from './head-cache.ts'
import type { Kernel } from './kernel.ts'
import { memoryKeyRing } from './key-ring.ts'
import { type AnySettled, type ExecuteGroup, mailboxes } from './mailbox.ts'
import { memoryQueue } from './queue.ts'
import { memoryTimerService } from './timer-service.ts'
import { memoryViewStore } from './view-store.ts'
import { crewOf } from './worker.ts'

/** What could not be delivered, and why: it waits here for a person. */
export interface DeadLetter {
  readonly what: string
  readonly reason: unknown
}

export interface RuntimeOptions {
  readonly service: Service
  readonly kernel: Kernel
  /** The implementations of the service's gateways, made with the ports they may need. */
  gateways(this: void, ports: MemoryPorts): ReadonlyArray<GatewayBinding>
  /** What is there already, of an earlier runtime or made otherwise; the rest is made empty. */
  readonly ports?: Partial<Omit<MemoryPorts, 'log'>>
  readonly execute?: Partial<ExecuteOptions>
  /** The most commands of one stream in one commit; 100 unless told. */
  readonly groupLimit?: number
  /** How many heads are kept warm; 1,000 unless told. */
  readonly cachedHeads?: number
  /** Told of every fault that is retried and of every dead letter. */
  readonly log?: (entry: { readonly level: 'warn' | 'error'; readonly [field: string]: unknown }) => void
}

export interface MemoryPorts {
  readonly store: MemoryEventStore
  /** All commits of all streams, in the order in which they were appended. */
  readonly log: ReadonlyArray<Commit>
  readonly changes: ChangeStream
  readonly views: ViewStore
  readonly keys: KeyRing
}

export interface MemoryRuntime {
  readonly service: Service
  readonly kernel: Kernel
  readonly ports: MemoryPorts
  execute(
    this: void,
    aggregate: AnyAggregate,
    stream: StreamName,
    envelope: Envelope<unknown>,
  ): TE.TaskEither<Fault, AnySettled>
  recall(
    this: void,
    aggregate: AnyAggregate,
    stream: StreamName,
    member: Pick<Envelope<unknown>, 'id' | 'fingerprint'>,
  ): TE.TaskEither<Fault, AnySettled | undefined>
  /**
   * Resolves when everything that was appended has been delivered, and all that this set off. What met a fault is
   * waited for; timers that are not due are not.
   */
  idle(this: void): Promise<void>
  readonly deadLetters: ReadonlyArray<DeadLetter>
  /** What is under way ends, and nothing more is delivered; what was not is still in the log. */
  stop(this: void): void
}

/** The most commits that a follower reads at once. */
const CHANGES = 100
/** The most streams that are commanded at once, and the most messages of one stream that are decided together. */
const COMMANDERS = 100
/** The most calls to the outside world at once. */
const CALLERS = 40
/** How long a follower waits after a fault before it tries again. */
const RETRY_MS = 1000

export const memoryRuntime = (options: RuntimeOptions): MemoryRuntime => {
  const { service, kernel, groupLimit = 100, cachedHeads = 1000, log = () => {} } = options
  const { store = memoryEventStore(kernel) } = options.ports ?? {}
  const ports: MemoryPorts = {
    changes: memoryChangeStream(kernel, store),
    views: memoryViewStore(kernel),
    keys: memoryKeyRing(kernel),
    ...options.ports,
    store,
    log: store.log,
  }
  const { changes, views } = ports
  const commands = memoryQueue(kernel, { name: 'commands', visibilityMs: Number.POSITIVE_INFINITY })
  const calls = memoryQueue(kernel, { name: 'calls', visibilityMs: Number.POSITIVE_INFINITY })
  const gateways = options.gateways(ports)
  const crew = crewOf(kernel)
  const deadLetters: Array<DeadLetter> = []
  const bury = (what: string, reason: unknown) => {
    deadLetters.push({ what, reason })
    log({ level: 'error', message: 'dead letter', what, reason })
  }
  const handlers = handlersOf({ store, clock: kernel, cache: headCache(cachedHeads) }, options.execute)
  const post = mailboxes(groupLimit)
  const run: MemoryRuntime['execute'] = (aggregate, stream, member) => () =>
    post(handlers(aggregate), stream, member)
  const timers = memoryTimerService(kernel, ({ id, payload }) =>
    crew.aside(`timer ${id}`, async () => {
      await sent(commands, [messageOf(elapsed(payload as unknown as TimerPayload))])
      commander.wake()
    }),
  )
  const retrying = (what: string, fault: Fault) => log({ level: 'warn', message: 'retry', what, fault })
  const later = async (what: string, fault: Fault): Promise<true> => {
    retrying(what, fault)
    await kernel.sleep(RETRY_MS)
    return true
  }
  /** What will not go through however often it is tried is buried, so that it holds up nothing else. */
  const attempt = async (what: string, work: () => Promise<Outcome>): Promise<Outcome> => {
    try {
      const outcome = await work()
      if (E.isRight(outcome) || retriable(outcome.left)) return outcome
      bury(what, outcome.left)
    } catch (broken) {
      bury(what, broken)
    }
    return E.right(undefined)
  }
  const command = async (message: Received): Promise<Outcome> => {
    const carried = dispatchOf(aggregates, message.body)
    if (E.isLeft(carried)) return E.right(bury(message.id, carried.left))
    const { aggregate, dispatch } = carried.right
    const executed = await run(aggregate, dispatch.stream, dispatch.envelope)()
    if (E.isLeft(executed)) return executed
    if (E.isLeft(executed.right)) bury(message.id, executed.right.left)
    return E.right(undefined)
  }
  const consuming = { kernel, crew, retrying }
  const commander = consumer({
    ...consuming,
    name: 'commander',
    queue: commands,
    hands: COMMANDERS,
    // What waits together for one stream is decided together.
    work: (group) => Promise.all(group.map((message) => attempt(message.id, () => command(message)))),
  })
  const caller = consumer({
    ...consuming,
    name: 'caller',
    queue: calls,
    hands: CALLERS,
    // What asks the outside world about one stream is asked in its order.
    work: inOrder(crew, (message) => attempt(message.id, () => call(message.body as unknown as CallBody))),
  })
  const aggregates = aggregatesOf(service)
  const relayed = outbox(service)

  const deliver = async (deliveries: ReadonlyArray<Delivery>): Promise<Outcome> => {
    const dispatched = deliveries.flatMap((one) => (one._tag === 'Dispatch' ? [messageOf(one)] : []))
    const called = deliveries.flatMap((one) => (one._tag === 'Call' ? [callMessage(one)] : []))
    const commanded = await commands.send(dispatched)()
    if (E.isLeft(commanded)) return commanded
    const asked = await calls.send(called)()
    if (E.isLeft(asked)) return asked
    for (const one of deliveries) {
      if (one._tag !== 'Schedule' && one._tag !== 'CancelTimer') continue
      const timed = await (one._tag === 'Schedule' ? timers.schedule(one.timer) : timers.cancel(one.id))()
      if (E.isLeft(timed)) return timed
    }
    if (dispatched.length > 0) commander.wake()
    if (called.length > 0) caller.wake()
    return E.right(undefined)
  }

  const relay = follower('relay', async (commit) => {
    const deliveries = relayed(commit)
    return E.isLeft(deliveries) ? deliveries : deliver(deliveries.right)
  })
  const projectors = service.projections.map((projection) =>
    follower(`projector ${projection.name}#${projection.generation}`, (commit) =>
      project(projection, { store, views })(commit)(),
    ),
  )

  /** A worker that follows the change stream from its beginning, commit by commit. */
  function follower(name: string, take: (commit: Commit) => Promise<Outcome>) {
    let checkpoint: string | undefined
    return crew.worker(name, async () => {
      const read = await changes.read(checkpoint, CHANGES)()
      if (E.isLeft(read)) return later(name, read.left)
      for (const commit of read.right.commits) {
        if (crew.stopped()) return false
        const taken = await attempt(`${name}: ${commit.stream}@${commit.number}`, () => take(commit))
        if (E.isLeft(taken)) return later(name, taken.left)
      }
      ;({ checkpoint } = read.right)
      return read.right.commits.length > 0
    })
  }

  /** Reads the event that asks, calls, and brings the result home as a command on the same stream. */
  async function call({ gateway: name, stream, commit, index }: CallBody): Promise<Outcome> {
    const binding = gateways.find(({ gateway }) => gateway.name === name)
    if (binding === undefined) return E.right(bury(`${stream}@${commit}`, `no gateway ${name} is bound`))
    const { aggregate } = binding.gateway
    const page = await store.readForward(stream, { after: commit - 1, limit: 1 })()
    if (E.isLeft(page)) return page
    const [asking] = page.right.commits
    if (asking === undefined) return E.left({ _tag: 'MissingCommit', stream, number: commit })
    const events = recordedEvents(aggregate, asking)
    if (E.isLeft(events)) return events
    const recorded = events.right[index]
    if (recorded === undefined) return E.left({ _tag: 'MissingCommit', stream, number: commit })
    const head = await load(aggregate, store, stream, CHANGES)
    if (E.isLeft(head)) return head
    const { state } = head.right
    const result = await answerOf(binding, requestOf(binding.gateway, { recorded, state }, kernel.nowMs()))
    if (E.isLeft(result)) return result
    if (result.right === undefined) return E.right(undefined)
    const id = resultId(name, recorded)
    // It was the gateway that asked for this command, so no process hears when it is refused.
    const { process: _asker, ...caused } = recorded.metadata
    const metadata = { ...caused, causationId: recorded.id }
    const home = envelope(result.right, { id, timeMs: kernel.nowMs(), sent: id, metadata })
    const executed = await run(aggregate, stream, home)()
    if (E.isLeft(executed)) return executed
    if (E.isLeft(executed.right)) bury(recorded.id, executed.right.left)
    return E.right(undefined)
  }

  const wake = () => {
    relay.wake()
    for (const projector of projectors) projector.wake()
  }
  const unsubscribe = store.subscribe(wake)
  if (store.log.length > 0) wake()
  return {
    service,
    kernel,
    ports,
    execute: run,
    recall: (aggregate, stream, member) =>
      recall(aggregate, { store, clock: kernel }, options.execute)(stream, member),
    idle: crew.idle,
    deadLetters,
    stop: () => {
      unsubscribe()
      crew.stop()
    },
  }
}

/** One command handler per aggregate, made when it is first asked for. */
const handlersOf = (
  ports: ExecutePorts,
  options: Partial<ExecuteOptions> = {},
): ((aggregate: AnyAggregate) => ExecuteGroup) => {
  const handlers = new Map<string, ExecuteGroup>()
  return (aggregate) => {
    let handler = handlers.get(aggregate.name)
    if (handler === undefined) handlers.set(aggregate.name, (handler = execute(aggregate, ports, options)))
    return handler
  }
}

type Outcome = E.Either<Fault, void>

/** An implementation that throws has met a fault: nobody knows what became of its call, so it is made again. */
const answerOf = async (
  { gateway, call }: GatewayBinding,
  request: Parameters<GatewayBinding['call']>[0],
): Promise<E.Either<Fault, unknown>> => {
  try {
    return await call(request)()
  } catch (cause) {
    return E.left(unavailable(`the gateway ${gateway.name}`, cause))
  }
}

/** Where the event is that asks a gateway for a call: a hint, the log has the event. */
interface CallBody {
  readonly gateway: string
  readonly stream: StreamName
  readonly commit: number
  readonly index: number
}

const callMessage = ({ gateway, recorded }: Extract<Delivery, { readonly _tag: 'Call' }>) => {
  const index = Number(recorded.id.slice(recorded.id.lastIndexOf('.') + 1))
  const body: CallBody = { gateway: gateway.name, stream: recorded.stream, commit: recorded.commit, index }
  return {
    id: resultId(gateway.name, recorded),
    group: groupOf(recorded.stream),
    body: body as unknown as Json,
  }
}

const sent = async (queue: Queue, messages: Parameters<Queue['send']>[0]): Promise<void> => {
  const outcome = await queue.send(messages)()
  if (E.isLeft(outcome)) throw new Error(`the queue took no message: ${JSON.stringify(outcome.left)}`)
}

/** What may go through when it is tried again; a history that does not decode will not. */
const retriable = ({ _tag }: Fault): boolean => _tag !== 'Undecodable' && _tag !== 'MissingCommit'
