/**
 * Who can only poll learns here whether it has seen all that was appended: what this process put on record, each of its
 * readers will meet in the change stream, sooner or later.
 *
 * A place counts as appended from the acknowledgement on. Where that was lost, it counts as soon as the store tells that
 * there is a commit: by a conflict, or by a read.
 */
import {
  type Commit,
  E,
  type EventStore,
  type Fault,
  type StreamName,
  type TogetherFailure,
} from '@everfold/core'
import { type Subscribers, subscribers } from './subscribers.ts'

export interface Watched {
  readonly store: EventStore
  /** Tells of every append. */
  readonly subscribe: Subscribers['subscribe']
  /** One who takes all commits, and has taken none so far. */
  reader(this: void): WatchedReader
}

export interface WatchedReader {
  took(this: void, commit: Commit): void
  /** Whether something was appended that it has not taken. */
  isBehind(this: void): boolean
}

interface Place {
  readonly stream: StreamName
  readonly number: number
}

const nameOf = ({ stream, number }: Place): string => `${stream}@${number}`

export const watched = (store: EventStore): Watched => {
  const { subscribe, tell } = subscribers()
  const readers: Array<{ readonly taken: Places; readonly missing: Set<string> }> = []
  /** The places of appends that nobody knows the outcome of. */
  const doubtful = new Set<string>()
  const learn = (places: ReadonlyArray<Place>) => {
    for (const place of places) {
      doubtful.delete(nameOf(place))
      for (const { taken, missing } of readers) if (!taken.has(place)) missing.add(nameOf(place))
    }
    if (places.length > 0) tell()
  }
  const isDoubtful = (place: Place) => doubtful.size > 0 && doubtful.has(nameOf(place))
  const told = <Failure extends TogetherFailure>(
    commits: ReadonlyArray<Commit>,
    outcome: E.Either<Failure, void>,
  ): E.Either<Failure, void> => {
    if (E.isRight(outcome)) learn(commits)
    else if (outcome.left._tag === 'OutcomeUnknown')
      for (const commit of commits) doubtful.add(nameOf(commit))
    else if (outcome.left._tag === 'Conflict') {
      const { stream: taken } = outcome.left
      learn(commits.filter((commit) => commit.stream === taken && isDoubtful(commit)))
    }
    return outcome
  }
  const read = <A extends { readonly commits: ReadonlyArray<Commit> }>(page: E.Either<Fault, A>) => {
    if (E.isRight(page)) learn(page.right.commits.filter(isDoubtful))
    return page
  }
  return {
    store: {
      ...store,
      append: (commit) => async () => told([commit], await store.append(commit)()),
      appendTogether: (commits, unmoved) => async () =>
        told(commits, await store.appendTogether(commits, unmoved)()),
      readBackward: (stream, page) => async () => read(await store.readBackward(stream, page)()),
      readForward: (stream, page) => async () => read(await store.readForward(stream, page)()),
    },
    subscribe,
    reader: () => {
      const reader = { taken: placesTaken(), missing: new Set<string>() }
      readers.push(reader)
      return {
        took: (commit) => {
          reader.taken.add(commit)
          reader.missing.delete(nameOf(commit))
        },
        isBehind: () => reader.missing.size > 0,
      }
    },
  }
}

interface Places {
  add(this: void, place: Place): void
  has(this: void, place: Place): boolean
}

/** Of each stream the number up to which all were taken, and those taken beyond. */
const placesTaken = (): Places => {
  const streams = new Map<StreamName, { upTo: number; readonly beyond: Set<number> }>()
  return {
    add: ({ stream, number }) => {
      const taken = streams.get(stream) ?? { upTo: 0, beyond: new Set() }
      streams.set(stream, taken)
      if (number > taken.upTo) taken.beyond.add(number)
      while (taken.beyond.delete(taken.upTo + 1)) taken.upTo += 1
    },
    has: ({ stream, number }) => {
      const taken = streams.get(stream)
      return taken !== undefined && (number <= taken.upTo || taken.beyond.has(number))
    },
  }
}
