/** Simulations: a service under a workload, deployed on simulated AWS, run again and again under other deviations. */
import { aggregatesOf, type ExecuteOptions, type GatewayBinding, type Service } from '@everfold/core'
import { type Happened, virtualKernel } from '../kernel.ts'
import { draw, hashOf, sequence } from '../random.ts'
import { currentOf, type Globals } from './actor-globals.ts'
import { byChance, type Notes, noted, planned, until } from './chooser.ts'
import { type GatewayPorts, type Parts, portLevel, type World } from './deployment/port-level.ts'
import type { Stage, Told } from './deployment/stage.ts'
import { checkBindings, checkOptions } from './fitting.ts'
import { installGlobals } from './globals/installation.ts'
import type { Invariant } from './invariant.ts'
import { type Oracle, oracleOf } from './oracle/oracle.ts'
import { checked, drawn, requestsOf as requestsFrom, type Sending, type Workload } from './requests.ts'
import type { Plan, Request, Run, Step, Violation } from './run.ts'
import type { Surroundings, SurroundingsPorts } from './surroundings.ts'

/** What is simulated, and what has to hold of it. Only the service and the workload have to be told. */
export interface SimulationOptions {
  readonly service: Service
  readonly workload: Workload
  /**
   * New code of the service, one after the other: it may add events, versions of events and commands, and change what is
   * decided. The commands of the workload are such that every version takes them; a view or a process that the first
   * version does not have would begin in the middle.
   */
  readonly deploys?: ReadonlyArray<Deploy>
  /** The implementations of the service's gateways. */
  readonly gateways?: (ports: GatewayPorts) => ReadonlyArray<GatewayBinding>
  /** What the service lives among, anew for each run. */
  readonly surroundings?: (ports: SurroundingsPorts) => Surroundings
  /** What else has to hold, beside what holds of every service. */
  readonly invariants?: ReadonlyArray<Invariant>
  /** What should happen in some runs, by the names under which it is marked, beside what is `sometimes` so. */
  readonly marks?: ReadonlyArray<string>
  /** Other parts in place of our own. */
  readonly parts?: Partial<Parts>
  readonly execute?: Partial<ExecuteOptions>
  /** The service deployed otherwise than at the level of core's ports. */
  readonly deployment?: Deployment
  /** When virtual time begins, in milliseconds since 1970. */
  readonly startMs?: number
  /** After how many steps a run that has not come to rest counts as one that never will; 50,000 unless told. */
  readonly mostSteps?: number
  /** The names of invariants that are not judged: those that are known to be broken, to see what else is. */
  readonly unjudged?: ReadonlyArray<string>
}

/** New code from a time on; for a while warm sandboxes, and some cold ones, run the old. */
export interface Deploy {
  /** In milliseconds after the run's beginning. */
  readonly afterMs: number
  readonly service: Service
}

/** How a service is brought into a run, and at which level. */
export interface Deployment {
  /** What handlers get of Node's globals. */
  readonly globals: Globals
  /** Anew for each run. */
  readonly open: (stage: Stage, oracle: Oracle) => World
}

/** A service that can be run, by a seed or by a plan. No run knows of another. */
export interface Simulation {
  /**
   * What deviates is drawn from the seed, and so are the requests unless they are given. A run in which something does
   * not hold is answered, too: it has a `violation`. Rejects where a request is none for the service's aggregates.
   */
  run(this: void, seed: string, notes?: Running, requests?: ReadonlyArray<Request>): Promise<Run>
  /**
   * Just these deviations, and these requests or those of the plan's seed; rejects as `run` does. What of the plan did
   * not come about is the run's `unmet`.
   */
  replay(this: void, plan: Plan, requests?: ReadonlyArray<Request>, notes?: Running): Promise<Run>
  /** What the workload sends by this seed; throws where it throws, or sends what no client could. */
  requestsOf(this: void, seed: string): ReadonlyArray<Request>
  /** The requests of these sendings, in place of the workload's; throws where no client could send one. */
  requestsFrom(this: void, sendings: ReadonlyArray<Sending>): ReadonlyArray<Request>
  readonly service: Service
  /** The names of all that should happen in some runs. */
  readonly marks: ReadonlyArray<string>
}

