/**
 * Lambda's functions and the sandboxes that their invocations run in.
 *
 * A sandbox does one invocation at a time and keeps its module's state between them. It is frozen after each answer:
 * whatever was not awaited goes on in its next invocation, or never. A crash or a timeout ends it. Law: no sandbox has two
 * invocations at once, and no function more than its concurrency.
 *
 * Source: Lambda Developer Guide, "Understanding the Lambda execution environment lifecycle" and "… function scaling"
 * (2026-11). That a deploy leaves old sandboxes in use for a while is inferred from the update's eventual consistency.
 */
import { LAMBDA } from '../../limits.ts'
import type { At } from '../model.ts'
import { offersOf } from '../offers.ts'

export interface FunctionSettings {
  /** How many invocations at once; 1,000, the account's, unless told. */
  readonly concurrency?: number
  /** 3 s unless told. */
  readonly timeoutMs?: number
}

export interface Sandbox {
  readonly id: string
  readonly function: string
  /** The version of the code that it runs, for as long as it lives. */
  readonly version: number
  readonly startedMs: number
  /** Frozen while absent. */
  readonly deadlineMs?: number
  /** When it was frozen last. */
  readonly frozenMs: number
  readonly clock: 'right' | 'fast' | 'slow' | 'jumps back'
}

interface LambdaFunction {
  readonly concurrency: number
  readonly timeoutMs: number
  /** 1, 2, 3, ...: what new sandboxes run. */
  readonly version: number
  readonly deployedMs: number
  readonly sandboxes: ReadonlyArray<Sandbox>
  /** How many there have been. */
  readonly started: number
}

export interface LambdaState {
  readonly functions: ReadonlyMap<string, LambdaFunction>
}

export type Invoked = {
  readonly state: LambdaState
  /** Sandboxes that are no more, with all that was frozen in them. */
  readonly gone: ReadonlyArray<string>
} & (
  | {
      readonly _tag: 'Started'
      readonly sandbox: Sandbox
      /** Its module has to be loaded first. */
      readonly cold: boolean
      /** The invocation is ended then, as `timed out`. */
      readonly deadlineMs: number
    }
  | { readonly _tag: 'Throttled' }
)

/** `failed`: the handler threw, and the sandbox lives on. What ended a process is `crashed`. */
export type HowEnded = 'returned' | 'failed' | 'timed out' | 'crashed'

export const initial: LambdaState = { functions: new Map() }

/** A new function, or new code for one that is there. */
export const deployed = (
  state: LambdaState,
  name: string,
  nowMs: number,
  settings: FunctionSettings = {},
): LambdaState => {
  const known = state.functions.get(name)
  const deploys: LambdaFunction = {
    sandboxes: known?.sandboxes ?? [],
    started: known?.started ?? 0,
    version: (known?.version ?? 0) + 1,
    deployedMs: nowMs,
    concurrency: settings.concurrency ?? known?.concurrency ?? LAMBDA.concurrency,
    timeoutMs: settings.timeoutMs ?? known?.timeoutMs ?? LAMBDA.timeoutMs,
  }
  return { functions: new Map(state.functions).set(name, deploys) }
}

/** The deviations that `invoke` takes now. */
export const invokeOffers = (state: LambdaState, name: string, nowMs: number): ReadonlyArray<string> => {
  const { free, old, ...it } = inUse(functionOf(state, name), nowMs)
  if (isFull(it.function)) return NONE
  const overlaps = it.function.version > 1 && nowMs < it.function.deployedMs + LAMBDA.overlapMs
  return offersOf([
    'throttled',
    ...(free.length > 0 ? ['cold'] : CLOCKS),
    ...(free.length > 1 ? ['another warm one'] : []),
    ...(overlaps || old.length > 0 ? ['old version'] : []),
  ])
}

const NONE = offersOf([])
const CLOCKS = ['clock +5s', 'clock -5s', 'clock jumps back 5s']

/** Begins an invocation: in the sandbox that was frozen last, in a new one, or not at all. */
export const invoke = (state: LambdaState, name: string, at: At): Invoked => {
  const { nowMs, deviation } = at
  const { function: swept, free, old, gone } = inUse(functionOf(state, name), nowMs)
  const kept = { functions: new Map(state.functions).set(name, swept) }
  if (deviation === 'throttled' || isFull(swept)) return { _tag: 'Throttled', state: kept, gone }
  const chosen = chosenOf(free, old, deviation)
  const warm = deviation === 'cold' ? undefined : chosen
  const sandbox = warm ?? coldStart(swept, name, at)
  const deadlineMs = nowMs + swept.timeoutMs
  const busy = { ...sandbox, deadlineMs }
  const others = swept.sandboxes.filter(({ id }) => id !== sandbox.id)
  const started = swept.started + (warm === undefined ? 1 : 0)
  const after = { ...swept, started, sandboxes: [...others, busy] }
  return {
    _tag: 'Started',
    state: { functions: new Map(state.functions).set(name, after) },
    gone,
    sandbox: busy,
    cold: warm === undefined,
    deadlineMs,
  }
}

