/**
 * What a group of commands comes to on a head: each member's answer, and the commit that puts it on record.
 *
 * Law: a group gives the answers and the state that its members give one by one, in its order.
 */
import { type Aggregate, encodeEvent } from './aggregate.ts'
import { type CommandId, dateOf } from './command-id.ts'
import { bytesOf, type Commit, type StoredAnswer, type StoredEvent, type StoredSnapshot } from './commit.ts'
import type { Envelope } from './envelope.ts'
import type { Fault } from './fault.ts'
import { E } from './fp.ts'
import type { Handler, Settled } from './handler.ts'
import { type Head, isOutweighed } from './head.ts'
import { type Learned, type Lookup, recorded, screen } from './ledger.ts'
import { remember } from './memory.ts'

/** What a group comes to on a head: an answer for each member, and what is to be put on record. */
export interface Draft<State, Event, Rejection> {
  readonly settled: ReadonlyArray<Settled<Event, Rejection>>
  readonly answers: ReadonlyArray<StoredAnswer>
  readonly state: State
  readonly events: number
  /** Whether an answer rests on the head alone, without being put on record. */
  readonly fromHead: boolean
}

type Drafted<State, Event, Rejection> = E.Either<Fault, Draft<State, Event, Rejection>>

/** A promise only where the log must be read for a member's id. */
export const draft = <Command, State, Event extends StoredEvent, Rejection>(
  handler: Handler<Command, State, Event, Rejection>,
  head: Head<State>,
  group: ReadonlyArray<Envelope<Command>>,
  learned: Learned,
): Drafted<State, Event, Rejection> | Promise<Drafted<State, Event, Rejection>> => {
  const looked = group.map((member) => lookUp(handler, head, member, learned))
  return looked.every(isKnown)
    ? compose(handler, head, group, looked)
    : Promise.all(looked.map((one) => Promise.resolve(one))).then((known) =>
        compose(handler, head, group, known),
      )
}

const isKnown = <Known>(looked: Known | Promise<Known>): looked is Known => !(looked instanceof Promise)

/** What is known of a member before it is decided. An id that is refused for its date is not looked for. */
const lookUp = <Command, State, Event extends StoredEvent, Rejection>(
  handler: Handler<Command, State, Event, Rejection>,
  head: Head<State>,
  member: Envelope<Command>,
  learned: Learned,
): Lookup<Event, Rejection> | Promise<Lookup<Event, Rejection>> => {
  const refused = screen(member, handler.options)
  return refused === undefined ? recorded(handler, head, member, learned) : E.right(E.left(refused))
}

const compose = <Command, State, Event extends StoredEvent, Rejection>(
  { aggregate }: Handler<Command, State, Event, Rejection>,
  head: Head<State>,
  group: ReadonlyArray<Envelope<Command>>,
  looked: ReadonlyArray<Lookup<Event, Rejection>>,
): Drafted<State, Event, Rejection> => {
  const position = { stream: head.stream, commit: head.number + 1 }
  const answers: Array<StoredAnswer> = []
  // Only in a group can an id come twice.
  const drafted = group.length > 1 ? new Map<CommandId, number>() : undefined
  let { state } = head
  let events = 0
  let fromHead = false
  const settled: Array<Settled<Event, Rejection>> = []
  for (const member of group) {
    const at = settled.length
    const known = looked[at]
    if (known !== undefined) {
      if (E.isLeft(known)) return known
      settled.push(known.right)
      continue
    }
    const earlier = drafted?.get(member.id)
    if (earlier !== undefined) {
      settled.push(repeated(settled[earlier], member, answers))
      continue
    }
    const context = { timeMs: member.timeMs, commandId: member.id }
    const outcome = aggregate.decide(member.command, state, context)
    const changes = E.isRight(outcome) ? outcome.right : []
    for (const event of changes) state = aggregate.evolve(state, event)
    events += changes.length
    if (member.identified || changes.length > 0) {
      drafted?.set(member.id, at)
      answers.push(answerOf(aggregate, head, member, outcome))
    } else fromHead = true
    settled.push(E.right({ commandId: member.id, position, outcome, timeMs: member.timeMs, replayed: false }))
  }
  if (answers.length === 0 && fromHead)
    return E.right({ settled: atHead(settled, head), answers, state, events, fromHead })
  return E.right({ settled, answers, state, events, fromHead })
}

/** Where nothing is appended, an answer is given from the head itself. */
const atHead = <Event, Rejection>(
  settled: ReadonlyArray<Settled<Event, Rejection>>,
  { stream, number }: Head<unknown>,
): ReadonlyArray<Settled<Event, Rejection>> =>
  settled.map((one) =>
    E.isRight(one) && !one.right.replayed
      ? E.right({ ...one.right, position: { stream, commit: number } })
      : one,
  )

