/**
 * Commands of several streams, decided and put on record in one transaction: all of them, or none.
 *
 * Where every command is accepted, each stream gets one commit with the answers to its commands, also to one that
 * changed nothing. Where any is rejected, the rejections alone are put on record, each on its own stream, on the
 * condition that no other stream of the transaction has moved: so no two attempts can record different outcomes, and a
 * repeat reads the same rejections. Of the commands beside them nothing is recorded; their ids are not used up, but the
 * rejected one's is, and with it every transaction that names it.
 *
 * An id on record here names the whole transaction: its fingerprint covers all streams, ids and payloads. The same id
 * beside other commands, or alone, is therefore another payload.
 *
 * As by `execute`, a conflict on any stream reads all again and decides again with the same contexts; a transaction
 * whose outcome is unknown is repeated until it is known. It costs a write to every stream, at twice the price, and
 * fails where any of them is busy: use it where a domain truly needs it, and a process elsewhere.
 */
import type { Aggregate } from './aggregate.ts'
import { backoffMs } from './backoff.ts'
import { dateOf } from './command-id.ts'
import type { Commit, Position, StoredAnswer, StoredEvent } from './commit.ts'
import { commitOf, type Draft, draft } from './draft.ts'
import type { Envelope } from './envelope.ts'
import type { Fault } from './fault.ts'
import { fingerprint } from './fingerprint.ts'
import { E, type TE } from './fp.ts'
import {
  type Answer,
  defaultOptions,
  type ExecuteOptions,
  type ExecutePorts,
  type Handler,
  type Settled,
} from './handler.ts'
import { catchUp, type Head, load } from './head.ts'
import { markersOf, NOTHING_LEARNED } from './ledger.ts'
import type { TogetherFailure } from './ports/event-store.ts'
import type { StreamName } from './stream-name.ts'

/** One command of a transaction; several of one stream are decided in turn. */
export interface Part<Command, State, Event extends StoredEvent, Rejection> {
  readonly aggregate: Aggregate<Command, State, Event, Rejection>
  readonly stream: StreamName
  /** Counts as identified, whoever gave the id: every answer is put on record. */
  readonly member: Envelope<Command>
}
export type AnyPart = Part<unknown, unknown, StoredEvent, unknown>

export const part = <Command, State, Event extends StoredEvent, Rejection>(
  aggregate: Aggregate<Command, State, Event, Rejection>,
  stream: StreamName,
  member: Envelope<Command>,
): Part<Command, State, Event, Rejection> => ({ aggregate, stream, member })

type AnswerOf<P> =
  P extends Part<infer _Command, infer _State, infer Event, infer Rejection>
    ? Answer<Event, Rejection>
    : never
type SettledOf<P> =
  P extends Part<infer _Command, infer _State, infer Event, infer Rejection>
    ? Settled<Event, Rejection>
    : never

/**
 * Right: all were accepted, each with its events. Left: the rejections, and the refusals, for which nothing is
 * recorded; undefined for a command that only came beside them.
 */
export type Agreement<Parts extends ReadonlyArray<AnyPart>> = E.Either<
  { readonly [At in keyof Parts]: SettledOf<Parts[At]> | undefined },
  { readonly [At in keyof Parts]: AnswerOf<Parts[At]> }
>

/** A fault means that no answer is known; the same parts may be sent again. */
export type Together = <const Parts extends ReadonlyArray<AnyPart>>(
  parts: Parts,
) => TE.TaskEither<Fault, Agreement<Parts>>

export const together = (ports: ExecutePorts, options: Partial<ExecuteOptions> = {}): Together => {
  const settings = { ...defaultOptions, ...options }
  return <const Parts extends ReadonlyArray<AnyPart>>(parts: Parts) =>
    () =>
      settle({ ports, options: settings }, parts) as Promise<E.Either<Fault, Agreement<Parts>>>
}

type AnySettled = Settled<StoredEvent, unknown>
type AnyAgreement = Agreement<ReadonlyArray<AnyPart>>

/** One stream's share of a transaction: its commands with their places among all, and what was read of it so far. */
interface Lane {
  readonly handler: Handler<unknown, unknown, StoredEvent, unknown>
  readonly stream: StreamName
  readonly members: ReadonlyArray<Envelope<unknown>>
  readonly places: ReadonlyArray<number>
  readonly head?: Head<unknown>
}

/** A lane with what its commands come to. */
interface Drafted extends Lane {
  readonly head: Head<unknown>
  readonly draft: Draft<unknown, StoredEvent, unknown>
}

