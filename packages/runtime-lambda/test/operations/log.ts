/** A log as a store that is only read, whatever is in it. */
import { type Commit, E, type EventStore, type Fault } from '@everfold/core'

const refuse = () => () => Promise.reject(new Error('an operator only reads'))

/** Pages of at most `pageSize` commits; segments are cut at every so many commits. A scan meets what is broken, too. */
export const storeOf = (
  log: ReadonlyArray<Commit>,
  pageSize = 7,
  broken: (commit: Commit) => Fault | undefined = () => undefined,
): EventStore => {
  const of = (stream: string) => log.filter((commit) => commit.stream === stream)
  return {
    readBackward:
      (stream, { before = Number.POSITIVE_INFINITY, limit }) =>
      async () => {
        const below = of(stream).filter(({ number }) => number < before)
        const size = Math.min(limit, pageSize)
        return E.right({ commits: below.slice(-size).toReversed(), done: below.length <= size })
      },
    readForward:
      (stream, { after, limit }) =>
      async () => {
        const above = of(stream).filter(({ number }) => number > after)
        const size = Math.min(limit, pageSize)
        return E.right({ commits: above.slice(0, size), done: above.length <= size })
      },
    marker: (stream, id) => async () =>
      E.right(
        of(stream).find(({ answers }) => answers.some((answer) => answer.marked === true && answer.id === id))
          ?.number,
      ),
    scan:
      ({ segment, segments, cursor }) =>
      async () => {
        const own = log.filter((_, at) => at % segments === segment)
        const from = Number(cursor ?? 0)
        const met = own.slice(from, from + pageSize)
        const next = from + pageSize
        const unreadable = met.flatMap((commit) => {
          const fault = broken(commit)
          return fault === undefined ? [] : [{ stream: commit.stream, commit: commit.number, fault }]
        })
        const commits = met.filter((commit) => broken(commit) === undefined)
        const page = { commits, unreadable }
        return E.right(next < own.length ? { ...page, cursor: String(next) } : page)
      },
    append: refuse,
    appendTogether: refuse,
  }
}
