/**
 * A run, as a sequence diagram.
 *
 * Source of what is escaped: the grammar of Mermaid's sequence diagrams (2026-11), in which `#`, `;`, `:` and line
 * breaks end a text, `%%` begins a comment, and `#59;` is the character of that number.
 */
import type { Run, Step } from '../run.ts'
import { elapsed } from './elapsed.ts'
import { involved, violatingStep } from './involved.ts'
import { counted, shortened } from './printable.ts'

/** More are no longer read. */
const MOST_MESSAGES = 40
const MOST_CHARACTERS = 120

/**
 * The lanes that have to do with a violation, and with what deviated, as a sequence diagram for whatever draws Mermaid: 40
 * messages at most, with notes where steps are left out.
 */
export const mermaid = (run: Run): string => {
  const told = { ...run, steps: run.steps }
  const about = involved(told)
  const shown = mostTelling(about, told)
  const lanes = lanesOf(shown)
  const left = (count: number): string => note(`${counted(count, 'step')} left out`, lanes)
  const lines: Array<string> = []
  let before = 0
  for (const step of shown) {
    if (step.number > before + 1) lines.push(left(step.number - before - 1))
    before = step.number
    lines.push(...drawn(step, lanes, run.startMs))
  }
  if (before < told.steps.length) lines.push(left(told.steps.length - before))
  const { violation } = run
  if (violation !== undefined)
    lines.push(note(`${violation.invariant} did not hold: ${violation.message}`, lanes))
  const participants = [...lanes].map(([lane, id]) => `participant ${id} as ${escapedText(lane)}`)
  return ['sequenceDiagram', ...[...participants, ...lines].map((line) => `  ${line}`), ''].join('\n')
}

/** Those that deviated and the violating one first, then the last ones before it. */
const mostTelling = (steps: ReadonlyArray<Step>, run: Run): ReadonlyArray<Step> => {
  const last = violatingStep(run)
  const must = steps.filter((step) => step === last || step.deviation !== undefined).slice(-MOST_MESSAGES)
  const others = steps.filter((step) => !must.includes(step))
  const room = MOST_MESSAGES - must.length
  const kept = new Set([...must, ...(room > 0 ? others.slice(-room) : [])])
  return steps.filter((step) => kept.has(step))
}

type Lanes = ReadonlyMap<string, string>

/** The columns from left to right, as they come up, each with an id that needs no escaping. */
const lanesOf = (steps: ReadonlyArray<Step>): Lanes => {
  const names = new Set(steps.flatMap(({ lane, to }) => (to === undefined ? [lane] : [lane, to])))
  return new Map([...names].map((name, at) => [name, `P${at + 1}`]))
}

const drawn = (step: Step, lanes: Lanes, startMs: number): ReadonlyArray<string> => {
  const { lane, to = lane, operation, subject, answer, deviation, besides, timeMs } = step
  const [from = '', at = ''] = [lanes.get(lane), lanes.get(to)]
  const said = `${operation} ${subject}${answer === undefined ? '' : ` (${answer})`}`
  const arrow = deviation === undefined ? '->>' : '-x'
  const message = `${from}${arrow}${at}: ${escapedText(said)}`
  if (deviation === undefined) return [message]
  const over = new Map([...lanes].filter(([name]) => name === lane || name === to))
  return [
    message,
    note(
      `after ${elapsed(timeMs - startMs)}: ${besides === undefined ? '' : `${besides.deviation}, `}${deviation}`,
      over,
    ),
  ]
}

const note = (text: string, lanes: Lanes): string => {
  const ids = [...lanes.values()]
  const [first = '', last = first] = [ids[0], ids.at(-1)]
  if (first === '') return `%% ${escapedText(text)}`
  return `Note over ${first === last ? first : `${first},${last}`}: ${escapedText(text)}`
}

/** What Mermaid reads as itself; all else is written by its number. */
const PLAIN = /[\p{L}\p{N} .,/_()@'!?+*=-]/u

const escapedText = (text: string): string => {
  const characters = Array.from(shortened(text.replaceAll(/\s+/g, ' ').trim(), MOST_CHARACTERS))
  // An empty text is a syntax error.
  if (characters.length === 0) return '-'
  return characters.map((one) => (PLAIN.test(one) ? one : `#${codeOf(one)};`)).join('')
}

/** Half of a pair of surrogates is no character, and has none to stand for it. */
const codeOf = (character: string): number => character.toWellFormed().codePointAt(0) ?? 0xfffd
