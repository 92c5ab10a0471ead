/** Sends what a commit sets off to where it is worked on: commands and calls to queues, timers to their service. */
import { callMessage } from './call.ts'
import type { Fault } from './fault.ts'
import { E, type TE } from './fp.ts'
import { type Delivery, messageOf } from './outbox.ts'
import type { Message, Queue } from './ports/queue.ts'
import type { TimerService } from './ports/timer-service.ts'

export interface Deliverers {
  readonly commands: Pick<Queue, 'send'>
  /** What is asked of gateways. */
  readonly calls: Pick<Queue, 'send'>
  readonly timers: TimerService
}

/** In the order in which they are given, each kind for itself; safe to repeat, whatever went through before. */
export const deliver =
  (deliveries: ReadonlyArray<Delivery>, to: Deliverers): TE.TaskEither<Fault, void> =>
  async () => {
    const commands = deliveries.flatMap((one) => (one._tag === 'Dispatch' ? [messageOf(one)] : []))
    const calls = deliveries.flatMap((one) => (one._tag === 'Call' ? [callMessage(one)] : []))
    const sent = await Promise.all([send(to.commands, commands), send(to.calls, calls), time(deliveries, to)])
    return sent.find(E.isLeft) ?? E.right(undefined)
  }

const send = async (
  queue: Deliverers['commands'],
  messages: ReadonlyArray<Message>,
): Promise<E.Either<Fault, void>> => (messages.length === 0 ? E.right(undefined) : queue.send(messages)())

/** One after the other, so that a timer is not canceled before it is scheduled. */
const time = async (
  deliveries: ReadonlyArray<Delivery>,
  { timers }: Deliverers,
): Promise<E.Either<Fault, void>> => {
  for (const one of deliveries) {
    if (one._tag !== 'Schedule' && one._tag !== 'CancelTimer') continue
    const timed = await (one._tag === 'Schedule' ? timers.schedule(one.timer) : timers.cancel(one.id))()
    if (E.isLeft(timed)) return timed
  }
  return E.right(undefined)
}
