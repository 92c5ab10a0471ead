/**
 * A gateway is a port to the outside world: an event asks for it, its result returns as a command on the same stream.
 *
 * Every call carries an idempotency key derived from the event that asked, so a repeated delivery repeats no effect.
 * Beyond the provider's own key horizon a gateway looks up what happened, and never repeats.
 */
import type { Aggregate } from './aggregate.ts'
import { type CommandId, deriveId } from './command-id.ts'
import type { RecordedEvent, StoredEvent } from './commit.ts'
import type { Fault } from './fault.ts'
import type { TE } from './fp.ts'

export interface Gateway<Command, State, Event extends StoredEvent> {
  readonly name: string
  readonly aggregate: Aggregate<Command, State, Event, unknown>
  /** The events that ask for a call, by tag. */
  readonly hears: ReadonlyArray<Event['_tag']>
  /** How long the provider honours an idempotency key, in milliseconds. */
  readonly keyHorizonMs: number
}
export type AnyGateway = Gateway<unknown, unknown, StoredEvent>

export const gateway = <Command, State, Event extends StoredEvent, Rejection>(definition: {
  readonly name: string
  readonly aggregate: Aggregate<Command, State, Event, Rejection>
  readonly hears: ReadonlyArray<Event['_tag']>
  readonly keyHorizonMs: number
}): Gateway<Command, State, Event> => definition

export interface GatewayRequest<Event, State> {
  readonly recorded: RecordedEvent<Event>
  /** The state of the event's stream, read for this call: the event is a hint, the log has the rest. */
  readonly state: State
  /** The same for every delivery of the event, and for no other event. */
  readonly key: CommandId
  /** Whether the provider may have forgotten the key: look up, never repeat. */
  readonly lookUpOnly: boolean
}

/** What a runtime binds a gateway to: the command that records the result, or none; a fault is delivered again. */
export type GatewayCall<Command, State, Event> = (
  request: GatewayRequest<Event, State>,
) => TE.TaskEither<Fault, Command | undefined>

/** A gateway bound to its implementation. */
export interface GatewayBinding {
  readonly gateway: AnyGateway
  readonly call: GatewayCall<unknown, unknown, StoredEvent>
}

export const bind = <Command, State, Event extends StoredEvent>(
  to: Gateway<Command, State, Event>,
  call: GatewayCall<Command, State, Event>,
): GatewayBinding => ({ gateway: to, call: call as GatewayBinding['call'] })

/** P4: the same event gives the same key; the library's own random default would be lost with a crash. */
export const requestOf = <Event, State>(
  { name, keyHorizonMs }: { readonly name: string; readonly keyHorizonMs: number },
  { recorded, state }: Pick<GatewayRequest<Event, State>, 'recorded' | 'state'>,
  nowMs: number,
): GatewayRequest<Event, State> => ({
  recorded,
  state,
  key: deriveId(recorded.timeMs, 'gateway', name, recorded.id),
  lookUpOnly: nowMs - recorded.timeMs >= keyHorizonMs,
})

export const hearsEvent = ({ aggregate, hears }: AnyGateway, category: string, tag: string): boolean =>
  aggregate.name === category && hears.includes(tag)

/** The id of the command that brings a call's result home. */
export const resultId = (gatewayName: string, recorded: RecordedEvent<unknown>): CommandId =>
  deriveId(recorded.timeMs, 'result', gatewayName, recorded.id)
