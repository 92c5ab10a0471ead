/**
 * The command handler: exactly one effect and one answer per command id, for one conditional write.
 *
 * A group of commands of one stream is decided in turn and appended as one commit; a single command is a group of
 * one. Answers come only from an acknowledged append or from the stored log. A failed condition reads the new tail
 * and decides again with the same context; an append whose outcome is unknown is repeated until it is known.
 */
import type { Aggregate } from './aggregate.ts'
import { backoffMs } from './backoff.ts'
import type { Commit, StoredAnswer, StoredEvent } from './commit.ts'
import { commitOf, draft } from './draft.ts'
import type { Envelope } from './envelope.ts'
import type { Fault } from './fault.ts'
import { E, type TE } from './fp.ts'
import {
  defaultOptions,
  type ExecuteOptions,
  type ExecutePorts,
  type Handler,
  type Settled,
} from './handler.ts'
import { catchUp, type Head, load, withCommits } from './head.ts'
import { type Learned, markersOf, NOTHING_LEARNED } from './ledger.ts'
import type { AppendFailure } from './ports/event-store.ts'
import type { StreamName } from './stream-name.ts'

export type Execute<Command, Event, Rejection> = (
  stream: StreamName,
  group: ReadonlyArray<Envelope<Command>>,
) => TE.TaskEither<Fault, ReadonlyArray<Settled<Event, Rejection>>>

/** The answers of a group, in its order. A fault means that none is known; the same ids may be sent again. */
export const execute = <Command, State, Event extends StoredEvent, Rejection>(
  aggregate: Aggregate<Command, State, Event, Rejection>,
  ports: ExecutePorts,
  options: Partial<ExecuteOptions> = {},
): Execute<Command, Event, Rejection> => {
  const handler = { aggregate, ports, options: { ...defaultOptions, ...options } }
  return (stream, group) => () => settle(handler, stream, group)
}

const settle = async <Command, State, Event extends StoredEvent, Rejection>(
  handler: Handler<Command, State, Event, Rejection>,
  stream: StreamName,
  group: ReadonlyArray<Envelope<Command>>,
): Promise<E.Either<Fault, ReadonlyArray<Settled<Event, Rejection>>>> => {
  const { aggregate, ports, options } = handler
  let learned: Learned = NOTHING_LEARNED
  let head = ports.cache?.get(stream) as Head<State> | undefined
  let fresh = false
  let doubt: Doubt | undefined
  let outrun = false
  for (let attempt = 0; attempt < options.attempts; attempt += 1) {
    if (outrun || doubt !== undefined) await ports.clock.sleep(backoffMs(attempt, ports.clock.random()))
    if (head === undefined) {
      const loaded = await load(aggregate, ports.store, stream, options.snapshotEvery)
      if (E.isLeft(loaded)) return doubt === undefined ? loaded : unsettled(stream, group, doubt)
      head = loaded.right
      fresh = true
    }
    const drafting = draft(handler, head, group, learned)
    const drafted = drafting instanceof Promise ? await drafting : drafting
    if (E.isLeft(drafted)) return doubt === undefined ? drafted : unsettled(stream, group, doubt)
    const { answers } = drafted.right
    if (answers.length === 0) {
      if (fresh || !drafted.right.fromHead) {
        ports.cache?.set(stream, head)
        return E.right(drafted.right.settled)
      }
      head = undefined
      continue
    }
    const first = commitOf(handler, head, drafted.right)
    const appended = await ports.store.append(first)()
    const { commit, outcome } = E.isRight(appended)
      ? stored(first)
      : await insist(ports, first, appended.left)
    if (outcome === 'stored') {
      const before = commit === first ? head : withoutRoom(head, first)
      ports.cache?.set(stream, withCommits(aggregate, before, [commit], drafted.right.state))
      return E.right(drafted.right.settled)
    }
    ports.cache?.delete(stream)
    learned = { ...learned, absentTo: absentTo(head, answers) }
    if (outcome._tag === 'TooLarge') {
      const parts = await apart(handler, stream, group, outcome)
      return E.isLeft(parts) && doubt !== undefined ? unsettled(stream, group, doubt) : parts
    }
    if (outcome._tag === 'OutcomeUnknown') {
      doubt = outcome
      head = undefined
      continue
    }
    // Somebody was faster; a marker, and a cached head that was too old to answer from, only tell us more.
    outrun = outcome._tag === 'Conflict'
    if (outcome._tag === 'Marked') {
      const found = await markersOf(ports.store, head, group)
      if (E.isLeft(found)) return doubt === undefined ? found : unsettled(stream, group, doubt)
      learned = { ...learned, markers: found.right }
    }
    const caughtUp = await catchUp(aggregate, ports.store, head, options.snapshotEvery)
    if (E.isLeft(caughtUp)) return doubt === undefined ? caughtUp : unsettled(stream, group, doubt)
    head = caughtUp.right
    fresh = true
  }
  return doubt === undefined
    ? E.left({ _tag: 'Contended', stream, attempts: options.attempts })
    : unsettled(stream, group, doubt)
}

