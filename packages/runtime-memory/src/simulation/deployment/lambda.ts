/**
 * Functions as Lambda runs them: each invocation in a sandbox of its own, warm where one is free, cold otherwise.
 *
 * An invocation is a life: it may die between any two effects, and it may run out of time. What it had begun and not
 * finished when it returned is frozen until the sandbox is used again.
 */
import type { Clock } from '@everfold/core'
import type { Life } from '../../actors.ts'
import type { Stage } from './stage.ts'

/** What an invocation's code is given at its cold start. */
export interface Sandbox {
  /** `relay 2`: the second sandbox of the function. */
  readonly name: string
  /** Its own clock, which may be wrong. */
  readonly clock: Clock
}

export interface FunctionSettings {
  readonly name: string
  readonly timeoutMs: number
}

export type Outcome<Value> =
  | { readonly _tag: 'Returned'; readonly value: Value }
  | { readonly _tag: 'Threw'; readonly error: unknown }
  | { readonly _tag: 'TimedOut' }
  | { readonly _tag: 'Throttled' }
  | { readonly _tag: 'Crashed' }

/** A function whose sandboxes keep what `open` made at their cold start. */
export interface SimulatedFunction<Event, Value> {
  /** `what` names the work, so that the same work has the same name in every run. */
  invoke(this: void, what: string, event: Event): Promise<Outcome<Value>>
}

interface Warm<Handler> {
  readonly sandbox: Sandbox
  readonly handler: Handler
  life: Life
  busy: boolean
}

const COLD = 'cold though one is warm'
const SKEWS: ReadonlyMap<string, number> = new Map([
  ['a clock 5 s ahead', 5000],
  ['a clock 5 s behind', -5000],
  ['a clock 2 min behind', -120_000],
])
const SKEWED = [...SKEWS.keys()]

export const simulatedFunction = <Event, Value>(
  stage: Stage,
  { name, timeoutMs }: FunctionSettings,
  open: (sandbox: Sandbox) => (event: Event) => Promise<Value>,
): SimulatedFunction<Event, Value> => {
  const { kernel, choose, judge, tell, lane } = stage
  const sandboxes: Array<Warm<(event: Event) => Promise<Value>>> = []
  const named = new Map<string, number>()
  let opened = 0
  const again = (what: string): string => {
    const times = (named.get(what) ?? 0) + 1
    named.set(what, times)
    return times === 1 ? `${name}(${what})` : `${name}(${what}) again ${times - 1}`
  }
  const free = (work: string) => {
    const warm = sandboxes.find(({ busy }) => !busy)
    if (warm === undefined) return undefined
    const deviation = choose(`${work}: sandbox`, [COLD], { port: 'lambda', operation: name })
    return deviation === undefined ? warm : undefined
  }
  const cold = (): Sandbox => {
    opened += 1
    const sandbox = `${name} ${opened}`
    const deviation = choose(`${sandbox}: clock`, SKEWED, { port: 'lambda', operation: name })
    const skewMs = SKEWS.get(deviation ?? '') ?? 0
    const { sleep, random } = kernel
    if (deviation !== undefined)
      tell({ lane: sandbox, operation: 'starts', subject: deviation, key: `${sandbox}: clock`, deviation })
    return { name: sandbox, clock: { nowMs: () => kernel.nowMs() + skewMs, sleep, random } }
  }
  const invoke = (what: string, event: Event): Promise<Outcome<Value>> =>
    new Promise((resolve) => {
      const work = again(what)
      const found = free(work)
      const sandbox = found?.sandbox ?? cold()
      lane(work, sandbox.name)
      tell({ lane: sandbox.name, operation: 'invoked', subject: what, key: work })
      const over = (outcome: Outcome<Value>) => {
        cancel()
        tell({ lane: sandbox.name, operation: 'ends', subject: what, key: work, answer: outcome._tag })
        resolve(outcome)
      }
      let timedOut = false
      const died = () => {
        const at = sandboxes.findIndex((one) => one.sandbox === sandbox)
        if (at >= 0) sandboxes.splice(at, 1)
        over({ _tag: timedOut ? 'TimedOut' : 'Crashed' })
      }
      const afterEnd = (effect: string) =>
        judge.broken('S12', `nothing is asked of a port after the handler returned, and it was: ${effect}`)
      const cancel = kernel.at(kernel.nowMs() + timeoutMs, `${work} runs out of time`, () => {
        timedOut = true
        running?.kill()
      })
      let running: Life | undefined
      void kernel.live(work, { died, afterEnd }, async (life) => {
        running = life
        try {
          const warm = found ?? { sandbox, handler: open(sandbox), life, busy: true }
          if (found === undefined) sandboxes.push(warm)
          warm.busy = true
          if (warm.life !== life) warm.life.thaw()
          warm.life = life
          const value = await warm.handler(event)
          if (life.outstanding > 0)
            judge.broken(
              'S12',
              `a handler waits for what it asks for, and ${work} returned before ${life.outstanding} of it`,
            )
          life.end()
          warm.busy = false
          over({ _tag: 'Returned', value })
        } catch (error) {
          const stack = error instanceof Error ? error.stack : undefined
          judge.broken('handler', `no handler throws, and ${work} did: ${String(error)}`, stack)
          life.kill()
        }
      })
    })
  return { invoke }
}