const settle = async (
  { ports, options }: Deciding,
  parts: ReadonlyArray<AnyPart>,
): Promise<E.Either<Fault, AnyAgreement>> => {
  const lanes = lanesOf({ ports, options }, parts)
  let [busy] = lanes.map(({ stream }) => stream)
  if (busy === undefined) return E.right(E.right([]))
  let unsettled: Fault = {
    _tag: 'Unsettled',
    stream: busy,
    commandIds: parts.map(({ member }) => member.id),
  }
  let seen = lanes
  let doubt = false
  for (let attempt = 0; attempt < options.attempts; attempt += 1) {
    if (attempt > 0) await ports.clock.sleep(backoffMs(attempt, ports.clock.random()))
    const drafted = await draftAll({ ports, options }, seen, unsettled)
    if (E.isLeft(drafted)) return doubt ? E.left(unsettled) : drafted
    const standings = inOrder(drafted.right)
    const known = onRecord(standings)
    if (known !== undefined) return E.right(known)
    const outcome = await put(ports, transactionOf(drafted.right))
    for (const { stream } of lanes) ports.cache?.delete(stream)
    if (outcome === 'stored') return E.right(agreementOf(standings))
    if (outcome._tag === 'StreamTwice') throw new Error(`two lanes of one stream: ${outcome.stream}`)
    if (outcome._tag === 'TooLarge' || outcome._tag === 'TooMany')
      return E.right(E.left(parts.map(({ member }) => E.left({ ...outcome, commandId: member.id }))))
    if (outcome._tag === 'OutcomeUnknown') {
      doubt = true
      unsettled = { ...unsettled, ...(outcome.cause === undefined ? {} : { cause: outcome.cause }) }
    } else busy = outcome.stream
    seen = outcome._tag === 'OutcomeUnknown' ? lanes : drafted.right
  }
  return E.left(doubt ? unsettled : { _tag: 'Contended', stream: busy, attempts: options.attempts })
}

type Deciding = Pick<Lane['handler'], 'ports' | 'options'>

const lanesOf = (deciding: Deciding, parts: ReadonlyArray<AnyPart>): ReadonlyArray<Lane> => {
  const all = parts.map(({ stream, member }) => [stream, member.id, member.fingerprint])
  const lanes = new Map<StreamName, Lane>()
  for (const [place, { aggregate, stream, member }] of parts.entries()) {
    const whole = { ...member, identified: true, fingerprint: fingerprint([member.fingerprint, all]) }
    const { members, places, ...lane } = lanes.get(stream) ?? {
      handler: { aggregate, ...deciding },
      stream,
      members: [],
      places: [],
    }
    lanes.set(stream, { ...lane, members: [...members, whole], places: [...places, place] })
  }
  return [...lanes.values()]
}

/**
 * What the commands come to on the streams as they are now. The streams are read one beside the other, and a read of
 * several commits is not isolated from a transaction, so one that lands meanwhile may show on some of them only. Then
 * the others are read on until it shows there too, once at once and then with pauses.
 */
const draftAll = async (
  { ports, options }: Deciding,
  lanes: ReadonlyArray<Lane>,
  unsettled: Fault,
): Promise<E.Either<Fault, ReadonlyArray<Drafted>>> => {
  let drafted = await allOf(lanes.map(draftLane))
  for (let look = 0; E.isRight(drafted); look += 1) {
    const half = halfSeen(inOrder(drafted.right))
    if (half === 'no' || (half === 'perhaps' && look === LOOKS)) return drafted
    if (look >= options.attempts) return E.left(unsettled)
    if (look > 0) await ports.clock.sleep(backoffMs(look, ports.clock.random()))
    drafted = await allOf(drafted.right.map(readOn))
  }
  return drafted
}

/** How often the streams are read on for what may be hidden there, but need not be. */
const LOOKS = 4

/** What is on record stays so: only the others are drafted anew. */
const readOn = async (lane: Drafted): Promise<E.Either<Fault, Drafted>> =>
  inOrder([lane]).some(({ isNew }) => isNew) ? draftLane(lane) : E.right(lane)

/**
 * Whether a transaction that is on record shows on some of its streams only. Beside a recorded acceptance none is new,
 * unless its id has no date and was forgotten; beside a recorded rejection only one that was accepted then, and as a
 * rule still is.
 */
const halfSeen = (standings: ReadonlyArray<Standing>): 'no' | 'perhaps' | 'surely' => {
  const news = standings.filter(({ isNew }) => isNew)
  const recorded = standings.filter(({ isNew, settled }) => !isNew && E.isRight(settled))
  if (news.length === 0 || recorded.length === 0) return 'no'
  if (recorded.some(({ settled }) => isNo(settled)))
    return news.some(({ settled }) => isNo(settled)) ? 'perhaps' : 'no'
  return news.some(({ member }) => dateOf(member.id) !== undefined) ? 'surely' : 'perhaps'
}

const allOf = async <A>(
  asked: ReadonlyArray<Promise<E.Either<Fault, A>>>,
): Promise<E.Either<Fault, ReadonlyArray<A>>> => {
  const all: Array<A> = []
  for (const one of await Promise.all(asked)) {
    if (E.isLeft(one)) return one
    all.push(one.right)
  }
  return E.right(all)
}

