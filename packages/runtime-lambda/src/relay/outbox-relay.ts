/**
 * The other half of the outbox: sends what a service's commits ask for, commands and calls to their queues and timers to
 * the timer service. Everything is sent verbatim with its own id, so that a repeated delivery counts once.
 */
import { type Deliverers, type Delivery, deliver, E, type Fault, outbox, type Service } from '@everfold/core'
import type { Outcome, WorkBatch } from '../consumers/batch.ts'

export interface OutboxRelayOptions extends Deliverers {
  readonly service: Service
}

/**
 * A batch's deliveries are sent together, because queues take them by ten. Where that fails they are sent commit by
 * commit, so that one which never goes through is found, and holds up nothing before it.
 */
export const outboxRelay = ({ service, ...to }: OutboxRelayOptions): WorkBatch => {
  const deliveriesOf = outbox(service)
  return async (commits) => {
    const asked: Array<ReadonlyArray<Delivery>> = []
    let undecodable: Outcome
    for (const commit of commits) {
      const deliveries = deliveriesOf(commit)
      if (E.isLeft(deliveries)) {
        undecodable = deliveries
        break
      }
      asked.push(deliveries.right)
    }
    const outcomes = await deliverAll(asked, to)
    return commits.map((_, at) => (at === asked.length ? undecodable : outcomes[at]))
  }
}

const deliverAll = async (
  asked: ReadonlyArray<ReadonlyArray<Delivery>>,
  to: Deliverers,
): Promise<ReadonlyArray<Outcome>> => {
  const together = await deliver(asked.flat(), to)()
  if (E.isRight(together)) return asked.map(() => together)
  const outcomes: Array<E.Either<Fault, void>> = []
  for (const deliveries of asked) {
    const outcome = await deliver(deliveries, to)()
    outcomes.push(outcome)
    if (E.isLeft(outcome)) break
  }
  return outcomes
}
