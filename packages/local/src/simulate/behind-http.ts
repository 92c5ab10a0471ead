/**
 * A service's front door as a Lambda function behind API Gateway, with runtime-lambda's store, and clients that send each
 * request under one `Idempotency-Key` until its answer is final. What they hear is held against the log.
 */
import {
  E,
  type ExecutePorts,
  execute,
  type FrontDoorPorts,
  freshId,
  frontDoor,
  type HttpResponse as HouseResponse,
  idOfKey,
  load,
  POSITION_HEADER,
  parsePosition,
  type Reader,
  type Answer as Recorded,
  recall,
  streamName,
} from '@everfold/core'
import type {
  Code,
  HttpApi,
  HttpRequest,
  HttpResponse,
  Oracle,
  Request,
} from '@everfold/runtime-memory/simulation'

/** The request of a command, as its client sends it; the key is added. */
export type RequestOf = (request: Request) => Omit<HttpRequest, 'headers'>

/** What a sandbox does with an event of an HTTP API. */
export const frontDoorFunction = ({ service, aggregates }: Code, ports: ExecutePorts) => {
  const { store, clock } = ports
  const watched: FrontDoorPorts['execute'] = (aggregate, stream, sent) => async () => {
    const answers = await execute(aggregates.get(aggregate.name) ?? aggregate, ports)(stream, [sent])()
    if (E.isLeft(answers)) return answers
    const [answer] = answers.right
    if (answer === undefined) throw new Error('a command handler answers every member of its group')
    return E.right(answer)
  }
  const reader = (tenant: string | undefined): Reader => ({
    ...NO_READS,
    state: async (aggregate, id) => {
      const head = await load(aggregate, store, streamName(aggregate.name, id, tenant), PAGE)
      return E.isLeft(head) ? head : E.right({ state: head.right.state, commit: head.right.number })
    },
  })
  const door = frontDoor({
    routes: service.routes,
    clock,
    freshId: () => freshId(clock.nowMs(), clock.random),
    authenticate: () => Promise.resolve(E.right(undefined)),
    execute: watched,
    recall: (aggregate, stream, member) => recall(aggregate, ports)(stream, member),
    reader,
    progress: () => () => Promise.resolve(E.right(undefined)),
    hooks: {},
  })
  return async (event: unknown) => responseOf(await door(requestOf(event)))
}

const PAGE = 12

const unread = (): never => {
  throw new Error('no route of a simulated service reads this')
}
const NO_READS = { history: unread, row: unread, rows: unread, seal: unread }

/** As an HTTP API hands a request over, in format 2.0. */
const requestOf = (event: unknown) => {
  const { rawPath, rawQueryString, headers, body, requestContext } = event as {
    readonly rawPath: string
    readonly rawQueryString: string
    readonly headers: Readonly<Record<string, string>>
    readonly body?: string
    readonly requestContext: { readonly http: { readonly method: string } }
  }
  return {
    method: requestContext.http.method,
    url: rawQueryString === '' ? rawPath : `${rawPath}?${rawQueryString}`,
    headers,
    body: new TextEncoder().encode(body ?? ''),
  }
}

const responseOf = ({ status, headers, body }: HouseResponse) => ({ statusCode: status, headers, body })

/** Sends commands as requests, and tells the oracle what their clients hear. */
export const httpClients =
  (api: HttpApi, oracle: Oracle, asRequest: RequestOf) =>
  async (request: Request): Promise<void> => {
    const asked = asRequest(request)
    const headers = { 'content-type': 'application/json', 'idempotency-key': request.id }
    const response = await api.send(request.client, request.id, { ...asked, headers })
    if (response === undefined) return
    const id = idOfKey(request.id, '', '', asked.method, asked.path)
    const heard = answerOf(oracle, request, response, id)
    if (heard !== undefined) oracle.answered(request, E.right(heard), id)
  }

type Id = ReturnType<typeof idOfKey>

/** The answer on record that a response tells of; undefined where it tells of none, or of it otherwise. */
const answerOf = (
  { log, judge, aggregates }: Oracle,
  request: Request,
  { statusCode, headers, body }: HttpResponse,
  id: Id,
): Recorded<unknown, unknown> | undefined => {
  const what = `${request.id} for ${request.stream} had ${statusCode} ${body}`
  const position = parsePosition(headers[POSITION_HEADER] ?? '')
  if (position === undefined)
    return judge.broken('S1', `an answer says where it is on record, and ${what}`) as undefined
  const recorded = log
    .find(({ stream, number }) => stream === position.stream && number === position.commit)
    ?.answers.find((answer) => answer.id === id)
  const isRejection = recorded !== undefined && 'rejection' in recorded
  if (recorded === undefined || isRejection !== statusCode >= 400)
    return judge.broken('S1', `an answer is what is on record, and ${what}`) as undefined
  const rejection = isRejection
    ? aggregates.get(request.aggregate)?.rejection.decode(recorded.rejection)
    : undefined
  const outcome = rejection === undefined || E.isLeft(rejection) ? E.right([]) : E.left(rejection.right)
  const { timeMs } = recorded
  return { commandId: id, position, outcome, timeMs, replayed: headers['idempotent-replayed'] === 'true' }
}
