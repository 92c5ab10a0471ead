/**
 * The front door: interprets a service's routes for any HTTP server.
 *
 * In this order: route, caller, role, ownership, then the key, the input and the command; so whoever may not touch a
 * resource learns nothing of what is wrong with his request. A write answers with its position; a read that passes it
 * back sees it.
 */
import { decode } from './codec.ts'
import { Metadata } from './commit.ts'
import { envelope } from './envelope.ts'
import { hash } from './fingerprint.ts'
import { E } from './fp.ts'
import { type HttpRequest, type HttpResponse, MAX_BODY_BYTES } from './http.ts'
import { decodeQuery, matchRoute, pathSegments } from './parse.ts'
import { forbidden, invalid, notFound, type Problem, problem, refusalProblem, tooLarge } from './problem.ts'
import { type Failure, jsonResponse, POSITION_HEADER, parsePosition, problemResponse } from './response.ts'
import type { Access, Caller, QueryRoute } from './route.ts'
import { StreamName, streamName, streamParts } from './stream-name.ts'
import { submit } from './submission.ts'
import type { FrontDoorPorts, Visit } from './visit.ts'

/** Never rejects for what comes in: to any request there is a response. */
export const frontDoor =
  (ports: FrontDoorPorts): ((request: HttpRequest) => Promise<HttpResponse>) =>
  async (request) => {
    const answered = await answer(ports, request)
    const response = E.isRight(answered) ? answered.right : problemResponse(answered.left)
    return request.method === 'HEAD' ? { ...response, body: '' } : response
  }

const answer = async (
  ports: FrontDoorPorts,
  request: HttpRequest,
): Promise<E.Either<Failure, HttpResponse>> => {
  const at = request.url.indexOf('?')
  const segments = pathSegments(at < 0 ? request.url : request.url.slice(0, at))
  if (E.isLeft(segments)) return segments
  const matched = matchRoute(ports.routes, request.method === 'HEAD' ? 'GET' : request.method, segments.right)
  if (E.isLeft(matched)) return matched
  const { route, params } = matched.right
  if (route.kind === 'hook') return receive(ports, route.hook, request)
  const caller = await admitted(ports, route.access, request)
  if (E.isLeft(caller)) return caller
  const known = decode(route.params, params)
  if (E.isLeft(known)) return E.left(notFound('such resource'))
  const visit: Visit = {
    request,
    path: segments.right.map((segment) => `/${encodeURIComponent(segment)}`).join(''),
    search: at < 0 ? '' : request.url.slice(at + 1),
    caller: caller.right,
    params: known.right,
    read: ports.reader(caller.right?.tenant),
  }
  // The caller's own write may be what makes the resource his, so it is waited for before ownership is asked.
  const caughtUp = await waitFor(ports, route.reads ?? [], visit)
  const allowed = await route.authorize?.({ params: known.right, caller: caller.right }, visit.read)
  if (allowed !== undefined && E.isLeft(allowed)) return allowed
  if (E.isLeft(caughtUp)) return caughtUp
  return route.kind === 'command' ? submit(ports, route, visit) : look(ports, route, visit)
}

const admitted = async (
  { authenticate }: FrontDoorPorts,
  access: Access,
  { headers }: HttpRequest,
): Promise<E.Either<Problem, Caller | undefined>> => {
  const found = await authenticate(headers)
  const caller = E.isRight(found) && !recordable(found.right) ? E.left(unauthorized(NOBODY)) : found
  if (access === 'public') return E.right(E.isRight(caller) ? caller.right : undefined)
  if (E.isLeft(caller)) return caller
  if (caller.right === undefined) return E.left(unauthorized('Send a bearer token.'))
  if (access === 'user' || caller.right.roles.includes(access.role)) return caller
  return E.left(forbidden(`This needs the role ${access.role}.`))
}

const NOBODY = 'The token names nobody who can be put on record.'

const unauthorized = (detail: string): Problem => problem(401, 'Unauthorized', { detail })

