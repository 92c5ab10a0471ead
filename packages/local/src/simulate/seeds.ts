/** By chance, scenario after scenario. */
import { type Soaked, soak, unreached, wordsOfUnreached } from '@everfold/runtime-memory/simulation'
import type { Arguments } from './arguments.ts'
import { type Command, EXIT, type Exit } from './command.ts'
import { tell } from './failure.ts'
import { corpusOf } from './past.ts'
import { counted, numbered, type Printer, rounded } from './print.ts'
import type { Scenario } from './scenarios.ts'

/** A fault that was possible so often and never happened was not tried: then a green run proves nothing of it. */
const OFTEN = 5000
const TWICE_EVERY = 10

export const seeds = async (command: Command, scenarios: ReadonlyArray<Scenario>): Promise<Exit> => {
  let interrupted = false
  const interrupt = () => void (interrupted = true)
  // Whoever ends a long run wants to know what it came to. The second time, it ends at once.
  process.once('SIGINT', interrupt)
  let exit: Exit = EXIT.held
  for (const scenario of scenarios) {
    if (interrupted) break
    if (!(await soaked(command, scenario, () => interrupted))) exit = EXIT.broken
  }
  process.removeListener('SIGINT', interrupt)
  return interrupted ? EXIT.interrupted : exit
}

const soaked = async (
  { args, print }: Command,
  scenario: Scenario,
  interrupted: () => boolean,
): Promise<boolean> => {
  const simulated = await scenario.open()
  const startMs = performance.now()
  const seconds = () => (performance.now() - startMs) / 1000
  const { total, by } = lengthOf(args, scenario)
  const bar = print.follow(scenario.name, by === 'seeds' ? { total, of: 'runs' } : { total, of: 's' })
  let made = 0
  const done = await soak(simulated, {
    from: args.from,
    seeds: by === 'seeds' ? total : Number.MAX_SAFE_INTEGER,
    twiceEvery: TWICE_EVERY,
    // However short the time is, something is tried in it.
    more: () => !interrupted() && (made === 0 || seconds() < (args.seconds ?? Number.POSITIVE_INFINITY)),
    progress: ({ runs, operations }) => {
      made = runs
      const speed = `${counted(runs / seconds())} runs/s, ${counted(operations / seconds())} operations/s`
      bar.at(by === 'seeds' ? runs : Math.min(total, Math.floor(seconds())), speed)
    },
  })
  bar.end()
  const complete = report(print, { scenario, done, marks: simulated.marks, seconds: seconds() })
  const { failing } = done
  if (failing === undefined) return complete
  const { keep } = corpusOf(args, scenario)
  await tell(print, { scenario, simulated, run: failing, keep })
  return false
}

/** Where seconds alone are told, the end is a time; else it is a number of seeds. */
const lengthOf = ({ seeds: told, seconds }: Arguments, scenario: Scenario) =>
  told === undefined && seconds !== undefined
    ? ({ total: seconds, by: 'seconds' } as const)
    : ({ total: told ?? scenario.seeds, by: 'seeds' } as const)

interface Reported {
  readonly scenario: Scenario
  readonly done: Soaked
  /** What should have come about in some run. */
  readonly marks: ReadonlyArray<string>
  readonly seconds: number
}

/** Whether all held, and enough was tried for that to mean something. */
const report = (print: Printer, { scenario, done, marks, seconds }: Reported): boolean => {
  const { runs, operations, doubles, differing, coverage, failing } = done
  const cells = coverage.matrix()
  const happened = cells.filter((cell) => cell.happened > 0).length
  const never = unreached(coverage, { atLeast: OFTEN, marks })
  // Fewer runs than the scenario's own may miss a mark by chance.
  const due = { ...never, marks: runs < scenario.seeds ? [] : never.marks }
  const missing = failing === undefined ? wordsOfUnreached(due) : []
  const object = {
    scenario: scenario.name,
    level: scenario.level,
    runs,
    operations,
    runsPerSecond: rounded(runs / seconds),
    operationsPerSecond: rounded(operations / seconds),
    doubles,
    differing,
    faults: { possible: cells.length, happened, unreached: never.faults },
    marks: { expected: marks.length, unreached: never.marks },
    violations: failing === undefined ? 0 : 1,
  }
  const reached = marks.length - never.marks.length
  const words = [
    `${scenario.name}: ${numbered(runs, 'run')}, ${counted(operations)} operations in ${seconds.toFixed(1)} s`,
    `(${counted(runs / seconds)} runs/s, ${counted(operations / seconds)} operations/s);`,
    `${happened} of ${cells.length} kinds of fault at their places happened;`,
    ...(marks.length === 0 ? [] : [`${reached} of ${numbered(marks.length, 'mark')} reached;`]),
    `${differing.length} of ${numbered(doubles, 'double run')} differed;`,
    failing === undefined ? 'all held.' : 'something did not hold:',
  ]
  print.say(object, [words.join(' '), ...missing.map((sentence) => `  ${sentence}`)].join('\n'))
  return missing.length === 0 && differing.length === 0
}
