/**
 * What commits ask for, on its way: commands and calls through queues, and timers, each taken by a consumer of its own.
 *
 * Queue and consumer live and die together, so no message is lost to a hand that died, and no timeout is needed.
 */
import {
  aggregatesOf,
  answerCall,
  type CallPorts,
  callOf,
  type Delivery,
  deliver,
  dispatchOf,
  E,
  elapsed,
  type GatewayBinding,
  isAhead,
  messageOf,
  type Queue,
  type Received,
  type Service,
  type TimerPayload,
  unavailable,
} from '@everfold/core'
import { consumer, inOrder, type Work } from './consumer.ts'
import type { DeadLetterOffice, Outcome } from './dead-letters.ts'
import type { Kernel } from './kernel.ts'
import { memoryQueue } from './queue.ts'
import { memoryTimerService } from './timer-service.ts'
import type { Crew, Worker } from './worker.ts'

export interface Delivering extends Pick<CallPorts, 'store' | 'execute'> {
  readonly service: Service
  readonly gateways: ReadonlyArray<GatewayBinding>
  readonly kernel: Kernel
  readonly crew: Crew
  readonly office: DeadLetterOffice
}

/** The most streams that are commanded at once, and the most messages of one stream that are decided together. */
const COMMANDERS = 100
/** The most calls to the outside world at once. */
const CALLERS = 40

/** Makes the deliveries of a commit, in any order; they are taken up at once, or when they are due. */
export const deliveries = (
  delivering: Delivering,
): ((asked: ReadonlyArray<Delivery>) => Promise<Outcome>) => {
  const { kernel, crew, office } = delivering
  const command = commanded(delivering)
  const commands = desk(delivering, {
    name: 'commands',
    hands: COMMANDERS,
    // What waits together for one stream is decided together.
    work: (group) => Promise.all(group.map((message) => office.attempt(message.id, () => command(message)))),
  })
  const call = called(delivering)
  const calls = desk(delivering, {
    name: 'calls',
    hands: CALLERS,
    // What asks the outside world about one stream is asked in its order.
    work: inOrder(crew, (message) => office.attempt(message.id, () => call(message))),
  })
  const timers = memoryTimerService(kernel, ({ id, payload }) =>
    crew.aside(`timer ${id}`, async () => {
      const sent = await commands.send([messageOf(elapsed(payload as unknown as TimerPayload))])()
      if (E.isLeft(sent)) throw new Error(`the queue took no message: ${JSON.stringify(sent.left)}`)
    }),
  )
  return (asked) => deliver(asked, { commands, calls, timers })()
}

/** A queue whose worker is woken by what is sent. */
const desk = (
  { kernel, crew, office }: Delivering,
  { name, hands, work }: { readonly name: string; readonly hands: number; readonly work: Work },
): Pick<Queue, 'send'> => {
  const queue = memoryQueue(kernel, { name, visibilityMs: Number.POSITIVE_INFINITY })
  const { retrying } = office
  const worker: Worker = consumer({ name: `worker of ${name}`, queue, hands, work, kernel, crew, retrying })
  return {
    send: (messages) => async () => {
      const sent = await queue.send(messages)()
      if (E.isRight(sent)) worker.wake()
      return sent
    },
  }
}

const commanded = ({ service, execute, office }: Delivering): ((message: Received) => Promise<Outcome>) => {
  const aggregates = aggregatesOf(service)
  return async (message) => {
    const carried = dispatchOf(aggregates, message.body)
    if (E.isLeft(carried))
      return isAhead(carried.left)
        ? E.left(unavailable('the code that reads what newer code wrote', carried.left))
        : E.right(office.bury(message.id, carried.left))
    const { aggregate, dispatch } = carried.right
    const executed = await execute(aggregate, dispatch.stream, dispatch.envelope)()
    if (E.isLeft(executed)) return executed
    return E.right(E.isLeft(executed.right) ? office.bury(message.id, executed.right.left) : undefined)
  }
}

const called = ({
  gateways,
  store,
  kernel,
  execute,
  office,
}: Delivering): ((message: Received) => Promise<Outcome>) => {
  const calls = new Map(
    gateways.map((binding) => [binding.gateway.name, answerCall(binding, { store, clock: kernel, execute })]),
  )
  return async (message) => {
    const body = callOf(message.body)
    if (E.isLeft(body)) return E.right(office.bury(message.id, body.left))
    const { gateway: name, stream, commit } = body.right
    const call = calls.get(name)
    if (call === undefined) return E.right(office.bury(`${stream}@${commit}`, `no gateway ${name} is bound`))
    const answered = await call(body.right)()
    if (E.isLeft(answered)) return answered
    const settled = answered.right
    const refused = settled !== undefined && E.isLeft(settled)
    return E.right(refused ? office.bury(`${stream}@${commit}`, settled.left) : undefined)
  }
}
