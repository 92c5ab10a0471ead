/** Past failures, which are run before anything new is tried: each is a test that what was mended stays so. */
import type { Notes } from '../chooser.ts'
import type { Corpus, Failure } from '../report/corpus.ts'
import type { Run } from '../run.ts'
import type { Simulation } from '../simulation.ts'

export interface Past {
  readonly runs: number
  readonly operations: number
  /** The names of those that fail no more. */
  readonly mended: ReadonlyArray<string>
  /** The names of those that try no longer what once failed: some of their deviations did not come about. */
  readonly stale: ReadonlyArray<string>
  /** The first that fails again. */
  readonly failing?: Run
}

export const pastFailures = async (
  simulation: Simulation,
  corpus: Corpus | undefined,
  notes: Notes = {},
): Promise<Past> => {
  const mended: Array<string> = []
  const stale: Array<string> = []
  let [runs, operations] = [0, 0]
  for (const failure of corpus === undefined ? [] : await corpus.failures()) {
    const run = await again(simulation, failure, notes)
    runs += 1
    operations += run.operations
    if (run.violation !== undefined) return { runs, operations, mended, stale, failing: run }
    if (run.unmet === undefined) mended.push(failure.name)
    else stale.push(failure.name)
  }
  return { runs, operations, mended, stale }
}

/** A service that has changed may take its commands no longer. */
const again = async (
  { replay }: Simulation,
  { name, plan, requests }: Failure,
  notes: Notes,
): Promise<Run> => {
  try {
    return await replay(plan, requests, notes)
  } catch (cause) {
    throw new Error(`the past failure ${name} cannot be run any more: ${String(cause)}`, { cause })
  }
}
