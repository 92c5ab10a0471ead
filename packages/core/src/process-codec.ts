/**
 * How a process stores what it heard: each event in the wire form of the aggregate it came from, so that it is upcast
 * like any other when it is read again.
 */
import * as t from 'io-ts'
import { type AnyAggregate, decodeEvent, encodeEvent } from './aggregate.ts'
import { type Codec, type InvalidInput, integer, record, text, union, variant } from './codec.ts'
import { CommandId } from './command-id.ts'
import { Metadata, type StoredEvent } from './commit.ts'
import { E } from './fp.ts'
import type { Heard, Process, ProcessEvent } from './process.ts'
import { StreamName, streamParts } from './stream-name.ts'

const Name = text('Name', { maxLength: 1100 })
const Whole = integer('Whole', 0)

const HappenedStored = variant('Happened', {
  recorded: record('Recorded', {
    id: Name,
    stream: StreamName,
    commit: Whole,
    version: Whole,
    timeMs: Whole,
    commandId: CommandId,
    schema: Whole,
    metadata: Metadata,
    event: t.UnknownRecord,
  }),
})
const RefusedStored = variant('Refused', { commandId: CommandId, stream: StreamName, rejection: t.unknown })
const Elapsed = variant('Elapsed', { timer: Name, dueMs: Whole }, { scheduling: CommandId })
const HeardStored = union('Heard', HappenedStored, RefusedStored, Elapsed)

const EventStored = union(
  'ProcessEvent',
  variant('Heard', { heard: HeardStored }),
  variant('Asked', { id: CommandId, aggregate: Name, key: Name, command: t.unknown }),
  variant('TimerScheduled', { id: CommandId, timer: Name, dueMs: Whole }),
  variant('TimerCanceled', { id: CommandId, timer: Name }),
)

export const processCodecs = <State, Event, Refused>(
  process: Process<State, Event, Refused>,
): { readonly heard: Codec<Heard<Event, Refused>>; readonly event: Codec<ProcessEvent<Event, Refused>> } => {
  const heardAggregates = new Map(process.hears.map(({ aggregate }) => [aggregate.name, aggregate]))
  const askedAggregates = new Map(process.asks.map((aggregate) => [aggregate.name, aggregate]))
  const heard = new t.Type<Heard<Event, Refused>, unknown>(
    `${process.name}.Heard`,
    (input): input is Heard<Event, Refused> => HeardStored.is(input),
    (input, context) => {
      const stored = HeardStored.validate(input, context)
      return E.isLeft(stored) ? stored : decodeHeard(stored.right, context)
    },
    (value) => encodeHeard(value),
  )
  const decodeHeard = (
    stored: t.TypeOf<typeof HeardStored>,
    context: t.Context,
  ): t.Validation<Heard<Event, Refused>> => {
    if (stored._tag === 'Elapsed') return t.success(stored)
    const { category } = streamParts(stored._tag === 'Happened' ? stored.recorded.stream : stored.stream)
    if (stored._tag === 'Refused') {
      const rejection = askedAggregates.get(category)?.rejection.decode(stored.rejection)
      if (rejection === undefined) return t.failure(category, context, `is not asked by ${process.name}`)
      return E.isLeft(rejection)
        ? t.failures(rejection.left)
        : t.success({ ...stored, rejection: rejection.right as Refused })
    }
    const aggregate = heardAggregates.get(category)
    if (aggregate === undefined) return t.failure(category, context, `is not heard by ${process.name}`)
    const event = decodeEvent(aggregate, stored.recorded.event as StoredEvent)
    return E.isLeft(event)
      ? t.failure(stored.recorded.event, context, explain(event.left))
      : t.success({ _tag: 'Happened', recorded: { ...stored.recorded, event: event.right as Event } })
  }
  const encodeHeard = (value: Heard<Event, Refused>): unknown => {
    if (value._tag === 'Elapsed') return value
    const { category } = streamParts(value._tag === 'Happened' ? value.recorded.stream : value.stream)
    if (value._tag === 'Refused')
      return { ...value, rejection: encodeRejection(askedAggregates.get(category), value.rejection) }
    const aggregate = heardAggregates.get(category)
    if (aggregate === undefined) return value
    return {
      ...value,
      recorded: { ...value.recorded, event: encodeEvent(aggregate, value.recorded.event as StoredEvent) },
    }
  }
  const event = new t.Type<ProcessEvent<Event, Refused>, unknown>(
    `${process.name}.Event`,
    (input): input is ProcessEvent<Event, Refused> => EventStored.is(input),
    (input, context) => {
      const stored = EventStored.validate(input, context)
      if (E.isLeft(stored)) return stored
      if (stored.right._tag !== 'Heard') return t.success(stored.right)
      const decoded = decodeHeard(stored.right.heard, context)
      return E.isLeft(decoded) ? decoded : t.success({ _tag: 'Heard', heard: decoded.right })
    },
    (value) => (value._tag === 'Heard' ? { ...value, heard: encodeHeard(value.heard) } : value),
  )
  return { heard, event }
}

const encodeRejection = (aggregate: AnyAggregate | undefined, rejection: unknown): unknown =>
  aggregate === undefined ? rejection : aggregate.rejection.encode(rejection)

const explain = ({ errors }: InvalidInput): string =>
  errors.map(({ pointer, detail }) => `${pointer} ${detail}`).join('; ')
