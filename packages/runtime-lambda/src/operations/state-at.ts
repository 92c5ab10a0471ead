/** The state of a stream after any of its commits, folded as a command handler folds it. */
import {
  type Aggregates,
  type AnyAggregate,
  defaultOptions,
  E,
  type EventStore,
  emptyHead,
  type Fault,
  type Head,
  load,
  type StreamName,
  streamParts,
  type TE,
} from '@everfold/core'
import { isoTime } from './show-stream.ts'

export interface StateAt {
  readonly stream: StreamName
  /** The commit after which it is the state; 0 before the first one. */
  readonly commit: number
  readonly version: number
  /** The commit's time as ISO 8601; absent before the first one. */
  readonly time?: string
  /** The commit whose snapshot was folded from; absent where none was met. */
  readonly snapshot?: number
  /** How many commits were folded on top. */
  readonly folded: number
  /** As a snapshot stores it, where the aggregate has snapshots. */
  readonly state: unknown
}

/** The service has no aggregate for the stream, so nobody knows how to fold it. */
export interface NoAggregate {
  readonly _tag: 'NoAggregate'
  readonly category: string
  readonly known: ReadonlyArray<string>
}

export interface NoCommit {
  readonly _tag: 'NoCommit'
  readonly stream: StreamName
  readonly commit: number
  /** 0 for a stream without commits. */
  readonly newest: number
}

export const aggregateOf = (
  aggregates: Aggregates,
  stream: StreamName,
): E.Either<NoAggregate, AnyAggregate> => {
  const { category } = streamParts(stream)
  const aggregate = aggregates.get(category)
  return aggregate === undefined
    ? E.left({ _tag: 'NoAggregate', category, known: [...aggregates.keys()] })
    : E.right(aggregate)
}

/** The state after commit `at`, or after the newest. */
export const stateAt =
  (aggregates: Aggregates, store: EventStore) =>
  (stream: StreamName, at?: number): TE.TaskEither<Fault | NoAggregate | NoCommit, StateAt> =>
  async () => {
    const aggregate = aggregateOf(aggregates, stream)
    if (E.isLeft(aggregate)) return aggregate
    const head = await headAt(aggregate.right, store, stream, at)
    if (E.isLeft(head)) return head
    const { number } = head.right
    if (number === 0 || (at !== undefined && number !== at))
      return E.left({ _tag: 'NoCommit', stream, commit: at ?? 1, newest: number })
    return E.right(shownState(aggregate.right, head.right))
  }

/** What a load would have known when the stream ended with this commit; commit 0 is before the first one. */
export const headAt = async (
  aggregate: AnyAggregate,
  store: EventStore,
  stream: StreamName,
  at?: number,
): Promise<E.Either<Fault, Head<unknown>>> => {
  if (at === 0) return E.right(emptyHead(aggregate, stream))
  return load(aggregate, at === undefined ? store : endingAt(store, at), stream, defaultOptions.snapshotEvery)
}

/** The same log as it was before anything came after that commit. */
const endingAt = (store: EventStore, at: number): EventStore => ({
  ...store,
  readBackward: (stream, { before, limit }) =>
    store.readBackward(stream, { before: before ?? at + 1, limit }),
})

export const shownState = (
  aggregate: AnyAggregate,
  { stream, number, version, timeMs, tail, state }: Head<unknown>,
): StateAt => {
  const snapshot = number - tail.length
  return {
    stream,
    commit: number,
    version,
    ...(number === 0 ? {} : { time: isoTime(timeMs) }),
    ...(snapshot === 0 ? {} : { snapshot }),
    folded: tail.length,
    state: aggregate.snapshot === undefined ? state : aggregate.snapshot.encode(state),
  }
}
