/**
 * The connection between clients of the AWS SDK and the simulated services: every HTTP request is an effect, so that it
 * may be lost, land late or go unanswered, while the SDK writes, retries and parses as it does against AWS.
 */
import type { Failing } from '../../../effect.ts'
import type { At } from '../../models/model.ts'
import { offersOf } from '../../models/offers.ts'
import { answerOf, type HttpAnswer, type HttpRequest, jsonOf } from '../../sdk/http.ts'
import type { Stage } from '../stage.ts'

/** A service as its requests find it; its state is its own. */
export interface Endpoint {
  /** `dynamodb`; a column of a diagram. */
  readonly name: string
  /** What an `x-amz-target` begins with, or the path where the service has no such header. */
  readonly target: string
  /** The request with what is to be remembered of the time at which it was sent. */
  sent?(this: void, request: HttpRequest): HttpRequest
  offers(this: void, request: HttpRequest): ReadonlyArray<string>
  /** Takes effect. */
  step(this: void, request: HttpRequest, at: At): HttpAnswer
  /** What a request is about, in a few words that are the same in every run. */
  subjectOf(this: void, operation: string, input: Readonly<Record<string, unknown>>): string
}

/** What a client of the SDK takes as its `requestHandler`. */
export interface RequestHandler {
  handle(this: void, request: HttpRequest): Promise<{ readonly response: HttpAnswer }>
  destroy(this: void): void
  updateHttpClientConfig(this: void): void
  httpHandlerConfigs(this: void): object
}

/** No answer came: the SDK does not know whether the request arrived. */
const BROKEN = Symbol('the connection broke')
type Answered = HttpAnswer | typeof BROKEN

const writing: Failing<Answered> = { unanswered: () => BROKEN }
const reading: Failing<Answered> = { unanswered: () => BROKEN, reads: true }

/** Longer than the SDK's retries, and than the patience of whoever calls it. */
const OUTAGE = 'unavailable for a minute'
const OUTAGE_MS = 60_000

const unavailable: HttpAnswer = answerOf(
  503,
  { __type: 'ServiceUnavailable', message: 'Service is unavailable. Please try again shortly.' },
  { 'content-type': 'application/json', 'x-amzn-errortype': 'ServiceUnavailable' },
)

const READS = /^(?:Get|Query|Scan|BatchGet|Describe|List|TransactGet)/

export const requestHandler = (
  { kernel, choose, deviates }: Stage,
  endpoints: ReadonlyArray<Endpoint>,
): RequestHandler => {
  const attempts = new Map<string, number>()
  /** Until when a service answers nothing else, by its name. */
  const outages = new Map<string, number>()
  const handle = async (asking: HttpRequest): Promise<{ readonly response: HttpAnswer }> => {
    const endpoint = endpointOf(endpoints, asking)
    const request = endpoint.sent?.(asking) ?? asking
    const operation = operationOf(request)
    const subject = endpoint.subjectOf(operation, inputOf(request))
    const { name } = kernel.current()
    const asked = `${name}: ${endpoint.name}.${operation} ${subject}`
    const attempt = (attempts.get(asked) ?? 0) + 1
    attempts.set(asked, attempt)
    const step = (): HttpAnswer => {
      if (kernel.nowMs() < (outages.get(endpoint.name) ?? 0)) return unavailable
      const offers = offersOf([...endpoint.offers(request), OUTAGE])
      const key = `${asked} #${attempt} is answered`
      const deviation =
        offers.length === 0 ? undefined : choose(key, offers, { port: endpoint.name, operation })
      if (deviation !== undefined) deviates(key, deviation)
      if (deviation === OUTAGE) {
        outages.set(endpoint.name, kernel.nowMs() + OUTAGE_MS)
        return unavailable
      }
      return endpoint.step(request, {
        nowMs: kernel.nowMs(),
        ...(deviation === undefined ? {} : { deviation }),
      })
    }
    const perform = kernel.port(endpoint.name)
    const answer = await perform<Answered>(
      operation,
      subject,
      step,
      READS.test(operation) ? reading : writing,
    )
    // The code is the one of a connection that the other side ended, which the SDK takes to be worth a retry.
    if (answer === BROKEN)
      throw Object.assign(new Error('the connection broke (simulated)'), { code: 'ECONNRESET' })
    return { response: answer }
  }
  return {
    handle,
    destroy: () => undefined,
    updateHttpClientConfig: () => undefined,
    httpHandlerConfigs: () => ({}),
  }
}

const targetOf = ({ headers }: HttpRequest): string =>
  headers['x-amz-target'] ?? headers['X-Amz-Target'] ?? ''

const endpointOf = (endpoints: ReadonlyArray<Endpoint>, request: HttpRequest): Endpoint => {
  const asked = targetOf(request) || request.path
  const found = endpoints.find(({ target }) => asked.startsWith(target))
  if (found === undefined)
    throw new Error(`no simulated service answers ${request.method} ${request.path} ${targetOf(request)}`)
  return found
}

/** `PutItem`; of a REST service `PUT schedules`. */
const operationOf = (request: HttpRequest): string => {
  const target = targetOf(request)
  return target === ''
    ? `${request.method} ${request.path.split('/')[1] ?? ''}`
    : target.slice(target.lastIndexOf('.') + 1)
}

const inputOf = (request: HttpRequest): Readonly<Record<string, unknown>> =>
  targetOf(request) === '' ? { path: request.path } : jsonOf(request)
