/**
 * Functions on simulated Lambda: each invocation in a sandbox, warm where one is free, cold otherwise.
 *
 * An invocation is a life: it may die between any two effects, and it may run out of time. What it had begun and not
 * finished when it returned is frozen until the sandbox is used again.
 */
import type { Clock } from '@everfold/core'
import type { Life } from '../../actors.ts'
import {
  clockMs,
  deployed,
  ended,
  type FunctionSettings,
  type HowEnded,
  initial,
  invoke,
  invokeOffers,
  type LambdaState,
  type Sandbox as ModelSandbox,
} from '../models/lambda/index.ts'
import type { Judge } from '../oracle/judge.ts'
import { stackOfThrown, wordsOfThrown } from '../oracle/thrown.ts'
import type { Stage } from './stage.ts'

/** What a function's code is given at its cold start. */
export interface Sandbox {
  /** `relay 2`: the second sandbox of the function. */
  readonly name: string
  /** Which deploy of the function it runs: 1, 2, 3, ... */
  readonly version: number
  /** Its own clock, which may be wrong. */
  readonly clock: Clock
}

export type Outcome<Value> =
  | { readonly _tag: 'Returned'; readonly value: Value }
  | { readonly _tag: 'Failed'; readonly how: HowEnded; readonly error?: unknown }
  | { readonly _tag: 'Throttled' }

/** A function whose sandboxes keep what was made at their cold start. */
export interface SimulatedFunction<Event, Value> {
  readonly name: string
  /** `what` names the work, so that the same work has the same name in every run. */
  invoke(this: void, what: string, event: Event): Promise<Outcome<Value>>
}

export type Open<Event, Value> = (sandbox: Sandbox) => (event: Event) => Promise<Value>

export interface Lambda {
  /** `open` is the code: what runs outside the handler at a cold start, and the handler that it makes. */
  deploy<Event, Value>(
    this: void,
    name: string,
    settings: FunctionSettings,
    open: Open<Event, Value>,
  ): SimulatedFunction<Event, Value>
  /** From now on cold starts of all functions run new code, and warm sandboxes the old one for a while. */
  redeploy(this: void): void
}

/** What an error of a handler means: at the level of the ports none may throw, on Lambda it is a function error. */
export type Throwing = 'broken' | 'a function error'

interface Warm {
  readonly handler: (event: unknown) => Promise<unknown>
  life: Life
}

export const simulatedLambda = (stage: Stage, throwing: Throwing): Lambda => {
  const { kernel, choose, tell } = stage
  let state: LambdaState = initial
  const warm = new Map<string, Warm>()
  const names = new Map<string, number>()
  /** A sandbox for an invocation; undefined where the function is throttled. */
  const start = (name: string, work: string): ModelSandbox | undefined => {
    const offers = invokeOffers(state, name, kernel.nowMs())
    const deviation = choose(`${work}: sandbox`, offers, { port: 'lambda', operation: name })
    const at = { nowMs: kernel.nowMs(), ...(deviation === undefined ? {} : { deviation }) }
    const started = invoke(state, name, at)
    ;({ state } = started)
    for (const id of started.gone) warm.delete(id)
    if (deviation !== undefined)
      tell({ lane: name, operation: 'starts', subject: work, key: `${work}: sandbox`, deviation })
    return started._tag === 'Started' ? started.sandbox : undefined
  }
  const numbered = (work: string): string => {
    const times = (names.get(work) ?? 0) + 1
    names.set(work, times)
    return times === 1 ? work : `${work} again ${times - 1}`
  }
  const deploy = <Event, Value>(
    name: string,
    settings: FunctionSettings,
    open: Open<Event, Value>,
  ): SimulatedFunction<Event, Value> => {
    state = deployed(state, name, kernel.nowMs(), settings)
    const invokeIt = (what: string, event: Event): Promise<Outcome<Value>> => {
      const work = numbered(`${name}(${what})`)
      const sandbox = start(name, work)
      if (sandbox === undefined) return Promise.resolve({ _tag: 'Throttled' })
      const invocation = { work, what, sandbox, warm, throwing }
      return invoked(stage, invocation, event, open).then((outcome) => {
        const how = outcome._tag === 'Failed' ? outcome.how : 'returned'
        state = ended(state, sandbox.id, how, kernel.nowMs())
        if (how === 'crashed' || how === 'timed out') warm.delete(sandbox.id)
        return outcome
      })
    }
    return { name, invoke: invokeIt }
  }
  const redeploy = () => {
    for (const name of state.functions.keys()) state = deployed(state, name, kernel.nowMs())
  }
  return { deploy, redeploy }
}

