/**
 * Receiving from a queue.
 *
 * A FIFO queue gives as many of one group as it can, oldest first, and nothing of a group of which something is in
 * flight. A standard queue gives in about the order of sending, and may give again what is in flight. What was received
 * as often as the queue's redrive policy allows moves to the dead-letter queue when it would be received once more.
 *
 * Source: AWS SDK, ReceiveMessageRequest; SQS Developer Guide, "FIFO queue delivery logic", "Using dead-letter queues"
 * and "Dead-letter queue redrive" (2026-11).
 */
import { SQS } from '../../limits.ts'
import type { At, Stepped } from '../model.ts'
import { digestOfAttributes } from './digest.ts'
import { invalid, type Receive, type Received, type SqsAnswer } from './messages.ts'
import {
  arnOf,
  isDelayed,
  isFifo,
  isInFlight,
  type Kept,
  type Queue,
  redriveOf,
  type SqsState,
  secondsOf,
  withQueue,
} from './queue.ts'
import { sequenceNumberOf } from './sending.ts'

export const receive = (
  state: SqsState,
  queue: Queue,
  request: Receive,
  at: At,
): Stepped<SqsState, SqsAnswer> => {
  const { limit = 1, visibilitySeconds: seconds = secondsOf(queue, 'VisibilityTimeout') } = request
  if (!(limit >= 1 && limit <= SQS.batchEntries))
    return refusedFor(state, 'MaxNumberOfMessages', limit, SQS.batchEntries)
  if (!(seconds >= 0 && seconds <= SQS.longestVisibilitySeconds))
    return refusedFor(state, 'VisibilityTimeout', seconds, SQS.longestVisibilitySeconds)
  const { waitSeconds = 0 } = request
  if (!(waitSeconds >= 0 && waitSeconds <= SQS.waitSeconds))
    return refusedFor(state, 'WaitTimeSeconds', waitSeconds, SQS.waitSeconds)
  const visibleMs = at.nowMs + seconds * 1000
  const again = repeated(queue, request, at.nowMs)
  if (again !== undefined) return hidden(state, queue, again, visibleMs)
  if (at.deviation === 'empty') return { state, answer: { _tag: 'Received', messages: [] } }
  const redriven = redrive(state, queue, at.nowMs)
  const left = redriven.queues.get(queue.name) ?? queue
  return give(redriven, left, { ...request, limit, visibleMs }, at)
}

const refusedFor = (
  state: SqsState,
  parameter: string,
  value: number,
  most: number,
): Stepped<SqsState, SqsAnswer> => ({
  state,
  answer: { _tag: 'Refused', ...invalid(parameter, value, `Must be between 0 and ${most}, if provided.`) },
})

// Repeating

/** The messages of the same attempt, unless one of them was deleted, released or given to another since. */
const repeated = (
  queue: Queue,
  { attemptId = '' }: Receive,
  nowMs: number,
): ReadonlyArray<Kept> | undefined => {
  const attempt = queue.attempts.get(attemptId)
  if (attempt === undefined) return undefined
  const kept = queue.messages.filter(
    (one) => isInFlight(one, nowMs) && attempt.receipts.includes(one.receipt ?? ''),
  )
  return kept.length === attempt.receipts.length ? kept : undefined
}

const hidden = (
  state: SqsState,
  queue: Queue,
  again: ReadonlyArray<Kept>,
  visibleMs: number,
): Stepped<SqsState, SqsAnswer> => {
  const messages = queue.messages.map((one) => (again.includes(one) ? { ...one, visibleMs } : one))
  return {
    state: withQueue(state, { ...queue, messages }),
    answer: { _tag: 'Received', messages: again.map(receivedOf) },
  }
}

// Giving

interface Giving extends Receive {
  readonly limit: number
  readonly visibleMs: number
}

const give = (
  state: SqsState,
  queue: Queue,
  { limit, visibleMs, attemptId }: Giving,
  at: At,
): Stepped<SqsState, SqsAnswer> => {
  const chosen = chosenOf(queue, limit, at)
  const given = new Map(
    chosen.map((one): [Kept, Kept] => [
      one,
      {
        ...one,
        visibleMs,
        receives: one.receives + 1,
        receipt: receiptOf(one),
        firstReceivedMs: one.firstReceivedMs ?? at.nowMs,
      },
    ]),
  )
  const all = [...given.values()]
  const receipts = all.map(({ receipt = '' }) => receipt)
  const attempts =
    attemptId === undefined || !isFifo(queue) || all.length === 0
      ? queue.attempts
      : new Map(queue.attempts).set(attemptId, { startedMs: at.nowMs, receipts })
  const messages = queue.messages.map((one) => given.get(one) ?? one)
  const came = at.deviation === 'lost' ? withoutFirst(all, isFifo(queue)) : all
  return {
    state: all.length === 0 ? state : withQueue(state, { ...queue, messages, attempts }),
    answer: { _tag: 'Received', messages: came.map(receivedOf) },
  }
}

