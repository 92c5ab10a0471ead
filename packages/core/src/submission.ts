/**
 * What becomes of a request that commands: its key, its input, the record, and only then the command.
 *
 * An `Idempotency-Key` becomes a command id scoped by caller, method and path, stamped here, once. A repeat is
 * answered from the record: what a command needs may be gone by then; its answer is not.
 */
import * as Claim from './claim.ts'
import { decode, record } from './codec.ts'
import { type CommandId, dateOf, deriveId, idOfKey, undatedId } from './command-id.ts'
import type { Metadata } from './commit.ts'
import { type Arrival, envelope } from './envelope.ts'
import type { Fault } from './fault.ts'
import { E } from './fp.ts'
import type { HttpResponse } from './http.ts'
import { decodeBody, decodeQuery } from './parse.ts'
import { conflict, invalid, type Problem, refusalProblem } from './problem.ts'
import { type Failure, jsonResponse, POSITION_HEADER, positionText, problemResponse } from './response.ts'
import type { CommandRoute, RouteInput, Target } from './route.ts'
import { streamName } from './stream-name.ts'
import type { AnySettled, FrontDoorPorts, Visit } from './visit.ts'

export type AnyCommandRoute = CommandRoute<unknown, unknown, unknown, unknown>

interface Submission {
  readonly ports: FrontDoorPorts
  readonly route: AnyCommandRoute
  readonly visit: Visit
  readonly input: RouteInput<unknown, unknown, unknown>
  readonly arrival: Arrival
}

type Answered = E.Either<Failure, HttpResponse>

export const submit = async (
  ports: FrontDoorPorts,
  route: AnyCommandRoute,
  visit: Visit,
): Promise<Answered> => {
  const opened = open(ports, route, visit)
  if (E.isLeft(opened)) return opened
  const sent = await route.sent?.(opened.right.input, visit.read)
  if (sent !== undefined && E.isLeft(sent)) return sent
  const submission = sent === undefined ? opened.right : withSent(opened.right, sent.right)
  if (submission.arrival.identified === false) return carryOut(submission)
  // What goes before a command must not happen for one that was answered without it.
  const known = claims(route) ? await recalled(submission) : undefined
  if (known !== undefined) return known
  const done = await carryOut(submission)
  // An earlier request with this key, perhaps still in flight, may have used up what this one needed.
  return E.isRight(done) ? done : ((await recalled(submission)) ?? done)
}

const withSent = (submission: Submission, sent: unknown): Submission => ({
  ...submission,
  arrival: { ...submission.arrival, sent },
})

const NoQuery = record('NoQuery', {})

const open = (ports: FrontDoorPorts, route: AnyCommandRoute, visit: Visit): E.Either<Problem, Submission> => {
  const timeMs = ports.clock.nowMs()
  const identity = identify(ports, visit, timeMs)
  if (E.isLeft(identity)) return identity
  const metadata = metadataOf(visit, identity.right.id)
  if (E.isLeft(metadata)) return metadata
  const query = decodeQuery(NoQuery, visit.search)
  if (E.isLeft(query)) return query
  const decoded = decodeBody(route.body, visit.request)
  if (E.isLeft(decoded)) return decoded
  const { params, caller } = visit
  const body = decoded.right
  return E.right({
    ports,
    route,
    visit,
    input: { params, caller, query: undefined, body, commandId: identity.right.id, timeMs },
    arrival: { ...identity.right, timeMs, sent: { body }, metadata: metadata.right },
  })
}

const VISIBLE = /^[\x21-\x7e]{1,255}$/

const invisible = (header: string): E.Either<Problem, never> =>
  E.left(invalid([{ pointer: `/headers/${header}`, detail: 'is not 1 to 255 visible ASCII characters' }]))

/** The command's id and date: from the caller's key, or made now. */
const identify = (
  ports: FrontDoorPorts,
  { request, path, caller }: Visit,
  timeMs: number,
): E.Either<Problem, Pick<Arrival, 'id' | 'identified' | 'dateMs'>> => {
  const key = request.headers['idempotency-key']
  if (key === undefined) return E.right({ id: ports.freshId(), identified: false })
  if (!VISIBLE.test(key)) return invisible('Idempotency-Key')
  const id = idOfKey(key, caller?.tenant ?? '', caller?.userId ?? '', request.method, path)
  return E.right({ id, identified: true, ...(dateOf(id) === undefined ? { dateMs: timeMs } : {}) })
}

