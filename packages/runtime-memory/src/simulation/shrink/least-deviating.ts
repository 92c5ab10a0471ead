/**
 * Where shrinking begins: a failure by a chain of many deviations often cannot be shrunk link by link, and another seed
 * shows the same without it.
 */
import type { Run } from '../run.ts'
import type { Simulation } from '../simulation.ts'

/** How many seeds behind a failing one may show the same more simply. */
const LOOKS = 40

/** Of a failing run and those of the seeds behind it that break the same, the one in which the least deviates. */
export const leastDeviating = async (
  { run }: Pick<Simulation, 'run'>,
  failing: Run,
  more: () => boolean,
): Promise<Run> => {
  const first = Number(failing.plan.seed)
  let least = failing
  // Two are as good as it gets; not every seed is a number.
  for (let at = 1; at <= LOOKS && least.plan.deviations.size > 2 && Number.isSafeInteger(first); at += 1) {
    if (!more()) break
    const other = await run(String(first + at))
    if (other.violation?.invariant !== failing.violation?.invariant) continue
    if (other.plan.deviations.size < least.plan.deviations.size) least = other
  }
  return least
}
