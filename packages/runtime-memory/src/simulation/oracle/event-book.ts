/** What is published of events: nothing that is not in the log (S8), and in the end everything that is (E1). */
import { eventId } from '@everfold/core'
import type { Judge } from './judge.ts'
import type { LogBook } from './log-book.ts'
import { isSame } from './same.ts'

export interface EventBook {
  /** A bus took an event in, in its stored form. */
  published(this: void, id: string, event: unknown): void
  /** A subscriber was given an event. */
  heard(this: void, id: string): void
  /** Every event has to be published, and heard where somebody subscribes. */
  complete(this: void, expected: { readonly published: boolean; readonly heard: boolean }): void
}

export const eventBook = ({ log }: Pick<LogBook, 'log'>, { broken }: Judge): EventBook => {
  const published = new Set<string>()
  const heard = new Set<string>()
  const known = new Map<string, unknown>()
  let read = 0
  const events = (): ReadonlyMap<string, unknown> => {
    for (; read < log.length; read += 1) {
      const commit = log[read]
      const stored = commit?.answers.flatMap((answer) => answer.events) ?? []
      if (commit !== undefined)
        for (const [at, event] of stored.entries())
          known.set(eventId(commit.stream, commit.number, at), event)
    }
    return known
  }
  return {
    published: (id, event) => {
      published.add(id)
      if (!isSame(events().get(id), event))
        broken('S8', `nothing is published that is not in the log, and the event ${id} was`)
    },
    heard: (id) => void heard.add(id),
    complete: (expected) => {
      for (const id of events().keys()) {
        if (expected.published && !published.has(id))
          return broken('E1', `every event is published, and ${id} was not`)
        if (expected.heard && !heard.has(id))
          return broken('E1', `every event reaches its subscriber, and ${id} did not`)
      }
    },
  }
}
