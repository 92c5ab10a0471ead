/**
 * The warm cache: the heads of the streams that were used last, of one process or of one sandbox of a Lambda function; a
 * lost one costs a read, never correctness.
 */
import type { HeadCache } from './handler.ts'
import type { Head } from './head.ts'
import type { StreamName } from './stream-name.ts'

/** Keeps at most so many heads; the one that was set longest ago makes room. */
export const headCache = (limit: number): HeadCache => {
  const heads = new Map<StreamName, Head<unknown>>()
  return {
    get: (stream) => heads.get(stream),
    set: (stream, head) => {
      // Set anew, a stream becomes the youngest of the map's order.
      heads.delete(stream)
      heads.set(stream, head)
      if (heads.size <= limit) return
      const [oldest] = heads.keys()
      if (oldest !== undefined) heads.delete(oldest)
    },
    delete: (stream) => void heads.delete(stream),
  }
}
