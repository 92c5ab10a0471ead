/**
 * The runtime: interprets a whole service over the ports, as the Lambda functions of a deployment do in their parts.
 *
 * Commands go through mailboxes to the handler. Whatever is appended reaches the relay and the projections through
 * the change stream; the relay sends what a commit asks for: commands to a queue, calls to the gateways' queue,
 * timers to the timer service. Nothing else publishes, and everything may be delivered twice.
 *
 * Queues and timers are in memory, whatever the ports are, and end with the process. A runtime begins by following the
 * change stream from its oldest commit: so it asks again for what an earlier one had asked for, and nobody minds.
 */
import {
  type AnyAggregate,
  E,
  type Envelope,
  type ExecuteOptions,
  type ExecutePorts,
  execute,
  type Fault,
  type GatewayBinding,
  headCache,
  type Log,
  outbox,
  projectAll,
  recall,
  type Service,
  type StreamName,
  type TE,
  type Together,
  together,
} from '@everfold/core'
import { type DeadLetter, deadLetterOffice } from './dead-letters.ts'
import { deliveries } from './deliveries.ts'
import { type Following, follower } from './follower.ts'
import type { Kernel } from './kernel.ts'
import { type AnySettled, type ExecuteGroup, mailboxes } from './mailbox.ts'
import { type ForeignPorts, type GivenPorts, type MemoryPorts, portsOf, type RuntimePorts } from './ports.ts'
import { type Watched, watched } from './watch.ts'
import { crewOf, type Worker } from './worker.ts'

export interface RuntimeOptions<Given = GivenPorts> {
  readonly service: Service
  readonly kernel: Kernel
  /** The implementations of the service's gateways, made with the ports they may need. */
  gateways(this: void, ports: Omit<RuntimePorts, 'log'>): ReadonlyArray<GatewayBinding>
  readonly ports?: Given
  readonly execute?: Partial<ExecuteOptions>
  /** The most commands of one stream in one commit; 100 unless told. */
  readonly groupLimit?: number
  /** How many heads are kept warm; 1,000 unless told. */
  readonly cachedHeads?: number
  /**
   * How often a change stream that cannot tell is looked at for what others append, in milliseconds: every 150 unless
   * told. `Infinity` where nobody else does, as on virtual time, where every look would be one of millions.
   */
  readonly pollMs?: number
  /** Told of every fault that is retried and of every dead letter. */
  readonly log?: Log
}

export interface Runtime<Ports extends RuntimePorts = RuntimePorts> {
  readonly service: Service
  readonly kernel: Kernel
  readonly ports: Ports
  execute(
    this: void,
    aggregate: AnyAggregate,
    stream: StreamName,
    envelope: Envelope<unknown>,
  ): TE.TaskEither<Fault, AnySettled>
  /** Commands of several streams, decided and put on record in one transaction. */
  readonly together: Together
  recall(
    this: void,
    aggregate: AnyAggregate,
    stream: StreamName,
    member: Pick<Envelope<unknown>, 'id' | 'fingerprint'>,
  ): TE.TaskEither<Fault, AnySettled | undefined>
  /**
   * Resolves when everything that was appended here has been delivered, and all that this set off. What met a fault is
   * waited for; timers that are not due are not, nor is what others append.
   */
  idle(this: void): Promise<void>
  readonly deadLetters: ReadonlyArray<DeadLetter>
  /** What is under way ends, and nothing more is delivered; what was not is still in the log. */
  stop(this: void): void
}

/** A runtime whose store is in memory. */
export type MemoryRuntime = Runtime<MemoryPorts>

interface MakeRuntime {
  (this: void, options: RuntimeOptions): MemoryRuntime
  (this: void, options: RuntimeOptions<GivenPorts | ForeignPorts>): Runtime
}

const runtimeOn = (options: RuntimeOptions<GivenPorts | ForeignPorts>): Runtime => {
  const { service, kernel, groupLimit = 100, cachedHeads = 1000, log = () => {} } = options
  const ports = portsOf(kernel, options.ports ?? {})
  const { store, subscribe, polling } = toldOf(ports, options.pollMs ?? POLL_MS)
  const office = deadLetterOffice(log)
  const crew = crewOf(kernel)
  const executing = { store, clock: kernel, cache: headCache(cachedHeads) }
  const handlers = handlersOf(executing, options.execute)
  const post = mailboxes(groupLimit)
  const run: Runtime['execute'] = (aggregate, stream, member) => () =>
    post(handlers(aggregate), stream, member)
  const gateways = options.gateways(ports)
  const deliver = deliveries({ service, gateways, store, kernel, crew, office, execute: run })
  const followers = followersOf(
    service,
    { ports, deliver },
    {
      kernel,
      crew,
      office,
      changes: ports.changes,
      ...(polling === undefined ? {} : { polling }),
    },
  )
  const wake = () => {
    for (const one of followers) one.wake()
  }
  const unsubscribe = subscribe(wake)
  if (ports.log?.length !== 0) wake()
  return {
    service,
    kernel,
    ports,
    execute: run,
    together: together(executing, options.execute),
    recall: (aggregate, stream, member) => recall(aggregate, executing, options.execute)(stream, member),
    idle: crew.idle,
    deadLetters: office.deadLetters,
    stop: () => {
      unsubscribe()
      crew.stop()
    },
  }
}

export const memoryRuntime = runtimeOn as MakeRuntime

/** How often a change stream that cannot tell is looked at. */
const POLL_MS = 150

/** Where the ports tell of appends, followers rest until then; elsewhere they poll, and are told of our own. */
const toldOf = (
  { store, subscribe }: RuntimePorts,
  everyMs: number,
): Pick<Watched, 'store' | 'subscribe'> & Pick<Following, 'polling'> => {
  if (subscribe !== undefined) return { store, subscribe }
  const watch = watched(store)
  return { store: watch.store, subscribe: watch.subscribe, polling: { reader: watch.reader, everyMs } }
}

/** The relay, and a projector for each view, which feeds all its generations. */
const followersOf = (
  service: Service,
  { ports, deliver }: { readonly ports: RuntimePorts; readonly deliver: ReturnType<typeof deliveries> },
  following: Following,
): ReadonlyArray<Worker> => {
  const asked = outbox(service)
  const relay = follower(following, 'relay', async (commit) => {
    const found = asked(commit)
    return E.isLeft(found) ? found : deliver(found.right)
  })
  const report: Log = ({ message, ...reason }) => following.office.bury(String(message), reason)
  const views = Map.groupBy(service.projections, ({ name }) => name)
  const projectors = [...views].map(([name, generations]) => {
    const take = projectAll(generations, { ...ports, clock: following.kernel, report })
    return follower(following, `projector ${name}`, (commit) => take(commit)())
  })
  return [relay, ...projectors]
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
