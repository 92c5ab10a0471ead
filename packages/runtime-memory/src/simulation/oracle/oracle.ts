/**
 * The oracle: is told of everything that takes effect, keeps its own books, and says what does not hold.
 *
 * Safety is judged at every step, liveness once the faults have stopped and nothing moves any more. The numbers of the
 * invariants are those of docs/simulation.md.
 */
import {
  type Aggregates,
  type Answer,
  type AnyAggregate,
  aggregatesOf,
  type CommandId,
  type Commit,
  canonical,
  decodeEvent,
  E,
  type Generation,
  type Position,
  type Refusal,
  type Row,
  type Service,
  type Settled,
  type StoredAnswer,
  type StoredEvent,
  streamParts,
} from '@everfold/core'
import type { Invariant, Overview } from '../invariant.ts'
import type { Request } from '../run.ts'
import { type DeliveryBook, deliveryBook } from './delivery-book.ts'
import { type EventBook, eventBook } from './event-book.ts'
import { guarded, watchedProjections } from './guarded.ts'
import { type Judge, judgeOf } from './judge.ts'
import { type JudgedCode, type LogBook, logBook } from './log-book.ts'
import { nameOf, type RowBook, rowBook } from './row-book.ts'
import { isSame } from './same.ts'
import { statesOf, usersOf } from './users.ts'
import { watched, witness } from './witness.ts'

/** One version of the code. */
export interface Code {
  /** Its views tell of what their code throws. */
  readonly service: Service
  /** The service's aggregates, and those that its processes are, watched as they decide. */
  readonly aggregates: Aggregates
}

/** Itself the newest version of the code, by which it judges. */
export interface Oracle extends Code {
  /** The code of a function's 1st, 2nd, 3rd, ... deploy. */
  code(this: void, version: number): Code
  /** A client is about to send this; whoever says so of one command says so of all. */
  sends(this: void, request: Request): void
  committed(this: void, commit: Commit): void
  rowStored(this: void, generation: Generation, row: Row): void
  advanced(this: void, generation: Generation, position: Position): void
  /** A client heard this answer; `id` is the command's on record, where that is another than the request's. */
  answered(this: void, request: Request, settled: Settled<unknown, unknown>, id?: CommandId): void
  /** The checkpoint of a view's projector passed this commit. */
  projected(this: void, projection: string, commit: Commit): void
  readonly deliveries: DeliveryBook
  readonly events: EventBook
  readonly judge: Judge
  /** Nothing moves any more: what has to hold in the end. */
  ended(this: void, requests: ReadonlyArray<Request>): void
  readonly log: ReadonlyArray<Commit>
}

export interface OracleOptions {
  /** The versions of the service that are deployed one after the other, at least one. */
  readonly services: ReadonlyArray<Service>
  readonly invariants: ReadonlyArray<Invariant>
  readonly stepNumber: () => number
  /** The run's time, in milliseconds since 1970. */
  readonly nowMs: () => number
  /** The names of invariants that are not judged. */
  readonly unjudged?: ReadonlyArray<string>
  /** Told of what should happen in some runs, when it does. */
  readonly mark: (name: string) => void
}

