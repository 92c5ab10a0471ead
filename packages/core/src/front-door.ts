/**
 * The front door: interprets a service's routes for any HTTP server.
 *
 * In this order: route, caller, role, ownership, then the key, the input and the command; so whoever may not touch a
 * resource learns nothing of what is wrong with his request. An `Idempotency-Key` becomes a command id scoped by
 * caller, method and path, stamped here, once. A write answers with its position; a read that passes it back sees it.
 */
import type { AnyAggregate } from './aggregate.ts'
import { decode } from './codec.ts'
import { type CommandId, dateOf, deriveId, fromUlid, undatedId } from './command-id.ts'
import type { Metadata, Position } from './commit.ts'
import { type Arrival, type Envelope, envelope } from './envelope.ts'
import type { Fault } from './fault.ts'
import { hash } from './fingerprint.ts'
import { E, type TE } from './fp.ts'
import type { Settled } from './handler.ts'
import type { HttpRequest, HttpResponse } from './http.ts'
import { decodeBody, decodeQuery, matchRoute, pathSegments } from './parse.ts'
import type { Clock } from './ports/clock.ts'
import {
  conflict,
  faultProblem,
  forbidden,
  invalid,
  notFound,
  type Problem,
  problem,
  refusalProblem,
} from './problem.ts'
import type {
  Access,
  Caller,
  CommandRoute,
  HookBinding,
  QueryRoute,
  Reader,
  Route,
  RouteInput,
} from './route.ts'
import { type StreamName, streamName } from './stream-name.ts'

export type AnySettled = Settled<unknown, unknown>

export interface FrontDoorPorts {
  readonly routes: ReadonlyArray<Route>
  readonly clock: Clock
  freshId(this: void): CommandId
  /** Who calls: a problem for credentials that do not hold, undefined where there are none. */
  authenticate(this: void, headers: HttpRequest['headers']): Promise<E.Either<Problem, Caller | undefined>>
  execute(
    this: void,
    aggregate: AnyAggregate,
    stream: StreamName,
    envelope: Envelope<unknown>,
  ): TE.TaskEither<Fault, AnySettled>
  recall(
    this: void,
    aggregate: AnyAggregate,
    stream: StreamName,
    member: Pick<Envelope<unknown>, 'id' | 'fingerprint'>,
  ): TE.TaskEither<Fault, AnySettled | undefined>
  /** What a caller of this tenant may read. */
  reader(this: void, tenant: string | undefined): Reader
  /** How far a projection has taken a stream in. */
  progress(this: void, projection: string, stream: StreamName): TE.TaskEither<Fault, number>
  readonly hooks: { readonly [name: string]: HookBinding }
}

export const POSITION_HEADER = 'everfold-position'

type Failure = Problem | Fault

/** Never rejects: whatever comes in, a response goes out. */
export const frontDoor =
  (ports: FrontDoorPorts): ((request: HttpRequest) => Promise<HttpResponse>) =>
  async (request) => {
    const answered = await answer(ports, request)
    return E.isRight(answered) ? answered.right : problemResponse(answered.left)
  }

const answer = async (
  ports: FrontDoorPorts,
  request: HttpRequest,
): Promise<E.Either<Failure, HttpResponse>> => {
  const at = request.url.indexOf('?')
  const path = at < 0 ? request.url : request.url.slice(0, at)
  const segments = pathSegments(path)
  if (E.isLeft(segments)) return segments
  const matched = matchRoute(ports.routes, request.method === 'HEAD' ? 'GET' : request.method, segments.right)
  if (E.isLeft(matched)) return matched
  const { route, params } = matched.right
  if (route.kind === 'hook') return receive(ports, route.hook, request)
  const caller = await admitted(ports, route.access, request)
  if (E.isLeft(caller)) return caller
  const known = decode(route.params, params)
  if (E.isLeft(known)) return E.left(notFound('such resource'))
  const visit = {
    request,
    path,
    caller: caller.right,
    params: known.right,
    read: ports.reader(caller.right?.tenant),
  }
  // The caller's own write may be what makes the resource his, so it is waited for before ownership is asked.
  const caughtUp = route.kind === 'query' ? await waitFor(ports, route, request) : E.right(undefined)
  const allowed = await route.authorize?.({ params: known.right, caller: caller.right }, visit.read)
  if (allowed !== undefined && E.isLeft(allowed)) return allowed
  if (E.isLeft(caughtUp)) return caughtUp
  return route.kind === 'command'
    ? write(ports, route, visit)
    : look(ports, route, { ...visit, search: at < 0 ? '' : request.url.slice(at + 1) })
}

/** A request whose caller may touch the resource. */
interface Visit {
  readonly request: HttpRequest
  readonly path: string
  readonly caller: Caller | undefined
  readonly params: unknown
  readonly read: Reader
}

