/**
 * The command ids a snapshot remembers, so that a repeated command gets its recorded answer.
 *
 * It keeps the ids of the latest dates. Its horizon is the latest date it ever dropped and never goes back; it is
 * absent while nothing was dropped. The memory decides iff an id's date is after the horizon; for any other id the
 * log is the ledger. An id without a date is kept for 24 hours after its stamp, or has a marker beside the log.
 */
import { encodeTime } from 'ulid'
import { type CommandId, dateOf } from './command-id.ts'
import type { Commit, Memory, Remembered, StoredAnswer } from './commit.ts'

export const emptyMemory: Memory = { ids: [] }

/** How long a key without a date is honoured: the contract Stripe gives for its own keys. */
export const UNDATED_MS = 24 * 3_600_000

/** What the memory can say of an id it does not hold. */
export type Absence = 'never-seen' | 'ask-the-log' | 'ask-the-marker'

export const absence = (memory: Memory, id: CommandId): Absence => {
  const date = dateOf(id)
  if (date === undefined) return memory.marking === true ? 'ask-the-marker' : 'never-seen'
  return memory.horizonMs === undefined || date > memory.horizonMs ? 'never-seen' : 'ask-the-log'
}

/** The memory after `commits`, cut to the `limit` latest dates as of `nowMs`. */
export const remember = (
  memory: Memory,
  commits: ReadonlyArray<Commit>,
  limit: number,
  nowMs: number,
): Memory => {
  const ids = [...memory.ids]
  let { marking } = memory
  // A marked id needs no place here: its marker decides, also for a memory that has dropped nothing itself.
  for (const { answers, number } of commits)
    for (const answer of answers)
      if (answer.marked === true) marking = true
      else ids.push(rememberedAnswer(answer, number))
  const grown = marking === undefined ? { ...memory, ids } : { ...memory, ids, marking }
  return ids.length <= limit ? grown : cut(grown, limit, nowMs)
}

/** Only an id without a date of its own has a stamp: an id with one counts by that. */
const rememberedAnswer = ({ id, timeMs, dateMs }: StoredAnswer, commit: number): Remembered =>
  dateOf(id) === undefined ? [id, commit, dateMs ?? timeMs] : [id, commit]

const cut = (memory: Memory, limit: number, nowMs: number): Memory => {
  const byDate = memory.ids.map((entry) => ({ entry, date: sortable(entry) }))
  byDate.sort((one, other) => (one.date < other.date ? 1 : one.date > other.date ? -1 : 0))
  const kept = byDate.slice(0, limit).map(({ entry }) => entry)
  let horizonMs = memory.horizonMs
  for (const { entry } of byDate.slice(limit)) {
    const [id, , stampMs] = entry
    if (stampMs === undefined) horizonMs = Math.max(horizonMs ?? 0, dateOf(id) ?? 0)
    else if (stampMs + UNDATED_MS > nowMs) kept.push(entry)
  }
  return { ids: kept, marking: true, ...(horizonMs === undefined ? {} : { horizonMs }) }
}

/** ULIDs sort by their dates as text, so only a stamp needs to be written as one. */
const sortable = ([id, , stampMs]: Remembered): string => (stampMs === undefined ? id : encodeTime(stampMs))