const metadataOf = ({ request, caller }: Visit, id: CommandId): E.Either<Problem, Metadata> => {
  const { 'x-correlation-id': correlation, traceparent } = request.headers
  if (correlation !== undefined && !VISIBLE.test(correlation)) return invisible('X-Correlation-Id')
  return E.right({
    correlationId: correlation ?? id,
    ...(caller === undefined ? {} : { actor: caller.userId }),
    ...(caller?.tenant === undefined ? {} : { tenant: caller.tenant }),
    // A malformed trace context is not propagated. Source: W3C Trace Context, section 4.
    ...(traceparent !== undefined && /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(traceparent)
      ? { trace: traceparent }
      : {}),
  })
}

/** The answer on record, or why there can be none; undefined where the key is new. */
const recalled = async (submission: Submission): Promise<Answered | undefined> => {
  const { route, input } = submission
  if (claims(route)) {
    const claimed = await recall(submission, claimOf(submission))
    if (E.isLeft(claimed)) return claimed
    // Nothing was sent under this key yet.
    if (claimed.right === undefined) return undefined
    if (E.isLeft(claimed.right)) return E.left(refusalProblem(claimed.right.left))
  }
  const known = await recall(submission, route.target(input))
  if (E.isLeft(known)) return known
  return known.right === undefined ? undefined : respond(submission, known.right)
}

const recall = ({ ports, visit, arrival }: Submission, { aggregate, id }: Target) => {
  const { id: commandId, fingerprint } = envelope(undefined, arrival)
  const stream = streamName(aggregate.name, id, visit.caller?.tenant)
  return ports.recall(aggregate, stream, { id: commandId, fingerprint })()
}

const claims = (route: AnyCommandRoute): boolean => route.claims === true || route.first !== undefined

const claimOf = ({ arrival }: Submission): Target => ({ aggregate: Claim.aggregate, id: arrival.id })

const carryOut = async (submission: Submission): Promise<Answered> => {
  const { route, visit, input, arrival } = submission
  const first = await route.first?.(input, visit.read)
  if (first !== undefined && E.isLeft(first)) return first
  if (claims(route) && arrival.identified === true) {
    const claimed = await send(submission, { ...claimOf(submission), command: { _tag: 'ClaimKey' } }, arrival)
    if (E.isLeft(claimed)) return claimed
    if (E.isLeft(claimed.right)) return E.left(refusalProblem(claimed.right.left))
  }
  if (first?.right !== undefined) {
    const done = await send(submission, first.right, firstArrival(arrival))
    if (E.isLeft(done)) return done
    if (E.isLeft(done.right) || E.isLeft(done.right.right.outcome)) return respond(submission, done.right)
  }
  const prepared = await route.prepare(input, visit.read)
  if (E.isLeft(prepared)) return prepared
  const executed = await send(submission, { ...route.target(input), command: prepared.right }, arrival)
  return E.isLeft(executed) ? executed : respond(submission, executed.right)
}

/** The first command is the same one whenever the same key comes again, so it is answered from the record too. */
const firstArrival = (arrival: Arrival): Arrival => {
  const dateMs = dateOf(arrival.id)
  const id = dateMs === undefined ? undatedId('first', arrival.id) : deriveId(dateMs, 'first', arrival.id)
  return { ...arrival, id, identified: true }
}

/** A command that its own codec refuses is invalid input, whoever composed it. */
const send = async (
  { ports, visit }: Submission,
  { aggregate, id, command }: Target & { readonly command: unknown },
  arrival: Arrival,
): Promise<E.Either<Problem | Fault, AnySettled>> => {
  const decoded = decode(aggregate.command, command)
  if (E.isLeft(decoded)) return E.left(invalid(decoded.left.errors))
  const stream = streamName(aggregate.name, id, visit.caller?.tenant)
  return ports.execute(aggregate, stream, envelope(decoded.right, arrival))()
}

/** A function of the recorded answer only, so a repeat gives the same status and body. */
const respond = ({ route, input }: Submission, settled: AnySettled): Answered => {
  if (E.isLeft(settled)) return E.left(refusalProblem(settled.left))
  const { outcome, position, replayed } = settled.right
  const headers = {
    [POSITION_HEADER]: positionText(position),
    ...(replayed ? { 'idempotent-replayed': 'true' } : {}),
  }
  if (E.isLeft(outcome)) return E.right(problemResponse(conflict(outcome.left), headers))
  return E.right(jsonResponse(route.replies.status, route.reply(outcome.right, input), headers))
}
