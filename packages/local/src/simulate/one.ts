/** One run, of a seed or of a plan, told step by step. */
import { open, writeFile } from 'node:fs/promises'
import {
  encodePlan,
  type Run,
  replayPlan,
  type Simulation,
  type Step,
  summary,
  tracePage,
  words,
} from '@everfold/runtime-memory/simulation'
import type { Arguments } from './arguments.ts'
import { type Command, EXIT, type Exit, Unusable, unusable } from './command.ts'
import { replayOf } from './failure.ts'
import { numbered } from './print.ts'
import { chosen } from './scenarios.ts'

export const one = async ({ args, print }: Command): Promise<Exit> => {
  const [scenario] = chosen(args.scenarios)
  if (scenario === undefined) throw new Unusable('One scenario is needed.')
  const { page } = args
  if (page !== undefined) await onPage(page, async () => (await open(page, 'a')).close())
  const run = await runOf(args, await scenario.open())
  if (page !== undefined) await onPage(page, () => writeFile(page, tracePage(run)))
  const { violation, operations, unmet, plan, requests } = run
  const object = {
    scenario: scenario.name,
    seed: plan.seed,
    operations,
    violation: violation ?? null,
    unmet: Object.fromEntries(unmet ?? []),
    plan: args.plan === undefined ? encodePlan(plan) : encodePlan(plan, requests),
  }
  const text =
    violation === undefined ? held(run, page) : summary(run, { ...replayOf(scenario), lastSteps: LAST_STEPS })
  print.say(object, text)
  // A plan that no longer does what it was written for tells nothing by holding.
  return violation === undefined && unmet === undefined ? EXIT.held : EXIT.broken
}

const onPage = async (page: string, written: () => Promise<void>): Promise<void> => {
  try {
    await written()
  } catch (error) {
    throw unusable(`${page} cannot be written`, error)
  }
}

const runOf = async ({ plan, seed = '0' }: Arguments, simulated: Simulation): Promise<Run> => {
  if (plan === undefined) return simulated.run(seed)
  try {
    return await replayPlan(simulated, plan)
  } catch (error) {
    throw unusable('The plan cannot be run', error)
  }
}

const LAST_STEPS = 40
const FIRST_DEVIATIONS = 5
const WIDTH = 160

/** Whoever looks at a run in which all held wants to see that it tried something, and what it came to. */
const held = (run: Run, page: string | undefined): string => {
  const { steps, startMs } = run
  const [verdict = ''] = summary(run).split('\n\n')
  const sentences = words(run)
  const first = sentences.slice(0, FIRST_DEVIATIONS)
  const last = steps.slice(-LAST_STEPS)
  const lines = [
    '',
    sentences.length === first.length
      ? numbered(sentences.length, 'deviation')
      : `${numbered(sentences.length, 'deviation')}, of which the first ${first.length} are`,
    ...first.map((sentence, at) => `  ${at + 1}. ${sentence}`),
    '',
    `The last ${last.length} of ${numbered(steps.length, 'step')}`,
    ...last.map((step) => `  ${lineOf(step, startMs)}`),
    '',
    page === undefined ? 'All steps: --page FILE writes them as a page.' : `All steps: ${page}`,
  ]
  return [verdict, ...lines.map(shortened)].join('\n')
}

/** `#12 +1.25 s  relay 1 → queue  send order/7@3: stored  !! response lost` */
const lineOf = ({ number, timeMs, lane, to, answer, deviation, ...step }: Step, startMs: number): string =>
  [
    `#${number} +${(timeMs - startMs) / 1000} s`,
    to === undefined ? lane : `${lane} → ${to}`,
    `${step.operation} ${step.subject}${answer === undefined ? '' : `: ${answer}`}`,
    ...(deviation === undefined ? [] : [`!! ${deviation}`]),
  ].join('  ')

const shortened = (line: string): string => (line.length <= WIDTH ? line : `${line.slice(0, WIDTH - 1)}…`)
