/**
 * Finding the answer on record for a command id: in the newest commits, among the remembered ids, behind a marker,
 * or back in the log, which is the ledger of them all.
 */
import { type Aggregate, decodeEvent } from './aggregate.ts'
import { decode, type InvalidInput } from './codec.ts'
import { type CommandId, dateOf } from './command-id.ts'
import type { Commit, StoredAnswer, StoredEvent } from './commit.ts'
import type { Envelope } from './envelope.ts'
import type { Fault, Refusal } from './fault.ts'
import { E, type TE } from './fp.ts'
import {
  defaultOptions,
  type ExecuteOptions,
  type ExecutePorts,
  type Handler,
  type Settled,
} from './handler.ts'
import { type Head, load } from './head.ts'
import { absence } from './memory.ts'
import type { EventStore } from './ports/event-store.ts'
import type { StreamName } from './stream-name.ts'

/** What is known of an id before it is decided: its answer, or why there can be none; undefined where it is new. */
export type Lookup<Event, Rejection> = E.Either<Fault, Settled<Event, Rejection>> | undefined

/** The commits that markers name for ids without a date. */
export type Markers = ReadonlyMap<CommandId, number>

/** What earlier attempts have learned of a group's ids. */
export interface Learned {
  readonly markers: Markers
  /** Up to which commit an id is known not to be on record: history does not change, so nobody reads it again. */
  readonly absentTo: ReadonlyMap<CommandId, number>
}
export const NOTHING_LEARNED: Learned = { markers: new Map(), absentTo: new Map() }

/** The markers of all members that have one, so that one attempt learns of every repeat in its group. */
export const markersOf = async (
  store: EventStore,
  { stream, memory }: Pick<Head<unknown>, 'stream' | 'memory'>,
  members: ReadonlyArray<Pick<Envelope<unknown>, 'id'>>,
): Promise<E.Either<Fault, Markers>> => {
  const markers = new Map<CommandId, number>()
  const ids = new Set(members.map(({ id }) => id))
  for (const id of ids) {
    if (absence(memory, id) !== 'ask-the-marker') continue
    const marked = await store.marker(stream, id)()
    if (E.isLeft(marked)) return marked
    if (marked.right !== undefined) markers.set(id, marked.right)
  }
  return E.right(markers)
}

/** Why an id is refused for its date, whatever is on record; nothing is looked for then. */
export const screen = (
  { id, timeMs }: Pick<Envelope<unknown>, 'id' | 'timeMs'>,
  { maxFutureMs, maxAgeMs }: ExecuteOptions,
): Refusal | undefined => {
  const dateMs = dateOf(id)
  if (dateMs === undefined) return undefined
  if (dateMs > timeMs + maxFutureMs) return { _tag: 'IdFromTheFuture', commandId: id, dateMs, nowMs: timeMs }
  return dateMs < timeMs - maxAgeMs ? { _tag: 'IdTooOld', commandId: id, dateMs, nowMs: timeMs } : undefined
}

/** The answer on record for this id, if there is one; a promise only where the log must be read for it. */
export const recorded = <Command, State, Event extends StoredEvent, Rejection>(
  handler: Handler<Command, State, Event, Rejection>,
  head: Head<State>,
  member: Pick<Envelope<Command>, 'id' | 'fingerprint'>,
  { markers, absentTo }: Learned,
): Lookup<Event, Rejection> | Promise<Lookup<Event, Rejection>> => {
  const dateMs = dateOf(member.id) ?? 0
  if (dateMs > head.latestIdMs) return undefined
  // No commit holds this id that is as old as one whose latest id date is before this id's.
  const older = head.tail.findLastIndex(({ latestIdMs }) => latestIdMs < dateMs)
  const inTail = search(older < 0 ? head.tail : head.tail.slice(older + 1), member.id)
  if (inTail !== undefined) return onRecord(handler.aggregate, member, inTail)
  if (older >= 0) return undefined
  const remembered = head.memory.ids.find(([id]) => id === member.id)
  const commit = remembered?.[1] ?? markers.get(member.id)
  if (commit !== undefined)
    return fromLog(handler, head.stream, member, { before: commit + 1, after: commit - 1 })
  if (absence(head.memory, member.id) !== 'ask-the-log') return undefined
  const before = head.tail[0]?.number ?? head.number + 1
  const after = absentTo.get(member.id) ?? 0
  return before - 1 > after ? fromLog(handler, head.stream, member, { before, after }) : undefined
}