/** Ends the invocation that the sandbox has; one that has none, or is gone, stays as it is. */
export const ended = (state: LambdaState, sandbox: string, how: HowEnded, nowMs: number): LambdaState => {
  for (const [name, lambda] of state.functions) {
    const its = lambda.sandboxes.find(({ id }) => id === sandbox)
    if (its?.deadlineMs === undefined) continue
    const others = lambda.sandboxes.filter(({ id }) => id !== sandbox)
    const { deadlineMs: _ended, ...frozen } = its
    const lives = how === 'returned' || how === 'failed'
    const sandboxes = lives ? [...others, { ...frozen, frozenMs: nowMs }] : others
    return { functions: new Map(state.functions).set(name, { ...lambda, sandboxes }) }
  }
  return state
}

/** What the sandbox takes the time to be. */
export const clockMs = ({ clock, startedMs }: Sandbox, nowMs: number): number => {
  switch (clock) {
    case 'right':
      return nowMs
    case 'fast':
      return nowMs + LAMBDA.clockSkewMs
    case 'slow':
      return nowMs - LAMBDA.clockSkewMs
    case 'jumps back':
      return nowMs - startedMs < LAMBDA.clockJumpsAfterMs ? nowMs : nowMs - LAMBDA.clockSkewMs
  }
}

const functionOf = ({ functions }: LambdaState, name: string): LambdaFunction => {
  const lambda = functions.get(name)
  if (lambda === undefined) throw new Error(`no function ${name} was deployed`)
  return lambda
}

const isFull = ({ sandboxes, concurrency }: LambdaFunction): boolean =>
  sandboxes.filter(({ deadlineMs }) => deadlineMs !== undefined).length >= concurrency

/** The function without the sandboxes that idled for too long; those free, of the newest code and of an older one. */
const inUse = (
  lambda: LambdaFunction,
  nowMs: number,
): {
  readonly function: LambdaFunction
  readonly free: ReadonlyArray<Sandbox>
  readonly old: ReadonlyArray<Sandbox>
  readonly gone: ReadonlyArray<string>
} => {
  const idles = ({ version, deadlineMs, frozenMs }: Sandbox): boolean => {
    if (deadlineMs !== undefined) return false
    const untilMs =
      version === lambda.version ? frozenMs + LAMBDA.idleMs : lambda.deployedMs + LAMBDA.overlapMs
    return nowMs >= untilMs
  }
  const sandboxes = lambda.sandboxes.filter((sandbox) => !idles(sandbox))
  const frozen = sandboxes.filter(({ deadlineMs }) => deadlineMs === undefined)
  return {
    function: sandboxes.length === lambda.sandboxes.length ? lambda : { ...lambda, sandboxes },
    free: frozen.filter(({ version }) => version === lambda.version),
    old: frozen.filter(({ version }) => version < lambda.version),
    gone: lambda.sandboxes.filter(idles).map(({ id }) => id),
  }
}

const chosenOf = (
  free: ReadonlyArray<Sandbox>,
  old: ReadonlyArray<Sandbox>,
  deviation: string | undefined,
): Sandbox | undefined => {
  switch (deviation) {
    case 'another warm one':
      return free.at(-2) ?? free.at(-1)
    case 'old version':
      return old.at(-1)
    default:
      return free.at(-1)
  }
}

const coldStart = (
  { started, version }: LambdaFunction,
  name: string,
  { nowMs, deviation }: At,
): Sandbox => ({
  id: `${name} ${started + 1}`,
  function: name,
  version: deviation === 'old version' ? Math.max(1, version - 1) : version,
  startedMs: nowMs,
  frozenMs: nowMs,
  clock: clockOf(deviation),
})

const clockOf = (deviation: string | undefined): Sandbox['clock'] => {
  switch (deviation) {
    case 'clock +5s':
      return 'fast'
    case 'clock -5s':
      return 'slow'
    case 'clock jumps back 5s':
      return 'jumps back'
    default:
      return 'right'
  }
}
