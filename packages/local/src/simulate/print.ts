/** What `pnpm simulate` prints: words for people, or one JSON object a line; progress beside it. */
import { SingleBar } from 'cli-progress'

export interface Printer {
  /** A result: the object, or its words. */
  say(this: void, object: object, words: string): void
  /** Follows something that takes a while, until it is told of the end. */
  follow(this: void, what: string, length: Length): { at(done: number, note: string): void; end(): void }
}

interface Length {
  readonly total: number
  /** What is counted. */
  readonly of: string
}

export const printer = (json: boolean): Printer => ({
  say: (object, words) => console.log(json ? JSON.stringify(object) : words),
  follow: (what, { total, of }) => {
    // Progress is for eyes: a log would hold every state of the bar.
    if (json || !process.stderr.isTTY) return { at: () => undefined, end: () => undefined }
    const bar = new SingleBar({
      format: `${what} {bar} {value} of {total} ${of} {note}`,
      stream: process.stderr,
      clearOnComplete: true,
      // Whatever ends the process, the terminal has its cursor.
      hideCursor: false,
    })
    bar.start(total, 0, { note: '' })
    return { at: (done, note) => bar.update(done, { note }), end: () => bar.stop() }
  },
})

/** `12,345`. */
export const counted = (number: number): string => Math.round(number).toLocaleString('en-US')

/** `1 step`, `1,200 steps`. */
export const numbered = (number: number, noun: string): string =>
  `${counted(number)} ${noun}${number === 1 ? '' : 's'}`

/** To one decimal, for machines. */
export const rounded = (number: number): number => Math.round(number * 10) / 10