const search = (
  commits: ReadonlyArray<Commit>,
  id: CommandId,
): { readonly commit: Commit; readonly answer: StoredAnswer } | undefined => {
  for (const commit of commits) {
    const { answers } = commit
    // By place: a store may freeze what it gives, and iterating what is frozen makes an object of every step.
    for (let at = 0; at < answers.length; at += 1) {
      const answer = answers[at]
      if (answer?.id === id) return { commit, answer }
    }
  }
  return undefined
}

/**
 * Reads back to the number that the answer must be after, or to the first commit whose latest id date is before this
 * id's: no commit further back can hold it.
 */
const fromLog = async <Command, State, Event extends StoredEvent, Rejection>(
  { aggregate, ports, options }: Handler<Command, State, Event, Rejection>,
  stream: StreamName,
  member: Pick<Envelope<Command>, 'id' | 'fingerprint'>,
  range: { readonly before: number; readonly after: number },
): Promise<Lookup<Event, Rejection>> => {
  const dateMs = dateOf(member.id) ?? 0
  const least = options.snapshotEvery * 4
  let { before } = range
  for (;;) {
    // As much again as was read: a long way back takes few requests, and reads at most twice what it has to.
    const limit = Math.min(Math.max(least, range.before - before), before - 1 - range.after)
    const page = await ports.store.readBackward(stream, { before, limit })()
    if (E.isLeft(page)) return page
    for (const commit of page.right.commits) {
      if (commit.number !== before - 1) return E.left({ _tag: 'MissingCommit', stream, number: before - 1 })
      before = commit.number
      const found = search([commit], member.id)
      if (found !== undefined) return onRecord(aggregate, member, found)
      if (before - 1 <= range.after || commit.latestIdMs < dateMs) return undefined
    }
    if (page.right.done)
      return before > 1 ? E.left({ _tag: 'MissingCommit', stream, number: before - 1 }) : undefined
  }
}

/** The answer as it was recorded, read back from its commit. */
const onRecord = <Event extends StoredEvent, Rejection>(
  aggregate: Aggregate<unknown, unknown, Event, Rejection>,
  member: Pick<Envelope<unknown>, 'id' | 'fingerprint'>,
  { commit, answer }: { readonly commit: Commit; readonly answer: StoredAnswer },
): E.Either<Fault, Settled<Event, Rejection>> => {
  if (answer.fingerprint !== member.fingerprint)
    return E.right(E.left({ _tag: 'IdReused', commandId: member.id }))
  const position = { stream: commit.stream, commit: commit.number }
  const outcome = outcomeOf(aggregate, commit, answer)
  if (E.isLeft(outcome)) return outcome
  return E.right(
    E.right({
      commandId: member.id,
      position,
      outcome: outcome.right,
      timeMs: answer.timeMs,
      replayed: true,
    }),
  )
}

const outcomeOf = <Event extends StoredEvent, Rejection>(
  aggregate: Aggregate<unknown, unknown, Event, Rejection>,
  { stream, number }: Commit,
  answer: StoredAnswer,
): E.Either<Fault, E.Either<Rejection, ReadonlyArray<Event>>> => {
  const undecodable = ({ errors }: InvalidInput): E.Either<Fault, never> =>
    E.left({ _tag: 'Undecodable', stream, commit: number, errors })
  if (answer.rejection !== undefined) {
    const rejection = decode(aggregate.rejection, answer.rejection)
    return E.isLeft(rejection) ? undecodable(rejection.left) : E.right(E.left(rejection.right))
  }
  const events: Array<Event> = []
  for (const stored of answer.events) {
    const event = decodeEvent(aggregate, stored)
    if (E.isLeft(event)) return undecodable(event.left)
    events.push(event.right)
  }
  return E.right(E.right(events))
}

/** The answer on record for this id and payload, if there is one: a read, for those who must know before they decide. */
export const recall =
  <Command, State, Event extends StoredEvent, Rejection>(
    aggregate: Aggregate<Command, State, Event, Rejection>,
    ports: ExecutePorts,
    options: Partial<ExecuteOptions> = {},
  ) =>
  (
    stream: StreamName,
    member: Pick<Envelope<unknown>, 'id' | 'fingerprint'>,
  ): TE.TaskEither<Fault, Settled<Event, Rejection> | undefined> =>
  async () => {
    const handler = { aggregate, ports, options: { ...defaultOptions, ...options } }
    const refused = screen({ id: member.id, timeMs: ports.clock.nowMs() }, handler.options)
    if (refused !== undefined) return E.right(E.left(refused))
    const head = await load(aggregate, ports.store, stream, handler.options.snapshotEvery)
    if (E.isLeft(head)) return head
    const markers = await markersOf(ports.store, head.right, [member])
    if (E.isLeft(markers)) return markers
    const known = await recorded(handler, head.right, member, { ...NOTHING_LEARNED, markers: markers.right })
    return known ?? E.right(undefined)
  }
