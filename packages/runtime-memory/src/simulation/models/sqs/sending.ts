/**
 * Sending to a queue.
 *
 * On a FIFO queue a deduplication id is known for five minutes from its first sending, whatever becomes of the message.
 * Source: AWS SDK, SendMessageRequest (2026-11); SQS Developer Guide, "Exactly-once processing in Amazon SQS" (2026-11).
 */
import { E } from '@everfold/core'
import { SQS } from '../../limits.ts'
import type { Stepped } from '../model.ts'
import { contentId, digestOfAttributes, digestOfBody, sizeOfAttributes } from './digest.ts'
import { invalid, type Letter, missing, type Refusal, refused, type Sent } from './messages.ts'
import { isFifo, type Kept, type Queue, type SqsState, secondsOf, settingsOf, withQueue } from './queue.ts'

export const send = (
  state: SqsState,
  queue: Queue,
  letter: Letter,
  nowMs: number,
): Stepped<SqsState, E.Either<Refusal, Sent>> => {
  const refusal = refusalOf(queue, letter)
  if (refusal !== undefined) return { state, answer: E.left(refusal) }
  const digests = digestsOf(letter)
  const id = isFifo(queue) ? deduplicationOf(queue, letter) : undefined
  const before = id === undefined ? undefined : queue.sendings.get(scoped(queue, letter, id))
  if (before !== undefined) {
    const { messageId, sequenceNumber } = before
    return { state, answer: E.right({ messageId, sequenceNumber, ...digests }) }
  }
  const made = state.made + 1
  const messageId = messageIdOf(made)
  const sequenceNumber = sequenceNumberOf(made)
  const order = id === undefined ? {} : { order: { deduplicationId: id, sequenceNumber } }
  const kept: Kept = {
    messageId,
    body: letter.body,
    md5OfBody: digests.md5OfBody,
    attributes: letter.attributes ?? {},
    sentMs: nowMs,
    visibleMs: nowMs + (letter.delaySeconds ?? secondsOf(queue, 'DelaySeconds')) * 1000,
    receives: 0,
    ...(letter.group === undefined ? {} : { group: letter.group }),
    ...order,
  }
  const sendings =
    id === undefined
      ? queue.sendings
      : new Map(queue.sendings).set(scoped(queue, letter, id), { sentMs: nowMs, messageId, sequenceNumber })
  return {
    state: withQueue({ ...state, made }, { ...queue, messages: [...queue.messages, kept], sendings }),
    answer: E.right({ messageId, ...digests, ...(id === undefined ? {} : { sequenceNumber }) }),
  }
}

/** What a message counts towards every limit of size. */
export const sizeOf = ({ body, attributes = {} }: Letter): number =>
  Buffer.byteLength(body) + sizeOfAttributes(attributes)

const messageIdOf = (made: number): string => `00000000-0000-4000-8000-${made.toString(16).padStart(12, '0')}`

/** Twenty digits that grow, not by one. */
export const sequenceNumberOf = (made: number): string =>
  String(18_849_496_460_467_696_128n + BigInt(made) * 256n)

const digestsOf = ({ body, attributes = {} }: Letter) => {
  const md5OfAttributes = digestOfAttributes(attributes)
  return { md5OfBody: digestOfBody(body), ...(md5OfAttributes === undefined ? {} : { md5OfAttributes }) }
}

const deduplicationOf = (queue: Queue, { body, deduplicationId }: Letter): string | undefined =>
  deduplicationId ?? (settingsOf(queue)['ContentBasedDeduplication'] === 'true' ? contentId(body) : undefined)

/** An id is the queue's, or its group's where throughput is high. */
const scoped = (queue: Queue, { group = '' }: Letter, id: string): string =>
  settingsOf(queue)['DeduplicationScope'] === 'messageGroup' ? `${group} ${id}` : id

const BODY = /^[\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]*$/u
const TOKEN = new RegExp(`^[\\x21-\\x7e]{1,${SQS.tokenLength}}$`)

const refusalOf = (queue: Queue, letter: Letter): Refusal | undefined => {
  const { body, attributes = {}, delaySeconds = 0, group } = letter
  const mostBytes = secondsOf(queue, 'MaximumMessageSize')
  if (body === '') return missing('MessageBody')
  if (!BODY.test(body))
    return refused('InvalidMessageContents', 'Invalid binary character was found in the message body.')
  if (sizeOf(letter) > mostBytes)
    return refused(
      'InvalidParameterValue',
      `One or more parameters are invalid. Reason: Message must be shorter than ${mostBytes} bytes.`,
    )
  if (Object.keys(attributes).length > SQS.attributes)
    return refused('InvalidParameterValue', `Number of message attributes exceeds ${SQS.attributes}.`)
  if (!(delaySeconds >= 0 && delaySeconds <= SQS.delaySeconds))
    return invalid('DelaySeconds', delaySeconds, `DelaySeconds must be >= 0 and <= ${SQS.delaySeconds}.`)
  if (group !== undefined && !TOKEN.test(group)) return invalid('MessageGroupId', group, TOKENS)
  return isFifo(queue) ? refusalOfFifo(queue, letter) : refusalOfStandard(letter)
}

const TOKENS = `At most ${SQS.tokenLength} alphanumeric or punctuation characters.`
const NOT_HERE = 'The request include parameter that is not valid for this queue type.'

const refusalOfFifo = (queue: Queue, letter: Letter): Refusal | undefined => {
  const { delaySeconds = 0, deduplicationId, group } = letter
  if (group === undefined) return missing('MessageGroupId')
  if (delaySeconds > 0) return invalid('DelaySeconds', delaySeconds, NOT_HERE)
  if (deduplicationOf(queue, letter) === undefined)
    return refused(
      'InvalidParameterValue',
      'The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly',
    )
  return deduplicationId === undefined || TOKEN.test(deduplicationId)
    ? undefined
    : invalid('MessageDeduplicationId', deduplicationId, TOKENS)
}

const refusalOfStandard = ({ deduplicationId }: Letter): Refusal | undefined =>
  deduplicationId === undefined ? undefined : invalid('MessageDeduplicationId', deduplicationId, NOT_HERE)