export const oracleOf = ({
  services,
  invariants,
  stepNumber,
  nowMs,
  unjudged,
  mark,
}: OracleOptions): Oracle => {
  const judge = judgeOf(stepNumber, unjudged)
  const versions = services.map((one) => ({
    service: one,
    aggregates: aggregatesOf(one),
    witness: witness(),
  }))
  const newest = versions.at(-1)
  if (newest === undefined) throw new Error('no service is deployed')
  const { service, aggregates } = newest
  const codes = versions.map((version) => codeOf(version, judge))
  const code = (version: number): Code => codes[Math.min(version, codes.length) - 1] as Code
  const log = logBook(versions, judge)
  const rows = rowBook(service.projections, log, judge)
  const deliveries = deliveryBook(service, log, judge, nowMs)
  const overview: Overview = {
    states: (aggregate) => statesOf(log, aggregate.name) as never,
    log: log.log,
    mark,
  }
  const users = usersOf(invariants, judge, log, overview)
  const guard = guarded(judge)
  const answers = new Map<CommandId, string>()
  const sent = new Set<string>()
  const refused = new Map<Request, string>()
  const answered = (request: Request, settled: Settled<unknown, unknown>, id = request.id) => {
    if (E.isLeft(settled)) {
      answers.set(request.id, `a refusal: ${settled.left._tag}`)
      refused.set(request, settled.left._tag)
      const why = groundless(settled.left, nowMs())
      if (why !== undefined)
        return judge.broken('S3', `a command is refused for a reason, and ${request.id} ${why}`)
      return refusedInVain(refused, log, judge)
    }
    if (settled.right.commandId !== id)
      return judge.broken(
        'S3',
        `a command keeps its id, and ${request.id} was answered as ${settled.right.commandId}`,
      )
    const aggregate = aggregates.get(request.aggregate)
    const recorded = log.answerOf(request.stream, id)
    if (recorded === undefined)
      return judge.broken(
        'S1',
        `what is acknowledged is in the log, and ${request.id} for ${request.stream} is not`,
      )
    const told = answerText(aggregate, settled.right.outcome)
    const earlier = answers.get(request.id)
    // An answer that is read by another version of the code may have another form; what is on record is one.
    if (codes.length === 1 && earlier !== undefined && earlier !== told)
      return judge.broken('S3', `a command id has one answer, and ${request.id} had ${earlier} and ${told}`)
    answers.set(request.id, told)
    if (id === request.id && !isRecorded(versions, request.aggregate, settled.right, recorded.answer))
      return judge.broken(
        'S3',
        `an answer is what is on record, and ${request.id} had ${told} and the time ${settled.right.timeMs}, not that of ${request.stream}@${recorded.position.commit}`,
      )
    if (settled.right.position.commit !== recorded.position.commit)
      judge.broken(
        'S1',
        `an answer says where it is on record, and that of ${request.id} says ${settled.right.position.commit}, not ${recorded.position.commit}`,
      )
  }
  return {
    ...code(codes.length),
    code,
    sends: ({ stream, id }) => void sent.add(`${stream} ${id}`),
    committed: guard(
      (commit: Commit) => {
        const stranger =
          sent.size === 0
            ? undefined
            : commit.answers.find(
                ({ id }) => !sent.has(`${commit.stream} ${id}`) && !deliveries.asksFor(commit.stream, id),
              )
        const book = log.committed(commit)
        if (book === undefined) return
        if (stranger !== undefined)
          judge.broken(
            'S3',
            `only what somebody asked for takes effect, and nobody asked ${stranger.id} of ${commit.stream}@${commit.number}`,
          )
        deliveries.committed(commit)
        users.committed(book)
      },
      ({ stream, number }) => `${stream}@${number}`,
    ),
    rowStored: guard(
      ({ projection, generation }: Generation, row: Row) => rows.stored(`${projection}#${generation}`, row),
      ({ projection }, { pk, sk }) => `the row ${pk} ${sk} of ${projection}`,
    ),
    advanced: guard(
      ({ projection, generation }: Generation, { stream, commit }: Position) =>
        rows.advanced(`${projection}#${generation}`, stream, commit),
      ({ projection }, { stream, commit }) => `${stream}@${commit} in ${projection}`,
    ),
    answered: guard(answered, ({ id, stream }) => `the answer to ${id} for ${stream}`),
    projected: (name, commit) => projected({ service, rows, judge }, name, commit),
    deliveries,
    events: eventBook(log, judge),
    judge,
    ended: guard(
      (requests: ReadonlyArray<Request>) => {
        unanswered(requests, answers, judge)
        refusedInVain(refused, log, judge)
        deliveries.complete()
        rows.complete()
        users.ended()
      },
      () => 'the end',
    ),
    log: log.log,
  }
}

