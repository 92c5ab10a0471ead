/**
 * Replays: events of an archive go to their bus again, minute by minute of their own time, and within a minute in no order.
 *
 * Rules see them with `replay-name`, and archives do not take them in again. An event may reach its archive ten minutes
 * after it was put, and a replay that has passed its minute does not have it.
 * Source: AWS SDK, StartReplayCommand; EventBridge User Guide, "Archiving and replaying events" (2026-11).
 */
import { EVENTBRIDGE } from '../../limits.ts'
import { type Answer, output, type Refused, refused } from '../answer.ts'
import { type Archived, type Bus, type EventBridgeState, withEvent } from './bus.ts'

export interface Replay {
  readonly name: string
  readonly archive: string
  readonly fromMs: number
  readonly toMs: number
  /** Where it goes; the bus of the archive unless told, and no other. */
  readonly bus?: string
}

export interface Replayed {
  readonly state: EventBridgeState
  readonly answer: Answer<{ readonly events: number }>
}

/** How far apart the buckets of a replay follow each other; AWS says only that one is replayed after the other. */
const BUCKET_PAUSE_MS = 1000

export const replay = (
  state: EventBridgeState,
  asked: Replay,
  nowMs: number,
  archivedUntilMs = nowMs,
): Replayed => {
  const bus = [...state.buses.values()].find(({ archives = [] }) =>
    archives.some(({ name }) => name === asked.archive),
  )
  const refusal = refusalOf(state, asked, bus)
  if (bus === undefined || refusal !== undefined) return { state, answer: refusal ?? noArchive(asked) }
  const { name, archive, fromMs, toMs } = asked
  const events = state.archived.filter(({ archive: of, event, acceptedMs }) => {
    const timeMs = Date.parse(event.time)
    return of === archive && fromMs <= timeMs && timeMs <= toMs && acceptedMs <= archivedUntilMs
  })
  let next: EventBridgeState = { ...state, replays: [...state.replays, name] }
  for (const [at, bucket] of buckets(events).entries()) {
    const when = { acceptedMs: nowMs, dueMs: nowMs + at * BUCKET_PAUSE_MS }
    for (const { event } of bucket) next = withEvent(next, bus, { ...event, 'replay-name': name }, when)
  }
  return { state: next, answer: output({ events: events.length }) }
}

/** By the minute of their time, the earliest first. */
const buckets = (events: ReadonlyArray<Archived>): ReadonlyArray<ReadonlyArray<Archived>> => {
  const byMinute = Map.groupBy(events, ({ event }) =>
    Math.floor(Date.parse(event.time) / EVENTBRIDGE.replayBucketMs),
  )
  return [...byMinute].toSorted(([one], [other]) => one - other).map(([, bucket]) => bucket)
}

const refusalOf = (state: EventBridgeState, asked: Replay, bus: Bus | undefined): Refused | undefined => {
  if (bus === undefined) return noArchive(asked)
  if (asked.bus !== undefined && asked.bus !== bus.name)
    return refused(
      'ValidationException',
      'Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not permitted.',
    )
  if (asked.fromMs >= asked.toMs)
    return refused(
      'ValidationException',
      'Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime.',
    )
  if (state.replays.includes(asked.name))
    return refused('ResourceAlreadyExistsException', `Replay ${asked.name} already exists.`)
  const running = new Set([...state.deliveries.values()].map(({ event }) => event['replay-name']))
  running.delete(undefined)
  return running.size >= EVENTBRIDGE.replays
    ? refused('LimitExceededException', 'The requested resource exceeds the maximum number allowed.')
    : undefined
}

const noArchive = ({ archive }: Replay): Refused =>
  refused('ResourceNotFoundException', `Archive ${archive} does not exist.`)
