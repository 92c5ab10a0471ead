/** The arguments of a command, judged before anything else is loaded. */
import { parseArgs } from 'node:util'
import { Misuse } from './failure.ts'
import { COMMANDS, COMMON, type CommandName, isCommand } from './usage.ts'

export interface Asked {
  readonly command: CommandName
  /** As many as the command's usage names. */
  readonly operands: ReadonlyArray<string>
  readonly options: { readonly [name: string]: unknown }
  readonly json: boolean
}

/** What is asked; undefined where that is nothing but the words of help. */
export type Request =
  | { readonly _tag: 'Help'; readonly command?: CommandName }
  | ({ readonly _tag: 'Run' } & Asked)

export const requestOf = ([name, ...args]: ReadonlyArray<string>): Request => {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const [of] = args
    return of !== undefined && isCommand(of) ? { _tag: 'Help', command: of } : { _tag: 'Help' }
  }
  if (!isCommand(name)) throw new Misuse(`There is no command ${shown(name)}.`)
  const { values, positionals } = parsed(name, args)
  if (values['help'] === true) return { _tag: 'Help', command: name }
  return {
    _tag: 'Run',
    command: name,
    operands: operandsOf(name, positionals),
    options: values,
    json: values['json'] === true,
  }
}

const parsed = (name: CommandName, args: ReadonlyArray<string>) => {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { ...COMMON, ...COMMANDS[name].options },
    })
  } catch (error) {
    throw new Misuse((error as Error).message)
  }
}

const operandsOf = (name: CommandName, found: ReadonlyArray<string>): ReadonlyArray<string> => {
  const { operands } = COMMANDS[name]
  for (const [at, operand] of operands.entries()) {
    const given = found[at]
    if (given === undefined || given === '')
      throw new Misuse(`${typeof operand === 'string' ? `<${operand}>` : operand.join(' or ')} is missing.`)
    if (typeof operand !== 'string' && !operand.includes(given))
      throw new Misuse(`${shown(given)} is neither ${operand.join(' nor ')}.`)
  }
  const surplus = found[operands.length]
  if (surplus !== undefined) throw new Misuse(`${shown(surplus)} is one argument too many.`)
  return found
}

/** An argument as part of a message: in quotes, and without what a terminal would obey. */
export const shown = (argument: string): string => JSON.stringify(argument)

/** The text of an option; undefined where it is not given. */
export const textOf = ({ options }: Asked, name: string): string | undefined => {
  const value = options[name]
  if (value === '') throw new Misuse(`--${name} is empty.`)
  return typeof value === 'string' ? value : undefined
}

export const neededText = (asked: Asked, name: string): string => {
  const value = textOf(asked, name)
  if (value === undefined) throw new Misuse(`--${name} is missing.`)
  return value
}

/** A whole number from 1 on. */
export const countOf = (asked: Asked, name: string, most = Number.MAX_SAFE_INTEGER): number | undefined => {
  const value = textOf(asked, name)
  if (value === undefined) return undefined
  const count = /^\d{1,16}$/.test(value) ? Number(value) : 0
  if (count >= 1 && count <= most) return count
  const range = most === Number.MAX_SAFE_INTEGER ? 'from 1 on' : `from 1 to ${most}`
  throw new Misuse(`--${name} ${shown(value)} is not a whole number ${range}.`)
}

/** More would only wait for each other. */
const MOST_SEGMENTS = 256

export const segmentsOf = (asked: Asked): number | undefined => countOf(asked, 'segments', MOST_SEGMENTS)

const ISO = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?$/

/** A date of ISO 8601 in milliseconds since 1970; a time of day needs its zone, or else it would depend on the machine. */
export const dateOf = (asked: Asked, name: string): number | undefined => {
  const value = textOf(asked, name)
  if (value === undefined) return undefined
  const timeMs = ISO.test(value) ? Date.parse(value) : Number.NaN
  if (Number.isFinite(timeMs) && isOfCalendar(value)) return timeMs
  throw new Misuse(`--${name} ${shown(value)} is not a date like 2026-11-23 or 2026-11-23T09:00:00Z.`)
}

/** `Date.parse` takes the 30th of February for the 2nd of March. */
const isOfCalendar = (date: string): boolean => {
  const day = date.slice(0, 10)
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day)
}
