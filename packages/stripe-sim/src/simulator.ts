/**
 * The simulated account behind its front door: authentication, faults, idempotency, endpoints, webhooks.
 *
 * Time, randomness and delays are arguments: given the same ones and the same calls, two simulators do the same. A
 * request arrives, is carried out and departs; only the given `delay` can come between, and between arrival and
 * departure its idempotency key is in use.
 *
 * Source: https://docs.stripe.com/api (authentication, errors, request ids, idempotent requests)
 */
import { Stripe } from 'stripe'
import {
  type Account,
  type AccountEvent,
  type Charge,
  type Dispute,
  openAccount,
  type PaymentIntent,
  type Refund,
  type Turn,
} from './account.ts'
import { type ApiError, type ErrorBody, invalid, ok, type Result, turnedAway } from './api-error.ts'
import { challengePage, completeAuthentication } from './challenge-page.ts'
import { settled } from './confirmation.ts'
import { closeDispute } from './dispute.ts'
import {
  createFaults,
  type FaultFired,
  type FaultScript,
  type Faults,
  type RequestFault,
} from './fault-script.ts'
import { canonical, parseForm } from './form.ts'
import { admit, type KeyStore, keep, keyInUse, MAX_KEY_LENGTH, release } from './idempotency.ts'
import { chargesBy, type Ledger, ledgerOf } from './ledger.ts'
import { createRandom, type Random } from './random.ts'
import { routeFor } from './route.ts'
import { fireTimers, nextTimerMs } from './timer.ts'
import { enqueue, retry, take, type WebhookAttempt } from './webhook.ts'

/** A request as HTTP has it; header names in lower case. */
export interface SimRequest {
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
  /** The API's base address as the caller sees it, for the pages a shopper is sent to. */
  readonly origin: string
}

export interface SimResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What the caller learns: an answer, or a broken connection. */
export type Exchange =
  | { readonly _tag: 'Answered'; readonly response: SimResponse }
  | { readonly _tag: 'Dropped'; readonly why: 'broken' | 'timeout' }

export type Delay = (ms: number) => Promise<void>

/** Takes a webhook: refusing it, by throwing or by a status outside 200-299, has it sent again later. */
export type OnWebhook = (
  rawBody: string,
  headers: Readonly<Record<string, string>>,
) => Promise<number | undefined> | number | undefined

export interface StripeSimOptions {
  readonly nowMs: () => number
  readonly seed: string | number
  readonly webhookSecret: string
  readonly faults?: FaultScript
  /** Told of every event by `deliverWebhooks`, which both transports call after each request. */
  readonly onWebhook?: OnWebhook
  /** Only this secret key is let in; without it, any well-formed test key is. */
  readonly apiKey?: string
}

export interface Snapshot {
  readonly paymentIntents: ReadonlyArray<PaymentIntent>
  readonly charges: ReadonlyArray<Charge>
  readonly refunds: ReadonlyArray<Refund>
  readonly disputes: ReadonlyArray<Dispute>
  readonly events: ReadonlyArray<AccountEvent>
}

export interface StripeSim {
  /** One request with the script's faults. A caller's own patience is `timeoutMs`, measured by `delay`. */
  readonly exchange: (request: SimRequest, patience?: Patience) => Promise<Exchange>
  /** Plays the shopper in 3-D Secure; throws if the intent does not wait for one. */
  readonly completeAuthentication: (paymentIntentId: string, outcome: 'succeed' | 'fail') => PaymentIntent
  /** Plays the bank that debits slowly; throws if the intent is not processing. */
  readonly settleDebit: (paymentIntentId: string, outcome: 'succeed' | 'fail') => PaymentIntent
  /** Plays the card network; throws if the dispute is closed. */
  readonly closeDispute: (disputeId: string, outcome: 'won' | 'lost') => Dispute
  /** Lets what is due happen: expiries, settlements. Every other call does so first. */
  readonly advance: () => void
  /** When something will next happen by itself or a webhook will be due, if ever. */
  readonly nextDueMs: () => number | undefined
  /** The webhooks due now, in the order of delivery; they count as delivered unless given to `retryWebhook`. */
  readonly takeWebhooks: () => ReadonlyArray<WebhookAttempt>
  /** Puts an attempt that failed back, for later. */
  readonly retryWebhook: (attempt: WebhookAttempt) => void
  /** Sends what is due to `onWebhook`, and to endpoints with a URL by `post`; says how many were taken. */
  readonly deliverWebhooks: (post?: Post) => Promise<number>
  /** Deliveries not yet made, due or not. */
  readonly undelivered: () => number
  readonly faultsFired: () => ReadonlyArray<FaultFired>
  readonly ledger: () => Ledger
  /** Authorized charges by the value of a metadata key. */
  readonly chargesBy: (metadataKey: string) => ReadonlyMap<string, ReadonlyArray<Charge>>
  /** Every object as it is now, oldest first. */
  readonly snapshot: () => Snapshot
}

