/**
 * Simulated runs for fast-check, which shrink as ours do: the faults that took effect first, then streams, requests and
 * what is in them, with the broken invariant kept the same.
 *
 *     property.prop([simulatedRuns(shop, { sending: commandsOf(Stock.aggregate, ['mug', 'cup']) })])(
 *       'no unit is promised twice',
 *       (run) => run.holds(),
 *     )
 *
 * fast-check's `seed` draws the same runs again; its `path` cannot, because what a run shrinks to depends on what
 * happened in it. The report's plan does.
 */
import type { AnyAggregate } from '@everfold/core'
import { arbitrary, type Overrides } from '@everfold/core/testing'
import * as fc from 'fast-check'
import type { Notes } from './chooser.ts'
import { type Called, NotHeld } from './report/not-held.ts'
import { encodePlan } from './report/plan-text.ts'
import type { Sending } from './requests.ts'
import type { Plan, Request, Run } from './run.ts'
import type { Scenario, Simplifying } from './shrink/scenario.ts'
import { candidates } from './shrink/shrink.ts'
import { simplifyingOf } from './shrink/simulated.ts'
import type { Simulation } from './simulation.ts'

/** How commands are drawn. */
export interface CommandsOptions {
  /** For codecs whose shape is not known, or whose values should meet more often. */
  readonly overrides?: Overrides
  /** How many clients there are; each command has a client of its own unless told. */
  readonly clients?: number
  /** Within how many milliseconds of the run's beginning commands are sent; 2000 unless told. */
  readonly withinMs?: number
}

/**
 * Commands of an aggregate, for one of these ids, as its codec has them. Throws where a codec's values cannot be drawn and
 * `overrides` has none for it.
 */
export const commandsOf = (
  aggregate: AnyAggregate,
  ids: ReadonlyArray<string>,
  { overrides, clients, withinMs = 2000 }: CommandsOptions = {},
): fc.Arbitrary<Sending> => {
  const sending = {
    aggregate: fc.constant(aggregate),
    id: fc.constantFrom(...ids),
    command: arbitrary<unknown>(aggregate.command, overrides),
    afterMs: fc.nat({ max: withinMs }),
  }
  return clients === undefined
    ? fc.record(sending)
    : fc.record({ ...sending, client: fc.nat({ max: clients - 1 }).map((at) => `client ${at + 1}`) })
}

/** How runs are drawn. */
export interface RunsOptions {
  /** What is sent, in place of the simulation's workload; several kinds by `fc.oneof`. */
  readonly sending?: fc.Arbitrary<Sending>
  /** How many of them a run has at most; 8 unless told. */
  readonly most?: number
  /** Notes what was reached, for `unreached`. */
  readonly notes?: Notes
  /** How the test to keep names the simulation. */
  readonly called?: Called
}

/**
 * Runs, each by a seed of its own: nothing has run until `run` or `holds` is called, and they shrink only once they have.
 * Throws, when a run is drawn, where what is sent is none for the service.
 */
export const simulatedRuns = (
  simulation: Simulation,
  options: RunsOptions = {},
): fc.Arbitrary<SimulatedRun> => new SimulatedRuns(simulation, options)

interface Simulated {
  readonly simulation: Simulation
  readonly options: RunsOptions
  readonly simplifying: Simplifying
}

/** What makes a run: a seed of which chance draws the faults, or a plan that has been shrunk. */
export class SimulatedRun {
  readonly #simulated: Simulated
  readonly #seed: string
  readonly #requests: ReadonlyArray<Request>
  readonly #shrunk: Shrunk | undefined
  #ran: Promise<Run> | undefined
  #recorded: Run | undefined

  constructor(simulated: Simulated, seed: string, requests: ReadonlyArray<Request>, shrunk?: Shrunk) {
    this.#simulated = simulated
    this.#seed = seed
    this.#requests = requests
    this.#shrunk = shrunk
  }

  /** With the faults that took effect, once it has run. */
  get plan(): Plan {
    return this.#recorded?.plan ?? { seed: this.#seed, deviations: this.#shrunk?.deviations ?? new Map() }
  }

