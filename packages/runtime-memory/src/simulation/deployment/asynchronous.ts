/**
 * Functions that are invoked asynchronously: whoever gives them an event hears only that Lambda has it, and Lambda tries
 * again after a minute and after two, and then gives up.
 */
import {
  type AsyncInvocation,
  type AsyncInvocations,
  type AsyncSettings,
  asyncInvocations,
  type GivenUp,
  onFailure,
} from '../models/lambda/index.ts'
import { offersOf } from '../models/offers.ts'
import { alarm } from './alarm.ts'
import type { Outcome, SimulatedFunction } from './lambda.ts'
import type { Stage } from './stage.ts'

export interface AsynchronousSettings extends AsyncSettings {
  /** The queue, by its ARN, that is told of events that were given up. */
  readonly onFailure?: string
  /**
   * That Lambda may drop an event which it has accepted, as it may where a function does not keep up. No dead letters
   * tell of it, so that whatever relies on asynchronous invocations alone loses it: only for what can bear that.
   */
  readonly mayDrop?: boolean
}

export interface AsynchronousFunction {
  /** Lambda has the event; `what` names it, so that the same event has the same name in every run. */
  accept(this: void, what: string, payload: unknown): void
}

export interface AsynchronousOptions {
  readonly target: SimulatedFunction<unknown, unknown>
  readonly arn: string
  readonly settings: AsynchronousSettings
  /** Puts a letter into the queue of this ARN. */
  send(this: void, queueArn: string, body: string, what: string): void
}

interface Accepted {
  readonly what: string
  readonly payload: unknown
}

type Model = AsyncInvocations<Accepted>

export const asynchronous = (stage: Stage, options: AsynchronousOptions): AsynchronousFunction => {
  const { kernel, choose, tell } = stage
  const { target, arn, settings, send } = options
  const { onFailure: failures, mayDrop = false, ...told } = settings
  const model: Model = asyncInvocations(told)
  const offers = mayDrop ? model.offers : offersOf(model.offers.filter((offer) => offer !== 'dropped'))
  const point = { port: 'lambda', operation: `${target.name} asynchronously` }
  const counts = new Map<string, number>()
  let { initial: state } = model
  const accept = (what: string, payload: unknown) => {
    const count = (counts.get(what) ?? 0) + 1
    counts.set(what, count)
    const requestId = `${target.name}(${what}) #${count}`
    const key = `lambda: takes ${requestId}`
    const deviation = choose(key, offers, point)
    if (deviation !== undefined)
      tell({ lane: target.name, operation: 'is given', subject: what, key, deviation })
    const at = { nowMs: kernel.nowMs(), ...(deviation === undefined ? {} : { deviation }) }
    state = model.accepted(state, { requestId, function: target.name, payload: { what, payload } }, at)
    due(kernel.nowMs())
  }
  const took = ({ state: next, invocations, givenUp, wakeMs }: ReturnType<Model['next']>) => {
    state = next
    for (const one of givenUp) giveUp(one)
    for (const invocation of invocations) void invoke(invocation)
    due(wakeMs)
  }
  const due = alarm(kernel, `${target.name} is due`, () => took(model.next(state, kernel.nowMs())))
  const invoke = async ({ id, payload: { what, payload } }: AsyncInvocation<Accepted>): Promise<void> => {
    const outcome = await target.invoke(what, payload)
    errors.set(what, errorOf(outcome))
    took(model.answered(state, id, outcome, kernel.nowMs()))
    took(model.next(state, kernel.nowMs()))
  }
  const errors = new Map<string, ReturnType<typeof errorOf>>()
  const giveUp = ({ event, ...given }: GivenUp<Accepted>) => {
    const { what, payload } = event.payload
    const subject = `${what}: ${given.reason}`
    tell({ lane: target.name, operation: 'gives up', subject, key: `${event.requestId} is given up` })
    if (failures === undefined) return
    const error = errors.get(what)
    const context = { functionArn: arn, nowMs: kernel.nowMs(), ...(error === undefined ? {} : { error }) }
    send(failures, JSON.stringify(onFailure({ ...given, event: { ...event, payload } }, context)), what)
  }
  return { accept }
}

/** What Lambda says of a failure; of a process that ended without a word, only that. */
const errorOf = (
  outcome: Outcome<unknown>,
): { readonly errorMessage: string; readonly errorType: string } | undefined => {
  if (outcome._tag !== 'Failed') return undefined
  const { error, how } = outcome
  return error instanceof Error
    ? { errorMessage: error.message, errorType: error.name }
    : { errorMessage: `the invocation ${how}`, errorType: 'Runtime.ExitError' }
}
