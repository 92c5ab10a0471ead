/** A cache of heads without a limit, for as few streams as there are here. */
import type { Head, HeadCache, StreamName } from '@everfold/core'

export const headCache = (): HeadCache => {
  const heads = new Map<StreamName, Head<unknown>>()
  return {
    get: (stream) => heads.get(stream),
    set: (stream, head) => void heads.set(stream, head),
    delete: (stream) => void heads.delete(stream),
  }
}
