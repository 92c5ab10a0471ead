/** What rules and schedules give something to, by its ARN: a queue takes it as a message, a function as an event. */
import type { MessageAttributes } from '../../models/sqs.ts'
import { arnOf as queueArn } from '../../models/sqs.ts'
import type { AsynchronousFunction } from '../asynchronous.ts'
import type { SqsService } from './services/sqs.ts'

interface Gift {
  /** How it is called in a trace. */
  readonly what: string
  /** In JSON where it is for a function. */
  readonly body: string
  /** Of a FIFO queue. */
  readonly group?: string
  /** Of a dead letter. */
  readonly attributes?: Readonly<Record<string, string>>
}

/** `gone`: there is no such target, so that trying again is in vain. */
type Given = 'taken' | 'refused' | 'gone'

/** Gives something to the target of this ARN. */
export type Give = (arn: string, gift: Gift) => Given

/** The ARN of a function of the simulated account, by its name. */
export const functionArn = (name: string): string => `arn:aws:lambda:us-east-1:000000000000:function:${name}`

export const giving =
  (
    { send, state }: Pick<SqsService, 'send' | 'state'>,
    functions: ReadonlyMap<string, AsynchronousFunction>,
  ): Give =>
  (arn, { what, body, group, attributes }) => {
    const asked = functions.get(arn)
    if (asked !== undefined) {
      asked.accept(what, JSON.parse(body))
      return 'taken'
    }
    const queue = arn.slice(arn.lastIndexOf(':') + 1)
    if (queueArn(queue) !== arn || !state().queues.has(queue)) return 'gone'
    const letter = {
      body,
      ...(group === undefined ? {} : { group }),
      ...(attributes === undefined ? {} : { attributes: attributesOf(attributes) }),
    }
    return send(queue, letter) ? 'taken' : 'refused'
  }

const attributesOf = (attributes: Readonly<Record<string, string>>): MessageAttributes =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name, { dataType: 'String', stringValue: value }]),
  )
