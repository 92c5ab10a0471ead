/** A stream as it is on record: its commits with their answers, in the form in which they are stored. */
import {
  type CommandId,
  type Commit,
  E,
  type EventId,
  type EventStore,
  type Fault,
  type Fingerprint,
  type Metadata,
  type StoredEvent,
  type StreamName,
  type TE,
} from '@everfold/core'
import { publishedEvents } from '../relay/published-event.ts'

export interface ShownEvent {
  readonly id: EventId
  readonly version: number
  readonly event: StoredEvent
}

export interface ShownAnswer {
  readonly commandId: CommandId
  /** When the command arrived, as ISO 8601. */
  readonly time: string
  readonly fingerprint: Fingerprint
  readonly metadata: Metadata
  readonly events: ReadonlyArray<ShownEvent>
  /** Absent where the command was not refused. */
  readonly rejection?: unknown
}

export interface ShownCommit {
  readonly stream: StreamName
  readonly number: number
  readonly version: number
  readonly time: string
  readonly answers: ReadonlyArray<ShownAnswer>
  /** What it carries for readers of this fingerprint, apart from the state itself. */
  readonly snapshot?: {
    readonly fingerprint: Fingerprint
    readonly sizeBytes: number
    readonly rememberedIds: number
  }
}

export const shownCommit = (commit: Commit): ShownCommit => {
  const { stream, number, version, timeMs, snapshot } = commit
  return {
    stream,
    number,
    version,
    time: isoTime(timeMs),
    answers: shownAnswers(commit),
    ...(snapshot === undefined
      ? {}
      : {
          snapshot: {
            fingerprint: snapshot.fingerprint,
            sizeBytes: snapshot.sizeBytes,
            rememberedIds: snapshot.memory.ids.length,
          },
        }),
  }
}

const shownAnswers = (commit: Commit): ReadonlyArray<ShownAnswer> => {
  const events = publishedEvents(commit).map(({ id, version, event }) => ({ id, version, event }))
  let from = 0
  return commit.answers.map(({ id, timeMs, fingerprint, metadata, events: own, rejection }) => ({
    commandId: id,
    time: isoTime(timeMs),
    fingerprint,
    metadata,
    events: events.slice(from, (from += own.length)),
    ...(rejection === undefined ? {} : { rejection }),
  }))
}

export const isoTime = (timeMs: number): string => new Date(timeMs).toISOString()

export interface Range {
  /** 1 unless told. */
  readonly from?: number | undefined
  /** The newest unless told. */
  readonly to?: number | undefined
}

/** Gives each commit of the range to `onCommit`, oldest first, and answers how many they were. */
export const showStream =
  (store: Pick<EventStore, 'readForward'>, stream: StreamName, { from = 1, to }: Range = {}) =>
  (onCommit: (commit: ShownCommit) => void): TE.TaskEither<Fault, number> =>
  async () => {
    let next = from
    for (;;) {
      const limit = Math.min(PAGE, (to ?? Number.POSITIVE_INFINITY) - next + 1)
      if (limit < 1) return E.right(next - from)
      const page = await store.readForward(stream, { after: next - 1, limit })()
      if (E.isLeft(page)) return page
      for (const commit of page.right.commits) {
        if (commit.number !== next) return E.left({ _tag: 'MissingCommit', stream, number: next })
        onCommit(shownCommit(commit))
        next += 1
      }
      if (page.right.done) return E.right(next - from)
    }
  }

const PAGE = 100
