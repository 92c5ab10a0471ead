/** How the runs of a simulation are shrunk: commands stay valid, and faults give way to those that are easier to grasp. */
import { aggregatesOf, E } from '@everfold/core'
import {
  CRASH_AFTER,
  CRASH_BEFORE,
  LANDS_LATE,
  LANDS_SOON,
  OVERTAKEN_BY_FEW,
  OVERTAKEN_BY_MANY,
  REQUEST_LOST,
  RESPONSE_LOST,
  SLOW,
} from '../../effect.ts'
import type { Run } from '../run.ts'
import type { Simulation } from '../simulation.ts'
import { RESTLESS, shrinkRestless, type Within } from './restless.ts'
import { bySimplicity, type Simplifying } from './scenario.ts'
import { type Budget, type Shrunk, shrink } from './shrink.ts'

/** Among those that do much the same, the simplest first. */
const KINDS = [
  bySimplicity(REQUEST_LOST, CRASH_BEFORE),
  bySimplicity(RESPONSE_LOST, LANDS_SOON, LANDS_LATE, CRASH_AFTER),
  bySimplicity(OVERTAKEN_BY_FEW, OVERTAKEN_BY_MANY, SLOW),
]

export const simplifyingOf = ({ service }: Pick<Simulation, 'service'>): Required<Simplifying> => {
  const aggregates = aggregatesOf(service)
  return {
    simpler: (deviation, key) => KINDS.flatMap((simpler) => simpler(deviation, key)),
    accepts: (name, command) => {
      const decoded = aggregates.get(name)?.command.decode(command)
      return decoded !== undefined && E.isRight(decoded)
    },
  }
}

/** The simplest run that breaks what this one breaks, as far as the budget goes. */
export const shrinkRun = (simulation: Simulation, failing: Run, budget: Budget): Promise<Shrunk> => {
  const simplifying = simplifyingOf(simulation)
  const within: Within = (left, running) =>
    shrink({
      run: (plan, requests) => simulation.replay(plan, requests, running),
      failing,
      budget: left,
      ...simplifying,
    })
  return failing.violation?.invariant === RESTLESS
    ? shrinkRestless(simulation, failing, budget, within)
    : within(budget)
}