const codeOf = ({ service, aggregates, witness: seen }: JudgedCode & Code, judge: Judge): Code => ({
  service: { ...service, projections: watchedProjections(service.projections, judge) },
  aggregates: watched(aggregates, seen.decided),
})

/** Why there was no reason to refuse; undefined where there was one. */
const groundless = (refusal: Refusal, nowMs: number): string | undefined => {
  switch (refusal._tag) {
    case 'IdFromTheFuture':
      return refusal.dateMs < nowMs - CLOCKS_MS ? 'is not from the future' : undefined
    case 'IdTooOld':
      return refusal.dateMs > nowMs - CLOCKS_MS ? 'is not old' : undefined
    case 'IdReused':
      return 'names no other payload'
    case 'TooLarge':
    case 'TooMany':
      return undefined
    default:
      return `is refused as nobody is: ${JSON.stringify(refusal)}`
  }
}

/** How far clocks may be apart. */
const CLOCKS_MS = 10_000

/** Whether the answer is the stored one, as some version of the code reads it. */
const isRecorded = (
  codes: ReadonlyArray<JudgedCode>,
  name: string,
  { outcome, timeMs }: Answer<unknown, unknown>,
  stored: StoredAnswer,
): boolean =>
  timeMs === stored.timeMs &&
  codes.some(({ aggregates }) => {
    const aggregate = aggregates.get(name)
    if (aggregate === undefined) return false
    if (E.isLeft(outcome))
      return 'rejection' in stored && isSame(aggregate.rejection.encode(outcome.left), stored.rejection)
    if ('rejection' in stored || outcome.right.length !== stored.events.length) return false
    return outcome.right.every((event, at) => {
      const read = decodeEvent(aggregate, stored.events[at] as StoredEvent)
      return E.isRight(read) && isSame(read.right, event)
    })
  })

const answerText = (aggregate: AnyAggregate | undefined, outcome: E.Either<unknown, unknown>): string =>
  E.isLeft(outcome)
    ? `a refusal: ${canonical(aggregate?.rejection.encode(outcome.left) ?? outcome.left)}`
    : canonical(outcome.right)

/** E0: who asks is answered. */
const unanswered = (
  requests: ReadonlyArray<Request>,
  answers: ReadonlyMap<CommandId, string>,
  { broken }: Judge,
): void => {
  const open = requests.find(({ id }) => !answers.has(id))
  if (open !== undefined)
    broken('E0', `every command has its answer in the end, and ${open.id} for ${open.stream} has none`)
}

/** S3: whoever is told that nothing was recorded asks anew under another id, so nothing may be. */
const refusedInVain = (
  refused: ReadonlyMap<Request, string>,
  { answerOf }: Pick<LogBook, 'answerOf'>,
  { broken }: Judge,
): void => {
  for (const [{ stream, id }, why] of refused) {
    const recorded = answerOf(stream, id)
    if (recorded !== undefined)
      return broken(
        'S3',
        `a command that is refused has no effect, and ${id} was refused as ${why} and is on record at ${stream}@${recorded.position.commit}`,
      )
  }
}

/** S5: what a checkpoint passes is in the view. */
const projected = (
  { service, rows, judge }: { readonly service: Service; readonly rows: RowBook; readonly judge: Judge },
  name: string,
  { stream, number }: Commit,
): void => {
  const { category } = streamParts(stream)
  for (const projection of service.projections) {
    if (projection.name !== name) continue
    if (!projection.sources.some(({ aggregate }) => aggregate.name === category)) continue
    if (rows.progressOf(nameOf(projection), stream) < number)
      judge.broken(
        'S5',
        `a checkpoint passes no record that was not processed, and ${stream}@${number} was passed without ${nameOf(projection)}`,
      )
  }
}
