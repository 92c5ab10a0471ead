/** What the front door stands on, and a request that it has let in. */
import type { AnyAggregate } from './aggregate.ts'
import type { CommandId } from './command-id.ts'
import type { Envelope } from './envelope.ts'
import type { Fault } from './fault.ts'
import type { E, TE } from './fp.ts'
import type { Settled } from './handler.ts'
import type { HttpRequest } from './http.ts'
import type { Clock } from './ports/clock.ts'
import type { Problem } from './problem.ts'
import type { Caller, HookBinding, Reader, Route } from './route.ts'
import type { StreamName } from './stream-name.ts'

export type AnySettled = Settled<unknown, unknown>

export interface FrontDoorPorts {
  readonly routes: ReadonlyArray<Route>
  readonly clock: Clock
  freshId(this: void): CommandId
  /** Who calls: a problem for credentials that do not hold, undefined where there are none. */
  authenticate(this: void, headers: HttpRequest['headers']): Promise<E.Either<Problem, Caller | undefined>>
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
  /** What a caller of this tenant may read. */
  reader(this: void, tenant: string | undefined): Reader
  /** How far a projection has taken a stream in; undefined where it takes in no stream of that kind. */
  progress(this: void, projection: string, stream: StreamName): TE.TaskEither<Fault, number | undefined>
  readonly hooks: { readonly [name: string]: HookBinding }
}

/** A request whose caller may touch the resource. */
export interface Visit {
  readonly request: HttpRequest
  /** The path in one spelling, however the caller encoded it. */
  readonly path: string
  /** What follows the question mark. */
  readonly search: string
  readonly caller: Caller | undefined
  readonly params: unknown
  readonly read: Reader
}
