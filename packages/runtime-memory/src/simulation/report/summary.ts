/** A run, for a terminal. */
import type { Run, Step } from '../run.ts'
import { elapsed } from './elapsed.ts'
import { violatingStep } from './involved.ts'
import { placeOf, wordsOfPlace } from './place.ts'
import { encodePlan } from './plan-text.ts'
import { counted, printable, quoted, shortened } from './printable.ts'
import { words } from './words.ts'

export interface SummaryOptions {
  /** What replays a plan, given as one word of a shell, in one line or more; `pnpm simulate --plan …` unless told. */
  replay?(this: void, plan: string): string
  /** What else is to be known of the run, below what did not hold: that shrinking was cut short, say. */
  readonly remark?: string
  /** How many steps before the violation are told; 12 unless told. */
  readonly lastSteps?: number
  /** How wide the line of a step or a request is at most; 160 characters unless told. */
  readonly width?: number
}

/**
 * A run as lines for a terminal: what did not hold and where, what deviated, the requests, the last steps, and how to see it
 * again. What a terminal would obey is escaped.
 */
export const summary = (run: Run, options: SummaryOptions = {}): string => {
  const { replay = (plan) => `pnpm simulate --plan ${plan}`, width = 160 } = options
  const told = { ...run, steps: run.steps }
  const command = replay(quoted(encodePlan(run.plan, run.requests)))
  const short = (line: string) => shortened(line, width)
  const lines = [
    ...verdict(told),
    ...(options.remark === undefined ? [] : [`  ${options.remark}`]),
    '',
    ...deviations(told),
    ...requests(told).map(short),
    ...ending(told, options).map(short),
    'Replay',
    ...command.split('\n').map((line) => `  ${line}`),
    '',
  ]
  return lines.map(printable).join('\n')
}

const verdict = (run: Run): ReadonlyArray<string> => {
  const { violation, plan, steps, startMs } = run
  const missing = wordsOfUnmet(run)
  const last = steps.at(-1)
  const length = `${counted(steps.length, 'step')} and ${elapsed((last?.timeMs ?? startMs) - startMs)} of virtual time`
  if (violation === undefined) return [`All held: seed ${plan.seed}, ${length}.`, ...missing]
  const place = violation.stack === undefined ? undefined : placeOf(violation.stack)
  return [
    ...`${violation.invariant} did not hold: ${violation.message}`.split(/\r?\n/),
    ...(place === undefined ? [] : [`  at ${wordsOfPlace(place)}`]),
    `  seed ${plan.seed}, after step ${violation.step}, in ${length}`,
  ]
}

/**
 * What a replay was told to do and could not, where that matters: a run that breaks has shown what it was to show, and
 * ends before later deviations.
 */
export const wordsOfUnmet = ({ unmet, plan }: Pick<Run, 'unmet' | 'plan'>): ReadonlyArray<string> => {
  if (unmet === undefined) return []
  const met = [...plan.deviations.keys()].filter((key) => !unmet.has(key)).length
  return [
    `${unmet.size} of ${counted(unmet.size + met, 'deviation')} did not come about: this is no more the run that was planned.`,
    ...[...unmet].map(([key, deviation]) => `  ${key}: ${deviation}`),
  ]
}

const deviations = (run: Run): ReadonlyArray<string> => {
  const sentences = words(run)
  if (sentences.length === 0) return ['Nothing deviated from the benign.', '']
  return [
    counted(sentences.length, 'deviation'),
    ...sentences.map((sentence, at) => `  ${at + 1}. ${sentence}`),
    '',
  ]
}

const requests = ({ requests: sent }: Run): ReadonlyArray<string> => [
  counted(sent.length, 'request'),
  ...sent.map(
    ({ client, afterMs, stream, command, id }) =>
      `  after ${elapsed(afterMs)} ${client}: ${stream} ${JSON.stringify(command)} (${id})`,
  ),
  '',
]

const ending = (run: Run, { lastSteps = 12 }: SummaryOptions): ReadonlyArray<string> => {
  const last = violatingStep(run)
  if (last === undefined) return []
  const steps = run.steps.filter(({ number }) => number <= last.number).slice(-lastSteps)
  const title = steps.length === 1 ? 'The last step up to it' : `The last ${steps.length} steps up to it`
  return [title, ...steps.map((step) => `  ${stepLine(step, run.startMs)}`), '']
}

/** `#12 1.25 s  relay 1 → queue  send order/7@3: stored  !! response lost` */
const stepLine = (step: Step, startMs: number): string => {
  const { number, timeMs, lane, to, operation, subject, answer, deviation, besides } = step
  return [
    `#${number} ${elapsed(timeMs - startMs)}`,
    to === undefined ? lane : `${lane} → ${to}`,
    `${operation} ${subject}${answer === undefined ? '' : `: ${answer}`}`,
    ...(besides === undefined ? [] : [`!! ${besides.deviation}`]),
    ...(deviation === undefined ? [] : [`!! ${deviation}`]),
  ].join('  ')
}
