/**
 * The other half of the outbox: sends what a service's commits ask for, commands and calls to their queues and timers to
 * the timer service. Everything is sent verbatim with its own id, so that a repeated delivery counts once.
 */
import {
  type Deliverers,
  type Delivery,
  deliver,
  E,
  type Fault,
  outbox,
  type Service,
  unavailable,
} from '@everfold/core'
import type { Outcome, WorkBatch } from '../consumers/batch.ts'

export interface OutboxRelayOptions extends Deliverers {
  readonly service: Service
}

/**
 * A batch's deliveries are sent together, because queues take them by ten. Where that fails they are sent commit by
 * commit, so that one which never goes through is found, and holds up nothing before it; nor does one that throws.
 */
export const outboxRelay = ({ service, ...to }: OutboxRelayOptions): WorkBatch => {
  const deliveriesOf = outbox(service)
  return async (commits) => {
    const asked: Array<ReadonlyArray<Delivery>> = []
    let unknown: Outcome
    for (const commit of commits) {
      const { stream, number } = commit
      const deliveries = await attempt(`what ${stream}@${number} asks for`, async () => deliveriesOf(commit))
      if (E.isLeft(deliveries)) {
        unknown = deliveries
        break
      }
      asked.push(deliveries.right)
    }
    const outcomes = await deliverAll(asked, to)
    return commits.map((_, at) => (at === asked.length ? unknown : outcomes[at]))
  }
}

/** A process or a port that throws is broken for one commit, not for the batch. */
const attempt = async <A>(
  what: string,
  step: () => Promise<E.Either<Fault, A>>,
): Promise<E.Either<Fault, A>> => {
  try {
    return await step()
  } catch (broken) {
    return E.left(unavailable(what, broken))
  }
}

const deliverAll = async (
  asked: ReadonlyArray<ReadonlyArray<Delivery>>,
  to: Deliverers,
): Promise<ReadonlyArray<Outcome>> => {
  const send = (deliveries: ReadonlyArray<Delivery>) =>
    attempt('the delivery of what was asked for', deliver(deliveries, to))
  const together = await send(asked.flat())
  if (E.isRight(together)) return asked.map(() => together)
  const outcomes: Array<Outcome> = []
  for (const deliveries of asked) {
    const outcome = await send(deliveries)
    outcomes.push(outcome)
    if (E.isLeft(outcome)) break
  }
  return outcomes
}
