/**
 * A consumer: takes a queue's messages, each group by a hand of its own, so that a slow one holds up no other.
 *
 * What meets a fault comes again later, and what is behind it in its group waits for it. Queue and consumer live and
 * die together, so no message is lost to a hand that died, and no timeout is needed.
 */
import { E, type Fault, type Queue, type Received } from '@everfold/core'
import type { Kernel } from './kernel.ts'
import type { Crew, Worker } from './worker.ts'

/** What becomes of the messages of one group, from the first on; fewer outcomes than messages leave the rest. */
export type Work = (group: ReadonlyArray<Received>) => Promise<ReadonlyArray<E.Either<Fault, void>>>

/** One after the other, up to the first that meets a fault, and no more once the crew is stopped. */
export const inOrder =
  (crew: Crew, work: (message: Received) => Promise<E.Either<Fault, void>>): Work =>
  async (group) => {
    const outcomes: Array<E.Either<Fault, void>> = []
    for (const message of group) {
      const outcome = await work(message)
      outcomes.push(outcome)
      if (E.isLeft(outcome) || crew.stopped()) break
    }
    return outcomes
  }

export interface Consuming {
  readonly name: string
  readonly queue: Queue
  /** The most groups that are worked on at once, and the most messages in one batch. */
  readonly hands: number
  readonly work: Work
  readonly kernel: Kernel
  readonly crew: Crew
  /** Told of every fault. */
  readonly retrying: (what: string, fault: Fault) => void
}

/** How long a message that met a fault stays hidden before it comes again. */
const REDELIVERY_MS = 30_000
/** How long the queue is left alone after it failed. */
const RETRY_MS = 1000

export const consumer = ({ name, queue, hands, work, kernel, crew, retrying }: Consuming): Worker => {
  let underWay = 0
  const worker = crew.worker(name, async () => {
    if (underWay >= hands) return false
    const batch = await queue.receive(hands - underWay)()
    if (E.isLeft(batch)) {
      retrying(name, batch.left)
      await kernel.sleep(RETRY_MS)
      return true
    }
    for (const group of Map.groupBy(batch.right, (message) => message.group).values()) {
      underWay += 1
      void crew.aside(name, () => consume(group))
    }
    return batch.right.length > 0
  })
  const consume = async (group: ReadonlyArray<Received>): Promise<void> => {
    const outcomes = await work(group)
    const failed = outcomes.findIndex(E.isLeft)
    const handled = failed < 0 ? outcomes.length : failed
    const deleted = await queue.delete(receipts(group.slice(0, handled)))()
    underWay -= 1
    // What came for this group, or found no free hand, waits for us to take it.
    worker.wake()
    // What cannot be deleted comes again, and changes nothing then.
    const fault = E.isLeft(deleted) ? deleted : outcomes[failed]
    if (fault === undefined || E.isRight(fault)) return
    const open = E.isLeft(deleted) ? group : group.slice(handled)
    retrying(open[0]?.id ?? name, fault.left)
    void crew.aside(name, () => comeAgain(open))
  }
  const comeAgain = async (messages: ReadonlyArray<Received>): Promise<void> => {
    for (;;) {
      await kernel.sleep(REDELIVERY_MS)
      if (crew.stopped()) return
      const released = await queue.release(receipts(messages))()
      if (E.isRight(released)) return worker.wake()
      retrying(name, released.left)
    }
  }
  return worker
}

const receipts = (messages: ReadonlyArray<Received>): ReadonlyArray<string> =>
  messages.map(({ receipt }) => receipt)
