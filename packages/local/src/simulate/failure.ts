/** A run that broke something: shrunk, kept, and told of. */
import { relative } from 'node:path'
import {
  encodePlan,
  type Run,
  regressionTest,
  type Simulation,
  shrinkRun,
  summary,
  wordsOfShrinking,
} from '@everfold/runtime-memory/simulation'
import type { Printer } from './print.ts'
import type { Scenario } from './scenarios.ts'

/** How much shrinking may cost. */
const SHRINKING = { runs: 3000, ms: 20_000 }

export interface Failing {
  readonly scenario: Scenario
  readonly simulated: Simulation
  readonly run: Run
  /** Keeps the shrunk run for later, and answers where. */
  readonly keep?: (shrunk: Run) => Promise<string>
}

export const tell = async (print: Printer, { scenario, simulated, run, keep }: Failing): Promise<void> => {
  const startMs = performance.now()
  const time = { ms: SHRINKING.ms, nowMs: () => performance.now() }
  const shrunk = await shrinkRun(simulated, run, { runs: SHRINKING.runs, time })
  const remark = wordsOfShrinking(shrunk, performance.now() - startMs)
  const { plan, requests, violation } = shrunk.run
  const kept = keep === undefined ? undefined : relative(process.cwd(), await keep(shrunk.run))
  const object = {
    scenario: scenario.name,
    violation,
    plan: encodePlan(plan, requests),
    deviations: plan.deviations.size,
    before: run.plan.deviations.size,
    attempts: shrunk.attempts,
    complete: shrunk.complete,
    kept: kept ?? null,
  }
  const text = [
    summary(shrunk.run, { ...replayOf(scenario), ...(remark === undefined ? {} : { remark }) }),
    'A test to keep, where ./simulation.ts exports the simulation of this scenario',
    regressionTest(shrunk.run, { simulation: { name: 'simulation', from: './simulation.ts' } }),
    ...(kept === undefined ? [] : [`Kept in ${kept}, and run first from now on.`]),
  ]
  print.say(object, text.join('\n'))
}

export const replayOf = ({ name }: Scenario) => ({
  replay: (plan: string) => `pnpm simulate --scenario ${name} --plan ${plan}`,
})
