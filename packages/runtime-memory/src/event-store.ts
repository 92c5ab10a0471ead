/**
 * The event store in memory: one array per stream, the commit's number less one is its index.
 *
 * Commits are frozen as they are stored, so readers get the very objects and nobody can change them.
 */
import {
  type AppendFailure,
  type CommandId,
  type Commit,
  E,
  type EventStore,
  type Page,
  type Position,
  type Scanned,
  type StreamName,
  sizeBytes,
  type TogetherFailure,
} from '@everfold/core'
import type { Failing } from './effect.ts'
import { failuresOf } from './failing.ts'
import { freeze } from './frozen.ts'
import type { Kernel } from './kernel.ts'
import { hash32 } from './random.ts'
import { type Subscribers, subscribers } from './subscribers.ts'

export interface EventStoreOptions {
  /** The largest commit, as JSON in UTF-8 bytes: 4 MB unless told, since what no item holds lies behind a claim check. */
  readonly limitBytes?: number
  /** The most commits in one page of a read, whatever was asked. */
  readonly pageCommits?: number
}

export interface MemoryEventStore extends EventStore {
  /** All commits of all streams, in the order in which they were appended. */
  readonly log: ReadonlyArray<Commit>
  /** Tells of every append. */
  readonly subscribe: Subscribers['subscribe']
}

type Scan = Parameters<EventStore['scan']>[0]

/** A hole is a number that was passed over; only a broken writer leaves one. */
type History = Array<Commit | undefined>

const { reading } = failuresOf('the event store')

const APPENDING: Failing<E.Either<AppendFailure, never>> = {
  unanswered: () => E.left({ _tag: 'OutcomeUnknown' }),
}

const STORED: E.Either<never, void> = E.right(undefined)
const NOTHING: Page = { commits: [], done: true }

/** As DynamoDB has it for one transaction. */
const TOGETHER = { actions: 100, bytes: 4 * 1024 * 1024 }

export const memoryEventStore = (kernel: Kernel, options: EventStoreOptions = {}): MemoryEventStore => {
  const { limitBytes = 4 * 1024 * 1024, pageCommits = 1000 } = options
  const perform = kernel.port('event-store')
  const streams = new Map<StreamName, History>()
  const markers = new Map<string, number>()
  const log: Array<Commit> = []
  const { subscribe, tell } = subscribers()
  const taken = (stream: StreamName, number: number) => streams.get(stream)?.[number - 1] !== undefined
  /** Why this commit cannot be stored. */
  const obstacle = (commit: Commit): AppendFailure | undefined => {
    const { stream, number } = commit
    if (!Number.isSafeInteger(number) || number < 1) throw new Error(`${number} is not a commit's number`)
    if (freeze(commit) > limitBytes && sizeBytes(commit) > limitBytes)
      return { _tag: 'TooLarge', stream, sizeBytes: sizeBytes(commit), limitBytes }
    for (const id of markedIds(commit)) {
      const answering = markers.get(markerOf(stream, id))
      if (answering !== undefined) return { _tag: 'Marked', stream, commandId: id, commit: answering }
    }
    return taken(stream, number) ? { _tag: 'Conflict', stream } : undefined
  }
  const store = (commit: Commit) => {
    const { stream, number } = commit
    let history = streams.get(stream)
    if (history === undefined) streams.set(stream, (history = []))
    while (history.length < number - 1) history.push(undefined)
    history[number - 1] = commit
    for (const id of markedIds(commit)) markers.set(markerOf(stream, id), number)
    log.push(commit)
  }
  const insert = (commit: Commit): E.Either<AppendFailure, void> => {
    const failure = obstacle(commit)
    if (failure !== undefined) return E.left(failure)
    store(commit)
    tell()
    return STORED
  }
  const insertTogether = (
    commits: ReadonlyArray<Commit>,
    unmoved: ReadonlyArray<Position>,
  ): E.Either<TogetherFailure, void> => {
    const excess = excessOf(commits, unmoved)
    if (excess !== undefined) return E.left(excess)
    for (const { stream, commit } of unmoved)
      if (taken(stream, commit + 1)) return E.left({ _tag: 'Conflict', stream })
    for (const commit of commits) {
      const failure = obstacle(commit)
      if (failure !== undefined) return E.left(failure)
    }
    commits.forEach(store)
    tell()
    return STORED
  }
  return {
    readBackward: (stream, { before, limit }) => {
      const most = Math.min(limit, pageCommits)
      return () =>
        perform(
          'readBackward',
          before === undefined ? stream : `${stream}<${before}`,
          () => E.right(backward(streams.get(stream), before ?? Number.POSITIVE_INFINITY, most)),
          reading,
        )
    },
    readForward: (stream, { after, limit }) => {
      const most = Math.min(limit, pageCommits)
      return () =>
        perform(
          'readForward',
          `${stream}>${after}`,
          () => E.right(forward(streams.get(stream), after, most)),
          reading,
        )
    },
    marker: (stream, id) => () =>
      perform('marker', `${stream} ${id}`, () => E.right(markers.get(markerOf(stream, id))), reading),
    append: (commit) => () =>
      perform('append', `${commit.stream}@${commit.number}`, () => insert(commit), APPENDING),
    appendTogether:
      (commits, unmoved = []) =>
      () =>
        perform(
          'appendTogether',
          commits.map(({ stream, number }) => `${stream}@${number}`).join(' '),
          () => insertTogether(commits, unmoved),
          APPENDING,
        ),
    scan: (range) => () =>
      perform(
        'scan',
        `${range.segment}/${range.segments} ${range.cursor ?? ''}`,
        () => E.right(scanned(streams, range, pageCommits)),
        reading,
      ),
    log,
    subscribe,
  }
}

