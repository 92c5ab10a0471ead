/**
 * What a commit sets off: pure, so that every runtime delivers the same. Each delivery may be made any number of
 * times and in any order; its id makes it count once.
 */
import * as t from 'io-ts'
import type { AnyAggregate } from './aggregate.ts'
import { decode, type InvalidInput, integer, record, text } from './codec.ts'
import { CommandId, deriveId } from './command-id.ts'
import { type Commit, type Json, Metadata, type RecordedEvent, type StoredEvent } from './commit.ts'
import { type Envelope, envelope } from './envelope.ts'
import type { Fault } from './fault.ts'
import { hash } from './fingerprint.ts'
import { E } from './fp.ts'
import { type AnyGateway, hearsEvent } from './gateway.ts'
import type { Message } from './ports/queue.ts'
import type { Timer } from './ports/timer-service.ts'
import type { Heard, ProcessEvent } from './process.ts'
import { processAggregate } from './process-aggregate.ts'
import { recordedEvents } from './recorded.ts'
import type { Service } from './service.ts'
import { StreamName, streamName, streamParts } from './stream-name.ts'

/** A command for a stream of an aggregate or process, in its wire form: plain JSON, ready for a queue. */
export interface Dispatch {
  readonly _tag: 'Dispatch'
  readonly stream: StreamName
  readonly envelope: Envelope<unknown>
}

export type Delivery =
  | Dispatch
  | { readonly _tag: 'Call'; readonly gateway: AnyGateway; readonly recorded: RecordedEvent<StoredEvent> }
  | { readonly _tag: 'Schedule'; readonly timer: Timer }
  | { readonly _tag: 'CancelTimer'; readonly id: string }

export type Aggregates = ReadonlyMap<string, AnyAggregate>

/** A service's aggregates with those that its processes are, by category. */
export const aggregatesOf = (service: Service): Aggregates =>
  new Map(
    [
      ...service.aggregates,
      ...service.processes.map((process) => processAggregate(process) as AnyAggregate),
    ].map((aggregate) => [aggregate.name, aggregate]),
  )

/** The deliveries of a commit of this service; those of an unknown category are none. */
export const outbox = (service: Service): ((commit: Commit) => E.Either<Fault, ReadonlyArray<Delivery>>) => {
  const aggregates = aggregatesOf(service)
  const processes = new Set(service.processes.map(({ name }) => name))
  return (commit) => {
    const { category } = streamParts(commit.stream)
    const aggregate = aggregates.get(category)
    if (aggregate === undefined) return E.right([])
    const events = recordedEvents(aggregate, commit)
    if (E.isLeft(events)) return events
    if (processes.has(category))
      return E.right(events.right.flatMap((recorded) => asked(recorded as RecordedEvent<ProcessEvent>)))
    const refused = refusals(aggregates, processes, commit)
    if (E.isLeft(refused)) return refused
    const heard = events.right.flatMap((recorded) => heardBy(service, aggregates, recorded))
    return E.right([...heard, ...calls(service, category, events.right), ...refused.right])
  }
}

/** What a process's commit stores is sent verbatim, with its ids. */
const asked = (recorded: RecordedEvent<ProcessEvent>): ReadonlyArray<Delivery> => {
  const { event, stream, timeMs } = recorded
  switch (event._tag) {
    case 'Heard':
      return []
    case 'Asked': {
      const { tenant } = streamParts(stream)
      const metadata = { ...recorded.metadata, causationId: recorded.id, process: stream }
      return [
        {
          _tag: 'Dispatch',
          stream: streamName(event.aggregate, event.key, tenant),
          envelope: envelope(event.command, { id: event.id, timeMs, metadata }),
        },
      ]
    }
    case 'TimerScheduled': {
      const { id, timer, dueMs } = event
      return [
        {
          _tag: 'Schedule',
          timer: {
            id,
            dueMs,
            payload: { id, stream, timer, dueMs, correlationId: recorded.metadata.correlationId },
          },
        },
      ]
    }
    case 'TimerCanceled':
      return [{ _tag: 'CancelTimer', id: event.id }]
  }
}

const heardBy = (
  { processes }: Service,
  aggregates: Aggregates,
  recorded: RecordedEvent<StoredEvent>,
): ReadonlyArray<Dispatch> => {
  const { tenant, category } = streamParts(recorded.stream)
  return processes.flatMap((process) =>
    process.hears.flatMap(({ aggregate, correlate }) => {
      const id = aggregate.name === category ? correlate(recorded) : undefined
      if (id === undefined) return []
      const stream = streamName(process.name, id, tenant)
      const heard: Heard<unknown, unknown> = { _tag: 'Happened', recorded }
      const commandId = deriveId(recorded.timeMs, 'heard', stream, recorded.id)
      return [
        told(stream, wire(aggregates, process.name, heard), {
          ...recorded,
          commandId,
        }),
      ]
    }),
  )
}

