/**
 * Clients behind an API gateway: each sends its command until it has an answer, under the same id every time.
 *
 * The gateway gives up after its integration timeout while the work goes on.
 */
import {
  type AnyAggregate,
  dateOf,
  E,
  type Envelope,
  envelope,
  type Fault,
  type Settled,
} from '@everfold/core'
import { API_GATEWAY } from '../limits.ts'
import type { Oracle } from '../oracle/oracle.ts'
import type { Request } from '../run.ts'
import type { SimulatedFunction } from './lambda.ts'
import type { Stage } from './stage.ts'

type AnySettled = Settled<unknown, unknown>
export type Answer = E.Either<Fault, AnySettled>

/** A function that answers commands. */
export type Api = SimulatedFunction<Request, Answer>

/** The first wait of a client before it asks again, and the longest. */
const WAIT_MS = 100
const LONGEST_WAIT_MS = 20_000
/** A client that has asked so often has waited for more than a day. */
const PATIENCE = 5000

const GAVE_UP = '504 while the work goes on'
const TWICE = 'sent twice'
const THROTTLED = '429'
const LOST = 'answer lost'
const OFFERS = [GAVE_UP, TWICE, THROTTLED, LOST]

/**
 * Sends a request in the name of its client until it is answered, and tells the oracle the answer. Clients wait from 200 ms
 * to 20 s of virtual time between tries; the promise is fulfilled without an answer where one gives up after 5,000.
 */
export const client = (stage: Stage, api: Api, oracle: Oracle): ((request: Request) => Promise<void>) => {
  const { kernel, choose, tell, lane } = stage
  const ask = (request: Request, attempt: number): Promise<Answer | undefined> => {
    const key = `${request.client}: ${request.id} #${attempt}`
    const deviation = choose(key, OFFERS, { port: 'api gateway', operation: request.aggregate })
    tell({
      lane: request.client,
      to: 'api',
      operation: request.aggregate,
      subject: `${request.stream} ${request.id}`,
      key,
      ...(deviation === undefined ? {} : { deviation }),
    })
    if (deviation === THROTTLED) return Promise.resolve(undefined)
    const invoked = api.invoke(request.id, request)
    if (deviation === TWICE)
      void api.invoke(request.id, request).then((outcome) => {
        // Both answers come, and have to be the same.
        if (outcome._tag === 'Returned' && E.isRight(outcome.value))
          oracle.answered(request, outcome.value.right)
      })
    if (deviation === GAVE_UP) return Promise.resolve(undefined)
    return new Promise((resolve) => {
      const cancel = kernel.at(kernel.nowMs() + API_GATEWAY.restTimeoutMs, `${key} gives up`, () =>
        resolve(undefined),
      )
      void invoked.then((outcome) => {
        cancel()
        resolve(outcome._tag === 'Returned' && deviation !== LOST ? outcome.value : undefined)
      })
    })
  }
  const send = async (request: Request): Promise<void> => {
    for (let attempt = 1; attempt <= PATIENCE; attempt += 1) {
      const answer = await ask(request, attempt)
      if (answer !== undefined && E.isRight(answer)) {
        tell({
          lane: request.client,
          operation: 'has its answer',
          subject: `${request.stream} ${request.id}`,
          key: `${request.client}: ${request.id} is answered`,
          answer: wordOf(answer.right),
        })
        return oracle.answered(request, answer.right)
      }
      await kernel.sleep(Math.min(LONGEST_WAIT_MS, WAIT_MS * 2 ** Math.min(attempt, 10)))
    }
  }
  return (request) => {
    lane(request.client, request.client)
    oracle.sends(request)
    return kernel.as(request.client, () => send(request))
  }
}

const wordOf = (settled: AnySettled): string => {
  if (E.isLeft(settled)) return settled.left._tag
  const { outcome } = settled.right
  if (E.isRight(outcome)) return 'accepted'
  const tag = (outcome.left as { readonly _tag?: unknown } | null)?._tag
  return `rejected: ${typeof tag === 'string' ? tag : 'for a reason'}`
}

/** The command of a request, as the function that takes it makes it. */
export const envelopeOf = (aggregate: AnyAggregate, request: Request, nowMs: number): Envelope<unknown> => {
  const decoded = aggregate.command.decode(request.command)
  if (E.isLeft(decoded))
    throw new Error(
      `the request ${request.id} holds no command of ${aggregate.name}: ${JSON.stringify(request.command)}`,
    )
  const dated = dateOf(request.id) === undefined ? { dateMs: nowMs } : {}
  return envelope(decoded.right, { id: request.id, timeMs: nowMs, sent: request.command, ...dated })
}
