/**
 * What each function of a deployment does, over core's ports: the same parts of core that runtime-lambda binds to AWS.
 *
 * Each is made at a cold start, and keeps what it makes there while its sandbox is warm.
 */
import {
  type Aggregates,
  answerCall,
  type Clock,
  type Commit,
  callOf,
  type Deliverers,
  deliver,
  dispatchOf,
  E,
  type Envelope,
  type EventStore,
  type ExecuteOptions,
  execute,
  type Fault,
  type GatewayBinding,
  type HeadCache,
  isAhead,
  isPermanent,
  outbox,
  projectAll,
  type Received,
  type Service,
  type Settled,
  type StreamName,
  streamParts,
  type ViewStore,
} from '@everfold/core'
import type { Request } from '../run.ts'
import { type Answer, envelopeOf } from './client.ts'

/** What a sandbox of a function has. */
export interface FunctionPorts {
  readonly service: Service
  readonly aggregates: Aggregates
  readonly store: EventStore
  readonly views: ViewStore
  readonly to: Deliverers
  readonly gateways: ReadonlyArray<GatewayBinding>
  readonly clock: Clock
  readonly cache: HeadCache
  readonly execute: Partial<ExecuteOptions>
  /** What will never go through: it waits for a person. */
  bury(this: void, what: string, why: string): void
  /** Notes that something has happened which should in some runs. */
  mark(this: void, name: string): void
}

/** The numbers of the commits of a batch that were not taken in; the lowest counts. */
export interface BatchAnswer {
  readonly batchItemFailures: ReadonlyArray<{ readonly itemIdentifier: string }>
}

/** A commit as a batch holds it. */
export interface Placed {
  readonly sequenceNumber: string
  readonly commit: Commit
}

/** The code of a service's functions. Each is called at a cold start with its ports; what it answers is the handler. */
export interface Functions {
  /** Answers a command. */
  readonly api: (ports: FunctionPorts) => (request: Request) => Promise<Answer>
  /** Sends what commits ask for. */
  readonly relay: (ports: FunctionPorts) => (batch: ReadonlyArray<Placed>) => Promise<BatchAnswer>
  /** Keeps the generations of one view. */
  readonly projector: (
    ports: FunctionPorts,
    projection: string,
  ) => (batch: ReadonlyArray<Placed>) => Promise<BatchAnswer>
  /** Does the commands of a queue; answers the ids of those that are to come again. */
  readonly commands: (
    ports: FunctionPorts,
  ) => (batch: ReadonlyArray<Received>) => Promise<ReadonlyArray<string>>
  /** Makes the calls of a queue. */
  readonly calls: (ports: FunctionPorts) => (batch: ReadonlyArray<Received>) => Promise<ReadonlyArray<string>>
}

const api: Functions['api'] = (ports) => async (request) => {
  const aggregate = ports.aggregates.get(request.aggregate)
  if (aggregate === undefined) throw new Error(`there is no aggregate ${request.aggregate}`)
  const sent = envelopeOf(aggregate, request, ports.clock.nowMs())
  return executed(ports, request.stream, sent)
}

const executed = async (
  ports: FunctionPorts,
  stream: StreamName,
  sent: Envelope<unknown>,
): Promise<E.Either<Fault, Settled<unknown, unknown>>> => {
  const answers = await group(ports, stream, [sent])
  if (E.isLeft(answers)) return answers
  const [answer] = answers.right
  if (answer === undefined) throw new Error('a command handler answers every member of its group')
  return E.right(answer)
}

const group = async (
  { aggregates, store, clock, cache, execute: options }: FunctionPorts,
  stream: StreamName,
  envelopes: ReadonlyArray<Envelope<unknown>>,
): Promise<E.Either<Fault, ReadonlyArray<Settled<unknown, unknown>>>> => {
  const aggregate = aggregates.get(streamParts(stream).category)
  if (aggregate === undefined) throw new Error(`there is no aggregate for ${stream}`)
  return execute(aggregate, { store, clock, cache }, options)(stream, envelopes)()
}

