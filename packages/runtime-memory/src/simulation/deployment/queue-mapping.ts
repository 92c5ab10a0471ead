/**
 * The event source mapping of a queue: receives, invokes, deletes what was done. What was not comes again after the
 * visibility timeout. One batch at a time of each group, since the queue keeps it so.
 */
import { E, type Received } from '@everfold/core'
import type { MemoryQueue } from '../../queue.ts'
import type { SimulatedFunction } from './lambda.ts'
import type { Stage } from './stage.ts'

/** The ids of the messages that are to come again. */
export type Failed = ReadonlyArray<string>

export interface QueueMapping {
  readonly name: string
  readonly queue: MemoryQueue
  readonly visibilityMs: number
  readonly batchSize: number
  readonly target: SimulatedFunction<ReadonlyArray<Received>, Failed>
}

/** How long a mapping that polls needs to hear of what was sent. */
const POLL_MS = 20
const RETRY_MS = 1000

export const queueMapping = (stage: Stage, mapping: QueueMapping): void => {
  const { kernel, lane } = stage
  const { name, queue, target, visibilityMs, batchSize } = mapping
  const actor = `mapping of ${name}`
  lane(actor, actor)
  let polling = false
  let again = false
  const wake = (afterMs: number) =>
    void kernel.at(kernel.nowMs() + afterMs, `${actor} polls`, () => void kernel.as(actor, poll))
  const poll = async (): Promise<void> => {
    again = true
    if (polling) return
    polling = true
    while (again) {
      again = false
      const batch = await queue.receive(batchSize)()
      if (E.isRight(batch) && batch.right.length > 0) {
        again = true
        void work(batch.right)
      } else if (queue.size() > 0) {
        // What was received and never came here is visible again after the timeout.
        wake(E.isLeft(batch) ? RETRY_MS : visibilityMs)
      }
    }
    polling = false
  }
  const work = async (batch: ReadonlyArray<Received>): Promise<void> => {
    const outcome = await target.invoke(batch[0]?.id ?? '', batch)
    if (outcome._tag !== 'Returned') return wake(visibilityMs)
    const failed = new Set(outcome.value)
    const done = batch.filter(({ id }) => !failed.has(id)).map(({ receipt }) => receipt)
    if (done.length > 0) await queue.delete(done)()
    wake(failed.size > 0 ? visibilityMs : 0)
  }
  queue.subscribe(() => wake(POLL_MS))
}
