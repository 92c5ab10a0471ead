/** What people read: text that fits the terminal, and obeys nothing that was stored. */
import { inspect } from 'node:util'

export const print = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

export const printJson = (value: unknown): void => print(JSON.stringify(value))

/** What is not a terminal gets 80 columns, or as many as `COLUMNS` says. */
const terminalWidth = (): number => {
  const told = Number(process.env['COLUMNS'])
  return process.stdout.columns ?? (Number.isInteger(told) && told > 0 ? told : 80)
}

/** Names are stored as they came; a terminal must not take a part of one for a command. */
export const plain = (text: string): string =>
  text.replaceAll(
    /\p{Cc}|\p{Bidi_C}/gu,
    (one) => `\\u${(one.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  )

/** A value over as many lines as it needs, each behind `indent` columns; only a text that is longer stands out. */
export const laidOut = (value: unknown, indent: number, width: number = terminalWidth()): string => {
  const text = inspect(unboxed(value), {
    depth: null,
    compact: 1,
    breakLength: Math.max(20, width - indent),
    maxArrayLength: null,
    maxStringLength: 1000,
  })
  return text
    .split('\n')
    .map(plain)
    .join(`\n${' '.repeat(indent)}`)
}

/** What is sealed is long, and tells nobody anything. */
const unboxed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(unboxed)
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value
  const sealed = '_tag' in value && value._tag === 'Sealed'
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, sealed && key === 'box' ? '…' : unboxed(one)]),
  )
}

/** A tagged value behind `lead` columns: its tag, and the rest beside it, or below in two columns more than `indent`. */
export const tagged = (value: unknown, indent: number, lead: number = indent): string => {
  if (typeof value !== 'object' || value === null || !('_tag' in value)) return laidOut(value, indent)
  const { _tag: tag, ...fields } = value
  const name = plain(String(tag))
  if (Object.keys(fields).length === 0) return name
  const beside = laidOut(fields, lead + name.length + 1)
  return beside.includes('\n')
    ? `${name}\n${' '.repeat(indent + 2)}${laidOut(fields, indent + 2)}`
    : `${name} ${beside}`
}

export type Line = readonly [label: string, value: string | undefined]

/** Labels in one column, values in another; what has no value is left out. */
export const labelled = (lines: ReadonlyArray<Line>, indent: number): string => {
  const known = lines.flatMap(([label, value]) =>
    value === undefined ? [] : [[label, plain(value)] as const],
  )
  const column = Math.max(0, ...known.map(([label]) => label.length)) + 2
  return known.map(([label, value]) => `${' '.repeat(indent)}${label.padEnd(column)}${value}`).join('\n')
}

/** `2026-11-23 09:07:56.123`, which is shorter to read than ISO 8601 has it; always UTC. */
export const readableTime = (iso: string): string => iso.replace('T', ' ').replace('Z', '')

/** `1 commit`, `2 commits`. */
export const numbered = (count: number, unit: string): string => `${count} ${unit}${count === 1 ? '' : 's'}`
