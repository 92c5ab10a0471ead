/** What `pnpm simulate` prints: words for people, or one JSON object a line; progress beside it. */
import { SingleBar } from 'cli-progress'

export interface Printer {
  /** A result: the object, or its words. */
  say(this: void, object: object, words: string): void
  /** Follows something that takes a while; the function it answers ends that. */
  follow(this: void, what: string, total: number): { at(done: number, note: string): void; end(): void }
}

export const printer = (json: boolean): Printer => ({
  say: (object, words) => console.log(json ? JSON.stringify(object) : words),
  follow: (what, total) => {
    // Progress is for eyes: a log would hold every state of the bar.
    if (json || !process.stderr.isTTY) return { at: () => undefined, end: () => undefined }
    const bar = new SingleBar({
      format: `${what} {bar} {value} of {total} {note}`,
      stream: process.stderr,
      clearOnComplete: true,
      hideCursor: true,
    })
    bar.start(total, 0, { note: '' })
    return { at: (done, note) => bar.update(done, { note }), end: () => bar.stop() }
  },
})

/** `12,345`. */
export const counted = (number: number): string => Math.round(number).toLocaleString('en-US')
