/** `pnpm simulate [options]`: services on simulated AWS, under every fault it may have. */
import { writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { E } from '@everfold/core'
import {
  decodePlan,
  encodePlan,
  exhaustive,
  holdingGlobals,
  type Run,
  regressionTest,
  type Simulation,
  type Soaked,
  shrinkRun,
  soak,
  statement,
  summary,
  tracePage,
  unreached,
  wordsOfUnreached,
} from '@everfold/runtime-memory/simulation'
import { corpusIn } from '@everfold/runtime-memory/simulation/corpus'
import { type Arguments, argumentsOf, Unusable, USAGE } from './arguments.ts'
import { counted, type Printer, printer } from './print.ts'
import { type Scenario, scenarios, smallScope } from './scenarios.ts'

/** A fault that was possible so often and never happened was not tried: then a green run proves nothing of it. */
const OFTEN = 5000
/** How much shrinking may cost. */
const SHRINKING = { runs: 3000, ms: 20_000 }
const TWICE_EVERY = 10

interface Command {
  readonly args: Arguments
  readonly print: Printer
}

const main = async (): Promise<number> => {
  const args = argumentsOf(process.argv.slice(2))
  if (args === undefined) {
    console.log(USAGE)
    return 0
  }
  const command: Command = { args, print: printer(args.json) }
  return holdingGlobals(async () => {
    switch (args.mode) {
      case 'run':
        return one(command)
      case 'mutants':
        return mutants(command)
      case 'exhaustive':
        return everything(command)
      case 'seeds':
        return seeds(command)
      case 'all':
        return Math.max(await everything(command), await seeds(command))
    }
  })
}

/** One run, told step by step. */
const one = async ({ args, print }: Command): Promise<number> => {
  const [name] = args.scenarios
  const scenario = scenarios.find((known) => known.name === name)
  if (scenario === undefined) throw new Unusable('One scenario is needed.')
  const simulated = await scenario.open()
  const run = await runOf(args, simulated)
  if (args.page !== undefined) await writeFile(args.page, tracePage(run))
  const { violation, operations } = run
  const text = summary(run, { ...replayOf(scenario), lastSteps: violation === undefined ? 0 : 40 })
  print.say(
    {
      scenario: scenario.name,
      seed: run.plan.seed,
      operations,
      violation: violation ?? null,
      plan: encodePlan(run.plan),
    },
    text,
  )
  return violation === undefined ? 0 : 1
}

const runOf = async (args: Arguments, simulated: Simulation): Promise<Run> => {
  if (args.plan === undefined) return simulated.run(args.seed ?? '0')
  const planned = decodePlan(args.plan)
  if (E.isLeft(planned))
    throw new Unusable(
      `The plan cannot be read: ${planned.left.errors.map(({ pointer, detail }) => `${pointer} ${detail}`).join('; ')}.`,
    )
  const { plan, requests } = planned.right
  return simulated.replay(plan, requests)
}

const replayOf = ({ name }: Scenario) => ({
  replay: (plan: string) => `pnpm simulate --scenario ${name} --plan ${plan}`,
})

/** All faults and all pairs of faults of the small scope. */
const everything = async ({ args: _args, print }: Command): Promise<number> => {
  const simulated = await smallScope.open()
  const startMs = performance.now()
  const bar = print.follow('all pairs of faults', 20_000)
  const tried = await exhaustive(simulated, { depth: 2, progress: (runs) => bar.at(runs, '') })
  bar.end()
  const seconds = (performance.now() - startMs) / 1000
  const { failing, ...numbers } = tried
  const text = `${statement(tried)}, in ${seconds.toFixed(1)} s.`
  print.say(
    { scope: smallScope.what, ...numbers, seconds: rounded(seconds), clean: failing === undefined },
    text,
  )
  if (failing !== undefined) await tell(print, smallScope, simulated, failing)
  return failing === undefined ? 0 : 1
}

/** By chance, scenario after scenario. */
const seeds = async (command: Command): Promise<number> => {
  const { args } = command
  const chosen = scenarios.filter(({ name }) => args.scenarios.length === 0 || args.scenarios.includes(name))
  let failed = 0
  for (const scenario of chosen) if (!(await soaked(command, scenario))) failed += 1
  return failed === 0 ? 0 : 1
}

const soaked = async ({ args, print }: Command, scenario: Scenario): Promise<boolean> => {
  const simulated = await scenario.open()
  const startMs = performance.now()
  const seconds = () => (performance.now() - startMs) / 1000
  const most = args.seconds ?? Number.POSITIVE_INFINITY
  const total = args.seeds ?? (args.seconds === undefined ? scenario.seeds : Number.MAX_SAFE_INTEGER)
  const bar = print.follow(scenario.name, total)
  const done = await soak(simulated, {
    from: args.from,
    seeds: total,
    twiceEvery: TWICE_EVERY,
    corpus: corpusIn(corpusOf(args, scenario)),
    more: () => seconds() < most,
    progress: ({ runs, operations }) =>
      bar.at(runs, `${counted(runs / seconds())} runs/s, ${counted(operations / seconds())} operations/s`),
  })
  bar.end()
  const complete = report(print, scenario, done, seconds())
  if (done.failing === undefined) return complete
  const run = await tell(print, scenario, simulated, done.failing)
  const kept = await corpusIn(corpusOf(args, scenario)).keep(run)
  if (!args.json) console.log(`Kept in ${relative(process.cwd(), kept)}, and run first from now on.`)
  return false
}

const CORPUS = fileURLToPath(new URL('../../corpus', import.meta.url))

/** Each scenario has a corpus of its own. */
const corpusOf = ({ corpus = CORPUS }: Arguments, { name }: Scenario): string => join(corpus, name)

/** Whether all held, and enough was tried for that to mean something. */
const report = (print: Printer, scenario: Scenario, done: Soaked, seconds: number): boolean => {
  const { runs, operations, doubles, differing, coverage } = done
  const cells = coverage.matrix()
  const happened = cells.filter((cell) => cell.happened > 0).length
  const never = unreached(coverage, { atLeast: OFTEN })
  const missing = done.failing === undefined ? wordsOfUnreached(never) : []
  const object = {
    scenario: scenario.name,
    level: scenario.level,
    runs,
    operations,
    runsPerSecond: rounded(runs / seconds),
    operationsPerSecond: rounded(operations / seconds),
    doubles,
    differing: differing.length,
    faults: { possible: cells.length, happened, unreached: missing.length },
    mended: done.mended,
    violations: done.failing === undefined ? 0 : 1,
  }
  const words = [
    `${scenario.name}: ${counted(runs)} runs, ${counted(operations)} operations in ${seconds.toFixed(1)} s`,
    `(${counted(runs / seconds)} runs/s, ${counted(operations / seconds)} operations/s);`,
    `${happened} of ${cells.length} kinds of fault at their places happened;`,
    `${differing.length} of ${doubles} double runs differed;`,
    done.failing === undefined ? 'all held.' : 'something did not hold:',
  ]
  print.say(object, [words.join(' '), ...missing.map((sentence) => `  ${sentence}`)].join('\n'))
  return missing.length === 0 && differing.length === 0
}

/** Shrinks a failing run, and tells of it. */
const tell = async (
  print: Printer,
  scenario: Scenario,
  simulated: Simulation,
  failing: Run,
): Promise<Run> => {
  const time = { ms: SHRINKING.ms, nowMs: () => performance.now() }
  const { run, attempts } = await shrinkRun(simulated, failing, { runs: SHRINKING.runs, time })
  const object = {
    scenario: scenario.name,
    violation: run.violation,
    plan: encodePlan(run.plan, run.requests),
    deviations: run.plan.deviations.size,
    before: failing.plan.deviations.size,
    attempts,
  }
  const text = [
    summary(run, replayOf(scenario)),
    'A test to keep',
    regressionTest(run, { simulation: { name: 'simulation', from: './simulation.ts' } }),
  ]
  print.say(object, text.join('\n'))
  return run
}

const rounded = (number: number): number => Math.round(number * 10) / 10

/** What a bug showed itself by. */
interface Line {
  readonly mutant: string
  readonly found: boolean
  readonly seed: number | null
  readonly deviations: number | null
  readonly invariant: string | null
  readonly ms: number
}

/** Bugs planted in the tests' tree: a distribution of this package has none. */
const mutants = async ({ print }: Command): Promise<number> => {
  const { findAll } = (await import(new URL('../../test/simulate/mutants.ts', import.meta.url).href)) as {
    readonly findAll: (nowMs: () => number) => AsyncIterable<Line>
  }
  let [found, all] = [0, 0]
  for await (const line of findAll(() => performance.now())) {
    all += 1
    if (line.found) found += 1
    const { mutant, seed, deviations, invariant, ms } = line
    const how = line.found ? `seed ${seed}, ${deviations} deviations, ${invariant}` : 'NOT FOUND'
    print.say(line, `${mutant.padEnd(48)} ${how} (${ms} ms)`)
  }
  const text = `${found} of ${all} seeded bugs found`
  console.log(text)
  return found === all ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof Unusable)) throw error
  console.error(error.message)
  process.exitCode = 2
}
