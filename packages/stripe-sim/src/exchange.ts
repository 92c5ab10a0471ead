/**
 * One request's way: faults, the front door, idempotency, the endpoint and back.
 *
 * It arrives, is carried out and departs; only the given `delay` can come between, and between arrival and
 * departure its idempotency key is in use.
 *
 * Source: https://docs.stripe.com/api/idempotent_requests and https://docs.stripe.com/error-low-level
 */
import type { Account, Turn } from './account.ts'
import { type ApiError, invalid, ok, type Result, turnedAway } from './api-error.ts'
import { challengePage } from './challenge-page.ts'
import type { Faults, RequestFault } from './fault-script.ts'
import { canonical, parseForm } from './form.ts'
import { checkFront } from './front-door.ts'
import { admit, type KeyStore, keep, release } from './idempotency.ts'
import type { Random } from './random.ts'
import { routeFor } from './route.ts'
import { fireTimers } from './timer.ts'
import { errorResponse, respond, type SimRequest, type SimResponse, type Visit } from './visit.ts'
import { enqueue } from './webhook.ts'

/** What the caller learns: an answer, or a broken connection. */
export type Exchange =
  | { readonly _tag: 'Answered'; readonly response: SimResponse }
  | { readonly _tag: 'Dropped'; readonly why: 'broken' | 'timeout' }

export type Delay = (ms: number) => Promise<void>

export interface Patience {
  readonly delay?: Delay
  readonly timeoutMs?: number
}

/** The account with everything that acts on it. */
export interface Machine {
  readonly account: Account
  readonly nowMs: () => number
  readonly apiKey: string | undefined
  readonly faults: Faults
  readonly keys: KeyStore
  /** For request ids only: how often a request is repeated must not change what objects are called. */
  readonly requestIds: Random
}

/** A turn of now, before which everything due has happened. */
export const turnOf = (machine: Machine, visit?: Visit): Turn => {
  const turn: Turn = {
    account: machine.account,
    nowMs: machine.nowMs(),
    origin: visit?.request.origin ?? 'https://hooks.stripe.com',
    request: visit === undefined ? null : { id: visit.id, idempotency_key: visit.key ?? null },
    emitted: (at, event) => {
      const pending = enqueue(at, event, machine.faults)
      machine.account.events.set(event.id, { ...event, pending_webhooks: pending })
    },
  }
  fireTimers(turn)
  return turn
}

/** Lets what is due happen. */
export const advance = (machine: Machine): void => {
  turnOf(machine)
}

const has = (visit: Visit, tag: RequestFault['_tag']): boolean =>
  visit.faults.some((fault) => fault._tag === tag)

const formOf = (visit: Visit) => {
  const { method, headers, body } = visit.request
  const type = headers['content-type'] ?? ''
  if (
    body !== '' &&
    method === 'POST' &&
    type !== '' &&
    !type.startsWith('application/x-www-form-urlencoded')
  )
    return invalid('Invalid request: Content-Type must be application/x-www-form-urlencoded.')
  const parts = method === 'POST' ? [visit.query, body] : [visit.query]
  return parseForm(parts.filter((part) => part !== '').join('&'))
}

const serve = (machine: Machine, visit: Visit): Result<unknown> => {
  const { method } = visit.request
  const match = routeFor(method, visit.path)
  if (match === undefined)
    return {
      ok: false,
      error: turnedAway(404, {
        type: 'invalid_request_error',
        message: `Unrecognized request URL (${method}: ${visit.path}).`,
      }),
    }
  const form = formOf(visit)
  return form.ok ? match.found.serve(turnOf(machine, visit), match.id, form.value) : form
}

const crash = (saved: boolean): ApiError =>
  turnedAway(500, { type: 'api_error', message: 'An unknown error occurred.' }, saved)

/** Carries the request out, with a crash before or after it if the script says so. */
const execute = (
  machine: Machine,
  visit: Visit,
): { readonly response: SimResponse; readonly saved: boolean } => {
  const failing = visit.faults.find((fault) => fault._tag === 'ServerError')
  const result = failing?.when === 'before' ? ok(null) : serve(machine, visit)
  if (failing !== undefined) {
    const error = crash(failing.saved ?? true)
    return { response: errorResponse(visit, error), saved: error.saved }
  }
  if (!result.ok) return { response: errorResponse(visit, result.error), saved: result.error.saved }
  return { response: respond(visit, 200, { body: JSON.stringify(result.value, null, 2) }), saved: true }
}