const admitted = async (
  { authenticate }: FrontDoorPorts,
  access: Access,
  { headers }: HttpRequest,
): Promise<E.Either<Problem, Caller | undefined>> => {
  const caller = await authenticate(headers)
  if (access === 'public') return E.right(E.isRight(caller) ? caller.right : undefined)
  if (E.isLeft(caller)) return caller
  if (caller.right === undefined)
    return E.left(problem(401, 'Unauthorized', { detail: 'Send a bearer token.' }))
  if (access === 'user' || caller.right.roles.includes(access.role)) return caller
  return E.left(forbidden(`This needs the role ${access.role}.`))
}

type AnyCommandRoute = CommandRoute<unknown, unknown, unknown, unknown>

const write = async (
  ports: FrontDoorPorts,
  route: AnyCommandRoute,
  visit: Visit,
): Promise<E.Either<Failure, HttpResponse>> => {
  const timeMs = ports.clock.nowMs()
  const arrival = identify(ports, visit, timeMs)
  if (E.isLeft(arrival)) return arrival
  const body = decodeBody(route.body, visit.request)
  if (E.isLeft(body)) return body
  const { id, identified } = arrival.right
  const input = { ...visit, query: undefined, body: body.right, commandId: id, timeMs }
  const { aggregate, id: key } = route.target(input)
  const stream = streamName(aggregate.name, key, visit.caller?.tenant)
  const sent = { body: body.right }
  if (identified) {
    // What a command needs may be gone by the time it is repeated; its answer is not.
    const { fingerprint } = envelope(undefined, { ...arrival.right, sent })
    const recalled = await ports.recall(aggregate, stream, { id, fingerprint })()
    if (E.isLeft(recalled)) return recalled
    if (recalled.right !== undefined) return settledResponse(route, input, recalled.right)
  }
  const metadata = metadataOf(visit, id)
  if (E.isLeft(metadata)) return metadata
  const send = (to: AnyAggregate, name: StreamName, sentCommand: unknown, given: Arrival) =>
    ports.execute(to, name, envelope(sentCommand, { ...given, metadata: metadata.right }))()
  const before = await route.first?.(input, visit.read)
  if (before !== undefined) {
    if (E.isLeft(before)) return before
    const { aggregate: to, id: other, command } = before.right
    const firstId = deriveId(dateOf(id) ?? timeMs, 'first', id)
    const done = await send(to, streamName(to.name, other, visit.caller?.tenant), command, {
      id: firstId,
      timeMs,
      sent,
    })
    if (E.isLeft(done)) return done
    if (E.isLeft(done.right)) return E.left(refusalProblem(done.right.left))
    if (E.isLeft(done.right.right.outcome)) return E.left(conflict(done.right.right.outcome.left))
  }
  const prepared = await route.prepare(input, visit.read)
  if (E.isLeft(prepared)) return prepared
  const executed = await send(aggregate, stream, prepared.right, { ...arrival.right, sent })
  return E.isLeft(executed) ? executed : settledResponse(route, input, executed.right)
}

/** The command's id and date: from the caller's key, or made now. */
const identify = (
  ports: FrontDoorPorts,
  { request, path, caller }: Visit,
  timeMs: number,
): E.Either<
  Problem,
  { readonly id: CommandId; readonly timeMs: number; readonly identified: boolean; readonly dateMs?: number }
> => {
  const key = request.headers['idempotency-key']
  if (key === undefined) return E.right({ id: ports.freshId(), timeMs, identified: false })
  if (!/^[\x21-\x7e]{1,255}$/.test(key))
    return E.left(
      invalid([{ pointer: '/headers/Idempotency-Key', detail: 'is not 1 to 255 visible ASCII characters' }]),
    )
  const scope = [caller?.tenant ?? '', caller?.userId ?? '', request.method, path, key]
  const ulid = fromUlid(key)
  const dateMs = ulid === undefined ? undefined : dateOf(ulid)
  return E.right(
    dateMs === undefined
      ? { id: undatedId(...scope), timeMs, identified: true, dateMs: timeMs }
      : { id: deriveId(dateMs, ...scope), timeMs, identified: true },
  )
}