/** How one run is made otherwise than the others of a simulation. */
export interface Running extends Notes {
  /** After how many steps it counts as one that never comes to rest; as many as the simulation says unless told. */
  readonly mostSteps?: number
}

/** The first of January 2026. */
const START_MS = 1_767_225_600_000

/**
 * A service as it is to be simulated.
 *
 *     const shop = simulation({ service, workload, invariants: [always(...), eventually(...)] })
 *     const run = await shop.run('7')
 *     run.violation // undefined, or what did not hold
 *
 * Throws where the options do not fit together. Nothing runs yet, and nothing is kept from one run to the next. Law: a run
 * is a function of its plan and its requests.
 */
export const simulation = (options: SimulationOptions): Simulation => {
  const { startMs = START_MS, workload, service } = options
  checkOptions(options)
  const aggregates = aggregatesOf(service)
  const asked = (sendings: ReadonlyArray<Sending>, what: string) =>
    checked(requestsFrom(sendings, startMs, what), aggregates, what)
  const requestsOf = (seed: string): ReadonlyArray<Request> =>
    asked(drawn(workload, seed, sequence(`workload ${seed}`)), `the workload of the seed ${seed}`)
  const given = (seed: string, requests: ReadonlyArray<Request> | undefined) =>
    requests === undefined ? requestsOf(seed) : checked(requests, aggregates, 'the requests')
  return {
    run: async (seed, notes = {}, requests) =>
      simulate(options, { seed, requests: given(seed, requests), notes }),
    replay: async ({ seed, deviations }, requests, notes = {}) =>
      simulate(options, { seed, deviations, requests: given(seed, requests), notes }),
    requestsOf,
    requestsFrom: (sendings) => asked(sendings, 'what is sent'),
    service,
    marks: marksOf(options),
  }
}

const marksOf = (options: SimulationOptions): ReadonlyArray<string> => {
  const { marks = [], invariants = [], unjudged = [] } = options
  const sometimes = invariants.filter(({ when }) => when === 'sometimes').map(({ name }) => name)
  return [...new Set([...marks, ...sometimes])].filter((name) => !unjudged.includes(name))
}

interface Simulating {
  readonly seed: string
  /** Where they are absent, chance decides. */
  readonly deviations?: Plan['deviations']
  readonly requests: ReadonlyArray<Request>
  readonly notes: Running
}

/** After how many steps the faults stop. */
const FAULTY_STEPS = [30, 100, 300, 1000]