export type Post = (
  url: string,
  rawBody: string,
  headers: Readonly<Record<string, string>>,
) => Promise<number | undefined>

export interface Patience {
  readonly delay?: Delay
  readonly timeoutMs?: number
}

interface Sim {
  readonly account: Account
  readonly options: StripeSimOptions
  readonly faults: Faults
  readonly keys: KeyStore
  readonly random: Random
}

/** A request on its way through. */
interface Visit {
  readonly request: SimRequest
  readonly id: string
  readonly path: string
  readonly query: string
  readonly key: string | undefined
  readonly fingerprint: string
  readonly faults: ReadonlyArray<RequestFault>
}

const turnOf = (sim: Sim, visit?: Visit): Turn => {
  const turn: Turn = {
    account: sim.account,
    nowMs: sim.options.nowMs(),
    origin: visit?.request.origin ?? 'https://hooks.stripe.com',
    request: visit === undefined ? null : { id: visit.id, idempotency_key: visit.key ?? null },
    emitted: (at, event) => {
      const pending = enqueue(at, event, sim.faults)
      sim.account.events.set(event.id, { ...event, pending_webhooks: pending })
    },
  }
  fireTimers(turn)
  return turn
}

const respond = (visit: Visit, status: number, more: Partial<SimResponse> = {}): SimResponse => ({
  status,
  body: more.body ?? '',
  headers: {
    'content-type': 'application/json',
    'request-id': visit.id,
    'stripe-version': visit.request.headers['stripe-version'] ?? Stripe.API_VERSION,
    ...(visit.key !== undefined && { 'idempotency-key': visit.key }),
    ...more.headers,
  },
})

const errorResponse = (visit: Visit, error: ApiError): SimResponse => {
  const body: ErrorBody & { readonly doc_url?: string } =
    error.body.code === undefined
      ? error.body
      : {
          ...error.body,
          doc_url: `https://stripe.com/docs/error-codes/${error.body.code.replaceAll('_', '-')}`,
        }
  return respond(visit, error.status, {
    body: JSON.stringify({ error: { ...body, request_log_url: null } }, null, 2),
    headers: { 'stripe-should-retry': String(error.status === 409 || (error.status >= 500 && !error.saved)) },
  })
}

// The front door: what may turn a request away before any endpoint sees it.

const secretOf = (authorization: string | undefined): string | undefined => {
  const [scheme = '', credentials = ''] = (authorization ?? '').split(' ')
  if (/^bearer$/i.test(scheme)) return credentials
  if (!/^basic$/i.test(scheme)) return undefined
  return Buffer.from(credentials, 'base64').toString('latin1').split(':')[0]
}

const authenticate = (sim: Sim, request: SimRequest): ApiError | undefined => {
  const secret = secretOf(request.headers['authorization'])
  if (secret === undefined || secret === '')
    return turnedAway(401, {
      type: 'invalid_request_error',
      message:
        'You did not provide an API key. You need to provide your API key in the Authorization header.',
    })
  const good =
    sim.options.apiKey === undefined ? /^[rs]k_test_\w+$/.test(secret) : secret === sim.options.apiKey
  if (good) return undefined
  return turnedAway(401, {
    type: 'invalid_request_error',
    message: `Invalid API Key provided: ${secret.slice(0, 8)}****`,
  })
}

const faultError = (fault: RequestFault, key: string | undefined): ApiError | undefined => {
  switch (fault._tag) {
    case 'RateLimit':
      return turnedAway(429, {
        type: 'invalid_request_error',
        code: 'rate_limit',
        message: 'Request rate limit exceeded.',
      })
    case 'LockTimeout':
      return turnedAway(429, {
        type: 'invalid_request_error',
        code: 'lock_timeout',
        message:
          'This object cannot be accessed right now because another API request is currently accessing it.',
      })
    case 'KeyInUse':
      return keyInUse(key ?? '')
    case 'DropBeforeApply':
    case 'DropResponse':
    case 'Delay':
    case 'ServerError':
      return undefined
  }
}

