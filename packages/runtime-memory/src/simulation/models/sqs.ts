/**
 * SQS: standard and FIFO queues, as many as were made, in one state.
 *
 * Not modelled: purging and deleting queues, moving tasks, permissions, encryption, the bound on messages in flight,
 * and the minute that a changed attribute may take.
 */
import { E } from '@everfold/core'
import { SQS } from '../limits.ts'
import type { At, Model, Stepped } from './model.ts'
import { attributesOf, change, create, sourcesOf } from './sqs/administration.ts'
import { batched, batchOffers } from './sqs/batches.ts'
import {
  type Entry,
  type Letter,
  type Refusal,
  refused,
  type SqsAnswer,
  type SqsRequest,
} from './sqs/messages.ts'
import { aged, isFifo, type Queue, type SqsState, secondsOf, urlOf, withQueue } from './sqs/queue.ts'
import { receive } from './sqs/receiving.ts'
import { send, sizeOf } from './sqs/sending.ts'
import { changeVisibility, remove, type Settled } from './sqs/settling.ts'

export { sqsEvent } from './sqs/lambda-event.ts'
export type * from './sqs/messages.ts'
export type { MessageAttributes, SqsState } from './sqs/queue.ts'
export { arnOf, urlOf } from './sqs/queue.ts'

const initial: SqsState = { queues: new Map(), made: 0 }

const step = (state: SqsState, request: SqsRequest, at: At): Stepped<SqsState, SqsAnswer> => {
  if (request._tag === 'CreateQueue') return create(state, request.queue, request.attributes ?? {}, at.nowMs)
  const found = state.queues.get(request.queue)
  if (found === undefined) return refuse(state, NO_QUEUE)
  const queue = aged(found, at.nowMs)
  return stepIn(withQueue(state, queue), queue, request, at)
}

const NO_QUEUE = refused('QueueDoesNotExist', 'The specified queue does not exist.')

const refuse = (state: SqsState, refusal: Refusal): Stepped<SqsState, SqsAnswer> => ({
  state,
  answer: { _tag: 'Refused', ...refusal },
})

type Inside = Exclude<SqsRequest, { readonly _tag: 'CreateQueue' }>

const stepIn = (state: SqsState, queue: Queue, request: Inside, at: At): Stepped<SqsState, SqsAnswer> => {
  const { nowMs, deviation } = at
  switch (request._tag) {
    case 'GetQueueUrl':
      return { state, answer: { _tag: 'Queue', url: urlOf(queue.name) } }
    case 'GetQueueAttributes':
      return { state, answer: { _tag: 'Attributes', attributes: attributesOf(queue, nowMs) } }
    case 'SetQueueAttributes':
      return change(state, queue, request.attributes, nowMs)
    case 'ListDeadLetterSources':
      return { state, answer: { _tag: 'Queues', urls: sourcesOf(state, queue) } }
    case 'Send': {
      const sent = send(state, queue, request.letter, nowMs)
      if (E.isLeft(sent.answer)) return refuse(state, sent.answer.left)
      return { state: sent.state, answer: { _tag: 'Sent', ...sent.answer.right } }
    }
    case 'SendBatch':
      return sendBatch(state, queue, request.entries, at)
    case 'Receive':
      return receive(state, queue, request, at)
    case 'Delete':
      return settled(state, remove(queue, request.receipt, nowMs, deviation))
    case 'DeleteBatch':
      return batched(state, request.entries, at, (now, { receipt }, first) =>
        entrySettled(now, remove(current(now, queue), receipt, nowMs, first ? deviation : undefined)),
      )
    case 'ChangeVisibility':
      return settled(state, changeVisibility(queue, request, nowMs))
    case 'ChangeVisibilityBatch':
      return batched(state, request.entries, at, (now, entry) =>
        entrySettled(now, changeVisibility(current(now, queue), entry, nowMs)),
      )
  }
}

const current = (state: SqsState, { name }: Queue): Queue => state.queues.get(name) as Queue

const sendBatch = (
  state: SqsState,
  queue: Queue,
  entries: ReadonlyArray<Entry<Letter>>,
  at: At,
): Stepped<SqsState, SqsAnswer> => {
  if (entries.reduce((sum, letter) => sum + sizeOf(letter), 0) > SQS.messageBytes)
    return refuse(
      state,
      refused('BatchRequestTooLong', `Batch requests cannot be longer than ${SQS.messageBytes} bytes.`),
    )
  return batched(state, entries, at, (now, letter) => send(now, current(now, queue), letter, at.nowMs))
}

const settled = (state: SqsState, outcome: Settled): Stepped<SqsState, SqsAnswer> =>
  'refusal' in outcome
    ? refuse(state, outcome.refusal)
    : { state: withQueue(state, outcome.queue), answer: { _tag: 'Done' } }

const entrySettled = (state: SqsState, outcome: Settled): Stepped<SqsState, E.Either<Refusal, object>> =>
  'refusal' in outcome
    ? { state, answer: E.left(outcome.refusal) }
    : { state: withQueue(state, outcome.queue), answer: E.right({}) }

/** A deviation that finds nothing to act on when its time comes is the benign. */
const offers = (state: SqsState, request: SqsRequest): ReadonlyArray<string> => {
  const queue = state.queues.get(request.queue)
  if (queue === undefined) return []
  const undone = isFifo(queue) ? [] : ['undone']
  switch (request._tag) {
    case 'Receive':
      return receiveOffers(queue, request.limit ?? 1, waitMs(state, request) === 0)
    case 'SendBatch':
    case 'ChangeVisibilityBatch':
      return batchOffers(request.entries.length)
    case 'DeleteBatch':
      return [...batchOffers(request.entries.length), ...undone]
    case 'Delete':
      return undone
    default:
      return []
  }
}

const receiveOffers = (queue: Queue, limit: number, shortPoll: boolean): ReadonlyArray<string> => {
  const { messages } = queue
  if (messages.length === 0) return []
  const several = messages.length > 1
  return [
    'lost',
    ...(!isFifo(queue) && messages.some(({ receipt }) => receipt !== undefined) ? ['duplicate'] : []),
    ...(!isFifo(queue) && several ? ['out of order'] : []),
    ...(several && limit > 1 ? ['short'] : []),
    ...(shortPoll ? ['empty'] : []),
  ]
}

/** How long a request waits while it finds nothing: it is to be asked again until then, since an empty answer changes nothing. */
export const waitMs = (state: SqsState, request: SqsRequest): number => {
  const queue = state.queues.get(request.queue)
  if (queue === undefined || request._tag !== 'Receive') return 0
  return (request.waitSeconds ?? secondsOf(queue, 'ReceiveMessageWaitTimeSeconds')) * 1000
}

export const sqsModel: Model<SqsState, SqsRequest, SqsAnswer> = { initial, offers, step }
