/**
 * A client's request as an HTTP API hands it to a function, and what it makes of the function's answer.
 *
 * Source: API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs", format 2.0 (2026-11).
 */

/** What a client sends. */
export interface HttpRequest {
  readonly method: string
  readonly path: string
  /** Without the question mark. */
  readonly query?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** What a client gets. */
export interface HttpResponse {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface EventContext {
  readonly requestId: string
  readonly nowMs: number
  /** The route that matched, `POST /orders/{id}`; `$default` unless told. */
  readonly routeKey?: string
  readonly pathParameters?: Readonly<Record<string, string>>
  /** What an authorizer found: `{ jwt: { claims, scopes } }` or `{ lambda: … }`. */
  readonly authorizer?: object
}

const ACCOUNT = '000000000000'
const API = 'simulated'

/** Duplicates of a header or of a parameter are joined by commas; cookies are listed. */
export const httpApiEvent = (request: HttpRequest, context: EventContext): object => {
  const { method, path, query = '', body } = request
  const { requestId, nowMs, routeKey = '$default', pathParameters, authorizer } = context
  const { cookie, ...headers } = lowerCase(request.headers ?? {})
  const domainName = `${API}.execute-api.us-east-1.amazonaws.com`
  const userAgent = headers['user-agent'] ?? ''
  const parameters = joined(query)
  return {
    version: '2.0',
    routeKey,
    rawPath: path,
    rawQueryString: query,
    ...(cookie === undefined ? {} : { cookies: cookie.split(/; */) }),
    headers: { host: domainName, ...headers },
    ...(Object.keys(parameters).length === 0 ? {} : { queryStringParameters: parameters }),
    ...(pathParameters === undefined ? {} : { pathParameters }),
    requestContext: {
      accountId: ACCOUNT,
      apiId: API,
      ...(authorizer === undefined ? {} : { authorizer }),
      domainName,
      domainPrefix: API,
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent },
      requestId,
      routeKey,
      stage: '$default',
      time: accessLogTime(nowMs),
      timeEpoch: nowMs,
    },
    ...(body === undefined ? {} : { body }),
    isBase64Encoded: false,
  }
}

const lowerCase = (headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

const joined = (query: string): Readonly<Record<string, string>> => {
  const parameters: Record<string, string> = {}
  for (const [name, value] of new URLSearchParams(query)) {
    const before = parameters[name]
    parameters[name] = before === undefined ? value : `${before},${value}`
  }
  return parameters
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

/** `12/Mar/2020:19:03:58 +0000`. */
const accessLogTime = (timeMs: number): string => {
  const time = new Date(timeMs)
  const day = String(time.getUTCDate()).padStart(2, '0')
  const month = MONTHS[time.getUTCMonth()] ?? ''
  return `${day}/${month}/${time.getUTCFullYear()}:${time.toISOString().slice(11, 19)} +0000`
}

/** What a gateway says of itself: throttled, out of patience, or without an answer that it understands. */
export const gatewayResponse = (statusCode: number, message: string): HttpResponse => ({
  statusCode,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ message }),
})

/**
 * A function's answer as a response; undefined where it is none. To an HTTP API an answer without a status code is the
 * body, in JSON, of a 200; a REST API does not understand it.
 */
export const responseOf = (kind: 'http' | 'rest', answer: unknown): HttpResponse | undefined => {
  if (typeof answer !== 'object' || answer === null || !('statusCode' in answer))
    return kind === 'rest' || answer === undefined || answer === null
      ? undefined
      : { statusCode: 200, headers: { 'content-type': 'application/json' }, body: textOf(answer) }
  const statusCode = Number(answer.statusCode)
  if (!Number.isInteger(statusCode) || statusCode < 100 || statusCode > 599) return undefined
  const body = 'body' in answer ? (answer.body ?? '') : ''
  if (typeof body !== 'string') return undefined
  const isBase64 = 'isBase64Encoded' in answer && answer.isBase64Encoded === true
  const told: unknown = 'headers' in answer ? (answer.headers ?? {}) : {}
  if (typeof told !== 'object' || told === null) return undefined
  const headers = Object.fromEntries(
    Object.entries(told).map(([name, value]) => [name.toLowerCase(), String(value)]),
  )
  return {
    statusCode,
    headers: { 'content-type': 'text/plain;charset=UTF-8', ...headers },
    body: isBase64 ? Buffer.from(body, 'base64').toString() : body,
  }
}

const textOf = (answer: unknown): string => (typeof answer === 'string' ? answer : JSON.stringify(answer))
