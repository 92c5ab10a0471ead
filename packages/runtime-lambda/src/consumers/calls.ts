/**
 * The gateways' consumer: a Lambda handler for the queue of calls. Each message names the event that asks; the event
 * is read from the log, the outside world is called, and the result comes home as a command on the event's stream.
 *
 * Calls about one stream are made in its order, those of different streams beside each other. A fault makes the call
 * come again, with the same key. A call that was made twice brings the same command home twice, which counts once.
 */
import {
  answerCall,
  callOf,
  E,
  type ExecuteOptions,
  type ExecutePorts,
  execute,
  type Fault,
  type GatewayBinding,
  type Message,
  unavailable,
} from '@everfold/core'
import {
  comeAgain,
  DONE,
  hopeless,
  type MessageConsumerOptions,
  messageConsumer,
  type Settlement,
} from './messages.ts'

export interface CallConsumerOptions extends MessageConsumerOptions {
  readonly gateways: ReadonlyArray<GatewayBinding>
  readonly ports: ExecutePorts
  readonly execute?: Partial<ExecuteOptions>
}

export const callConsumer = (options: CallConsumerOptions): ReturnType<typeof messageConsumer> =>
  messageConsumer(options, async ([message]) =>
    message === undefined ? [] : [await settle(options, message)],
  )

const settle = async (
  { gateways, ports, execute: tuning }: CallConsumerOptions,
  { body }: Message,
): Promise<Settlement> => {
  const call = callOf(body)
  if (E.isLeft(call)) return hopeless(call.left)
  const binding = gateways.find(({ gateway }) => gateway.name === call.right.gateway)
  if (binding === undefined)
    return hopeless({ _tag: 'InvalidInput', errors: [{ pointer: '/gateway', detail: 'is not bound here' }] })
  try {
    const answer = await answerCall(binding, {
      store: ports.store,
      clock: ports.clock,
      execute: (aggregate, stream, envelope) => async () => {
        const answers = await execute(aggregate, ports, tuning)(stream, [envelope])()
        if (E.isLeft(answers)) return answers
        const [one] = answers.right
        return one === undefined ? E.left<Fault>(unavailable('an answer')) : E.right(one)
      },
    })(call.right)()
    if (E.isLeft(answer)) return comeAgain(answer.left)
    return answer.right !== undefined && E.isLeft(answer.right) ? hopeless(answer.right.left) : DONE
  } catch (broken) {
    return hopeless(broken)
  }
}
