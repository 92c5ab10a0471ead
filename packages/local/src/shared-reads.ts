/** A change stream that several followers read at one pace: what one of them has read, the others need not read again. */
import { type ChangeStream, type Changes, E, type Fault } from '@everfold/core'

/** How many pages are kept for those who come later. */
const PAGES = 64

export const sharedReads = (changes: ChangeStream): ChangeStream => {
  const pages = new Map<string, Promise<E.Either<Fault, Changes>>>()
  return {
    read: (checkpoint, limit) => () => {
      const place = `${limit} ${checkpoint ?? ''}`
      const known = pages.get(place)
      if (known !== undefined) return known
      const reading = changes.read(checkpoint, limit)()
      pages.set(place, reading)
      const [oldest] = pages.keys()
      if (pages.size > PAGES && oldest !== undefined) pages.delete(oldest)
      void reading.then((page) => {
        // Where nothing was, there may be something next time.
        if (E.isLeft(page) || page.right.commits.length === 0) pages.delete(place)
      })
      return reading
    },
  }
}