const simulate = async (options: SimulationOptions, simulating: Simulating): Promise<Run> => {
  const { startMs = START_MS, deploys = [] } = options
  const { seed, requests, notes } = simulating
  const { mostSteps = options.mostSteps ?? 50_000 } = notes
  const story = storyOf()
  const faulty = FAULTY_STEPS[Math.floor(draw(seed, 'storm') * FAULTY_STEPS.length)] ?? 0
  const { choose, deviations } = noted(
    simulating.deviations === undefined
      ? until(byChance(seed), () => story.length() > faulty)
      : planned(simulating.deviations),
    notes,
  )
  const kernel = virtualKernel({
    seed,
    startMs,
    overtaking: 0,
    choose,
    happened: (happened) => story.happened(happened, kernel.nowMs()),
    waits: 'promises',
  })
  const tell = (told: Told) => story.told(told, kernel.nowMs())
  const mark = (name: string) => notes.coverage?.mark(name)
  const around: Surroundings =
    options.surroundings?.({
      kernel,
      choose,
      tell,
      lane: story.lane,
      mark,
      draw: (key) => draw(seed, key),
      send: (request) => world.send(request),
    }) ?? {}
  const oracle = oracleOf({
    services: [options.service, ...deploys.map(({ service }) => service)],
    invariants: [...(options.invariants ?? []), ...(around.invariants ?? [])],
    // What is judged while it takes effect belongs to the step that is being made.
    stepNumber: () => story.length() + 1,
    nowMs: kernel.nowMs,
    mark,
    ...(options.unjudged === undefined ? {} : { unjudged: options.unjudged }),
  })
  const stage: Stage = {
    kernel,
    choose,
    judge: oracle.judge,
    tell,
    deviates: story.deviates,
    lane: story.lane,
    mark,
  }
  const { globals, open } = options.deployment ?? onPorts(options, around)
  const world = open(stage, oracle)
  for (const request of requests)
    kernel.at(startMs + request.afterMs, `${request.client} asks`, () => void world.send(request))
  for (const [at, { afterMs }] of deploys.entries())
    kernel.at(startMs + afterMs, `deploy ${at + 1}`, () => {
      tell({ lane: 'deploy', operation: 'new code', subject: `${at + 2}`, key: `deploy ${at + 1}` })
      world.redeploy?.()
    })
  const release = installGlobals({ current: currentOf(kernel, oracle.judge, globals) })
  const over = () => oracle.judge.violation !== undefined || story.length() > mostSteps
  const rested = await kernel.drive(Number.POSITIVE_INFINITY, over).finally(release)
  if (rested) {
    oracle.ended(requests)
    world.ended?.()
  } else if (oracle.judge.violation === undefined) {
    const stuck = world.stuck?.()
    oracle.judge.broken(
      'E6',
      `all comes to rest once the faults have stopped, and after ${mostSteps} steps these are still hot: ${story.hot()}${stuck === undefined ? '' : `; ${stuck.because}`}`,
      stuck?.stack,
    )
  }
  const wanted = simulating.deviations ?? new Map()
  return new EndedRun({ seed, requests, startMs, deviations, wanted, trace: kernel.trace, story, oracle })
}

const onPorts = (
  { service, deploys = [], gateways = () => [], parts = {}, execute = {} }: SimulationOptions,
  around: Surroundings,
): Deployment => {
  const services = [service, ...deploys.map((deploy) => deploy.service)]
  const all = (ports: GatewayPorts) => {
    const bindings = [...gateways(ports), ...(around.gateways?.(ports) ?? [])]
    // Whoever brings a function of his own for calls may need no bindings.
    if (parts.functions?.calls === undefined) checkBindings(services, bindings)
    return bindings
  }
  return {
    globals: 'guarded',
    open: (stage, oracle) => portLevel({ gateways: all, parts, execute, stage, oracle }),
  }
}

interface Story {
  happened(this: void, happened: Happened, timeMs: number): void
  told(this: void, told: Told, timeMs: number): void
  /** In what happens next. */
  deviates(this: void, key: string, deviation: string): void
  lane(this: void, actor: string, lane: string): void
  length(this: void): number
  /** Who did the most of late. */
  hot(this: void): string
  steps(this: void): ReadonlyArray<Step>
}

type Entry =
  | { readonly timeMs: number; readonly happened: Happened; readonly inner?: Inner }
  | { readonly timeMs: number; readonly told: Told }

/** What deviated in an effect while it was applied. */
interface Inner {
  readonly key: string
  readonly deviation: string
}