/** The same id earlier in the group: its answer, or a refusal where the payload differs. */
const repeated = <Event, Rejection>(
  first: Settled<Event, Rejection> | undefined,
  { id, fingerprint }: Envelope<unknown>,
  answers: ReadonlyArray<StoredAnswer>,
): Settled<Event, Rejection> => {
  const answer = answers.find((one) => one.id === id)
  if (first === undefined || answer?.fingerprint !== fingerprint)
    return E.left({ _tag: 'IdReused', commandId: id })
  return E.isRight(first) ? E.right({ ...first.right, replayed: true }) : first
}

const answerOf = <Event extends StoredEvent, Rejection>(
  aggregate: Aggregate<unknown, unknown, Event, Rejection>,
  head: Head<unknown>,
  { id, fingerprint, timeMs, dateMs, metadata }: Envelope<unknown>,
  outcome: E.Either<Rejection, ReadonlyArray<Event>>,
): StoredAnswer => {
  const events = E.isRight(outcome) ? outcome.right.map((event) => encodeEvent(aggregate, event)) : []
  const answer = { id, fingerprint, timeMs, metadata, events }
  const marked = head.memory.marking === true && dateOf(id) === undefined
  if (dateMs === undefined && !marked && E.isRight(outcome)) return answer
  return {
    ...answer,
    ...(dateMs === undefined ? {} : { dateMs }),
    ...(marked ? { marked } : {}),
    ...(E.isLeft(outcome) ? { rejection: aggregate.rejection.encode(outcome.left) } : {}),
  }
}

export const commitOf = <Command, State, Event extends StoredEvent, Rejection>(
  handler: Handler<Command, State, Event, Rejection>,
  head: Head<State>,
  { answers, state, events }: Draft<State, Event, Rejection>,
): Commit => {
  let { timeMs, latestIdMs } = head
  for (const answer of answers) {
    timeMs = Math.max(timeMs, answer.timeMs)
    latestIdMs = Math.max(latestIdMs, dateOf(answer.id) ?? 0)
  }
  const commit: Commit = {
    stream: head.stream,
    number: head.number + 1,
    version: head.version + events,
    timeMs,
    latestIdMs,
    answers,
  }
  const snapshot = snapshotOf(handler, head, commit, state)
  return snapshot === undefined ? commit : { ...commit, snapshot }
}

/**
 * A snapshot is due when k commits went without one, and, where the state is large, once they outweigh it. Past half of
 * k, one is embedded that costs nothing to write: what fits into the kilobyte that its commit has started anyway.
 */
const snapshotOf = <Command, State, Event extends StoredEvent, Rejection>(
  handler: Handler<Command, State, Event, Rejection>,
  head: Head<State>,
  commit: Commit,
  state: State,
): StoredSnapshot | undefined => {
  const { snapshotEvery } = handler.options
  const without = head.tail.length + 1
  if (handler.aggregate.snapshot === undefined) return undefined
  if (without >= snapshotEvery)
    return isOutweighed(head) ? snapshotAfter(handler, head, commit, state) : undefined
  if (without * 2 <= snapshotEvery || !mayBeSmall(head)) return undefined
  const snapshot = snapshotAfter(handler, head, commit, state)
  const bytes = bytesOf(commit)
  const room = Math.ceil(bytes / WRITE_UNIT_BYTES) * WRITE_UNIT_BYTES - bytes
  return bytesOf({ snapshot }) <= room ? snapshot : undefined
}

/** What DynamoDB writes for one unit of capacity. */
const WRITE_UNIT_BYTES = 1024

/** An id of 26 characters and a number, as JSON. */
const REMEMBERED_BYTES = 34

/** Judged by the last one, so that most are not made in vain. */
const mayBeSmall = ({ snapshotBytes, memory, tail }: Head<unknown>): boolean =>
  snapshotBytes + (memory.ids.length + tail.length) * REMEMBERED_BYTES < WRITE_UNIT_BYTES

const snapshotAfter = <Command, State, Event extends StoredEvent, Rejection>(
  { aggregate, options }: Handler<Command, State, Event, Rejection>,
  head: Head<State>,
  commit: Commit,
  state: State,
): StoredSnapshot | undefined => {
  if (aggregate.snapshot === undefined) return undefined
  const stored = aggregate.snapshot.encode(state)
  return {
    fingerprint: aggregate.fingerprint,
    state: stored,
    memory: remember(head.memory, [...head.tail, commit], options.remembered, commit.timeMs),
    sizeBytes: bytesOf(stored),
  }
}
