/**
 * Ports for laws, as plain as they can be: stores whose commits and rows went through JSON, and a clock that stands
 * still. For everything else take a runtime's.
 */
import type { Commit } from '../commit.ts'
import { canonical } from '../fingerprint.ts'
import { E } from '../fp.ts'
import type { ExecutePorts } from '../handler.ts'
import type { AppendFailure, EventStore } from '../ports/event-store.ts'
import type { Row, RowKey, ViewStore } from '../ports/view-store.ts'
import { throughJson } from './law.ts'

/** Commits of all streams, in the order in which they were appended. */
export interface PlainStore extends EventStore {
  commits(this: void): ReadonlyArray<Commit>
}

export const plainStore = (): PlainStore => {
  const log: Array<Commit> = []
  // Each stream's commits lie in the order of their numbers, since nobody passes over one here.
  const ofStream = (stream: string) => log.filter((commit) => commit.stream === stream)
  const markerOf = (stream: string, id: string): number | undefined =>
    ofStream(stream).find(({ answers }) =>
      answers.some((answer) => answer.marked === true && answer.id === id),
    )?.number
  const obstacle = ({ stream, number, answers }: Commit): AppendFailure | undefined => {
    for (const { id, marked } of answers) {
      const at = marked === true ? markerOf(stream, id) : undefined
      if (at !== undefined) return { _tag: 'Marked', stream, commandId: id, commit: at }
    }
    return ofStream(stream).some((stored) => stored.number === number)
      ? { _tag: 'Conflict', stream }
      : undefined
  }
  return {
    commits: () => log,
    readBackward:
      (stream, { before = Number.POSITIVE_INFINITY, limit }) =>
      async () => {
        const below = ofStream(stream).filter(({ number }) => number < before)
        return E.right({ commits: below.slice(-limit).toReversed(), done: below.length <= limit })
      },
    readForward:
      (stream, { after, limit }) =>
      async () => {
        const above = ofStream(stream).filter(({ number }) => number > after)
        return E.right({ commits: above.slice(0, limit), done: above.length <= limit })
      },
    marker: (stream, id) => async () => E.right(markerOf(stream, id)),
    append: (commit) => async () => {
      const failure = obstacle(commit)
      if (failure !== undefined) return E.left(failure)
      log.push(throughJson(commit) as Commit)
      return E.right(undefined)
    },
    appendTogether: refuse,
    scan: () => async () => E.right({ commits: log, unreadable: [] }),
  }
}

export const plainPorts = (): ExecutePorts & { readonly store: PlainStore } => ({
  store: plainStore(),
  clock: { nowMs: () => 0, sleep: () => Promise.resolve(), random: () => 0.5 },
})

/** Just what `project` needs of a view store, for one projection. */
export interface PlainViews {
  readonly views: ViewStore
  /** Tombstones included, ordered by their keys. */
  rows(this: void): ReadonlyArray<Row>
}

const refuse = () => {
  throw new Error('a law does not ask for this')
}

const keyOf = ({ pk, sk }: RowKey): string => JSON.stringify([pk, sk])

const byKey = (one: Row, other: Row): number => (keyOf(one) < keyOf(other) ? -1 : 1)

export const plainViews = (): PlainViews => {
  const rows = new Map<string, Row>()
  const progress = new Map<string, number>()
  const views: ViewStore = {
    get: (_, key) => async () => E.right(rows.get(keyOf(key))),
    put: (_, row, expected) => async () => {
      if (canonical(rows.get(keyOf(row))?.sources) !== canonical(expected)) return E.right('conflict')
      rows.set(keyOf(row), throughJson(row) as Row)
      return E.right('stored')
    },
    progress: (_, stream) => async () => E.right(progress.get(stream) ?? 0),
    advance: (_, stream, commit) => async () => {
      progress.set(stream, Math.max(commit, progress.get(stream) ?? 0))
      return E.right(undefined)
    },
    progresses: refuse,
    query: refuse,
    active: refuse,
    activate: refuse,
    drop: refuse,
  }
  return { views, rows: () => [...rows.values()].toSorted(byKey) }
}
