/**
 * `simulator/*`: how fast services are simulated, what trying all pairs of faults takes, and what shrinking leaves.
 *
 * A run is a bank's: six movements on two accounts, with the view and the process that hear of them, under deviations
 * drawn from the run's seed. An operation is an effect of a port, a call of a service, or the beginning or end of an
 * invocation. The group fails where a right service breaks something, or a wrong one is not found out.
 */
import { bank, onLambda, smallBank } from '@everfold/local/simulate'
import {
  exhaustive,
  holdingGlobals,
  type Run,
  type Simulation,
  shrink,
  simulation,
} from '@everfold/runtime-memory/simulation'
import { type Group, type Report, rounded } from '../group.ts'
import { type Budget, cpuSeconds, median, roundsFor } from '../measure.ts'
import { resolveParked } from '../simulator/parked.ts'
import { planted } from '../simulator/planted.ts'

/** So much code takes seconds until it is compiled. */
const BUDGET: Budget = { warmUpMs: 6_000, leastWarmUps: 4, measureMs: 8_000, leastRounds: 7 }

export const group: Group = {
  run: (_options, report) =>
    holdingGlobals(async () => {
      await speed({ name: 'simulator/port', simulated: simulation(bank), seeds: 150 }, report)
      await speed({ name: 'simulator/port/small', simulated: simulation(smallBank), seeds: 400 }, report)
      const deployment = await onLambda()
      await speed(
        { name: 'simulator/sdk', simulated: simulation({ ...bank, deployment }), seeds: 12 },
        report,
      )
      await allPairs(report)
      for (const { bug, options } of planted) await shrinking(bug, simulation(options), report)
    }),
}

interface Speed {
  readonly name: string
  readonly simulated: Simulation
  /** How many make up a round. */
  readonly seeds: number
}

/** Beside each round, as many parked promises are resolved by hand: the most that the event loop allows. */
const speed = async ({ name, simulated, seeds }: Speed, report: Report): Promise<void> => {
  let operations = 0
  const round = async () => {
    operations = 0
    const ours = await cpuSeconds(async () => {
      for (let seed = 0; seed < seeds; seed += 1)
        operations += right(await simulated.run(String(seed))).operations
    })
    return { ours, floor: await cpuSeconds(() => resolveParked(operations)) }
  }
  await roundsFor(round, BUDGET.warmUpMs, BUDGET.leastWarmUps)
  const rounds = await roundsFor(round, BUDGET.measureMs, BUDGET.leastRounds)
  const seconds = median(rounds.map(({ ours }) => ours))
  const ratio = median(rounds.map(({ ours, floor }) => floor / ours))
  report.result({ name: `${name}/operations`, against: 'floor', ratio: rounded(ratio) })
  report.result({
    name: `${name}/operations`,
    value: rounded(operations / seconds),
    unit: 'operations/cpu-s',
  })
  report.result({ name: `${name}/runs`, value: rounded(seeds / seconds), unit: 'runs/cpu-s' })
  report.result({ name: `${name}/length`, value: rounded(operations / seeds), unit: 'operations/run' })
}

const right = (run: Run): Run => {
  const { violation, plan } = run
  if (violation !== undefined) throw new Error(`simulator: seed ${plan.seed} broke ${violation.message}`)
  return run
}

/** One stream and two commands, each fault and each pair of faults that may befall them. */
const allPairs = async (report: Report): Promise<void> => {
  const startMs = performance.now()
  const simulated = simulation(smallBank)
  const { failing, runs, singles, pairs, sites } = await exhaustive(simulated, { depth: 2 })
  if (failing !== undefined) right(failing)
  const name = 'simulator/exhaustive'
  report.result({ name: `${name}/sites`, value: sites, unit: 'decision points' })
  report.result({ name: `${name}/singles`, value: singles, unit: 'runs' })
  report.result({ name: `${name}/pairs`, value: pairs, unit: 'runs' })
  report.result({ name: `${name}/runs`, value: runs, unit: 'runs' })
  report.result({ name: `${name}/ms`, value: Math.round(performance.now() - startMs), unit: 'ms' })
}

/** How many failing runs of each bug are shrunk, and among how many seeds they have to be. */
const SHRUNK = 12
const SEEDS = 2_000
const SHRINKING = { runs: 3_000 }

const shrinking = async (bug: string, simulated: Simulation, report: Report): Promise<void> => {
  const shrunk: Array<{ readonly deviations: number; readonly ms: number }> = []
  for (let seed = 0; seed < SEEDS && shrunk.length < SHRUNK; seed += 1) {
    const failing = await simulated.run(String(seed))
    if (failing.violation === undefined) continue
    const startMs = performance.now()
    const { run } = await shrink({ run: simulated.replay, failing, budget: SHRINKING })
    shrunk.push({ deviations: run.plan.deviations.size, ms: performance.now() - startMs })
  }
  if (shrunk.length < SHRUNK)
    throw new Error(`simulator: ${bug}, and no more than ${shrunk.length} of ${SEEDS} seeds show it`)
  const name = `simulator/shrink/${bug.replaceAll(' ', '-')}`
  report.result({
    name: `${name}/deviations`,
    value: median(shrunk.map(({ deviations }) => deviations)),
    unit: 'deviations',
  })
  report.result({ name: `${name}/ms`, value: rounded(median(shrunk.map(({ ms }) => ms))), unit: 'ms' })
}
