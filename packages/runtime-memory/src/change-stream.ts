/** The change stream in memory: the event store's log, read from a place in it. */
import { type ChangeStream, E } from '@everfold/core'
import type { MemoryEventStore } from './event-store.ts'
import { failuresOf } from './failing.ts'
import type { Kernel } from './kernel.ts'

const { reading } = failuresOf('the change stream')

export const memoryChangeStream = (kernel: Kernel, { log }: Pick<MemoryEventStore, 'log'>): ChangeStream => {
  const perform = kernel.port('change-stream')
  return {
    read: (checkpoint, limit) => () =>
      perform(
        'read',
        checkpoint ?? 'oldest',
        () => {
          const from = checkpoint === undefined ? 0 : Number(checkpoint)
          const commits = log.slice(from, from + limit)
          return E.right({ commits, checkpoint: String(from + commits.length) })
        },
        reading,
      ),
  }
}
