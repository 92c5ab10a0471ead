/**
 * Routes: a domain's HTTP interface as values. A runtime's front door interprets them.
 *
 * A command route names one stream and makes one command; its body is a function of the recorded answer only, so a
 * repeat gives the same status and body. A query route folds one stream or reads views. A hook takes what a provider
 * sends of its own accord.
 */
import type { Aggregate, AnyAggregate } from './aggregate.ts'
import type { Codec } from './codec.ts'
import type { CommandId } from './command-id.ts'
import type { Json, RecordedEvent, StoredEvent } from './commit.ts'
import type { Fault } from './fault.ts'
import type { E } from './fp.ts'
import type { RowKey, RowQuery } from './ports/view-store.ts'
import type { Problem } from './problem.ts'
import type { Erased, Sealed } from './seal.ts'

export interface Caller {
  readonly userId: string
  readonly roles: ReadonlyArray<string>
  readonly tenant?: string
}

export type Access = 'public' | 'user' | { readonly role: string }

/** What an endpoint may read: streams, strongly consistent, and views. */
export interface Reader {
  state<A extends AnyAggregate>(
    this: void,
    aggregate: A,
    id: string,
  ): Promise<E.Either<Fault, { readonly state: A['initial']; readonly commit: number }>>
  /** Recorded events after a commit, oldest first, of at most `limit` commits. */
  history<A extends AnyAggregate>(
    this: void,
    aggregate: A,
    id: string,
    page: { readonly after: number; readonly limit: number },
  ): Promise<
    E.Either<
      Fault,
      { readonly events: ReadonlyArray<RecordedEvent<A['event']['_A']>>; readonly next?: number }
    >
  >
  row(this: void, projection: string, key: RowKey): Promise<E.Either<Fault, Json | undefined>>
  rows(
    this: void,
    projection: string,
    query: RowQuery,
  ): Promise<
    E.Either<
      Fault,
      { readonly rows: ReadonlyArray<RowKey & { readonly value: Json }>; readonly after?: string }
    >
  >
  seal(this: void, subject: string, value: unknown): Promise<E.Either<Fault | Erased, Sealed>>
}

export interface Reply {
  readonly status: number
  readonly body: unknown
}

/** A request whose parts have been decoded. */
export interface RouteInput<Params, Query, Body> {
  readonly params: Params
  readonly query: Query
  readonly body: Body
  /** Present wherever the route's access is not public. */
  readonly caller: Caller | undefined
  /** Ids of what the command creates derive from it. */
  readonly commandId: CommandId
  readonly timeMs: number
}

interface Endpoint<Params> {
  readonly path: string
  /** One sentence for the OpenAPI document. */
  readonly summary: string
  readonly access: Access
  readonly params: Codec<Params>
  /** The status of success and the shape of its body, for the OpenAPI document. */
  readonly replies: { readonly status: number; readonly body?: Codec<unknown> }
  /** The projections it reads, to wait for when the caller passes a position. */
  readonly reads?: ReadonlyArray<string>
  /** Whether this caller may touch this resource; asked before anything else of the request is looked at. */
  authorize?(
    this: void,
    input: { readonly params: NoInfer<Params>; readonly caller: Caller | undefined },
    read: Reader,
  ): Promise<E.Either<Problem | Fault, void>>
}

/** Where a command goes. */
export interface Target {
  readonly aggregate: AnyAggregate
  readonly id: string
}

export interface CommandRoute<Params, Body, Command, Event> extends Endpoint<Params> {
  readonly kind: 'command'
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly body: Codec<Body>
  target(this: void, input: RouteInput<Params, unknown, Body>): Target
  /**
   * What of the caller's input its fingerprint covers, where the body holds personal data: the sealed form of them,
   * so that nothing on record can be guessed at once the subject's key is gone. The whole body unless told.
   */
  sent?(
    this: void,
    input: RouteInput<Params, unknown, Body>,
    read: Reader,
  ): Promise<E.Either<Problem | Fault, unknown>>
  /** The body says which stream is written, so no one stream can tell what a key stood for: it is claimed first. */
  readonly claims?: boolean
  /** A command that must hold on another stream before this one is prepared; undefined where none is needed. */
  first?(
    this: void,
    input: RouteInput<Params, unknown, Body>,
    read: Reader,
  ): Promise<E.Either<Problem | Fault, (Target & { readonly command: unknown }) | undefined>>
  /** The command, with whatever it needs beside what the caller sent. */
  prepare(
    this: void,
    input: RouteInput<Params, unknown, Body>,
    read: Reader,
  ): Promise<E.Either<Problem | Fault, Command>> | E.Either<Problem | Fault, Command>
  /** From the recorded events only (none when nothing changed). */
  reply(
    this: void,
    events: ReadonlyArray<Event>,
    input: Pick<RouteInput<Params, unknown, Body>, 'params' | 'commandId' | 'body'>,
  ): unknown
}

export interface QueryRoute<Params, Query> extends Endpoint<Params> {
  readonly kind: 'query'
  readonly method: 'GET'
  readonly query: Codec<Query>
  /** `Cache-Control` of the answer, which then carries an `ETag`. */
  readonly cache?: string
  answer(
    this: void,
    input: RouteInput<Params, Query, undefined>,
    read: Reader,
  ): Promise<E.Either<Problem | Fault, unknown>>
}

/** A provider's own messages: raw bytes, verified by the binding of that name. */
export interface HookRoute {
  readonly kind: 'hook'
  readonly method: 'POST'
  readonly path: string
  readonly summary: string
  readonly hook: string
}

export type Route =
  | CommandRoute<unknown, unknown, unknown, unknown>
  | QueryRoute<unknown, unknown>
  | HookRoute

/** A command for a stream, with the id and time its sender gave it. */
export interface HookCommand extends Target {
  readonly command: unknown
  readonly commandId: CommandId
}

type Hooked = E.Either<Problem, ReadonlyArray<HookCommand>>

/**
 * What a runtime binds a hook to: the commands of a message, or why it is refused. It writes nothing, and may ask its
 * provider whom a message is about. The same message gives the same commands under the same ids.
 */
export type HookBinding = (message: {
  readonly body: Uint8Array
  readonly headers: { readonly [name: string]: string | undefined }
  readonly nowMs: number
}) => Hooked | Promise<Hooked>

type Input<Params, Body> = RouteInput<Params, unknown, Body>

/** Which stream a command goes to: the path says so, or else the route claims its keys. */
type Place<Params, Body> =
  | { readonly claims?: false; readonly id: (input: Omit<Input<Params, Body>, 'body'>) => string }
  | { readonly claims: true; readonly id: (input: Input<Params, Body>) => string }

/** A typed command route: `command(Cart.aggregate)({...})`; its reply is made of that aggregate's events. */
export const command =
  <Command, State, Event extends StoredEvent, Rejection>(
    aggregate: Aggregate<Command, State, Event, Rejection>,
  ) =>
  <Params, Body>(
    route: Omit<CommandRoute<Params, Body, Command, Event>, 'kind' | 'target' | 'claims'> &
      Place<Params, Body>,
  ): Route => {
    const { id, ...rest } = route
    return { ...rest, kind: 'command', target: (input) => ({ aggregate, id: id(input as never) }) }
  }

export const query = <Params, Query>(route: Omit<QueryRoute<Params, Query>, 'kind' | 'method'>): Route => ({
  ...route,
  kind: 'query',
  method: 'GET',
})

export const hook = (route: Omit<HookRoute, 'kind' | 'method'>): Route => ({
  ...route,
  kind: 'hook',
  method: 'POST',
})