const metadataOf = ({ request, caller }: Visit, id: CommandId): E.Either<Problem, Metadata> => {
  const { 'x-correlation-id': correlation, traceparent } = request.headers
  if (correlation !== undefined && !/^[\x21-\x7e]{1,255}$/.test(correlation))
    return E.left(
      invalid([{ pointer: '/headers/X-Correlation-Id', detail: 'is not 1 to 255 visible ASCII characters' }]),
    )
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

const settledResponse = (
  route: AnyCommandRoute,
  input: RouteInput<unknown, unknown, unknown>,
  settled: AnySettled,
): E.Either<Failure, HttpResponse> => {
  if (E.isLeft(settled)) return E.left(refusalProblem(settled.left))
  const { outcome, position, replayed } = settled.right
  const headers = {
    [POSITION_HEADER]: positionText(position),
    ...(replayed ? { 'idempotent-replayed': 'true' } : {}),
  }
  if (E.isLeft(outcome)) return E.right(problemResponse(conflict(outcome.left), headers))
  return E.right(jsonResponse(route.replies.status, route.reply(outcome.right, input), headers))
}

type AnyQueryRoute = QueryRoute<unknown, unknown>

const look = async (
  ports: FrontDoorPorts,
  route: AnyQueryRoute,
  visit: Visit & { readonly search: string },
): Promise<E.Either<Failure, HttpResponse>> => {
  const query = decodeQuery(route.query, visit.search)
  if (E.isLeft(query)) return query
  const input = {
    ...visit,
    query: query.right,
    body: undefined,
    commandId: ports.freshId(),
    timeMs: ports.clock.nowMs(),
  }
  const answered = await route.answer(input, visit.read)
  if (E.isLeft(answered)) return answered
  if (route.cache === undefined)
    return E.right(jsonResponse(200, answered.right, { 'cache-control': 'no-store' }))
  const response = jsonResponse(200, answered.right, { 'cache-control': route.cache })
  const etag = `"${hash(response.body)}"`
  const headers = { ...response.headers, etag }
  return E.right(
    matchesEtag(visit.request.headers['if-none-match'], etag)
      ? { status: 304, headers, body: '' }
      : { ...response, headers },
  )
}

const matchesEtag = (header: string | undefined, etag: string): boolean =>
  header?.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag) ?? false

/** How long a read waits for its views to reach the caller's position. */
const WAIT_MS = 2000
const POLL_MS = 10

/** A fold of a stream is always fresh; a view is waited for, where it takes this stream in. */
const waitFor = async (
  { progress, clock }: FrontDoorPorts,
  { reads }: AnyQueryRoute,
  { headers }: HttpRequest,
): Promise<E.Either<Failure, void>> => {
  const header = headers[POSITION_HEADER]
  if (header === undefined) return E.right(undefined)
  const position = parsePosition(header)
  if (position === undefined)
    return E.left(invalid([{ pointer: '/headers/Everfold-Position', detail: 'is not a stream@commit' }]))
  for (const projection of reads) {
    for (let waitedMs = 0; ; waitedMs += POLL_MS) {
      const reached = await progress(projection, position.stream)()
      if (E.isLeft(reached)) return reached
      if (reached.right >= position.commit) break
      if (waitedMs >= WAIT_MS)
        return E.left({ _tag: 'Unavailable', what: `the view ${projection} at ${header}` })
      await clock.sleep(POLL_MS)
    }
  }
  return E.right(undefined)
}

const receive = async (
  ports: FrontDoorPorts,
  name: string,
  request: HttpRequest,
): Promise<E.Either<Failure, HttpResponse>> => {
  const binding = ports.hooks[name]
  if (binding === undefined) return E.left(notFound(`hook ${name}`))
  if (request.bodyTooLarge === true) return E.left(problem(413, 'Too large'))
  const timeMs = ports.clock.nowMs()
  const commands = await binding({ body: request.body, headers: request.headers, nowMs: timeMs })
  if (E.isLeft(commands)) return commands
  for (const { aggregate, id, command, commandId } of commands.right) {
    const stream = streamName(aggregate.name, id)
    const executed = await ports.execute(aggregate, stream, envelope(command, { id: commandId, timeMs }))()
    if (E.isLeft(executed)) return executed
    if (E.isLeft(executed.right)) return E.left(refusalProblem(executed.right.left))
  }
  return E.right(jsonResponse(200, { received: true }))
}

export const positionText = ({ stream, commit }: Position): string =>
  `${encodeURIComponent(stream)}@${commit}`

const parsePosition = (header: string): Position | undefined => {
  const [, name = '', commit = ''] = /^(.{1,2048})@(\d{1,15})$/.exec(header) ?? []
  const stream = E.tryCatch(
    () => decodeURIComponent(name),
    () => undefined,
  )
  if (E.isLeft(stream) || stream.right === '') return undefined
  return { stream: stream.right as StreamName, commit: Number(commit) }
}

const jsonResponse = (
  status: number,
  body: unknown,
  headers: { readonly [name: string]: string } = {},
): HttpResponse => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
})

/** The response of a problem or a fault; nothing of a fault's cause leaves the house. */
export const problemResponse = (
  failure: Failure,
  headers: { readonly [name: string]: string } = {},
): HttpResponse => {
  const { _tag, retryAfterS, ...shown } = failure._tag === 'Problem' ? failure : faultProblem(failure)
  const { allow, ...body } = shown as typeof shown & { readonly allow?: string }
  return {
    status: body.status,
    headers: {
      'content-type': 'application/problem+json',
      ...(retryAfterS === undefined ? {} : { 'retry-after': String(retryAfterS) }),
      ...(allow === undefined ? {} : { allow }),
      ...(body.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
      ...headers,
    },
    body: JSON.stringify({ type: 'about:blank', ...body }),
  }
}
