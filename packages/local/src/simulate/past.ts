/** Past failures of all scenarios, which are run before anything new is tried. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Corpus, type Soaked, soak } from '@everfold/runtime-memory/simulation'
import { corpusIn } from '@everfold/runtime-memory/simulation/corpus'
import type { Arguments } from './arguments.ts'
import { type Command, unusable } from './command.ts'
import { tell } from './failure.ts'
import { numbered } from './print.ts'
import type { Scenario } from './scenarios.ts'

/** Answers the scenarios in which none of them fails again. Nothing is run where one of them cannot be read. */
export const past = async (
  command: Command,
  scenarios: ReadonlyArray<Scenario>,
): Promise<ReadonlyArray<Scenario>> => {
  const kept: Array<Scenario> = []
  for (const scenario of scenarios) if (await hasFailures(command.args, scenario)) kept.push(scenario)
  const failing = new Set<Scenario>()
  for (const scenario of kept) if (!(await mended(command, scenario))) failing.add(scenario)
  return scenarios.filter((scenario) => !failing.has(scenario))
}

const hasFailures = async (args: Arguments, scenario: Scenario): Promise<boolean> => {
  try {
    return (await corpusOf(args, scenario).failures()).length > 0
  } catch (error) {
    throw unusable(`The past failures of ${scenario.name} cannot be read`, error)
  }
}

const mended = async ({ args, print }: Command, scenario: Scenario): Promise<boolean> => {
  const simulated = await scenario.open()
  const done = await again(simulated, corpusOf(args, scenario), scenario)
  const { runs, failing, stale } = done
  const object = {
    scenario: scenario.name,
    past: { runs, mended: done.mended, stale, violations: failing === undefined ? 0 : 1 },
  }
  const came = failing === undefined ? 'none fails again.' : 'one fails again:'
  const untried = stale.map(
    (name) => `  ${name} tries no more what once failed: some of its deviations did not come about.`,
  )
  print.say(object, [`${scenario.name}: ${numbered(runs, 'past failure')}, ${came}`, ...untried].join('\n'))
  if (failing === undefined) return true
  await tell(print, { scenario, simulated, run: failing })
  return false
}

/** A service may have changed so much that it takes what was once sent no longer. */
const again = async (
  simulated: Awaited<ReturnType<Scenario['open']>>,
  corpus: Corpus,
  { name }: Scenario,
): Promise<Soaked> => {
  try {
    return await soak(simulated, { seeds: 0, corpus })
  } catch (error) {
    throw unusable(`The past failures of ${name} cannot be run`, error)
  }
}

const CORPUS = fileURLToPath(new URL('../../corpus', import.meta.url))

/** Each scenario has a corpus of its own. */
export const corpusOf = ({ corpus = CORPUS }: Pick<Arguments, 'corpus'>, { name }: Scenario): Corpus =>
  corpusIn(join(corpus, name))