/** What was to be put on record on a head is not on record up to there. */
const absentTo = ({ number }: Head<unknown>, answers: ReadonlyArray<StoredAnswer>): Learned['absentTo'] =>
  new Map(answers.map(({ id }) => [id, number]))

/** A group too large for one commit is two groups; a single command too large for one is refused, alone. */
const apart = async <Command, State, Event extends StoredEvent, Rejection>(
  handler: Handler<Command, State, Event, Rejection>,
  stream: StreamName,
  group: ReadonlyArray<Envelope<Command>>,
  { sizeBytes, limitBytes }: TooLarge,
): Promise<E.Either<Fault, ReadonlyArray<Settled<Event, Rejection>>>> => {
  const [only] = group
  if (only !== undefined && group.length === 1)
    return E.right([E.left({ _tag: 'TooLarge', commandId: only.id, sizeBytes, limitBytes })])
  const middle = Math.ceil(group.length / 2)
  const first = await settle(handler, stream, group.slice(0, middle))
  if (E.isLeft(first)) return first
  const second = await settle(handler, stream, group.slice(middle))
  if (E.isRight(second)) return E.right([...first.right, ...second.right])
  return unsettled(stream, group, { cause: second.left })
}

/** The last append whose outcome is unknown. */
type Doubt = Extract<AppendFailure, { readonly _tag: 'OutcomeUnknown' }>

/** What a fault means once an append may have gone through: nobody knows what is on record. */
const unsettled = (
  stream: StreamName,
  group: ReadonlyArray<Envelope<unknown>>,
  { cause }: Pick<Doubt, 'cause'>,
): E.Either<Fault, never> =>
  E.left({
    _tag: 'Unsettled',
    stream,
    commandIds: group.map(({ id }) => id),
    ...(cause === undefined ? {} : { cause }),
  })

type TooLarge = Extract<AppendFailure, { readonly _tag: 'TooLarge' }>

/** What was put, and what came of it. */
interface Put {
  readonly commit: Commit
  readonly outcome: 'stored' | AppendFailure
}

const stored = (commit: Commit): Put => ({ commit, outcome: 'stored' })

/** A snapshot that did not fit is not tried again before as much as it weighs has come on top. */
const withoutRoom = <State>(head: Head<State>, { snapshot }: Commit): Head<State> =>
  snapshot === undefined ? head : { ...head, snapshotBytes: snapshot.sizeBytes, tailBytes: 0 }

/** Repeats the same commit while its outcome is unknown; a snapshot that makes it too large waits for another one. */
const insist = async (ports: ExecutePorts, commit: Commit, first: AppendFailure): Promise<Put> => {
  const { store, clock } = ports
  let failure = first
  for (let repeat = 1; repeat <= REPEATS && failure._tag === 'OutcomeUnknown'; repeat += 1) {
    await clock.sleep(backoffMs(repeat, clock.random()))
    const outcome = await store.append(commit)()
    if (E.isRight(outcome)) return stored(commit)
    failure = outcome.left
  }
  if (failure._tag !== 'TooLarge' || commit.snapshot === undefined) return { commit, outcome: failure }
  const { snapshot: _, ...bare } = commit
  const outcome = await store.append(bare)()
  return E.isRight(outcome) ? stored(bare) : insist(ports, bare, outcome.left)
}

/** How often a commit is appended again before the stream is read to learn what became of it. */
const REPEATS = 2