/** What a caller does is recorded with his name, in streams that bear his tenant's. */
const recordable = (caller: Caller | undefined): boolean => {
  if (caller === undefined) return true
  const stream = streamName('category', 'id', caller.tenant)
  return (
    Metadata.is({ correlationId: '-', actor: caller.userId }) &&
    StreamName.is(stream) &&
    streamParts(stream).tenant === caller.tenant
  )
}

type AnyQueryRoute = QueryRoute<unknown, unknown>

const look = async (
  ports: FrontDoorPorts,
  route: AnyQueryRoute,
  visit: Visit,
): Promise<E.Either<Failure, HttpResponse>> => {
  const query = decodeQuery(route.query, visit.search)
  if (E.isLeft(query)) return query
  const { params, caller } = visit
  const input = {
    params,
    caller,
    query: query.right,
    body: undefined,
    commandId: ports.freshId(),
    timeMs: ports.clock.nowMs(),
  }
  const answered = await route.answer(input, visit.read)
  if (E.isLeft(answered)) return answered
  if (route.cache === undefined)
    return E.right(jsonResponse(200, answered.right, { 'cache-control': 'no-store' }))
  return E.right(cached(jsonResponse(200, answered.right), route.cache, visit))
}

/** A cache may give the answer again, but never to another tenant, nor to a caller who waits for his own write. */
const cached = (response: HttpResponse, cache: string, { request, caller }: Visit): HttpResponse => {
  const etag = `"${hash(response.body)}"`
  const headers = {
    ...response.headers,
    etag,
    'cache-control': caller?.tenant === undefined ? cache : 'private, no-cache',
    vary: POSITION_HEADER,
  }
  return matchesEtag(request.headers['if-none-match'], etag)
    ? { status: 304, headers, body: '' }
    : { ...response, headers }
}

const matchesEtag = (header: string | undefined, etag: string): boolean =>
  header?.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag) ?? false

/** How long a request waits for views to reach the caller's position. */
const WAIT_MS = 2000
const POLL_MS = 10

/** A fold of a stream is always fresh; a view is waited for, where it takes this stream in. */
const waitFor = async (
  { progress, clock }: FrontDoorPorts,
  projections: ReadonlyArray<string>,
  { request, caller }: Visit,
): Promise<E.Either<Failure, void>> => {
  const header = request.headers[POSITION_HEADER]
  if (header === undefined) return E.right(undefined)
  const position = parsePosition(header)
  if (position === undefined)
    return E.left(invalid([{ pointer: '/headers/Everfold-Position', detail: 'is not a stream@commit' }]))
  // What another tenant wrote is nothing that this caller can see, nor learn of by waiting.
  if (streamParts(position.stream).tenant !== caller?.tenant) return E.right(undefined)
  for (const projection of projections) {
    for (let waitedMs = 0; ; waitedMs += POLL_MS) {
      const reached = await progress(projection, position.stream)()
      if (E.isLeft(reached)) return reached
      if (reached.right === undefined || reached.right >= position.commit) break
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
  if (request.bodyTooLarge === true || request.body.length > MAX_BODY_BYTES)
    return E.left(tooLarge(MAX_BODY_BYTES))
  const timeMs = ports.clock.nowMs()
  const commands = await binding({ body: request.body, headers: request.headers, nowMs: timeMs })
  if (E.isLeft(commands)) return commands
  // All or none: nothing of a message is recorded that has a part we cannot read.
  for (const { aggregate, command } of commands.right) {
    const decoded = decode(aggregate.command, command)
    if (E.isLeft(decoded)) return E.left(invalid(decoded.left.errors))
  }
  for (const { aggregate, id, command, commandId } of commands.right) {
    const stream = streamName(aggregate.name, id)
    const executed = await ports.execute(
      aggregate,
      stream,
      envelope(command, { id: commandId, timeMs, sent: commandId }),
    )()
    if (E.isLeft(executed)) return executed
    if (E.isLeft(executed.right)) return E.left(refusalProblem(executed.right.left))
  }
  return E.right(jsonResponse(200, { received: true }))
}
