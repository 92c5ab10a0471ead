/** Runs by chance, for as long as one likes. */
import { type Coverage, coverage as newCoverage } from '../chooser.ts'
import type { Corpus } from '../report/corpus.ts'
import type { Run } from '../run.ts'
import type { Simulation } from '../simulation.ts'
import { pastFailures } from './past-failures.ts'

/** Which seeds are run, and for how long. */
export interface Soaking {
  /** The first seed; 0 unless told. */
  readonly from?: number
  readonly seeds: number
  /** Past failures, which are run first. */
  readonly corpus?: Corpus
  /** Whether to go on; asked before each run. */
  readonly more?: () => boolean
  /** Told after each run. */
  readonly progress?: (soaked: Soaked) => void
  /** Every so many seeds one runs twice, and has to do the same both times; none unless told. */
  readonly twiceEvery?: number
}

/** What was run until now, and what came of it. `failing` is as chance made it: `shrinkRun` makes it small. */
export interface Soaked {
  readonly runs: number
  readonly operations: number
  /** Runs that were made twice, and those of them that differed. */
  readonly doubles: number
  readonly differing: ReadonlyArray<string>
  readonly coverage: Coverage
  /** The names of past failures that fail no more. */
  readonly mended: ReadonlyArray<string>
  /** The names of past failures that try no longer what once failed: some of their deviations did not come about. */
  readonly stale: ReadonlyArray<string>
  readonly failing?: Run
}

/**
 * Runs past failures, then one seed after the other, until something breaks, a run differs from its double, the seeds are
 * through or `more` answers false.
 *
 * A run in which something does not hold is answered as `failing`, and is not kept. Rejects where `seeds` or `from` is no
 * whole number, where a past failure cannot be run any more, and where nothing was sent in any run. Whoever calls it outside
 * of `holds` makes short runs about twice as fast by `holdingGlobals`.
 */
export const soak = async (simulation: Simulation, soaking: Soaking): Promise<Soaked> => {
  const { from = 0, seeds, more = () => true, progress, twiceEvery } = soaking
  checkSeeds(soaking)
  const coverage = newCoverage()
  const differing: Array<string> = []
  const past = await pastFailures(simulation, soaking.corpus, { coverage })
  let soaked: Soaked = { doubles: 0, differing, coverage, ...past }
  if (past.failing !== undefined) return soaked
  let idle = true
  for (let at = 0; at < seeds && more(); at += 1) {
    const seed = String(from + at)
    const run = await simulation.run(seed, { coverage })
    const { violation } = run
    idle &&= violation === undefined && nothingHappened(run)
    const twice = twiceEvery !== undefined && at % twiceEvery === 0
    if (twice && (await simulation.run(seed)).hash !== run.hash) differing.push(seed)
    soaked = {
      ...soaked,
      runs: soaked.runs + 1,
      operations: soaked.operations + run.operations,
      doubles: soaked.doubles + (twice ? 1 : 0),
      ...(violation === undefined ? {} : { failing: run }),
    }
    progress?.(soaked)
    if (violation !== undefined || differing.length > 0) break
  }
  const tried = soaked.runs - past.runs
  if (idle && tried > 0)
    throw new Error(
      `nothing was sent in any of ${tried} runs, so nothing was tried: the workload of the simulation is empty`,
    )
  return soaked
}

/** Where nothing is tried, all holds. */
const checkSeeds = ({ seeds, from = 0, corpus }: Soaking): void => {
  const least = corpus === undefined ? 1 : 0
  if (!Number.isSafeInteger(seeds) || seeds < least)
    throw new Error(
      `the number of seeds is ${seeds}, and has to be a whole number from ${least} on${least === 0 ? '' : ', or from 0 on with a corpus of past failures'}`,
    )
  if (!Number.isSafeInteger(from)) throw new Error(`the first seed is ${from}, and has to be a whole number`)
}

/** New code that is deployed does nothing by itself. */
const nothingHappened = ({ requests, operations, steps }: Run): boolean =>
  requests.length === 0 && (operations === 0 || steps.every(({ lane }) => lane === 'deploy'))
