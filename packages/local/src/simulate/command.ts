/** What every part of `pnpm simulate` is given. */
import type { Arguments } from './arguments.ts'
import type { Printer } from './print.ts'

export interface Command {
  readonly args: Arguments
  readonly print: Printer
}

/** What the process exits with. */
export const EXIT = { held: 0, broken: 1, unusable: 2, interrupted: 130 } as const
export type Exit = (typeof EXIT)[keyof typeof EXIT]

/** The command cannot do what it is asked; says so in one line. */
export class Unusable extends Error {}

/** In one line, what a file system answers to what was tried, or what a library says by itself. */
export const unusable = (tried: string, cause: unknown): Unusable => {
  const { code, message } = cause as NodeJS.ErrnoException
  const why = message.replaceAll(/\s+/g, ' ')
  const words = code === undefined ? `${why.charAt(0).toUpperCase()}${why.slice(1)}.` : `${tried} (${code}).`
  return new Unusable(words, { cause })
}
