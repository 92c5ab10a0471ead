/**
 * Some hundred runs inside a unit test: past failures first, then seeds; what fails is shrunk, and thrown as a report.
 *
 *     test('the shop keeps its promises', () => holds(shop))
 */
import { E } from '@everfold/core'
import { holdingGlobals } from '../actor-globals.ts'
import type { Corpus } from '../report/corpus.ts'
import { type Called, NotHeld } from '../report/not-held.ts'
import { decodePlan } from '../report/plan-text.ts'
import { wordsOfFaults } from '../report/reading.ts'
import { wordsOfUnmet } from '../report/summary.ts'
import type { Plan, Request, Run } from '../run.ts'
import { leastDeviating } from '../shrink/least-deviating.ts'
import { RESTLESS } from '../shrink/restless.ts'
import { wordsOfShrinking } from '../shrink/shrink.ts'
import { shrinkRun } from '../shrink/simulated.ts'
import type { Simulation } from '../simulation.ts'
import { unreached, wordsOfUnreached } from '../unreached.ts'
import { soak } from './soak.ts'

/** How `holds` goes about it. */
export interface Quick {
  /** 200 unless told. */
  readonly seeds?: number
  /** The first seed; 0 unless told. */
  readonly from?: number
  /** Where past failures are kept; a new one is added. */
  readonly corpus?: Corpus
  /** Every so many seeds one runs twice, and has to do the same both times; every 50 unless told. */
  readonly twiceEvery?: number
  /** How long shrinking may take; 1500 ms unless told. */
  readonly shrinkMs?: number
  /** How the test to keep names the simulation. */
  readonly called?: Called
}

/** What was tried, in which all held. */
export interface Held {
  readonly runs: number
  readonly operations: number
  /** The names of past failures that fail no more. */
  readonly mended: ReadonlyArray<string>
  /** The names of past failures that try no longer what once failed: some of their deviations did not come about. */
  readonly stale: ReadonlyArray<string>
}

/**
 * Rejects with a `NotHeld` where something does not hold; also where nothing was tried, or where something that should
 * happen in some runs, by a `sometimes` or a mark, happened in none.
 */
export const holds = (simulation: Simulation, quick: Quick = {}): Promise<Held> => {
  const asked: { stack?: string } = {}
  Error.captureStackTrace(asked, holds)
  return holdingGlobals(() => tried(simulation, quick, asked.stack ?? ''))
}

const tried = async (simulation: Simulation, quick: Quick, asked: string): Promise<Held> => {
  const { seeds = 200, from = 0, twiceEvery = 50, corpus, shrinkMs = 1500, called } = quick
  const { failing, differing, coverage, runs, operations, mended, stale } = await soak(simulation, {
    seeds,
    from,
    twiceEvery,
    ...(corpus === undefined ? {} : { corpus }),
  })
  if (failing !== undefined) {
    const { run, remark } = await shrunkWithin(simulation, failing, shrinkMs)
    await corpus?.keep(run)
    throw new NotHeld(run, asked, {
      ...(called === undefined ? {} : { called }),
      ...(remark === undefined ? {} : { remark }),
    })
  }
  const [seed] = differing
  if (seed !== undefined) throw new Error(await wordsOfDifference(simulation, seed))
  const missing = seeds === 0 ? [] : unreached(coverage, { marks: simulation.marks }).marks
  if (missing.length > 0) throw new Error(wordsOfMissing(missing, runs))
  return { runs, operations, mended, stale }
}

const wordsOfMissing = (marks: ReadonlyArray<string>, runs: number): string =>
  [
    `all held in ${runs} runs, and they have not tried what they are meant to: more seeds may, or a workload that leads there`,
    ...wordsOfUnreached({ marks, faults: [] }),
  ].join('\n')

const nowMs = (): number => performance.now()

const shrunkWithin = async (
  simulation: Simulation,
  failing: Run,
  withinMs: number,
): Promise<{ readonly run: Run; readonly remark: string | undefined }> => {
  const startMs = nowMs()
  // A third of the time for a better beginning; one that is restless too may alone take longer.
  const begin =
    failing.violation?.invariant === RESTLESS
      ? failing
      : await leastDeviating(simulation, failing, () => nowMs() - startMs < withinMs / 3)
  const time = { ms: withinMs - (nowMs() - startMs), nowMs }
  const shrunk = await shrinkRun(simulation, begin, { runs: Number.POSITIVE_INFINITY, time })
  return { run: shrunk.run, remark: wordsOfShrinking(shrunk, nowMs() - startMs) }
}

const wordsOfDifference = async ({ run }: Simulation, seed: string): Promise<string> => {
  const [once, twice] = [await run(seed), await run(seed)]
  const [one, other] = [once.steps, twice.steps]
  const at = one.findIndex(({ key }, index) => key !== other[index]?.key)
  const where = at < 0 ? '' : `: step ${at + 1} was "${one[at]?.key}" once and "${other[at]?.key}" then`
  return `a run is a function of its seed, and that of ${seed} is not; something is kept from run to run, or asked of the machine${where}`
}

/**
 * The run of a past failure, for the test that keeps it: rejects with a `NotHeld` where it fails again, and also where
 * some deviation does not come about any more, because then it tries no longer what once failed.
 */
export const replayed = async (
  { replay }: Pick<Simulation, 'replay'>,
  plan: Plan,
  requests?: ReadonlyArray<Request>,
): Promise<Run> => {
  const asked: { stack?: string } = {}
  Error.captureStackTrace(asked, replayed)
  const run = await replay(plan, requests)
  if (run.violation !== undefined) throw new NotHeld(run, asked.stack ?? '', { kept: true })
  if (run.unmet !== undefined)
    throw new Error(
      [
        ...wordsOfUnmet(run),
        'Where the mend is the reason, leave them out of the plan; else look for the failure anew.',
      ].join('\n'),
    )
  return run
}

/** The run of a plan, as a report gives it; `unmet` has what did not come about of it. */
export const replayPlan = async (simulation: Simulation, planText: string): Promise<Run> => {
  const planned = decodePlan(planText)
  if (E.isLeft(planned)) throw new Error(`the plan cannot be read: ${wordsOfFaults(planned.left)}`)
  const { plan, requests } = planned.right
  return simulation.replay(plan, requests)
}