const calls = (
  { gateways }: Service,
  category: string,
  events: ReadonlyArray<RecordedEvent<StoredEvent>>,
): ReadonlyArray<Delivery> =>
  gateways.flatMap((gateway) =>
    events
      .filter(({ event }) => hearsEvent(gateway, category, event._tag))
      .map((recorded) => ({ _tag: 'Call' as const, gateway, recorded })),
  )

/** A process hears when a command it asked for was refused. */
const refusals = (
  aggregates: Aggregates,
  processes: ReadonlySet<string>,
  commit: Commit,
): E.Either<Fault, ReadonlyArray<Dispatch>> => {
  const { stream, number } = commit
  const dispatches: Array<Dispatch> = []
  for (const answer of commit.answers) {
    const { process: asker } = answer.metadata
    if (answer.rejection === undefined || asker === undefined) continue
    const { category } = streamParts(asker)
    const refuser = aggregates.get(streamParts(stream).category)
    if (!processes.has(category) || refuser === undefined) continue
    const decoded = decode(refuser.rejection, answer.rejection)
    if (E.isLeft(decoded))
      return E.left({ _tag: 'Undecodable', stream, commit: number, errors: decoded.left.errors })
    const heard = { _tag: 'Refused' as const, commandId: answer.id, stream, rejection: decoded.right }
    const commandId = deriveId(answer.timeMs, 'refused', asker, answer.id)
    const id = `${stream}@${number}`
    dispatches.push(told(asker, wire(aggregates, category, heard), { ...answer, id, commandId }))
  }
  return E.right(dispatches)
}

const wire = (aggregates: Aggregates, process: string, heard: Heard<unknown, unknown>): unknown =>
  aggregates.get(process)?.command.encode(heard)

const told = (
  stream: StreamName,
  heard: unknown,
  {
    id,
    commandId,
    timeMs,
    metadata,
  }: Pick<RecordedEvent<unknown>, 'id' | 'commandId' | 'timeMs' | 'metadata'>,
): Dispatch => {
  const { process: _asker, ...rest } = metadata
  return {
    _tag: 'Dispatch',
    stream,
    envelope: envelope(heard, {
      id: commandId,
      timeMs,
      sent: commandId,
      metadata: { ...rest, causationId: id },
    }),
  }
}

/** A timer that fired, for the process that waits for it. */
export const elapsed = (payload: TimerPayload): Dispatch => {
  const { id: scheduling, stream, timer, dueMs, correlationId } = payload
  const id = deriveId(dueMs, 'elapsed', scheduling)
  const heard: Heard<unknown, unknown> = { _tag: 'Elapsed', timer, dueMs, scheduling }
  return {
    _tag: 'Dispatch',
    stream,
    envelope: envelope(heard, { id, timeMs: dueMs, sent: id, metadata: { correlationId } }),
  }
}

/** What a process's timer carries. */
export interface TimerPayload {
  /** Names this scheduling of the timer. */
  readonly id: CommandId
  readonly stream: StreamName
  readonly timer: string
  readonly dueMs: number
  readonly correlationId: string
}

/** A queue's group has at most 128 characters, a stream's name may be longer. Source: the SQS API reference. */
export const groupOf = (stream: StreamName): string => (stream.length <= 128 ? stream : hash(stream))

/** The message that carries a dispatch: one group per stream, so a hot stream is commanded in batches. */
export const messageOf = ({ stream, envelope: sent }: Dispatch): Message => ({
  id: sent.id,
  group: groupOf(stream),
  body: { stream, envelope: sent } as unknown as Json,
})

/** The dispatch of a message, its command decoded; whatever else the message holds is invalid input. */
export const dispatchOf = (
  aggregates: Aggregates,
  body: Json,
): E.Either<InvalidInput, { readonly dispatch: Dispatch; readonly aggregate: AnyAggregate }> => {
  const carried = decode(Carried, body)
  if (E.isLeft(carried)) return carried
  const { stream, envelope: sent } = carried.right
  const { category } = streamParts(stream)
  const aggregate = aggregates.get(category)
  if (aggregate === undefined)
    return E.left({
      _tag: 'InvalidInput',
      errors: [{ pointer: '/stream', detail: `has no aggregate: ${category}` }],
    })
  const command = decode(aggregate.command, sent.command)
  if (E.isLeft(command))
    return E.left({
      _tag: 'InvalidInput',
      errors: command.left.errors.map((error) => ({
        ...error,
        pointer: `/envelope/command${error.pointer}`,
      })),
    })
  const envelopeOf = { ...sent, command: command.right } as Envelope<unknown>
  return E.right({ dispatch: { _tag: 'Dispatch', stream, envelope: envelopeOf }, aggregate })
}

const Carried = record('Carried', {
  stream: StreamName,
  envelope: record(
    'Envelope',
    {
      id: CommandId,
      identified: t.boolean,
      command: t.unknown,
      fingerprint: text('Fingerprint'),
      timeMs: integer('TimeMs', 0),
      metadata: Metadata,
    },
    { dateMs: integer('DateMs', 0) },
  ),
})
