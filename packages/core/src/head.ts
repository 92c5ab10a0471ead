/**
 * What a load knows of a stream: its newest commits back to a snapshot, folded.
 *
 * Law: the state is the same whichever snapshot the load met, and as if it had met none.
 */
import { type Aggregate, decodeEvent } from './aggregate.ts'
import { decode } from './codec.ts'
import { type Commit, type Memory, type StoredEvent, sizeBytes } from './commit.ts'
import type { Fault } from './fault.ts'
import { E } from './fp.ts'
import { emptyMemory } from './memory.ts'
import type { EventStore, Page } from './ports/event-store.ts'
import type { StreamName } from './stream-name.ts'

export interface Head<State> {
  readonly stream: StreamName
  /** The newest commit's number; 0 for a stream without commits. */
  readonly number: number
  readonly version: number
  readonly timeMs: number
  readonly latestIdMs: number
  readonly state: State
  /** The ids the newest snapshot remembers; those of the tail come on top. */
  readonly memory: Memory
  /** The commits after that snapshot, oldest first. */
  readonly tail: ReadonlyArray<Commit>
  /** The size of that snapshot, or of a later one that did not fit; 0 where there was none. */
  readonly snapshotBytes: number
  /** What the commits since then weigh; counted only where the snapshot is large. */
  readonly tailBytes: number
}

type Folding<State, Event extends StoredEvent> = Aggregate<unknown, State, Event, unknown>

export const emptyHead = <State>(
  aggregate: { readonly initial: State },
  stream: StreamName,
): Head<State> => ({
  stream,
  number: 0,
  version: 0,
  timeMs: 0,
  latestIdMs: 0,
  state: aggregate.initial,
  memory: emptyMemory,
  tail: [],
  snapshotBytes: 0,
  tailBytes: 0,
})

/** Below this, a snapshot costs no more than the read it saves. */
const LARGE_BYTES = 4096

/** Whether a large snapshot waits until the tail outweighs it: so its cost is a share of what the tail's commits cost. */
export const isOutweighed = ({ snapshotBytes, tailBytes }: Head<unknown>): boolean =>
  snapshotBytes <= LARGE_BYTES || tailBytes >= snapshotBytes

type Loaded<State> = E.Either<Fault, Head<State>>

/** Reads back to the newest snapshot of this aggregate's own fingerprint, as a rule in one request. */
export const load = <State, Event extends StoredEvent>(
  aggregate: Folding<State, Event>,
  store: EventStore,
  stream: StreamName,
  limit: number,
): Promise<Loaded<State>> => {
  const reading = { aggregate, store, stream, limit }
  return store
    .readBackward(stream, { limit })()
    .then((page) => readOn(reading, [], page))
}

interface Reading<State, Event extends StoredEvent> {
  readonly aggregate: Folding<State, Event>
  readonly store: EventStore
  readonly stream: StreamName
  readonly limit: number
}

/** `newer` is what was read before this page, oldest first. */
const readOn = <State, Event extends StoredEvent>(
  reading: Reading<State, Event>,
  newer: ReadonlyArray<Commit>,
  page: E.Either<Fault, Page>,
): Loaded<State> | Promise<Loaded<State>> => {
  if (E.isLeft(page)) return page
  const { aggregate, store, stream, limit } = reading
  const { commits, done } = page.right
  const at = commits.findIndex(({ snapshot }) => snapshot?.fingerprint === aggregate.fingerprint)
  const wanted = at < 0 ? commits : commits.slice(0, at + 1)
  const known = joined(wanted.toReversed(), newer)
  const [oldest] = known
  if (done || at >= 0 || oldest === undefined) return fromCommits(aggregate, stream, known)
  // As much again as is known: a long way back takes few requests, and reads at most twice what it has to.
  return store
    .readBackward(stream, { before: oldest.number, limit: Math.max(limit, known.length) })()
    .then((further) => readOn(reading, known, further))
}

/** The head after commits whose first is number 1 or carries a usable snapshot. */
const fromCommits = <State, Event extends StoredEvent>(
  aggregate: Folding<State, Event>,
  stream: StreamName,
  commits: ReadonlyArray<Commit>,
): Loaded<State> => {
  const [first] = commits
  const started = first === undefined ? undefined : fromSnapshot(aggregate, first)
  if (started === undefined) return onTop(aggregate, emptyHead(aggregate, stream), commits)
  return E.isLeft(started) ? started : onTop(aggregate, started.right, commits.slice(1))
}

/** The head after further commits without a snapshot among them. */
const onTop = <State, Event extends StoredEvent>(
  aggregate: Folding<State, Event>,
  head: Head<State>,
  commits: ReadonlyArray<Commit>,
): Loaded<State> => {
  const state = foldCommits(aggregate, head, commits)
  return E.isLeft(state) ? state : E.right(extended(head, commits, state.right))
}

