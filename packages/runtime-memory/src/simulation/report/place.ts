/** Where in the user's code something went wrong, read from a stack as V8 writes it. */
import { fileURLToPath } from 'node:url'

export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** The first frame that is the user's: not ours, not Node's, and of no package where any frame is of none. */
export const placeOf = (stack: string): Place | undefined => {
  const frames = stack
    .split('\n')
    .map(frameOf)
    .filter((place) => place !== undefined)
    .filter(({ file }) => !isOurs(file))
  return frames.find(({ file }) => !file.includes('/node_modules/')) ?? frames[0]
}

export const wordsOfPlace = ({ file, line, column }: Place): string => `${file}:${line}:${column}`

/** `at name (place)`, `at async name (place)` or `at place`, where a place is `file:line:column`. */
const FRAME = /^\s*at (?:.*\()?(?<file>[^()]+?):(?<line>\d+):(?<column>\d+)\)?\s*$/

const frameOf = (line: string): Place | undefined => {
  const { file, line: row, column } = FRAME.exec(line)?.groups ?? {}
  if (file === undefined) return undefined
  return { file: pathOf(file.replace(/^async /, '')), line: Number(row), column: Number(column) }
}

const pathOf = (file: string): string => {
  try {
    return (file.startsWith('file:') ? fileURLToPath(file) : file).replaceAll('\\', '/')
  } catch {
    return file
  }
}

/** This package's own modules: in a work tree of several packages they are inside no `node_modules`. */
const OWN = pathOf(new URL('../..', import.meta.url).href)

const isOurs = (file: string): boolean =>
  file.startsWith(OWN) ||
  file.includes('/node_modules/@everfold/') ||
  file.startsWith('node:') ||
  file.startsWith('internal/') ||
  !/[/.]/.test(file)