/** Why these can be no transaction, whatever is stored. */
const excessOf = (
  commits: ReadonlyArray<Commit>,
  unmoved: ReadonlyArray<Position>,
): TogetherFailure | undefined => {
  const streams = new Set<StreamName>()
  for (const { stream } of [...commits, ...unmoved]) {
    if (streams.has(stream)) return { _tag: 'StreamTwice', stream }
    streams.add(stream)
  }
  let actions = streams.size
  for (const commit of commits) actions += markedIds(commit).length
  if (actions > TOGETHER.actions) return { _tag: 'TooMany', actions, limitActions: TOGETHER.actions }
  let total = 0
  for (const commit of commits) total += sizeBytes(commit)
  if (total <= TOGETHER.bytes) return undefined
  const largest = commits.reduce((most, one) => (sizeBytes(one) > sizeBytes(most) ? one : most))
  return { _tag: 'TooLarge', stream: largest.stream, sizeBytes: total, limitBytes: TOGETHER.bytes }
}

const markerOf = (stream: StreamName, id: string): string => `${stream} ${id}`

/** The answers that leave a marker; by place, because iterating what is frozen makes an object of every step. */
const markedIds = ({ answers }: Commit): ReadonlyArray<CommandId> => {
  let ids = NO_IDS
  for (let at = 0; at < answers.length; at += 1) {
    const answer = answers[at]
    if (answer?.marked === true) ids = [...ids, answer.id]
  }
  return ids
}

const NO_IDS: ReadonlyArray<CommandId> = []

const backward = (history: History | undefined, before: number, limit: number): Page => {
  if (history === undefined) return NOTHING
  const commits: Array<Commit> = []
  let at = Math.min(before - 1, history.length)
  for (; at > 0 && commits.length < limit; at -= 1) {
    const commit = history[at - 1]
    if (commit !== undefined) commits.push(commit)
  }
  return { commits, done: at <= 0 }
}

const forward = (history: History | undefined, after: number, limit: number): Page => {
  if (history === undefined) return NOTHING
  const commits: Array<Commit> = []
  let at = Math.max(0, after)
  for (; at < history.length && commits.length < limit; at += 1) {
    const commit = history[at]
    if (commit !== undefined) commits.push(commit)
  }
  return { commits, done: at >= history.length }
}

/** A segment is a share of the streams, by a hash of their names; the cursor is a stream's place and a number. */
const scanned = (
  streams: ReadonlyMap<StreamName, History>,
  { segment, segments, cursor = '0/0' }: Scan,
  limit: number,
): Scanned => {
  const [place = 0, passed = 0] = cursor.split('/').map(Number)
  const commits: Array<Commit> = []
  let at = -1
  for (const [stream, history] of streams) {
    at += 1
    if (at < place || hash32(stream) % segments !== segment) continue
    const page = forward(history, at === place ? passed : 0, limit - commits.length)
    commits.push(...page.commits)
    if (!page.done) return { commits, unreadable: [], cursor: `${at}/${commits.at(-1)?.number ?? 0}` }
    if (commits.length === limit) return { commits, unreadable: [], cursor: `${at + 1}/0` }
  }
  return { commits, unreadable: [] }
}
