/** Looks for each mutant's bug, seed by seed, and shrinks the run that shows it. */
import type { Run } from '../../../src/simulation/run.ts'
import { shrink } from '../../../src/simulation/shrink/shrink.ts'
import { type Simulation, simulation } from '../../../src/simulation/simulation.ts'
import { mutants } from './index.ts'
import type { Mutant } from './mutant.ts'

/** How a bug showed. */
export interface Shown {
  readonly seed: number
  /** The invariant that was the first not to hold. */
  readonly invariant: string
  readonly found: Run
}

export interface Finding {
  readonly mutant: Mutant
  readonly found: boolean
  readonly seed?: number
  readonly invariant?: string
  /** How many deviations took effect when it was found, and those that are left of them, by key. */
  readonly deviationsBefore?: number
  readonly deviations?: Run['plan']['deviations']
  readonly requests?: number
  /** How long finding and shrinking took. */
  readonly ms: number
}

const SHRINKING = { runs: 120 }

/** The first seed from `from` on, and before `budget`, that shows it; undefined where none does. */
export const firstOf = async (
  { run }: Pick<Simulation, 'run'>,
  budget: number,
  from = 0,
): Promise<Shown | undefined> => {
  for (let seed = from; seed < budget; seed += 1) {
    const found = await run(String(seed))
    const { violation } = found
    if (violation !== undefined) return { seed, invariant: violation.invariant, found }
  }
  return undefined
}

/** How many seeds behind the first may show it more simply, and what is simple. */
const LOOKS = 100
const FEW = 8

/**
 * Of the first seeds that show it, one in which little deviates. What fails by a chain of many deviations often cannot be
 * shrunk link by link, and another seed shows the same without it.
 */
const simplestOf = async (simulated: Simulation, first: Shown): Promise<Shown> => {
  let simplest = first
  for (let next: Shown | undefined = first; next !== undefined && sizeOf(simplest) > FEW; ) {
    next = await firstOf(simulated, first.seed + LOOKS, next.seed + 1)
    if (next?.invariant === first.invariant && sizeOf(next) < sizeOf(simplest)) simplest = next
  }
  return simplest
}

const sizeOf = ({ found }: Shown): number => found.plan.deviations.size

/** One finding for each mutant, as it is made; `nowMs` is the clock that tells how long it took. */
export async function* findMutants(
  nowMs: () => number,
  among: ReadonlyArray<Mutant> = mutants,
): AsyncGenerator<Finding> {
  for (const mutant of among) {
    const startMs = nowMs()
    const simulated = simulation(mutant.options)
    const shown = await firstOf(simulated, mutant.budget)
    const details = shown === undefined ? undefined : await detailsOf(simulated, shown)
    yield { mutant, found: details !== undefined, ...details, ms: Math.round(nowMs() - startMs) }
  }
}

const detailsOf = async (simulated: Simulation, shown: Shown): Promise<Partial<Finding>> => {
  const { run } = await shrunkOf(simulated, (await simplestOf(simulated, shown)).found)
  return {
    seed: shown.seed,
    invariant: shown.invariant,
    deviationsBefore: sizeOf(shown),
    deviations: run.plan.deviations,
    requests: run.requests.length,
  }
}

const shrunkOf = ({ replay }: Simulation, failing: Run) =>
  shrink({ run: (plan, requests) => replay(plan, requests), failing, budget: SHRINKING })
