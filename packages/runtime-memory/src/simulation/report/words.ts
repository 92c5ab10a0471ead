/** What deviated in a run, in words: where, when, what it did, and what became of it. */
import type { Run, Step } from '../run.ts'
import { elapsed } from './elapsed.ts'

/** One sentence for each deviation, the earliest first. */
export const words = (run: Run): ReadonlyArray<string> => {
  const { steps, plan, startMs } = run
  const told = steps.filter(({ deviation }) => deviation !== undefined).flatMap(eachOf)
  const keys = new Set(told.map(({ key }) => key))
  const untold = [...plan.deviations].filter(([key]) => !keys.has(key))
  return [
    ...told.map((step) => sentence(step, nextAttempt(steps, step), startMs)),
    ...untold.map(([key, deviation]) => `${key}: ${deviation}; no step tells when.`),
  ]
}

/** The step, once for each thing that deviated in it, in the order in which they did. */
const eachOf = ({ besides, ...step }: Step): ReadonlyArray<Step> =>
  besides === undefined ? [step] : [{ ...step, ...besides }, step]

/** When it happened: `after 1.25 s (step 12)`. */
const when = ({ timeMs, number }: Step, startMs: number): string =>
  `after ${elapsed(timeMs - startMs)} (step ${number})`

const sentence = (step: Step, next: Step | undefined, startMs: number): string => {
  const { to, deviation = '' } = step
  const what = `${capital(when(step, startMs))} ${phrase(deviation, step)}`
  if (to === undefined) return `${what}.`
  if (next === undefined) return `${what}; it was not asked for again.`
  const who = next.lane === step.lane ? '' : ` by ${next.lane}`
  return `${what}; it was asked for again${who} ${when(next, startMs)}${outcome(next)}.`
}

const outcome = ({ deviation, answer }: Step): string => {
  if (deviation !== undefined) return `, which deviated too (${deviation})`
  return answer === undefined ? '' : `, and the answer was ${answer}`
}

/** The same request, asked again by the same lane if it did so, else by another. */
export const nextAttempt = (steps: ReadonlyArray<Step>, step: Step): Step | undefined => {
  const { number, to, operation, subject, lane } = step
  const again = steps.filter(
    (other) =>
      other.number > number && other.to === to && other.operation === operation && other.subject === subject,
  )
  return again.find((other) => other.lane === lane) ?? again[0]
}

/** `relay 1's send of order/7@3 at queue`. */
const call = ({ lane, to, operation, subject }: Step): string => {
  if (to === undefined) return `${lane} ${operation}${subject === '' ? '' : ` ${subject}`}`
  return `${lane}'s ${operation}${subject === '' ? '' : ` of ${subject}`} at ${to}`
}

const own = (called: string, lane: string): string =>
  called.startsWith(`${lane}'s `) ? `its ${called.slice(lane.length + 3)}` : called

type Phrase = (called: string, lane: string, amount: string) => string

/** The deviations whose words alone would not make a sentence. */
const PHRASES: ReadonlyArray<readonly [RegExp, Phrase]> = [
  [/^request lost$/, (called) => `the request of ${called} was lost, and nothing was done`],
  [/^(?:response|answer) lost$/, (called) => `the response of ${called} was lost, though it was done`],
  [/^lands (.+) late$/, (called, _, amount) => `${called} got no answer, and was done ${amount} later`],
  [/^crash before$/, (called, lane) => `${lane} crashed before ${own(called, lane)} was done`],
  [/^crash after$/, (called, lane) => `${lane} crashed after ${own(called, lane)} was done`],
  [/^slow by (.+)$/, (called, _, amount) => `${called} took ${amount} longer`],
  [/^overtaken by (.+)$/, (called, _, amount) => `${called} was overtaken by up to ${amount} others`],
  [/^504 while the work goes on$/, (called) => `${called} was answered 504 while the work went on`],
  [/^429$/, (called) => `${called} was refused with 429`],
  [/^throttled$/, (called) => `${called} was throttled`],
  [/^unavailable for (.+)$/, (called, _, amount) => `${called} found the service unavailable, for ${amount}`],
  [/^sent twice$/, (called) => `${called} was sent twice`],
]

const phrase = (deviation: string, step: Step): string => {
  for (const [pattern, tell] of PHRASES) {
    const match = pattern.exec(deviation)
    if (match !== null) return tell(call(step), step.lane, match[1] ?? '')
  }
  return step.to === undefined ? `${call(step)}: ${deviation}` : `${call(step)} deviated: ${deviation}`
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