/** Each receive has its own, which tells the message and how often it was received. */
const receiptOf = ({ messageId, receives }: Kept): string => `AQEB/${messageId}/${receives + 1}`

const chosenOf = (queue: Queue, limit: number, { nowMs, deviation }: At): ReadonlyArray<Kept> => {
  const free = freeIn(queue, nowMs)
  switch (deviation) {
    case 'short':
      return free.slice(0, Math.ceil(Math.min(limit, free.length) / 2))
    case 'out of order':
      return isFifo(queue) ? free.slice(0, limit) : free.toReversed().slice(0, limit)
    case 'duplicate': {
      const twice = isFifo(queue) ? [] : queue.messages.filter((one) => isInFlight(one, nowMs)).slice(0, 1)
      return [...twice, ...free].slice(0, limit)
    }
    default:
      return free.slice(0, limit)
  }
}

/** On a FIFO queue what follows a lost message in its group is lost with it, or it would come before it. */
const withoutFirst = (given: ReadonlyArray<Kept>, fifo: boolean): ReadonlyArray<Kept> =>
  given.filter(({ group }, place) => place > 0 && !(fifo && group === given[0]?.group))

/** What can be received now, in the order of its receiving. */
const freeIn = (queue: Queue, nowMs: number): ReadonlyArray<Kept> => {
  const isHidden = (one: Kept) => isInFlight(one, nowMs) || isDelayed(one, nowMs)
  if (!isFifo(queue)) return queue.messages.filter((one) => !isHidden(one))
  const locked = new Set(queue.messages.filter((one) => isInFlight(one, nowMs)).map(({ group }) => group))
  const groups = Map.groupBy(queue.messages, ({ group }) => group)
  return [...groups].flatMap(([group, messages]) => {
    if (locked.has(group)) return []
    const until = messages.findIndex(isHidden)
    return until === -1 ? messages : messages.slice(0, until)
  })
}

const receivedOf = (kept: Kept): Received => {
  const md5OfMessageAttributes = digestOfAttributes(kept.attributes)
  return {
    messageId: kept.messageId,
    receiptHandle: kept.receipt ?? '',
    body: kept.body,
    md5OfBody: kept.md5OfBody,
    attributes: systemAttributes(kept),
    messageAttributes: kept.attributes,
    ...(md5OfMessageAttributes === undefined ? {} : { md5OfMessageAttributes }),
  }
}

const SENDER = 'AIDASIMULATEDSENDER00'

const systemAttributes = (kept: Kept): Readonly<Record<string, string>> => ({
  SenderId: SENDER,
  SentTimestamp: String(kept.sentMs),
  ApproximateReceiveCount: String(kept.receives),
  ApproximateFirstReceiveTimestamp: String(kept.firstReceivedMs ?? kept.sentMs),
  ...(kept.group === undefined ? {} : { MessageGroupId: kept.group }),
  ...(kept.order === undefined
    ? {}
    : {
        MessageDeduplicationId: kept.order.deduplicationId,
        SequenceNumber: kept.order.sequenceNumber,
      }),
  ...(kept.sourceArn === undefined ? {} : { DeadLetterQueueSourceArn: kept.sourceArn }),
})

// Redriving

/** Moves what was received too often and could be received now; where the target does not exist, nothing. */
const redrive = (state: SqsState, queue: Queue, nowMs: number): SqsState => {
  const policy = redriveOf(queue)
  if (policy === undefined) return state
  const target = [...state.queues.values()].find(({ name }) => arnOf(name) === policy.deadLetterTargetArn)
  const spent = freeIn(queue, nowMs).filter(({ receives }) => receives >= policy.maxReceiveCount)
  if (target === undefined || spent.length === 0) return state
  const moved = spent.map((one, place) => movedOf(one, queue, nowMs, state.made + 1 + place))
  const left = queue.messages.filter((one) => !spent.includes(one))
  const made = state.made + moved.length
  const without = withQueue({ ...state, made }, { ...queue, messages: left })
  return withQueue(without, { ...target, messages: [...target.messages, ...moved] })
}

/**
 * Its age goes on where the queue is standard, and begins anew where it is FIFO, where the message's id takes the place
 * of the one it was deduplicated by.
 */
const movedOf = (kept: Kept, from: Queue, nowMs: number, made: number): Kept => {
  const { receipt: _, ...rest } = kept
  const moved = { ...rest, visibleMs: nowMs, sourceArn: arnOf(from.name) }
  if (kept.order === undefined) return moved
  const order = { deduplicationId: kept.messageId, sequenceNumber: sequenceNumberOf(made) }
  return { ...moved, sentMs: nowMs, order }
}