const fromSnapshot = <State, Event extends StoredEvent>(
  aggregate: Folding<State, Event>,
  { stream, number, version, timeMs, latestIdMs, snapshot }: Commit,
): E.Either<Fault, Head<State>> | undefined => {
  if (aggregate.snapshot === undefined || snapshot?.fingerprint !== aggregate.fingerprint) return undefined
  const stored = decode(aggregate.snapshot.stored, snapshot.state)
  if (E.isLeft(stored))
    return E.left({ _tag: 'Undecodable', stream, commit: number, errors: stored.left.errors })
  return E.right({
    stream,
    number,
    version,
    timeMs,
    latestIdMs,
    state: aggregate.snapshot.decode(stored.right),
    memory: snapshot.memory,
    tail: [],
    snapshotBytes: snapshot.sizeBytes,
    tailBytes: 0,
  })
}

/**
 * Reads what was appended after the head. Where that is more than a page, a snapshot is nearer than the head as a rule,
 * and the stream is loaded instead; without snapshots it is read on, each time as much again as was read.
 */
export const catchUp = async <State, Event extends StoredEvent>(
  aggregate: Folding<State, Event>,
  store: EventStore,
  head: Head<State>,
  limit: number,
): Promise<Loaded<State>> => {
  let current = head
  for (;;) {
    const range = { after: current.number, limit: Math.max(limit, current.number - head.number) }
    const page = await store.readForward(head.stream, range)()
    if (E.isLeft(page)) return page
    const advanced = advance(aggregate, current, page.right.commits)
    if (E.isLeft(advanced) || page.right.done) return advanced
    if (aggregate.snapshot !== undefined) return load(aggregate, store, head.stream, limit)
    current = advanced.right
  }
}

/** The head after further commits, oldest first; a number that is missing is refused. */
export const advance = <State, Event extends StoredEvent>(
  aggregate: Folding<State, Event>,
  head: Head<State>,
  commits: ReadonlyArray<Commit>,
): Loaded<State> => {
  const state = foldCommits(aggregate, head, commits)
  return E.isLeft(state) ? state : E.right(withCommits(aggregate, head, commits, state.right))
}

const foldCommits = <State, Event extends StoredEvent>(
  aggregate: Folding<State, Event>,
  { stream, number: before, state: from }: Head<State>,
  commits: ReadonlyArray<Commit>,
): E.Either<Fault, State> => {
  let state = from
  let number = before
  for (const commit of commits) {
    number += 1
    if (commit.number !== number) return E.left({ _tag: 'MissingCommit', stream, number })
    const { answers } = commit
    // By place: a store may freeze what it gives, and iterating what is frozen makes an object of every step.
    for (let at = 0; at < answers.length; at += 1) {
      const events = answers[at]?.events ?? []
      for (let nth = 0; nth < events.length; nth += 1) {
        const event = decodeEvent(aggregate, events[nth] as StoredEvent)
        if (E.isLeft(event))
          return E.left({ _tag: 'Undecodable', stream, commit: number, errors: event.left.errors })
        state = aggregate.evolve(state, event.right)
      }
    }
  }
  return E.right(state)
}

/** The same head with `commits` on top and the state known; a snapshot among them shortens the tail. */
export const withCommits = <State>(
  aggregate: { readonly fingerprint: string },
  head: Head<State>,
  commits: ReadonlyArray<Commit>,
  state: State,
): Head<State> => {
  const at = commits.findLastIndex(({ snapshot }) => snapshot?.fingerprint === aggregate.fingerprint)
  const carrier = at < 0 ? undefined : commits[at]
  if (carrier?.snapshot === undefined) return extended(head, commits, state)
  const { memory, sizeBytes: snapshotBytes } = carrier.snapshot
  const shortened = { ...extended(head, [carrier], state), memory, tail: [], snapshotBytes, tailBytes: 0 }
  return extended(shortened, commits.slice(at + 1), state)
}

const extended = <State>(head: Head<State>, commits: ReadonlyArray<Commit>, state: State): Head<State> => {
  const last = commits[commits.length - 1]
  if (last === undefined) return head
  return {
    stream: head.stream,
    number: last.number,
    version: last.version,
    timeMs: last.timeMs,
    latestIdMs: last.latestIdMs,
    state,
    memory: head.memory,
    tail: joined(head.tail, commits),
    snapshotBytes: head.snapshotBytes,
    tailBytes: head.snapshotBytes > LARGE_BYTES ? head.tailBytes + totalBytes(commits) : 0,
  }
}

const totalBytes = (commits: ReadonlyArray<Commit>): number => {
  let bytes = 0
  for (const commit of commits) bytes += sizeBytes(commit)
  return bytes
}

const joined = (older: ReadonlyArray<Commit>, newer: ReadonlyArray<Commit>): ReadonlyArray<Commit> =>
  older.length === 0 ? newer : [...older, ...newer]
