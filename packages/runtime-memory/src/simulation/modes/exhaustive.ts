/** All that may happen to a small workload, up to so many deviations at once: a proof within bounds, where chance only samples. */
import { type Sites } from '../chooser.ts'
import type { Deviations, Request, Run } from '../run.ts'
import type { Simulation } from '../simulation.ts'

/** What is tried whole: a small workload, and how many deviations at once. */
export interface Scope {
  /** The workload; that of the seed `0` unless told. */
  readonly requests?: ReadonlyArray<Request>
  readonly seed?: string
  /** 1: all single deviations; 2: all pairs as well. */
  readonly depth: 1 | 2
  /** The kinds of deviation that are tried; all unless told. */
  readonly kinds?: (kind: string) => boolean
  /** Told after each run. */
  readonly progress?: (runs: number) => void
}

/** What was tried, and what came of it: everything within the scope, or up to the first that broke something. */
export interface Exhausted {
  /** How many commands were sent, and to how many streams. */
  readonly commands: number
  readonly streams: number
  readonly runs: number
  readonly operations: number
  /** The decision points of the benign run. */
  readonly sites: number
  readonly singles: number
  readonly pairs: number
  /** The kinds of deviation that were tried, sorted. */
  readonly kinds: ReadonlyArray<string>
  /** The first run that broke something. */
  readonly failing?: Run
}

/**
 * Tries each single deviation of the benign run, and at depth 2 after each of them every second one that it makes possible.
 * Ends at the first run that breaks something, which is `failing`.
 *
 * Law: each set of deviations that a run can meet is tried once. The number of runs grows with the square of the run's
 * decision points: for two commands on one stream it is thousands. Rejects as `replay` does.
 */
export const exhaustive = async (
  simulation: Pick<Simulation, 'replay' | 'requestsOf'>,
  scope: Scope,
): Promise<Exhausted> => {
  const { seed = '0', depth, kinds = () => true, progress } = scope
  const requests = scope.requests ?? simulation.requestsOf(seed)
  const tried = { runs: 0, operations: 0, singles: 0, pairs: 0 }
  const met = new Set<string>()
  let failing: Run | undefined
  const attempt = async (deviations: Deviations): Promise<Sites> => {
    const sites: Sites = new Map()
    const run = await simulation.replay({ seed, deviations }, requests, { sites })
    tried.runs += 1
    tried.operations += run.operations
    if (run.violation !== undefined) failing ??= run
    progress?.(tried.runs)
    return sites
  }
  const possible = function* (sites: Sites, after?: string): Generator<readonly [string, string]> {
    let passed = after === undefined
    for (const [key, offers] of sites) {
      if (passed) for (const kind of offers) if (kinds(kind)) yield [key, kind]
      passed ||= key === after
    }
  }
  const benign = await attempt(new Map())
  for (const first of possible(benign)) {
    if (failing !== undefined) break
    met.add(first[1])
    tried.singles += 1
    const sites = await attempt(new Map([first]))
    if (depth === 1) continue
    for (const second of possible(sites, first[0])) {
      if (failing !== undefined) break
      met.add(second[1])
      tried.pairs += 1
      await attempt(new Map([first, second]))
    }
  }
  return {
    ...tried,
    commands: requests.length,
    streams: new Set(requests.map(({ stream }) => stream)).size,
    sites: benign.size,
    kinds: [...met].toSorted(),
    ...(failing === undefined ? {} : { failing }),
  }
}

/**
 * What is known now, as a sentence: `one stream, two commands: 24 decision points, all 97 single deviations and all 5,050
 * pairs of 18 kinds: nothing broke`.
 */
export const statement = (exhausted: Exhausted): string => {
  const { commands, streams, sites, singles, pairs, kinds, failing } = exhausted
  const scope = `${counted(streams, 'stream')}, ${counted(commands, 'command')}: ${counted(sites, 'decision point')}`
  const all = failing === undefined ? 'all ' : ''
  const tried = [
    `${all}${inFigures(singles)} single ${singles === 1 ? 'deviation' : 'deviations'}`,
    ...(pairs === 0 ? [] : [`${all}${inFigures(pairs)} ${pairs === 1 ? 'pair' : 'pairs'}`]),
  ]
  const of = kinds.length === 0 ? '' : ` of ${counted(kinds.length, 'kind')}`
  const came =
    failing?.violation === undefined
      ? 'nothing broke'
      : `then this broke, ${failing.violation.invariant}: ${failing.violation.message}`
  return `${scope}, ${tried.join(' and ')}${of}: ${came}`
}

const WORDS = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten']

const counted = (count: number, what: string): string =>
  `${WORDS[count] ?? inFigures(count)} ${what}${count === 1 ? '' : 's'}`

const inFigures = (count: number): string => count.toLocaleString('en-US')
