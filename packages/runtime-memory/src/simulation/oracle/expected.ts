/**
 * What a commit has to set off, worked out without core's outbox: so a bug in that does not move the books, too. It says
 * where each delivery goes and what it is about; its ids and contents are the outbox's.
 */
import {
  type Commit,
  type Delivery,
  type ProcessEvent,
  type RecordedEvent,
  type Service,
  type StoredEvent,
  type StreamName,
  streamName,
  streamParts,
} from '@everfold/core'

/** One line for each delivery: `tells reminder/7 of order/7@3.0`. */
export const expectedOf = (
  { processes, gateways }: Service,
  commit: Commit,
  events: ReadonlyArray<RecordedEvent<StoredEvent>>,
): ReadonlyArray<string> => {
  const { tenant, category } = streamParts(commit.stream)
  if (processes.some(({ name }) => name === category))
    return events.flatMap((recorded) => askedIn(recorded as unknown as RecordedEvent<ProcessEvent>, tenant))
  const heard = events.flatMap((recorded) =>
    processes.flatMap(({ name, hears }) =>
      hears.flatMap(({ aggregate, correlate }) => {
        const id = aggregate.name === category ? correlate(recorded) : undefined
        return id === undefined ? [] : [tells(streamName(name, id, tenant), recorded.id)]
      }),
    ),
  )
  const called = events.flatMap((recorded) =>
    gateways
      .filter(({ aggregate, hears }) => aggregate.name === category && hears.includes(recorded.event._tag))
      .map(({ name }) => calls(name, recorded.id)),
  )
  const refused = commit.answers.flatMap(({ id, metadata: { process }, ...answer }) =>
    'rejection' in answer && process !== undefined && processes.some(({ name }) => isOf(process, name))
      ? [tells(process, `the refusal of ${id}`)]
      : [],
  )
  return [...heard, ...called, ...refused]
}

/** What the outbox sets off, in the same words. */
export const wordsOf = (delivery: Delivery): string => {
  switch (delivery._tag) {
    case 'Call':
      return calls(delivery.gateway.name, delivery.recorded.id)
    case 'Schedule':
      return `sets the timer ${delivery.timer.id} for ${delivery.timer.dueMs}`
    case 'CancelTimer':
      return `cancels the timer ${delivery.id}`
    case 'Dispatch': {
      const { stream, envelope } = delivery
      const { _tag, commandId } = (envelope.command ?? {}) as {
        readonly _tag?: string
        readonly commandId?: string
      }
      if (_tag === 'Refused') return tells(stream, `the refusal of ${commandId}`)
      if (_tag === 'Happened') return tells(stream, envelope.metadata.causationId ?? 'nothing')
      return asks(stream, envelope.id)
    }
  }
}

const tells = (stream: StreamName, what: string): string => `tells ${stream} of ${what}`
const calls = (gateway: string, event: string): string => `calls ${gateway} about ${event}`
const asks = (stream: StreamName, id: string): string => `asks ${id} of ${stream}`

const isOf = (stream: StreamName, process: string): boolean => streamParts(stream).category === process

/** What a process's own event asks for, in its own tenant. */
const askedIn = (
  { event }: RecordedEvent<ProcessEvent>,
  tenant: string | undefined,
): ReadonlyArray<string> => {
  switch (event._tag) {
    case 'Heard':
      return []
    case 'Asked':
      return [asks(streamName(event.aggregate, event.key, tenant), event.id)]
    case 'TimerScheduled':
      return [`sets the timer ${event.id} for ${event.dueMs}`]
    case 'TimerCanceled':
      return [`cancels the timer ${event.id}`]
  }
}