const checkFront = (sim: Sim, visit: Visit): ApiError | undefined => {
  const stranger = authenticate(sim, visit.request)
  if (stranger !== undefined) return stranger
  for (const fault of visit.faults) {
    const error = faultError(fault, visit.key)
    if (error !== undefined) return error
  }
  if (visit.key === undefined || (visit.key !== '' && visit.key.length <= MAX_KEY_LENGTH)) return undefined
  return turnedAway(400, {
    type: 'invalid_request_error',
    message: `Idempotency keys are 1 to ${MAX_KEY_LENGTH} characters long.`,
  })
}

// Behind the door.

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

const serve = (sim: Sim, visit: Visit): Result<unknown> => {
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
  return form.ok ? match.route.serve(turnOf(sim, visit), match.id, form.value) : form
}

const crash = (saved: boolean): ApiError =>
  turnedAway(500, { type: 'api_error', message: 'An unknown error occurred.' }, saved)

/** Carries the request out, with a crash before or after it if the script says so. */
const execute = (sim: Sim, visit: Visit): { readonly response: SimResponse; readonly saved: boolean } => {
  const failing = visit.faults.find((fault) => fault._tag === 'ServerError')
  const result = failing?.when === 'before' ? ok(null) : serve(sim, visit)
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

const arriveKeyed = (sim: Sim, visit: Visit, key: string): Arrival => {
  const { fingerprint } = visit
  const admission = admit(sim.keys, key, { fingerprint, nowMs: sim.options.nowMs() })
  switch (admission._tag) {
    case 'Refused':
      return { _tag: 'Done', response: errorResponse(visit, admission.error) }
    case 'Replay': {
      const { status, body, requestId } = admission.answer
      const headers = { 'idempotent-replayed': 'true', 'original-request': requestId }
      return { _tag: 'Done', response: respond(visit, status, { body, headers }) }
    }
    case 'Fresh': {
      let saved: SimResponse | undefined
      const carryOut = (): SimResponse => {
        const done = execute(sim, visit)
        if (done.saved) saved = done.response
        return done.response
      }
      const depart = (): void => {
        if (saved === undefined) release(sim.keys, key)
        else
          keep(sim.keys, key, {
            fingerprint,
            atMs: sim.options.nowMs(),
            answer: { status: saved.status, body: saved.body, requestId: visit.id },
          })
      }
      return { _tag: 'Taken', carryOut, depart }
    }
  }
}

const arrive = (sim: Sim, visit: Visit): Arrival => {
  const page =
    visit.request.method === 'GET'
      ? challengePage(turnOf(sim), visit.path, new URLSearchParams(visit.query))
      : undefined
  if (page !== undefined) return { _tag: 'Done', response: page }
  const away = checkFront(sim, visit)
  if (away !== undefined) return { _tag: 'Done', response: errorResponse(visit, away) }
  if (visit.key !== undefined && visit.request.method === 'POST') return arriveKeyed(sim, visit, visit.key)
  return { _tag: 'Taken', carryOut: () => execute(sim, visit).response, depart: () => undefined }
}

const visitOf = (sim: Sim, request: SimRequest): Visit => {
  const [path = '', ...rest] = request.path.split('?')
  const query = rest.join('?')
  const key = request.headers['idempotency-key']
  const form = parseForm([query, request.body].filter((part) => part !== '').join('&'))
  const said = form.ok ? canonical(form.value) : JSON.stringify([query, request.body])
  return {
    request,
    id: sim.random.id('req'),
    path,
    query,
    key,
    fingerprint: `${request.method} ${path} ${said}`,
    faults: sim.faults.forRequest({
      method: request.method,
      path,
      idempotencyKey: key,
      atMs: sim.options.nowMs(),
    }),
  }
}

const delayOf = (visit: Visit, side: 'before' | 'after'): number =>
  visit.faults.reduce(
    (sum, fault) => sum + (fault._tag === 'Delay' && (fault.side ?? 'before') === side ? fault.ms : 0),
    0,
  )

const has = (visit: Visit, tag: RequestFault['_tag']): boolean =>
  visit.faults.some((fault) => fault._tag === tag)

const noTime: Delay = () => Promise.resolve()

const pass = async (sim: Sim, visit: Visit, delay: Delay): Promise<Exchange> => {
  const arrival = arrive(sim, visit)
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

const exchange = async (sim: Sim, request: SimRequest, patience: Patience): Promise<Exchange> => {
  const visit = visitOf(sim, request)
  if (has(visit, 'DropBeforeApply')) return { _tag: 'Dropped', why: 'broken' }
  const { delay = noTime, timeoutMs = Number.POSITIVE_INFINITY } = patience
  const passing = pass(sim, visit, delay)
  if (delayOf(visit, 'before') + delayOf(visit, 'after') < timeoutMs) return passing
  // The caller hangs up; the request goes on without it.
  await delay(timeoutMs)
  return { _tag: 'Dropped', why: 'timeout' }
}

// Webhooks out of the account.

const send = async (sim: Sim, attempt: WebhookAttempt, post: Post | undefined): Promise<boolean> => {
  try {
    const status =
      attempt.url === null
        ? await sim.options.onWebhook?.(attempt.rawBody, attempt.headers)
        : await post?.(attempt.url, attempt.rawBody, attempt.headers)
    return status === undefined || (status >= 200 && status < 300)
  } catch {
    // A receiver that throws has not taken the webhook; what it threw is its own affair.
    return false
  }
}

const deliver = async (sim: Sim, post: Post | undefined): Promise<number> => {
  fireTimers(turnOf(sim))
  const attempts = take(sim.account, sim.options.nowMs(), ({ url }) =>
    url === null ? sim.options.onWebhook !== undefined : post !== undefined,
  )
  let taken = 0
  for (const attempt of attempts)
    if (await send(sim, attempt, post)) taken += 1
    else retry(sim.account, attempt, sim.options.nowMs())
  return taken
}

const orThrow = <A>(result: Result<A>): A => {
  if (!result.ok) throw new Error(result.error.body.message)
  return result.value
}

const nextDueMs = (account: Account): number | undefined =>
  [nextTimerMs(account), ...account.outbox.map(({ dueMs }) => dueMs)].reduce<number | undefined>(
    (least, each) => (each !== undefined && (least === undefined || each < least) ? each : least),
    undefined,
  )

const snapshotOf = (account: Account): Snapshot => ({
  paymentIntents: [...account.intents.values()],
  charges: [...account.charges.values()],
  refunds: [...account.refunds.values()],
  disputes: [...account.disputes.values()],
  events: [...account.events.values()],
})

const openSim = (options: StripeSimOptions): Sim => {
  const random = createRandom(options.seed)
  const account = openAccount(random)
  const id = random.id('we')
  account.endpoints.set(id, {
    id,
    url: null,
    secret: options.webhookSecret,
    enabledEvents: ['*'],
    created: Math.floor(options.nowMs() / 1_000),
  })
  const faults = createFaults(options.faults ?? { rules: [] })
  return { account, options, random, faults, keys: new Map() }
}

export const createStripeSim = (options: StripeSimOptions): StripeSim => {
  const sim = openSim(options)
  const { account } = sim
  return {
    exchange: (request, patience = {}) => exchange(sim, request, patience),
    completeAuthentication: (id, outcome) => orThrow(completeAuthentication(turnOf(sim), id, outcome)),
    settleDebit: (id, outcome) => {
      const turn = turnOf(sim)
      const intent = account.intents.get(id)
      if (intent === undefined) throw new Error(`No such payment_intent: '${id}'`)
      return orThrow(settled(turn, intent, outcome))
    },
    closeDispute: (id, outcome) => {
      const turn = turnOf(sim)
      const dispute = account.disputes.get(id)
      if (dispute === undefined) throw new Error(`No such dispute: '${id}'`)
      return orThrow(closeDispute(turn, dispute, outcome))
    },
    advance: () => {
      turnOf(sim)
    },
    nextDueMs: () => nextDueMs(account),
    takeWebhooks: () => {
      const { nowMs } = turnOf(sim)
      return take(account, nowMs, () => true)
    },
    retryWebhook: (attempt) => retry(account, attempt, options.nowMs()),
    deliverWebhooks: (post) => deliver(sim, post),
    undelivered: () => account.outbox.length,
    faultsFired: sim.faults.fired,
    ledger: () => ledgerOf(turnOf(sim).account),
    chargesBy: (key) => chargesBy(turnOf(sim).account, key),
    snapshot: () => snapshotOf(turnOf(sim).account),
  }
}
