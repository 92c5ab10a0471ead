/**
 * An aggregate: a decider with a name, the codecs of what it stores, and the versions of its event schema.
 *
 * An event of schema version n is stored with `_v: n` (1 where absent) and is upcast on read, one version at a
 * time. Law: a stored event, once readable, stays readable.
 */
import * as t from 'io-ts'
import { type Codec, decode, type InvalidInput } from './codec.ts'
import type { StoredEvent } from './commit.ts'
import type { Decider } from './decider.ts'
import { type Fingerprint, fingerprint } from './fingerprint.ts'
import { E } from './fp.ts'
import { jsonSchema } from './schema.ts'

/** The fields of an event of an older schema version, without `_v`. */
export type OldEvent = { readonly _tag: string; readonly [field: string]: unknown }

/** For each event tag, the steps from version 1 to 2, 2 to 3, ...; its current version is one more than they are. */
export type Upcasters = { readonly [tag: string]: ReadonlyArray<(old: OldEvent) => OldEvent> }

/** How a state is stored: `encode` to plain JSON that `stored` accepts, `decode` back. */
export interface SnapshotCodec<State> {
  readonly stored: Codec<unknown>
  encode(this: void, state: State): unknown
  decode(this: void, stored: unknown): State
}

export const snapshotCodec = <State, Stored>(
  stored: Codec<Stored>,
  encode: (state: State) => Stored,
  decodeStored: (stored: Stored) => State,
): SnapshotCodec<State> => ({ stored, encode, decode: (input) => decodeStored(input as Stored) })

/** Of a state that is plain JSON already, and is stored as it is. */
export const plainSnapshot = <State>(stored: Codec<State>): SnapshotCodec<State> =>
  snapshotCodec<State, State>(
    stored,
    (state) => state,
    (state) => state,
  )

export interface AggregateDefinition<Command, State, Event extends StoredEvent, Rejection>
  extends Decider<Command, State, Event, Rejection> {
  /** The category of its streams: lower case, digits and hyphens. */
  readonly name: string
  readonly command: Codec<Command>
  readonly event: Codec<Event>
  readonly rejection: Codec<Rejection>
  /** Without it every load reads the whole stream: only for streams that stay short. */
  readonly snapshot?: SnapshotCodec<State>
  /** Raise it whenever `evolve` gives another state for the same events; snapshots of other numbers are ignored. */
  readonly reducer: number
  readonly upcasters?: Upcasters
}

export interface Aggregate<Command, State, Event extends StoredEvent, Rejection>
  extends AggregateDefinition<Command, State, Event, Rejection> {
  /** Of codec and reducer: a snapshot with another fingerprint is ignored, never misread. */
  readonly fingerprint: Fingerprint
}
export type AnyAggregate = Aggregate<unknown, unknown, StoredEvent, unknown>
export type CommandOf<A> = A extends Aggregate<infer Command, infer _S, infer _E, infer _R> ? Command : never
export type EventOf<A> = A extends Aggregate<infer _C, infer _S, infer Event, infer _R> ? Event : never

export const aggregate = <Command, State, Event extends StoredEvent, Rejection>(
  definition: AggregateDefinition<Command, State, Event, Rejection>,
): Aggregate<Command, State, Event, Rejection> => ({
  ...definition,
  fingerprint: fingerprint([
    definition.name,
    definition.reducer,
    definition.snapshot === undefined ? null : jsonSchema(definition.snapshot.stored),
  ]),
})

type Wire<Event> = {
  readonly event: Codec<Event>
  readonly upcasters?: Upcasters
}

/** The current schema version of an event's tag. */
export const schemaVersion = (wire: { readonly upcasters?: Upcasters }, tag: string): number =>
  1 + (wire.upcasters?.[tag]?.length ?? 0)

export const encodeEvent = <Event extends StoredEvent>(wire: Wire<Event>, event: Event): StoredEvent => {
  const version = schemaVersion(wire, event._tag)
  const stored = wire.event.encode === t.identity ? event : (wire.event.encode(event) as StoredEvent)
  return version === 1 ? stored : { ...stored, _v: version }
}

const AHEAD = 'is a schema version ahead of ours'

/** Whether newer code than ours wrote it: then nothing is wrong with it, and a deploy that is under way mends that. */
export const isAhead = ({ errors }: InvalidInput): boolean =>
  errors.some(({ detail }) => detail.includes(AHEAD))

/** The event in its current schema, upcast where it was stored in an older one. */
export const decodeEvent = <Event>(wire: Wire<Event>, stored: StoredEvent): E.Either<InvalidInput, Event> => {
  if (wire.upcasters === undefined && stored._v === undefined) return decode(wire.event, stored)
  const { _v = 1, ...fields } = stored
  let event: OldEvent = fields
  for (let version = _v; version < schemaVersion(wire, event._tag); version += 1) {
    const upcast = wire.upcasters?.[event._tag]?.[version - 1]
    if (upcast === undefined) break
    event = upcast(event)
  }
  if (_v > schemaVersion(wire, stored._tag))
    return E.left({
      _tag: 'InvalidInput',
      errors: [{ pointer: '/_v', detail: `${AHEAD}: ${_v}` }],
    })
  return decode(wire.event, event)
}
