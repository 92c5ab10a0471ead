/**
 * The command consumer: a Lambda handler for the queue of dispatches. What waits together for one stream is decided
 * together, as one commit, so a hot stream costs a write per batch and not one per command.
 *
 * A fault may pass, or a deploy may mend it: the commands come again, and with them all that waits behind them for
 * the same stream, until the queue's redrive moves them. An undecodable history is such a fault: nothing of that stream
 * could go through before it; so is a command that newer code wrote, during a deploy. A command that is refused for
 * itself (not decodable, an id that names another payload, too old, too large) would be refused for ever, and becomes a
 * dead letter at once. A duplicate delivery changes nothing, because its command id is on record.
 */
import {
  type Aggregates,
  type AnyAggregate,
  dispatchOf,
  E,
  type Envelope,
  type ExecuteOptions,
  type ExecutePorts,
  execute,
  type InvalidInput,
  isAhead,
  type Message,
  type StreamName,
  unavailable,
} from '@everfold/core'
import { DYNAMODB } from '../limits.ts'
import {
  comeAgain,
  DONE,
  hopeless,
  type MessageConsumerOptions,
  messageConsumer,
  type Settlement,
  type Work,
} from './messages.ts'

export interface CommandConsumerOptions extends MessageConsumerOptions {
  /** Those whose commands this queue carries; a process is an aggregate, too. */
  readonly aggregates: Aggregates
  readonly ports: ExecutePorts
  readonly execute?: Partial<ExecuteOptions>
  /** The most commands of one stream in one commit; 100 unless told. */
  readonly groupLimit?: number
  /** The most bytes of one stream's commands in one commit, unless one alone has more; 400 KB, an item, unless told. */
  readonly groupBytes?: number
}

export const commandConsumer = (options: CommandConsumerOptions): ReturnType<typeof messageConsumer> => {
  const { aggregates, groupLimit = 100, groupBytes = DYNAMODB.itemBytes } = options
  const decide = decider(options)
  const work: Work = async (messages) => {
    const group = leading(aggregates, within(groupBytes, messages.slice(0, groupLimit)))
    return E.isLeft(group) ? [unreadable(group.left)] : decide(group.right)
  }
  return messageConsumer(options, work)
}

/**
 * The first messages up to so many bytes, at least one. Where large commits go to a claim check, nothing else would cut
 * them before they are an object too large for whoever reads it.
 */
const within = (limitBytes: number, messages: ReadonlyArray<Message>): ReadonlyArray<Message> => {
  let bytes = 0
  const beyond = messages.findIndex(({ body }, at) => {
    bytes += Buffer.byteLength(JSON.stringify(body))
    return at > 0 && bytes > limitBytes
  })
  return beyond < 0 ? messages : messages.slice(0, beyond)
}

/** Commands of one stream. */
interface Group {
  readonly aggregate: AnyAggregate
  readonly stream: StreamName
  readonly envelopes: ReadonlyArray<Envelope<unknown>>
}

/** The commands from the first message on that are for the same stream; left where the first one is none. */
const leading = (aggregates: Aggregates, messages: ReadonlyArray<Message>): E.Either<InvalidInput, Group> => {
  let group: Group | undefined
  for (const { body } of messages) {
    const carried = dispatchOf(aggregates, body)
    if (E.isLeft(carried)) return group === undefined ? carried : E.right(group)
    const { aggregate, dispatch } = carried.right
    if (group !== undefined && group.stream !== dispatch.stream) break
    const envelopes: ReadonlyArray<Envelope<unknown>> = [...(group?.envelopes ?? []), dispatch.envelope]
    group = { aggregate, stream: dispatch.stream, envelopes }
  }
  return group === undefined ? E.left(NOTHING) : E.right(group)
}

const NOTHING: InvalidInput = {
  _tag: 'InvalidInput',
  errors: [{ pointer: '', detail: 'holds no message' }],
}

/** What newer code wrote waits for newer code; during a deploy both run. */
const unreadable = (fault: InvalidInput): Settlement =>
  isAhead(fault)
    ? comeAgain(unavailable('the code that reads what newer code wrote', fault))
    : hopeless(fault)

const decider = ({ ports, execute: tuning }: CommandConsumerOptions) => {
  const decide = async ({ aggregate, stream, envelopes }: Group): Promise<ReadonlyArray<Settlement>> => {
    try {
      const answers = await execute(aggregate, ports, tuning)(stream, envelopes)()
      if (E.isLeft(answers)) return [comeAgain(answers.left)]
      return answers.right.map((answer) => (E.isLeft(answer) ? hopeless(answer.left) : DONE))
    } catch (broken) {
      // A decider that throws is broken for this command, but not for the others of the group.
      if (envelopes.length === 1) return [hopeless(broken)]
      return decide({ aggregate, stream, envelopes: envelopes.slice(0, Math.ceil(envelopes.length / 2)) })
    }
  }
  return decide
}
