/**
 * A call to the outside world, from the event that asks for it to the command that brings its result home.
 *
 * A call's message only says where the event is; the log has it. Made twice, a call repeats no effect outside, because
 * its key is the event's, and none here, because its result's command id is.
 */
import type { AnyAggregate } from './aggregate.ts'
import { decode, type InvalidInput, integer, record, type TypeOf, text } from './codec.ts'
import type { Json, StoredEvent } from './commit.ts'
import { type Envelope, envelope } from './envelope.ts'
import { type Fault, unavailable } from './fault.ts'
import { E, type TE } from './fp.ts'
import { type GatewayBinding, type GatewayRequest, requestOf, resultId } from './gateway.ts'
import { defaultOptions, type Settled } from './handler.ts'
import { load } from './head.ts'
import { type Delivery, groupOf } from './outbox.ts'
import type { Clock } from './ports/clock.ts'
import type { EventStore } from './ports/event-store.ts'
import type { Message } from './ports/queue.ts'
import { recordedEvents } from './recorded.ts'
import { StreamName } from './stream-name.ts'

/** Where the event is that asks a gateway for a call. */
export const CallBody = record('CallBody', {
  gateway: text('GatewayName'),
  stream: StreamName,
  commit: integer('CommitNumber', 1),
  index: integer('EventIndex', 0),
})
export type CallBody = TypeOf<typeof CallBody>

/** The message that asks for a call: one group per stream, so that calls about one stream are made in its order. */
export const callMessage = ({ gateway, recorded }: Extract<Delivery, { readonly _tag: 'Call' }>): Message => {
  const { id, stream, commit } = recorded
  const index = Number(id.slice(id.lastIndexOf('.') + 1))
  return {
    id: resultId(gateway.name, recorded),
    group: groupOf(stream),
    body: { gateway: gateway.name, stream, commit, index },
  }
}

/** What the message of a call holds; whatever else it holds is invalid input. */
export const callOf = (body: Json): E.Either<InvalidInput, CallBody> => decode(CallBody, body)

export interface CallPorts {
  readonly store: EventStore
  readonly clock: Pick<Clock, 'nowMs'>
  execute(
    this: void,
    aggregate: AnyAggregate,
    stream: StreamName,
    envelope: Envelope<unknown>,
  ): TE.TaskEither<Fault, Settled<unknown, unknown>>
}

/**
 * Reads the event that asks, calls, and brings the result home as a command on the same stream; undefined where the
 * call has none.
 */
export const answerCall =
  (binding: GatewayBinding, ports: CallPorts) =>
  ({ stream, commit, index }: CallBody): TE.TaskEither<Fault, Settled<unknown, unknown> | undefined> =>
  async () => {
    const { gateway } = binding
    const asked = await requested(binding, ports, { stream, commit, index })
    if (E.isLeft(asked)) return asked
    const { recorded } = asked.right
    const result = await resultOf(binding, asked.right)
    if (E.isLeft(result) || result.right === undefined) return result as E.Either<Fault, undefined>
    const id = resultId(gateway.name, recorded)
    // It was the gateway that asked for this command, so no process hears when it is refused.
    const { process: _asker, ...caused } = recorded.metadata
    const metadata = { ...caused, causationId: recorded.id }
    const home = envelope(result.right, { id, timeMs: ports.clock.nowMs(), sent: id, metadata })
    return ports.execute(gateway.aggregate, stream, home)()
  }

const requested = async (
  { gateway }: GatewayBinding,
  { store, clock }: CallPorts,
  { stream, commit, index }: Omit<CallBody, 'gateway'>,
): Promise<E.Either<Fault, GatewayRequest<StoredEvent, unknown>>> => {
  const { aggregate } = gateway
  const page = await store.readForward(stream, { after: commit - 1, limit: 1 })()
  if (E.isLeft(page)) return page
  const [asking] = page.right.commits
  const events = asking === undefined ? E.right([]) : recordedEvents(aggregate, asking)
  if (E.isLeft(events)) return events
  const recorded = events.right[index]
  if (recorded === undefined) return E.left({ _tag: 'MissingCommit', stream, number: commit })
  const head = await load(aggregate, store, stream, defaultOptions.snapshotEvery)
  if (E.isLeft(head)) return head
  return E.right(requestOf(gateway, { recorded, state: head.right.state }, clock.nowMs()))
}

/** An implementation that throws has met a fault: nobody knows what became of its call, so it is made again. */
const resultOf = async (
  { gateway, call }: GatewayBinding,
  request: GatewayRequest<StoredEvent, unknown>,
): Promise<E.Either<Fault, unknown>> => {
  try {
    return await call(request)()
  } catch (cause) {
    return E.left(unavailable(`the gateway ${gateway.name}`, cause))
  }
}