/** Entries are kept as they come, and put into words when somebody wants to read them. */
const storyOf = (): Story => {
  const entries: Array<Entry> = []
  const lanes = new Map<string, string>()
  let inner: Inner | undefined
  const stepOf = (entry: Entry, at: number): Step => {
    const { timeMs } = entry
    if ('told' in entry) return { number: at + 1, timeMs, ...entry.told }
    const { key, effect, deviation, answer } = entry.happened
    const { actor, port, operation, subject } = effect
    const told = wordOf(answer)
    return {
      number: at + 1,
      timeMs,
      lane: lanes.get(actor) ?? actor,
      to: port,
      operation,
      subject,
      ...deviating({ key, ...(deviation === undefined ? {} : { deviation }) }, entry.inner),
      ...(told === undefined ? {} : { answer: told }),
    }
  }
  return {
    happened: (happened, timeMs) => {
      entries.push(inner === undefined ? { timeMs, happened } : { timeMs, happened, inner })
      inner = undefined
    },
    deviates: (key, deviation) => {
      inner = { key, deviation }
    },
    told: (told, timeMs) => void entries.push({ timeMs, told }),
    lane: (actor, lane) => void lanes.set(actor, lane),
    length: () => entries.length,
    hot: () => {
      const counts = new Map<string, number>()
      const late = entries.slice(-1000)
      for (const [at, entry] of late.entries()) {
        const { lane, to, operation } = stepOf(entry, at)
        const what = `${lane}: ${to === undefined ? '' : `${to}.`}${operation}`
        counts.set(what, (counts.get(what) ?? 0) + 1)
      }
      const most = [...counts].toSorted(([, one], [, other]) => other - one).slice(0, 3)
      return most.map(([what, count]) => `${what} (${count} of the last ${late.length})`).join(', ')
    },
    steps: () => entries.map(stepOf),
  }
}

/** By the key of what deviated; what became of the call comes first. */
const deviating = (
  own: Pick<Step, 'key' | 'deviation'>,
  inner: Inner | undefined,
): Pick<Step, 'key' | 'deviation' | 'besides'> => {
  if (inner === undefined) return own
  return own.deviation === undefined ? inner : { ...own, besides: inner }
}

/** What a port answered, in a word or two. */
const wordOf = (answer: unknown): string | undefined => {
  if (answer === undefined) return undefined
  if (answer instanceof Error) return answer.message
  if (typeof answer !== 'object' || answer === null || !('_tag' in answer)) return undefined
  const {
    _tag: side,
    left,
    right,
  } = answer as { readonly _tag: string; readonly left?: unknown; readonly right?: unknown }
  if (side === 'Left') return tagOf(left) ?? 'failed'
  if (typeof right === 'string' || typeof right === 'number') return String(right)
  if (Array.isArray(right)) return `${right.length} of them`
  if (typeof right === 'object' && right !== null && 'commits' in right && Array.isArray(right.commits))
    return `${right.commits.length} commits`
  return right === undefined ? 'done' : 'found'
}

const tagOf = (value: unknown): string | undefined => {
  const tag = (value as { readonly _tag?: unknown } | null)?._tag
  return typeof tag === 'string' ? tag : undefined
}

interface Ended {
  readonly seed: string
  readonly requests: ReadonlyArray<Request>
  readonly startMs: number
  readonly deviations: Plan['deviations']
  readonly wanted: Plan['deviations']
  readonly trace: ReadonlyArray<string>
  readonly story: Story
  readonly oracle: Oracle
}

/**
 * What few ask for is told when they do. A class, since the engine keeps a getter that an object has of its own, with all
 * that it holds, for a long while.
 */
class EndedRun implements Run {
  readonly plan: Plan
  readonly unmet?: Plan['deviations']
  readonly requests: ReadonlyArray<Request>
  readonly violation?: Violation
  readonly operations: number
  readonly startMs: number
  readonly #trace: ReadonlyArray<string>
  readonly #story: Story

  constructor({ seed, requests, startMs, deviations, wanted, trace, story, oracle }: Ended) {
    this.plan = { seed, deviations }
    const unmet = [...wanted].filter(([key, deviation]) => deviations.get(key) !== deviation)
    if (unmet.length > 0) this.unmet = new Map(unmet)
    this.requests = requests
    this.operations = story.length()
    this.startMs = startMs
    this.#trace = trace
    this.#story = story
    const { violation } = oracle.judge
    if (violation !== undefined)
      this.violation = { ...violation, step: Math.min(violation.step, this.operations) }
  }

  get hash(): string {
    return hashOf(this.#trace)
  }

  get steps(): ReadonlyArray<Step> {
    return this.#story.steps()
  }
}
