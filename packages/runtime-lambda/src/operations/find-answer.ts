/**
 * Where the answer to a command id is on record, looked for as a command handler looks for it: in the newest commits,
 * among the ids that the snapshot remembers, behind a marker, back in the log.
 *
 * A marker is gone after its time, and a handler then takes the key for a new one; here the log is read for it too.
 */
import {
  absence,
  type CommandId,
  type Commit,
  dateOf,
  E,
  type EventStore,
  type Fault,
  type Head,
} from '@everfold/core'

export type Place = 'newest commits' | 'remembered ids' | 'marker' | 'log'

export type Found =
  | { readonly _tag: 'Found'; readonly commit: Commit; readonly place: Place }
  | { readonly _tag: 'NotFound'; readonly lookedIn: ReadonlyArray<Place> }

export const findAnswer = async (
  store: EventStore,
  { stream, number, tail, memory }: Head<unknown>,
  id: CommandId,
): Promise<E.Either<Fault, Found>> => {
  const inTail = tail.find((commit) => answers(commit, id))
  if (inTail !== undefined) return E.right({ _tag: 'Found', commit: inTail, place: 'newest commits' })
  const below = number - tail.length
  if (below === 0) return E.right({ _tag: 'NotFound', lookedIn: ['newest commits'] })
  const remembered = memory.ids.find(([one]) => one === id)?.[1]
  if (remembered !== undefined)
    return readBack(store, { stream, id, before: remembered + 1 }, ['remembered ids'])
  const lookedIn: ReadonlyArray<Place> = ['newest commits', 'remembered ids']
  switch (absence(memory, id)) {
    case 'never-seen':
      return E.right({ _tag: 'NotFound', lookedIn })
    case 'ask-the-log':
      return readBack(store, { stream, id, before: below + 1 }, [...lookedIn, 'log'])
    case 'ask-the-marker': {
      const marked = await store.marker(stream, id)()
      if (E.isLeft(marked)) return marked
      return marked.right === undefined
        ? readBack(store, { stream, id, before: below + 1 }, [...lookedIn, 'marker', 'log'])
        : readBack(store, { stream, id, before: marked.right + 1 }, ['marker'])
    }
  }
}

const answers = (commit: Commit, id: CommandId): boolean => commit.answers.some((answer) => answer.id === id)

interface Below {
  readonly stream: Commit['stream']
  readonly id: CommandId
  readonly before: number
}

const PAGE = 48

/** Back to the first commit whose latest id date is before this id's: no commit further back can hold it. */
const readBack = async (
  store: EventStore,
  { stream, id, ...range }: Below,
  places: ReadonlyArray<Place>,
): Promise<E.Either<Fault, Found>> => {
  const dateMs = dateOf(id) ?? 0
  const place = places.at(-1) ?? 'log'
  let { before } = range
  for (;;) {
    const page = await store.readBackward(stream, { before, limit: place === 'log' ? PAGE : 1 })()
    if (E.isLeft(page)) return page
    for (const commit of page.right.commits) {
      if (commit.number !== before - 1) return E.left({ _tag: 'MissingCommit', stream, number: before - 1 })
      before = commit.number
      if (answers(commit, id)) return E.right({ _tag: 'Found', commit, place })
      if (commit.latestIdMs < dateMs || place !== 'log')
        return E.right({ _tag: 'NotFound', lookedIn: places })
    }
    if (!page.right.done) continue
    return before > 1
      ? E.left({ _tag: 'MissingCommit', stream, number: before - 1 })
      : E.right({ _tag: 'NotFound', lookedIn: places })
  }
}
