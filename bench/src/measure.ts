/**
 * Measures two contenders against each other: commands per CPU-second, alternating A B A B.
 *
 * CPU time and not the wall's, because a shared machine takes the processor away at any moment; user and
 * system time of the whole process, so that what a contender leaves to the collector and the compiler is
 * charged to it. A ratio is taken per round, of two neighbours in time, and the median of the rounds is
 * the answer: drift of the machine touches both sides of a round alike. Where the process exposes the
 * collector, the garbage of the round before is collected first.
 */
import type { Contender } from './contender.ts'

export interface Budget {
  /** Until then, rounds are run and forgotten: the code gets compiled. */
  readonly warmUpMs: number
  /** However slow a round is, so many are forgotten: a busy machine must not measure what is not yet compiled. */
  readonly leastWarmUps: number
  /** From then on, rounds count until this much has passed. */
  readonly measureMs: number
  /** However slow a round is, so many count. */
  readonly leastRounds: number
}

/** Sixteen pairs take some three minutes. */
const usualBudget: Budget = { warmUpMs: 700, leastWarmUps: 6, measureMs: 2_500, leastRounds: 7 }

export interface Comparison {
  /** Commands per CPU-second, median of the rounds. */
  readonly ours: number
  readonly theirs: number
  /** Median over the rounds of ours divided by theirs: above 1, ours is faster. */
  readonly ratio: number
  readonly rounds: number
}

/** Alternates `ours` and `theirs` on streams of `streamLength` events until the budget is spent. */
export const compare = async (
  ours: Contender,
  theirs: Contender,
  streamLength: number,
  budget: Budget = usualBudget,
): Promise<Comparison> => {
  const round = async () => {
    const mine = await commandsPerCpuSecond(ours, streamLength)
    return { mine, other: await commandsPerCpuSecond(theirs, streamLength) }
  }
  await roundsFor(round, budget.warmUpMs, budget.leastWarmUps)
  const rounds = await roundsFor(round, budget.measureMs, budget.leastRounds)
  return {
    ours: median(rounds.map(({ mine }) => mine)),
    theirs: median(rounds.map(({ other }) => other)),
    ratio: median(rounds.map(({ mine, other }) => mine / other)),
    rounds: rounds.length,
  }
}

/** Things per CPU-second, median of the rounds: `work` does `count` of them each time. */
export const perCpuSecond = async (
  count: number,
  work: () => unknown,
  budget: Budget = usualBudget,
): Promise<number> => {
  const round = async () => count / (await cpuSeconds(work))
  await roundsFor(round, budget.warmUpMs, budget.leastWarmUps)
  return median(await roundsFor(round, budget.measureMs, budget.leastRounds))
}

/** What `work` takes, the garbage of its own included and that of before collected. */
export const cpuSeconds = async (work: () => unknown): Promise<number> => {
  globalThis.gc?.()
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}

export const roundsFor = async <Round>(
  round: () => Promise<Round>,
  forMs: number,
  least: number,
): Promise<ReadonlyArray<Round>> => {
  const until = performance.now() + forMs
  const rounds: Array<Round> = []
  while (rounds.length < least || performance.now() < until) rounds.push(await round())
  return rounds
}

/**
 * The streams of one batch: the measured ones, for some milliseconds of CPU, after as many that are not.
 * Preparing runs the contender in another mode than commanding does (long appends to empty streams) and
 * the collection drops compiled code, so the first commands of a batch pay for compiling again. Of two
 * contenders with the same throughput, the one with more code would look up to twice as slow.
 */
const batchFor = (streamLength: number): { readonly unmeasured: number; readonly measured: number } => {
  const measured = Math.min(2_000, Math.max(64, Math.round(40_000 / streamLength)))
  return { unmeasured: Math.max(128, measured), measured }
}

/** One batch: fresh streams, the garbage of their making collected, then one command on each. */
const commandsPerCpuSecond = async (contender: Contender, streamLength: number): Promise<number> => {
  const { unmeasured, measured } = batchFor(streamLength)
  const streams = unmeasured + measured
  const { run, inspect } = await contender.prepare(streamLength, streams)
  globalThis.gc?.()
  for (let stream = 0; stream < unmeasured; stream++) await run(stream)
  const before = process.cpuUsage()
  for (let stream = unmeasured; stream < streams; stream++) await run(stream)
  const { user, system } = process.cpuUsage(before)
  const { version } = await inspect(streams - 1)
  if (version !== streamLength + 1)
    throw new Error(`${contender.name} left a stream of ${streamLength} events at version ${version}`)
  return (measured * 1e6) / (user + system)
}

export const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}
