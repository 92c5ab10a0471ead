/**
 * The history of whatever goes through the event store of a run, checked in its end: appends and reads have to be what
 * they could have been one at a time, each between its question and its answer.
 */
import type { EventStore } from '@everfold/core'
import type { MemoryEventStore } from '../../event-store.ts'
import { anomaliesOf } from '../history/check.ts'
import type { Operation } from '../history/operation.ts'
import { commandIdsOf, recordedStore } from '../history/recorded-store.ts'
import type { Judge } from '../oracle/judge.ts'

export interface StoreHistory {
  /** The store, as this process asks it. */
  asked(this: void, process: string): EventStore
  /** Judges what was asked and answered. */
  check(this: void, judge: Judge): void
}

export const storeHistory = (store: MemoryEventStore): StoreHistory => {
  const history: Array<Operation> = store.log.map((commit, at) => ({
    kind: 'append',
    process: 'who was there before',
    invokedAt: at,
    completedAt: at,
    outcome: 'ok',
    writes: [{ stream: commit.stream, number: commit.number, value: commandIdsOf(commit) }],
  }))
  let ticks = history.length
  const now = () => {
    ticks += 1
    return ticks
  }
  return {
    // A store may have more to it, for handlers of its own make.
    asked: (process) => ({ ...store, ...recordedStore(store, now, history, { process }) }),
    check: ({ broken, violation }) => {
      if (violation !== undefined) return
      const [anomaly] = anomaliesOf(history, { reads: 'committed' })
      if (anomaly !== undefined)
        broken(
          'history',
          `appends and reads take effect one at a time, each between its question and its answer, and these did not (${anomaly.kind}): ${anomaly.message}`,
        )
    },
  }
}