interface Invocation {
  readonly work: string
  readonly what: string
  readonly sandbox: ModelSandbox
  readonly warm: Map<string, Warm>
  readonly throwing: Throwing
}

const afterEnd =
  ({ broken }: Judge) =>
  (effect: string): void =>
    broken('S12', `nothing is asked of a port after the handler returned, and it was: ${effect}`)

/** Runs the handler as a life, until it returns, throws, dies or runs out of time. */
const invoked = <Event, Value>(
  { kernel, judge, tell, lane }: Stage,
  { work, what, sandbox, warm, throwing }: Invocation,
  event: Event,
  open: Open<Event, Value>,
): Promise<Outcome<Value>> =>
  new Promise((resolve) => {
    lane(work, sandbox.id)
    tell({ lane: sandbox.id, operation: 'is invoked', subject: what, key: work })
    const over = (outcome: Outcome<Value>, how: HowEnded) => {
      cancel()
      tell({ lane: sandbox.id, operation: 'ends', subject: what, key: `${work} ends`, answer: how })
      resolve(outcome)
    }
    let life: Life | undefined
    let timedOut = false
    const cancel = kernel.at(sandbox.deadlineMs ?? kernel.nowMs(), `${work} runs out of time`, () => {
      timedOut = true
      life?.kill()
    })
    const died = () => {
      const how = timedOut ? 'timed out' : 'crashed'
      over({ _tag: 'Failed', how }, how)
    }
    const skewMs = () => clockMs(sandbox, kernel.nowMs()) - kernel.nowMs()
    void kernel.live(work, { died, afterEnd: afterEnd(judge), skewMs }, async (living) => {
      life = living
      try {
        const handler = handlerOf(warm, sandbox, living, () => open(sandboxOf(kernel, sandbox)))
        const value = (await handler(event)) as Value
        if (living.outstanding > 0)
          judge.broken(
            'S12',
            `a handler waits for what it asks for, and ${work} returned before ${living.outstanding} of it`,
          )
        living.end()
        over({ _tag: 'Returned', value }, 'returned')
      } catch (error) {
        living.end()
        if (throwing === 'broken') {
          const told = `no handler throws, and ${work} did: ${wordsOfThrown(error)}`
          judge.broken('handler', told, stackOfThrown(error))
        }
        over({ _tag: 'Failed', how: 'failed', error }, 'failed')
      }
    })
  })

/** A sandbox that is used again goes on with what was frozen in it. */
const handlerOf = (
  warm: Map<string, Warm>,
  { id }: ModelSandbox,
  life: Life,
  open: () => (event: never) => Promise<unknown>,
): Warm['handler'] => {
  const kept = warm.get(id)
  if (kept === undefined) {
    const handler = open() as Warm['handler']
    warm.set(id, { handler, life })
    return handler
  }
  kept.life.thaw(life)
  kept.life = life
  return kept.handler
}

const sandboxOf = ({ nowMs, sleep, random }: Clock, sandbox: ModelSandbox): Sandbox => ({
  name: sandbox.id,
  version: sandbox.version,
  clock: { nowMs: () => clockMs(sandbox, nowMs()), sleep, random },
})