type Arrival =
  | { readonly _tag: 'Done'; readonly response: SimResponse }
  | { readonly _tag: 'Taken'; readonly depart: () => void; readonly carryOut: () => SimResponse }

const arriveKeyed = (machine: Machine, visit: Visit, key: string): Arrival => {
  const { fingerprint } = visit
  const admission = admit(machine.keys, key, { fingerprint, nowMs: machine.nowMs() })
  switch (admission._tag) {
    case 'Refused':
      return { _tag: 'Done', response: errorResponse(visit, admission.error) }
    case 'Replay': {
      // An outage in front of the kept answer leaves it as it is.
      if (has(visit, 'ServerError')) return { _tag: 'Done', response: errorResponse(visit, crash(false)) }
      const { status, body, requestId } = admission.answer
      const headers = { 'idempotent-replayed': 'true', 'original-request': requestId }
      return { _tag: 'Done', response: respond(visit, status, { body, headers }) }
    }
    case 'Fresh': {
      let saved: SimResponse | undefined
      const carryOut = (): SimResponse => {
        const done = execute(machine, visit)
        if (done.saved) saved = done.response
        return done.response
      }
      const depart = (): void => {
        if (saved === undefined) release(machine.keys, key)
        else
          keep(machine.keys, key, {
            fingerprint,
            atMs: machine.nowMs(),
            answer: { status: saved.status, body: saved.body, requestId: visit.id },
          })
      }
      return { _tag: 'Taken', carryOut, depart }
    }
  }
}

const arrive = (machine: Machine, visit: Visit): Arrival => {
  const page =
    visit.request.method === 'GET'
      ? challengePage(turnOf(machine), visit.path, new URLSearchParams(visit.query))
      : undefined
  if (page !== undefined) return { _tag: 'Done', response: page }
  const away = checkFront(machine.apiKey, visit)
  if (away !== undefined) return { _tag: 'Done', response: errorResponse(visit, away) }
  if (visit.key !== undefined && visit.request.method === 'POST')
    return arriveKeyed(machine, visit, visit.key)
  return { _tag: 'Taken', carryOut: () => execute(machine, visit).response, depart: () => undefined }
}

const visitOf = (machine: Machine, request: SimRequest): Visit => {
  const [path = '', ...rest] = request.path.split('?')
  const query = rest.join('?')
  const key = request.headers['idempotency-key']
  const form = parseForm([query, request.body].filter((part) => part !== '').join('&'))
  const said = form.ok ? canonical(form.value) : JSON.stringify([query, request.body])
  return {
    request,
    id: machine.requestIds.id('req'),
    path,
    query,
    key,
    fingerprint: `${request.method} ${path} ${said}`,
    faults: machine.faults.forRequest({
      method: request.method,
      path,
      idempotencyKey: key,
      atMs: machine.nowMs(),
    }),
  }
}

const delayOf = (visit: Visit, side: 'before' | 'after'): number =>
  visit.faults.reduce(
    (sum, fault) => sum + (fault._tag === 'Delay' && (fault.side ?? 'before') === side ? fault.ms : 0),
    0,
  )

const noTime: Delay = () => Promise.resolve()

const pass = async (machine: Machine, visit: Visit, delay: Delay): Promise<Exchange> => {
  const arrival = arrive(machine, visit)
  const wait = async (side: 'before' | 'after'): Promise<void> => {
    const ms = delayOf(visit, side)
    if (ms > 0) await delay(ms)
  }
  await wait('before')
  const response = arrival._tag === 'Done' ? arrival.response : arrival.carryOut()
  await wait('after')
  if (arrival._tag === 'Taken') arrival.depart()
  return has(visit, 'DropResponse') ? { _tag: 'Dropped', why: 'broken' } : { _tag: 'Answered', response }
}

export const exchange = async (
  machine: Machine,
  request: SimRequest,
  patience: Patience,
): Promise<Exchange> => {
  const visit = visitOf(machine, request)
  if (has(visit, 'DropBeforeApply')) return { _tag: 'Dropped', why: 'broken' }
  const { delay = noTime, timeoutMs = Number.POSITIVE_INFINITY } = patience
  const passing = pass(machine, visit, delay)
  if (delayOf(visit, 'before') + delayOf(visit, 'after') < timeoutMs) return passing
  // The caller hangs up; the request goes on without it.
  await delay(timeoutMs)
  return { _tag: 'Dropped', why: 'timeout' }
}
