/**
 * API Gateway in front of a function, and clients that send a request until its answer is final: the same request with
 * the same headers each time, so that an `Idempotency-Key` stays what it was.
 */
import {
  type ApiGatewaySettings,
  type ApiGatewayStep,
  afterAttempt,
  apiGateway,
  type ClientPolicy,
  type HttpRequest,
  type HttpResponse,
  httpApiEvent,
} from '../models/api-gateway/index.ts'
import { alarm } from './alarm.ts'
import type { SimulatedFunction } from './lambda.ts'
import type { Stage } from './stage.ts'

/** A client that has asked so often has waited for more than a day. */
const PATIENT: ClientPolicy = {
  attempts: 10_000,
  patienceMs: 35_000,
  firstBackoffMs: 200,
  longestBackoffMs: 20_000,
}

/** An HTTP API with its clients. */
export interface HttpApi {
  /**
   * Sends the request in the name of a client until the answer is final, and answers that; undefined where the client
   * gave up, and nobody knows whether it took effect. `what` names the request in a trace.
   */
  send(this: void, client: string, what: string, request: HttpRequest): Promise<HttpResponse | undefined>
}

/** Which kind of API it is, and how patient its clients are. */
export interface HttpApiOptions extends ApiGatewaySettings {
  /** How often and how long clients try; for more than a day unless told. */
  readonly policy?: ClientPolicy
}

export const httpApi = (
  stage: Stage,
  target: SimulatedFunction<unknown, unknown>,
  { policy = PATIENT, ...settings }: HttpApiOptions = {},
): HttpApi => {
  const { kernel, lane } = stage
  const attempt = attempting(stage, target, settings, policy)
  const send = async (client: string, what: string, request: HttpRequest) => {
    for (let number = 1; ; number += 1) {
      const response = await attempt(client, `${what} #${number}`, request)
      const decision = afterAttempt(policy, number, response)
      if (decision._tag === 'Done') return decision.response
      if (decision._tag === 'GaveUp') return undefined
      await kernel.sleep(decision.afterMs)
    }
  }
  return {
    send: (client, what, request) => {
      lane(client, client)
      return kernel.as(client, () => send(client, what, request))
    },
  }
}

type Attempt = (client: string, what: string, request: HttpRequest) => Promise<HttpResponse | undefined>

const attempting = (
  { kernel, choose, tell }: Stage,
  target: SimulatedFunction<unknown, unknown>,
  settings: ApiGatewaySettings,
  { patienceMs }: ClientPolicy,
): Attempt => {
  const gateway = apiGateway(settings)
  const waiting = new Map<string, (response: HttpResponse | undefined) => void>()
  let { initial: state } = gateway
  const took = (step: ApiGatewayStep) => {
    ;({ state } = step)
    for (const { request, response } of step.responses) waiting.get(request)?.(response)
    due(step.wakeMs)
  }
  const due = alarm(kernel, 'the api gives up', () => took(gateway.next(state, kernel.nowMs())))
  const call = async (id: string, what: string, request: HttpRequest): Promise<void> => {
    const event = httpApiEvent(request, { requestId: `${what} ${id}`, nowMs: kernel.nowMs() })
    const outcome = await target.invoke(what, event)
    took(gateway.answered(state, id, outcome, kernel.nowMs()))
  }
  return (client, what, request) => {
    const operation = `${request.method} ${request.path}`
    const key = `${client}: ${operation} ${what}`
    const deviation = choose(key, gateway.offers, { port: 'api gateway', operation: request.method })
    const deviating = deviation === undefined ? {} : { deviation }
    tell({ lane: client, to: 'api', operation, subject: what, key, ...deviating })
    return new Promise((resolve) => {
      const answered = (response: HttpResponse | undefined) => {
        cancel()
        waiting.delete(key)
        resolve(response)
      }
      const cancel = kernel.at(kernel.nowMs() + patienceMs, `${key} is not waited for`, () =>
        answered(undefined),
      )
      waiting.set(key, answered)
      const step = gateway.requested(state, key, { nowMs: kernel.nowMs(), ...deviating })
      took(step)
      for (const { id } of step.calls) void call(id, what, request)
    })
  }
}
