/** Every bug that was planted, at every level: each has to be found, and shrunk. What `pnpm simulate --mutants` runs. */
import {
  holdingGlobals,
  type Run,
  type Simulation,
  shrink,
  simulation,
} from '@everfold/runtime-memory/simulation'
import { findMutants } from '../../../runtime-memory/test/simulation/mutants/find.ts'
import { mutants } from '../../../runtime-memory/test/simulation/mutants/index.ts'
import { planted } from '../planted-bugs.ts'
import { mutants as onLambda } from './mutants-sdk/index.ts'

/** How a bug was found, as the command prints it. */
export interface Line {
  readonly mutant: string
  readonly level: 'ports' | 'sdk'
  readonly found: boolean
  readonly seed: number | null
  /** How many deviations are left once it is shrunk. */
  readonly deviations: number | null
  readonly invariant: string | null
  /** Of finding and shrinking. */
  readonly ms: number
}

export async function* findAll(nowMs: () => number): AsyncGenerator<Line> {
  const among = [...mutants, ...onLambda]
  for await (const { mutant, found, seed, deviations, invariant, ms } of findMutants(nowMs, among))
    yield {
      mutant: mutant.name,
      level: mutant.level === 'sdk' ? 'sdk' : 'ports',
      found,
      seed: seed ?? null,
      deviations: deviations?.size ?? null,
      invariant: invariant ?? null,
      ms,
    }
  for (const { name, options, budget } of planted)
    yield await lineOf(name, simulation(options()), budget, nowMs)
}

/** Enough for a shop, whose runs are long. */
const SHRINKING = { runs: 150 }

const lineOf = (mutant: string, simulated: Simulation, budget: number, nowMs: () => number): Promise<Line> =>
  holdingGlobals(async () => {
    const startMs = nowMs()
    for (let seed = 0; seed < budget; seed += 1) {
      const failing = await simulated.run(String(seed))
      if (failing.violation === undefined) continue
      const { run } = await shrink({
        run: (plan: Run['plan'], requests: Run['requests']) => simulated.replay(plan, requests),
        failing,
        budget: SHRINKING,
      })
      return {
        mutant,
        level: 'ports',
        found: true,
        seed,
        deviations: run.plan.deviations.size,
        invariant: failing.violation.invariant,
        ms: Math.round(nowMs() - startMs),
      }
    }
    return {
      mutant,
      level: 'ports',
      found: false,
      seed: null,
      deviations: null,
      invariant: null,
      ms: Math.round(nowMs() - startMs),
    }
  })