  get requests(): ReadonlyArray<Request> {
    return this.#requests
  }

  /** Runs it, once. */
  run(): Promise<Run> {
    this.#ran ??= this.#run()
    return this.#ran
  }

  async #run(): Promise<Run> {
    const { simulation, options } = this.#simulated
    const { notes = {} } = options
    const { deviations } = this.#shrunk ?? {}
    this.#recorded =
      deviations === undefined
        ? await simulation.run(this.#seed, notes, this.#requests)
        : await simulation.replay({ seed: this.#seed, deviations }, this.#requests, notes)
    return this.#recorded
  }

  /** Rejects with a `NotHeld` where an invariant does not hold. */
  async holds(): Promise<void> {
    const asked: { stack?: string } = {}
    Error.captureStackTrace(asked)
    const run = await this.run()
    const { violation } = run
    // What breaks something else is no simpler form of what it was shrunk from.
    const other = this.#shrunk?.invariant !== undefined && violation?.invariant !== this.#shrunk.invariant
    const { called } = this.#simulated.options
    if (violation !== undefined && !other)
      throw new NotHeld(run, asked.stack ?? '', called === undefined ? {} : { called })
  }

  /** Simpler runs, the simplest first; none of one that never ran, because its faults are not known. */
  *simpler(): Generator<SimulatedRun> {
    const run = this.#recorded
    if (run === undefined) return
    const invariant = this.#shrunk?.invariant ?? run.violation?.invariant
    const tried = this.#shrunk?.tried ?? new Set<string>()
    for (const scenario of candidates(run, this.#simulated.simplifying)) {
      const told = fingerprint(scenario)
      if (tried.has(told)) continue
      tried.add(told)
      const { plan, requests } = scenario
      yield new SimulatedRun(this.#simulated, plan.seed, requests, {
        deviations: plan.deviations,
        tried,
        ...(invariant === undefined ? {} : { invariant }),
      })
    }
  }

  /** As fast-check prints it: what `replayPlan` takes. */
  [fc.toStringMethod](): string {
    return this.#shrunk === undefined && this.#recorded === undefined
      ? `a simulated run of the seed ${this.#seed}`
      : encodePlan(this.plan, this.#requests)
  }
}

interface Shrunk {
  readonly deviations: Plan['deviations']
  /** What the run breaks that it was shrunk from. */
  readonly invariant?: string
  /** What was proposed before: it passed, or is what this was shrunk from. */
  readonly tried: Set<string>
}

const fingerprint = ({ plan, requests }: Scenario): string => encodePlan(plan, requests)

class SimulatedRuns extends fc.Arbitrary<SimulatedRun> {
  readonly #simulated: Simulated
  readonly #sendings: fc.Arbitrary<ReadonlyArray<Sending>> | undefined

  constructor(simulation: Simulation, options: RunsOptions) {
    super()
    const { sending, most = 8 } = options
    this.#simulated = { simulation, options, simplifying: simplifyingOf(simulation) }
    this.#sendings =
      sending === undefined ? undefined : fc.array(sending, { minLength: 1, maxLength: most, size: 'max' })
  }

  override generate(random: fc.Random, bias: number | undefined): fc.Value<SimulatedRun> {
    const { simulation } = this.#simulated
    const seed = String(random.nextInt(0, 2 ** 31 - 1))
    const sendings = this.#sendings?.generate(random, bias).value
    const requests = sendings === undefined ? simulation.requestsOf(seed) : simulation.requestsFrom(sendings)
    return new fc.Value(new SimulatedRun(this.#simulated, seed, requests), undefined)
  }

  override canShrinkWithoutContext(value: unknown): value is SimulatedRun {
    return value instanceof SimulatedRun
  }

  override shrink(value: SimulatedRun): fc.Stream<fc.Value<SimulatedRun>> {
    return fc.stream(simplerValues(value))
  }
}

function* simplerValues(value: SimulatedRun): IterableIterator<fc.Value<SimulatedRun>> {
  for (const simpler of value.simpler()) yield new fc.Value(simpler, undefined)
}