const relay: Functions['relay'] = ({ service, to }) => {
  const asked = outbox(service)
  return inOrder(async (commit) => {
    const found = asked(commit)
    return E.isLeft(found) ? found : deliver(found.right, to)()
  })
}

const projector: Functions['projector'] = ({ service, store, views, clock }, name) => {
  const generations = service.projections.filter((projection) => projection.name === name)
  const take = projectAll(generations, { store, views, clock })
  return inOrder((commit) => take(commit)())
}

/** One after the other, up to the first that fails: it and what is behind it come again. */
export const inOrder =
  (take: (commit: Commit) => Promise<E.Either<Fault, void>>) =>
  async (batch: ReadonlyArray<Placed>): Promise<BatchAnswer> => {
    for (const { sequenceNumber, commit } of batch)
      if (E.isLeft(await take(commit))) return { batchItemFailures: [{ itemIdentifier: sequenceNumber }] }
    return { batchItemFailures: [] }
  }

const commands: Functions['commands'] = (ports) => async (batch) => {
  const failed: Array<string> = []
  await Promise.all(
    [...Map.groupBy(batch, (message) => message.group).values()].map(async (messages) => {
      failed.push(...(await commanded(ports, messages)))
    }),
  )
  return failed
}

/** The messages of one group: what is for one stream is decided together. */
const commanded = async (
  ports: FunctionPorts,
  messages: ReadonlyArray<Received>,
): Promise<ReadonlyArray<string>> => {
  const streams = new Map<StreamName, Array<{ readonly id: string; readonly envelope: Envelope<unknown> }>>()
  const failed: Array<string> = []
  for (const [at, { id, body }] of messages.entries()) {
    const carried = dispatchOf(ports.aggregates, body)
    if (E.isLeft(carried) && isAhead(carried.left)) {
      // Newer code wrote it, and newer code will read it: it waits, with all that is behind it.
      failed.push(...messages.slice(at).map((message) => message.id))
      break
    }
    if (E.isLeft(carried)) {
      ports.bury(id, JSON.stringify(carried.left))
      continue
    }
    const { stream, envelope } = carried.right.dispatch
    const there = streams.get(stream)
    if (there === undefined) streams.set(stream, [{ id, envelope }])
    else there.push({ id, envelope })
  }
  for (const [stream, members] of streams) {
    const answers = await group(
      ports,
      stream,
      members.map(({ envelope }) => envelope),
    )
    if (E.isLeft(answers)) failed.push(...members.map(({ id }) => id))
    else
      for (const [at, answer] of answers.right.entries())
        if (E.isLeft(answer)) ports.bury(members[at]?.id ?? stream, answer.left._tag)
  }
  return failed
}

const calls: Functions['calls'] = (ports) => {
  const { store, clock } = ports
  const make = new Map(
    ports.gateways.map((binding) => [
      binding.gateway.name,
      answerCall(binding, {
        store,
        clock,
        execute: (_aggregate, stream, sent) => () => executed(ports, stream, sent),
      }),
    ]),
  )
  const call = async ({ id, body }: Received): Promise<boolean> => {
    const asked = callOf(body)
    if (E.isLeft(asked)) {
      ports.bury(id, JSON.stringify(asked.left))
      return true
    }
    const answered = await make.get(asked.right.gateway)?.(asked.right)()
    if (answered === undefined) {
      ports.bury(id, `no gateway ${asked.right.gateway} is bound`)
      return true
    }
    if (E.isLeft(answered)) {
      if (isPermanent(answered.left)) ports.bury(id, answered.left._tag)
      return isPermanent(answered.left)
    }
    if (answered.right !== undefined && E.isLeft(answered.right)) ports.bury(id, answered.right.left._tag)
    return true
  }
  return async (batch) => {
    const failed: Array<string> = []
    await Promise.all(
      [...Map.groupBy(batch, (message) => message.group).values()].map(async (messages) => {
        for (const [at, message] of messages.entries()) {
          if (await call(message)) continue
          failed.push(...messages.slice(at).map(({ id }) => id))
          break
        }
      }),
    )
    return failed
  }
}

export const functions: Functions = { api, relay, projector, commands, calls }
