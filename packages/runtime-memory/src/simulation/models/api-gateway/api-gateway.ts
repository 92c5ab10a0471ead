/**
 * API Gateway in front of a function: it waits for the answer only so long, and the work goes on without it.
 *
 * Law: each request is answered once, or its answer is lost; what a function answers later is heard by nobody.
 *
 * Source: API Gateway Developer Guide, quotas and "Throttle requests" (2026-11): the throttle is no hard limit, so it may
 * strike at any request. What a function error becomes: "Lambda proxy integrations" (502 of a REST API, 500 of an HTTP API).
 */
import { API_GATEWAY } from '../../limits.ts'
import type { InvocationOutcome } from '../event-source-mapping/index.ts'
import type { At } from '../model.ts'
import { offersOf } from '../offers.ts'
import { gatewayResponse, type HttpResponse, responseOf } from './event.ts'

export interface ApiGatewaySettings {
  /** An HTTP API unless told. */
  readonly kind?: 'http' | 'rest'
  /** 30 s of an HTTP API, 29 s of a REST API, unless told. */
  readonly timeoutMs?: number
}

interface OpenCall {
  readonly id: string
  readonly request: string
  readonly deadlineMs: number
  /** Whether its answer reaches the client, is lost on the way, or comes second to that of the request's other call. */
  readonly heardBy: 'client' | 'nobody' | 'nobody: second'
  /** The gateway hears of no answer before its patience ends. */
  readonly deaf: boolean
}

interface ApiGatewayState {
  readonly open: ReadonlyArray<OpenCall>
  readonly calls: number
}

export interface ApiGatewayStep {
  readonly state: ApiGatewayState
  /** The function is to be invoked for each of them, with the same event but for its own request id. */
  readonly calls: ReadonlyArray<{ readonly id: string; readonly request: string }>
  /** What clients hear, by the request's id. */
  readonly responses: ReadonlyArray<{ readonly request: string; readonly response: HttpResponse }>
  /** Requests whose answer is lost: their client hears nothing, ever. */
  readonly lost: ReadonlyArray<string>
  /** When the gateway's patience ends. */
  readonly wakeMs?: number
}

export interface ApiGateway {
  readonly initial: ApiGatewayState
  /** What `requested` takes. */
  readonly offers: ReadonlyArray<string>
  /** A client's request; the id names this attempt alone. */
  requested(this: void, state: ApiGatewayState, request: string, at: At): ApiGatewayStep
  /** The answer to a call; one that is no longer waited for changes nothing. */
  answered(
    this: void,
    state: ApiGatewayState,
    call: string,
    outcome: InvocationOutcome,
    nowMs: number,
  ): ApiGatewayStep
  /** Whatever is out of time. */
  next(this: void, state: ApiGatewayState, nowMs: number): ApiGatewayStep
}

const OFFERS = offersOf(['504 while the work goes on', '429', 'sent twice', 'answer lost'])
const nothing = { calls: [], responses: [], lost: [] } as const

export const apiGateway = (told: ApiGatewaySettings = {}): ApiGateway => {
  const { kind = 'http' } = told
  const { httpTimeoutMs, restTimeoutMs } = API_GATEWAY
  const timeoutMs = told.timeoutMs ?? (kind === 'http' ? httpTimeoutMs : restTimeoutMs)
  return {
    initial: { open: [], calls: 0 },
    offers: OFFERS,
    requested: (state, request, at) => requested(timeoutMs, state, request, at),
    answered: (state, id, outcome, nowMs) => {
      const call = state.open.find((open) => open.id === id)
      return call === undefined || call.deaf || nowMs >= call.deadlineMs
        ? { ...nothing, state, ...wakeAt(state.open) }
        : closed(state, [call], responseTo(kind, outcome))
    },
    next: (state, nowMs) => {
      const due = state.open.filter(({ deadlineMs }) => deadlineMs <= nowMs)
      return closed(state, due, gatewayResponse(504, 'Endpoint request timed out'))
    },
  }
}

const requested = (
  timeoutMs: number,
  state: ApiGatewayState,
  request: string,
  { nowMs, deviation }: At,
): ApiGatewayStep => {
  if (deviation === '429') {
    const response = gatewayResponse(429, 'Too Many Requests')
    return { ...nothing, state, responses: [{ request, response }], ...wakeAt(state.open) }
  }
  const made = Array.from(
    { length: deviation === 'sent twice' ? 2 : 1 },
    (_, at): OpenCall => ({
      id: `call ${state.calls + at + 1}`,
      request,
      deadlineMs: nowMs + timeoutMs,
      heardBy: deviation === 'answer lost' ? 'nobody' : 'client',
      deaf: deviation === '504 while the work goes on',
    }),
  )
  const open = [...state.open, ...made]
  return {
    ...nothing,
    state: { open, calls: state.calls + made.length },
    calls: made.map(({ id }) => ({ id, request })),
    ...wakeAt(open),
  }
}

/** Answers these calls; of two for one request the client hears the first. */
const closed = (
  state: ApiGatewayState,
  calls: ReadonlyArray<OpenCall>,
  response: HttpResponse,
): ApiGatewayStep => {
  const heard = new Set<string>()
  const responses: Array<ApiGatewayStep['responses'][number]> = []
  for (const { request, heardBy } of calls) {
    if (heardBy !== 'client' || heard.has(request)) continue
    heard.add(request)
    responses.push({ request, response })
  }
  const open = state.open
    .filter((call) => !calls.includes(call))
    .map((call) => (heard.has(call.request) ? second(call) : call))
  const lost = calls.filter(({ heardBy }) => heardBy === 'nobody').map(({ request }) => request)
  return { ...nothing, state: { ...state, open }, responses, lost, ...wakeAt(open) }
}

const second = (call: OpenCall): OpenCall => ({ ...call, heardBy: 'nobody: second' })

const wakeAt = (open: ReadonlyArray<OpenCall>): { readonly wakeMs?: number } =>
  open.length === 0 ? {} : { wakeMs: Math.min(...open.map(({ deadlineMs }) => deadlineMs)) }

/** That a throttled function is 503 of an HTTP API and 500 of a REST API is inferred: no page says so. */
const responseTo = (kind: 'http' | 'rest', outcome: InvocationOutcome): HttpResponse => {
  const broken =
    kind === 'http'
      ? gatewayResponse(500, 'Internal Server Error')
      : gatewayResponse(502, 'Internal server error')
  switch (outcome._tag) {
    case 'Returned':
      return responseOf(kind, outcome.value) ?? broken
    case 'Failed':
      return broken
    case 'Throttled':
      return kind === 'http'
        ? gatewayResponse(503, 'Service Unavailable')
        : gatewayResponse(500, 'Internal server error')
  }
}
