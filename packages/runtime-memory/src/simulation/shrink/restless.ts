/**
 * How runs that never come to rest are shrunk. One takes as many steps as there may be at all, a thousand times those of
 * a run that does come to rest, so that a budget would be used up by a few. They are taken for restless much earlier
 * instead, and what that leads to is run once in full.
 */
import type { Run } from '../run.ts'
import type { Running, Simulation } from '../simulation.ts'
import type { Budget, Shrunk } from './shrink.ts'

/** All comes to rest. */
export const RESTLESS = 'E6'

/** Shrinks within a budget, by runs that are made so. */
export type Within = (budget: Budget, running?: Running) => Promise<Shrunk>

/** A run that takes so many times the steps of one without deviations is taken for restless. */
const TIMES = 5
/** What a run without deviations is taken to need, at least and at most. */
const LEAST_STEPS = 200
const MOST_STEPS = 1000

export const shrinkRestless = async (
  { replay }: Pick<Simulation, 'replay'>,
  failing: Run,
  budget: Budget,
  within: Within,
): Promise<Shrunk> => {
  const left = leftOf(budget)
  const benign = await replay({ ...failing.plan, deviations: new Map() }, failing.requests, {
    mostSteps: MOST_STEPS,
  })
  let attempts = 1
  const first = TIMES * Math.min(MOST_STEPS, Math.max(LEAST_STEPS, benign.operations))
  for (let mostSteps = first; mostSteps < failing.operations; mostSteps *= 4) {
    const shrunk = await within(left(attempts), { mostSteps })
    attempts += shrunk.attempts
    if (shrunk.run === failing) return { ...shrunk, attempts }
    const { plan, requests } = shrunk.run
    const run = await replay(plan, requests)
    attempts += 1
    if (run.violation?.invariant === RESTLESS) return { ...shrunk, run, attempts }
  }
  const shrunk = await within(left(attempts))
  return { ...shrunk, attempts: attempts + shrunk.attempts }
}

/** What is left of a budget after so many runs. */
const leftOf = ({ runs, time }: Budget): ((attempts: number) => Budget) => {
  if (time === undefined) return (attempts) => ({ runs: runs - attempts })
  const { ms, nowMs } = time
  const deadlineMs = nowMs() + ms
  return (attempts) => ({ runs: runs - attempts, time: { ms: deadlineMs - nowMs(), nowMs } })
}
