/**
 * Where messages wait for a person that will never go through, however often they are delivered.
 *
 * A queue would move such a message itself, but only after its last delivery, and on a FIFO queue everything behind it
 * in its group would wait for that. So what is known to be hopeless is sent to the same dead-letter queue at once: its
 * body as it came, to be replayed by moving it back, and the reason beside it.
 */
import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs'
import { E, type Fault, type TE } from '@everfold/core'
import { isFifo, tokenOf } from './letter.ts'
import { SQS } from './limits.ts'
import { type Patience, patientlyOr } from './patience.ts'

export interface DeadLetter {
  /** The same for every delivery of the message. */
  readonly id: string
  readonly group: string
  /** As it came. */
  readonly body: string
  readonly reason: unknown
}

export interface DeadLetters {
  send(this: void, letter: DeadLetter): TE.TaskEither<Fault, void>
}

export interface SqsDeadLettersOptions extends Patience {
  readonly client: SQSClient
  /** The queue to which the redrive policy of the consumed one points. */
  readonly queueUrl: string
}

/** The name and type of an attribute count as much as its value. */
const REASON = { name: 'reason', type: 'String', mostBytes: 4096 } as const

export const sqsDeadLetters = (options: SqsDeadLettersOptions): DeadLetters => ({
  send: (letter) => async () => {
    const { client, queueUrl } = options
    const command = new SendMessageCommand({ QueueUrl: queueUrl, ...entryOf(letter, queueUrl) })
    const sent = await patientlyOr(options, 'the dead-letter queue', () => client.send(command))
    return E.isLeft(sent) ? sent : E.right(undefined)
  },
})

const entryOf = ({ id, group, body, reason }: DeadLetter, queueUrl: string) => {
  const why = printed(reason)
  const sizeBytes = Buffer.byteLength(body) + REASON.name.length + REASON.type.length + why.length
  return {
    MessageBody: body,
    MessageGroupId: tokenOf(group),
    ...(isFifo(queueUrl) ? { MessageDeduplicationId: tokenOf(id) } : {}),
    ...(sizeBytes > SQS.messageBytes
      ? {}
      : { MessageAttributes: { [REASON.name]: { DataType: REASON.type, StringValue: why } } }),
  }
}

/** No reason is worth losing its message for: of what is no JSON only the type is told. */
const json = (reason: unknown): string => {
  try {
    return JSON.stringify(reason) ?? 'none'
  } catch {
    return `${typeof reason} that is no JSON`
  }
}

/** In plain ASCII, which every queue takes, and of which each character is a byte. */
const printed = (reason: unknown): string => {
  const text = reason instanceof Error ? `${reason.name}: ${reason.message}` : json(reason)
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, REASON.mostBytes)
}
