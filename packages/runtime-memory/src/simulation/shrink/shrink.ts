/**
 * Shrinks a failing run to the little that its failure needs: its deviations first, then earlier and simpler ones, whole
 * streams, requests, the values in them and the time between them, and again.
 */
import { counted } from '../report/printable.ts'
import type { Request, Run } from '../run.ts'
import { reduced } from './minimal.ts'
import {
  deviationsOf,
  earlierDeviations,
  fewer,
  type Part,
  requestsOf,
  type Scenario,
  type Simplifying,
  simplerDeviations,
  smallerCommands,
  sooner,
  streamsOf,
} from './scenario.ts'

export interface Budget {
  /** The most runs to try. */
  readonly runs: number
  /** How long to go on, by a clock that is given. */
  readonly time?: { readonly ms: number; nowMs(this: void): number }
}

export interface Shrinking extends Simplifying {
  run(this: void, plan: Run['plan'], requests: ReadonlyArray<Request>): Promise<Run>
  /** A run with a violation. */
  readonly failing: Run
  readonly budget: Budget
}

export interface Shrunk {
  readonly run: Run
  /** How many runs it took. */
  readonly attempts: number
  /** Whether nothing was left to try; else the budget was used up. */
  readonly complete: boolean
}

/**
 * Shrinks a failing run until a whole round changes nothing or the budget is used up, which `complete` tells. A complete one
 * is 1-minimal in its deviations: without any of them the invariant holds. Rejects where the run has no violation.
 *
 * Law: every run on the way breaks the same invariant as the first. Without a limit of time the same run shrinks in the same
 * way. `shrinkRun` does so for the runs of a simulation.
 */
export const shrink = async (shrinking: Shrinking): Promise<Shrunk> => {
  const search = searchOf(shrinking)
  let before: Run
  do {
    before = search.best()
    await fewest(search, deviationsOf)
    await simplest(search, earlierDeviations)
    await simplest(search, (scenario) => simplerDeviations(scenario, shrinking))
    await fewest(search, streamsOf)
    await fewest(search, requestsOf)
    for (const at of search.best().requests.keys())
      await simplest(search, (scenario) => smallerCommands(scenario, at, shrinking))
    await simplest(search, sooner)
  } while (search.best() !== before && !search.exhausted())
  return { run: search.best(), attempts: search.attempts(), complete: !search.exhausted() }
}

/** What `shrink` would try in place of a scenario, the best first; lazily, for a caller that judges by itself. */
export function* candidates(scenario: Scenario, simplifying: Simplifying = {}): Generator<Scenario> {
  yield* fewer(deviationsOf, scenario)
  yield* earlierDeviations(scenario)
  yield* simplerDeviations(scenario, simplifying)
  yield* fewer(streamsOf, scenario)
  yield* fewer(requestsOf, scenario)
  for (const at of scenario.requests.keys()) yield* smallerCommands(scenario, at, simplifying)
  yield* sooner(scenario)
}

/** That shrinking was cut short, in words; nothing where it was not. */
export const wordsOfShrinking = (
  { attempts, complete }: Pick<Shrunk, 'attempts' | 'complete'>,
  tookMs: number,
): string | undefined =>
  complete
    ? undefined
    : `shrinking stopped after ${(tookMs / 1000).toFixed(1)} s and ${counted(attempts, 'run')}, so less than this may do`

interface Search {
  /** The simplest failing run so far. */
  best(this: void): Run
  /** Runs a candidate, which becomes the best if it fails as the first run did. */
  fails(this: void, candidate: Scenario): Promise<boolean>
  attempts(this: void): number
  /** Whether the budget is used up. */
  exhausted(this: void): boolean
}

const searchOf = ({ run, failing, budget }: Shrinking): Search => {
  const invariant = failing.violation?.invariant
  if (invariant === undefined)
    throw new Error('only a run with a violation can be shrunk, and this one has none')
  const deadlineMs = budget.time === undefined ? undefined : budget.time.nowMs() + budget.time.ms
  const tried = new Set([fingerprint(failing)])
  let best = failing
  let attempts = 0
  let refused = false
  const spent = () =>
    attempts >= budget.runs || (deadlineMs !== undefined && (budget.time?.nowMs() ?? 0) >= deadlineMs)
  const fails = async (candidate: Scenario): Promise<boolean> => {
    const asked = fingerprint(candidate)
    if (refused || tried.has(asked)) return false
    if (spent()) {
      refused = true
      return false
    }
    tried.add(asked)
    attempts += 1
    const ran = await run(candidate.plan, candidate.requests)
    if (ran.violation?.invariant !== invariant || deviates(ran) > deviates(candidate)) return false
    tried.add(fingerprint(ran))
    best = ran
    return true
  }
  return { best: () => best, fails, attempts: () => attempts, exhausted: () => refused }
}

/** A run that deviates more than it was told to is no simpler one. */
const deviates = ({ plan }: Scenario): number => plan.deviations.size

/** Runs repeat, so none is worth trying twice. */
const fingerprint = ({ plan, requests }: Scenario): string =>
  JSON.stringify([plan.seed, [...plan.deviations], requests])

/** Leaves out what can be left out of a part. */
const fewest = async <Item>(search: Search, part: Part<Item>): Promise<void> => {
  await reduced(part.items(search.best()), async (kept) =>
    (await search.fails(part.keep(search.best(), kept))) ? part.items(search.best()) : undefined,
  )
}

/**
 * Goes from a failing candidate to one of that, at the same place among them: what did not fail before seldom does
 * after. What is missed by that is tried in the next round.
 */
const simplest = async (
  search: Search,
  simpler: (scenario: Scenario) => Iterable<Scenario>,
): Promise<void> => {
  let place = 0
  for (let moved = true; moved && !search.exhausted(); ) {
    moved = false
    let at = 0
    for (const candidate of simpler(search.best())) {
      at += 1
      if (at <= place) continue
      moved = await search.fails(candidate)
      if (moved || search.exhausted()) break
      place = at
    }
  }
}