const draftLane = async (lane: Lane): Promise<E.Either<Fault, Drafted>> => {
  const { handler, members } = lane
  const { aggregate, ports, options } = handler
  const head = await (lane.head === undefined
    ? load(aggregate, ports.store, lane.stream, options.snapshotEvery)
    : catchUp(aggregate, ports.store, lane.head, options.snapshotEvery))
  if (E.isLeft(head)) return head
  // As by `execute`, an id is taken for new until a transaction, or another stream, tells otherwise.
  const markers =
    lane.head === undefined
      ? E.right(NOTHING_LEARNED.markers)
      : await markersOf(ports.store, head.right, members)
  if (E.isLeft(markers)) return markers
  const learned = { ...NOTHING_LEARNED, markers: markers.right }
  const drafted = await draft(handler, head.right, members, learned)
  return E.isLeft(drafted) ? drafted : E.right({ ...lane, head: head.right, draft: drafted.right })
}

/** One command with its answer, and whether that is still to be put on record. */
interface Standing {
  readonly place: number
  readonly member: Envelope<unknown>
  readonly settled: AnySettled
  readonly isNew: boolean
}

const inOrder = (drafted: ReadonlyArray<Drafted>): ReadonlyArray<Standing> =>
  drafted
    .flatMap(({ draft: { settled, answers }, members, places }) =>
      members.map((member, at): Standing => {
        const [place, answer] = [places[at], settled[at]]
        if (place === undefined || answer === undefined) throw new Error('each command has an answer')
        const isNew = E.isRight(answer) && answers.some(({ id }) => id === member.id)
        return { place, member, settled: answer, isNew }
      }),
    )
    .toSorted((one, other) => one.place - other.place)

/** The recorded outcome, or why there can be none; undefined where all commands are new. */
const onRecord = (standings: ReadonlyArray<Standing>): AnyAgreement | undefined => {
  const known = standings.find(({ isNew }) => !isNew)
  if (known === undefined) return undefined
  if (standings.some((one) => !one.isNew && isNo(one.settled)))
    return E.left(standings.map(({ settled, isNew }) => (isNew ? undefined : settled)))
  if (standings.some(({ isNew }) => isNew))
    return E.left(standings.map((one) => (one.isNew ? forgotten(one.member, known.settled) : one.settled)))
  return agreementOf(standings)
}

const isNo = (settled: AnySettled): boolean => E.isLeft(settled) || E.isLeft(settled.right.outcome)

/** Only an id without a date can be unknown to one stream and on record on another: its 24 hours are over. */
const forgotten = ({ id, timeMs }: Envelope<unknown>, known: AnySettled): AnySettled =>
  E.left({
    _tag: 'IdTooOld',
    commandId: id,
    dateMs: E.isRight(known) ? known.right.timeMs : timeMs,
    nowMs: timeMs,
  })

const agreementOf = (standings: ReadonlyArray<Standing>): AnyAgreement =>
  standings.some(({ settled }) => isNo(settled))
    ? E.left(standings.map(({ settled }) => (isNo(settled) ? settled : undefined)))
    : E.right(standings.flatMap(({ settled }) => (E.isRight(settled) ? [settled.right] : [])))

interface Transaction {
  readonly commits: ReadonlyArray<Commit>
  readonly unmoved: ReadonlyArray<Position>
}

/** All answers; where any is a rejection, the rejections alone, while every other stream stays where it is. */
const transactionOf = (drafted: ReadonlyArray<Drafted>): Transaction => {
  if (!drafted.some(({ draft: { answers } }) => answers.some(isRejection)))
    return { commits: drafted.map((lane) => commitOf(lane.handler, lane.head, lane.draft)), unmoved: [] }
  const commits: Array<Commit> = []
  const unmoved: Array<Position> = []
  for (const { handler, head, stream, draft: whole } of drafted) {
    const answers = whole.answers.filter(isRejection)
    if (answers.length === 0) unmoved.push({ stream, commit: head.number })
    else commits.push(commitOf(handler, head, { ...whole, answers, state: head.state, events: 0 }))
  }
  return { commits, unmoved }
}

const isRejection = ({ rejection }: StoredAnswer): boolean => rejection !== undefined

/** Repeats the same transaction while its outcome is unknown; once it was, only the log tells what became of it. */
const put = async (
  ports: ExecutePorts,
  { commits, unmoved }: Transaction,
): Promise<'stored' | TogetherFailure> => {
  const outcome = await ports.store.appendTogether(commits, unmoved)()
  if (E.isRight(outcome)) return 'stored'
  const failure = outcome.left
  if (failure._tag === 'TooLarge' && commits.some(({ snapshot }) => snapshot !== undefined))
    return put(ports, { commits: commits.map(withoutSnapshot), unmoved })
  if (failure._tag !== 'OutcomeUnknown') return failure
  for (let repeat = 1; repeat <= REPEATS; repeat += 1) {
    await ports.clock.sleep(backoffMs(repeat, ports.clock.random()))
    const again = await ports.store.appendTogether(commits, unmoved)()
    if (E.isRight(again)) return 'stored'
    if (again.left._tag !== 'OutcomeUnknown') return failure
  }
  return failure
}

const withoutSnapshot = (commit: Commit): Commit => {
  const { snapshot: _, ...bare } = commit
  return bare
}

/** How often a transaction is tried again before the streams are read to learn what became of it. */
const REPEATS = 2
