/**
 * The event source mapping of an SQS queue: receives messages, hands them out in batches, and deletes what was done.
 *
 * It answers what to receive, whom to invoke and what to delete; the queue is another model, and whatever is not deleted
 * comes again from it once it is visible. Law: a message is deleted only if its batch's answer says that it was done, or
 * if the filter does not mean it. Of a FIFO queue no two batches hold messages of one group at once, unless their
 * visibility ended.
 *
 * Source: Lambda Developer Guide, "Using Lambda with Amazon SQS" and its pages on parameters and on error handling (2026-11).
 */
import { QUEUE_MAPPING } from '../limits.ts'
import { reported } from './event-source-mapping/batch-item-failures.ts'
import type { InvocationOutcome } from './event-source-mapping/index.ts'
import type { At } from './model.ts'
import { offersOf } from './offers.ts'
import {
  type MessageReading,
  nextBatch,
  type QueueInvocation,
  type QueueMappingSettings,
  type QueueMappingState,
  readyAtMs,
  type Settled,
} from './queue-mapping-batch.ts'

export type { MessageReading, QueueInvocation, QueueMappingSettings, QueueMappingState }

/** What a step did. The receipts are for the queue. */
export interface QueueMappingStep<Message> {
  readonly state: QueueMappingState<Message>
  readonly invocations: ReadonlyArray<QueueInvocation<Message>>
  readonly deletes: ReadonlyArray<string>
  /** Visible again at once. */
  readonly releases: ReadonlyArray<string>
  /** Left alone: they come again when their visibility timeout ends. */
  readonly left: ReadonlyArray<string>
  /** When something will be due though nothing else happens. */
  readonly wakeMs?: number
}

export interface QueueMapping<Message> {
  readonly initial: QueueMappingState<Message>
  /** How many messages to ask the queue for now; 0 while enough are in hand. */
  wanted(this: void, state: QueueMappingState<Message>): number
  received(
    this: void,
    state: QueueMappingState<Message>,
    messages: ReadonlyArray<Message>,
    nowMs: number,
  ): QueueMappingStep<Message>
  /** The deviations that `next` takes now. */
  offers(this: void, state: QueueMappingState<Message>, nowMs: number): ReadonlyArray<string>
  next(this: void, state: QueueMappingState<Message>, at: At): QueueMappingStep<Message>
  /** The deviations that `answered` takes for this outcome. */
  answerOffers(this: void, outcome: InvocationOutcome): ReadonlyArray<string>
  /** An answer to an invocation that is not running changes nothing. */
  answered(
    this: void,
    state: QueueMappingState<Message>,
    answer: { readonly invocation: string; readonly outcome: InvocationOutcome },
    at: At,
  ): QueueMappingStep<Message>
}

export const queueMapping = <Message>(told: QueueMappingSettings<Message>): QueueMapping<Message> => {
  const settings: Settled<Message> = {
    batchSize: QUEUE_MAPPING.batchSize,
    maximumBatchingWindowMs: 0,
    maximumConcurrency: QUEUE_MAPPING.initialConcurrency,
    reportBatchItemFailures: false,
    filter: () => true,
    sizeOf: () => 0,
    ...told,
  }
  return {
    initial: { waiting: [], running: [], invocations: 0 },
    wanted: (state) => wanted(settings, state),
    received: (state, messages, nowMs) => received(settings, state, messages, nowMs),
    offers: (state, nowMs) => {
      const batch = nextBatch(settings, state, nowMs)
      return offersOf([
        ...(batch.length > 1 ? ['batch of 1'] : []),
        ...(state.running.some(({ visible }) => !visible) ? ['visibility expired'] : []),
      ])
    },
    next: (state, at) => next(settings, state, at),
    answerOffers: ({ _tag }) => (_tag === 'Returned' ? DELETE_LOST : NONE),
    answered: (state, answer, at) => answered(settings, state, answer, at),
  }
}

const NONE = offersOf([])
const DELETE_LOST = offersOf(['delete lost'])
const nothing = { invocations: [], deletes: [], releases: [], left: [] } as const

const wanted = <Message>(
  { batchSize, maximumConcurrency }: Settled<Message>,
  { running, waiting }: QueueMappingState<Message>,
): number => {
  const room = (maximumConcurrency - running.length) * batchSize - waiting.length
  return Math.max(0, Math.min(QUEUE_MAPPING.receive, room))
}

const received = <Message>(
  { filter, receipt }: Settled<Message>,
  state: QueueMappingState<Message>,
  messages: ReadonlyArray<Message>,
  nowMs: number,
): QueueMappingStep<Message> => {
  const { meant = [], other = [] } = Object.groupBy(messages, (message) =>
    filter(message) ? 'meant' : 'other',
  )
  const waiting = [...state.waiting, ...meant.map((message) => ({ message, receivedMs: nowMs }))]
  return { ...nothing, state: { ...state, waiting }, deletes: other.map(receipt) }
}

const next = <Message>(
  settings: Settled<Message>,
  state: QueueMappingState<Message>,
  { nowMs, deviation }: At,
): QueueMappingStep<Message> => {
  const expiring =
    deviation === 'visibility expired' ? state.running.find(({ visible }) => !visible) : undefined
  const running = state.running.map((batch) => (batch === expiring ? { ...batch, visible: true } : batch))
  let after: QueueMappingState<Message> = { ...state, running }
  const invocations: Array<QueueInvocation<Message>> = []
  let limit = deviation === 'batch of 1' ? 1 : settings.batchSize
  for (;;) {
    const messages = nextBatch(settings, after, nowMs).slice(0, limit)
    if (messages.length === 0) break
    const invocation = { id: `batch ${after.invocations + 1}`, messages }
    invocations.push(invocation)
    after = {
      waiting: after.waiting.filter(({ message }) => !messages.includes(message)),
      running: [...after.running, { ...invocation, visible: false }],
      invocations: after.invocations + 1,
    }
    limit = settings.batchSize
  }
  const releases = expiring?.messages.map(settings.receipt) ?? []
  return { ...nothing, state: after, invocations, releases, ...wakeAt(settings, after, nowMs) }
}

const wakeAt = <Message>(
  settings: Settled<Message>,
  state: QueueMappingState<Message>,
  nowMs: number,
): { readonly wakeMs?: number } => {
  const readyMs = readyAtMs(settings, state)
  return readyMs === undefined || readyMs <= nowMs ? {} : { wakeMs: readyMs }
}

const answered = <Message>(
  settings: Settled<Message>,
  state: QueueMappingState<Message>,
  { invocation, outcome }: { readonly invocation: string; readonly outcome: InvocationOutcome },
  { nowMs, deviation }: At,
): QueueMappingStep<Message> => {
  const batch = state.running.find(({ id }) => id === invocation)
  if (batch === undefined) return { ...nothing, state }
  const after = { ...state, running: state.running.filter((other) => other !== batch) }
  const done = deviation === 'delete lost' ? [] : doneOf(settings, batch.messages, outcome)
  const left = batch.messages.filter((message) => !done.includes(message))
  return {
    ...nothing,
    state: after,
    deletes: done.map(settings.receipt),
    left: left.map(settings.receipt),
    ...wakeAt(settings, after, nowMs),
  }
}

/**
 * What the outcome says was done: all that it does not name, even behind one that failed in its group. It is the function
 * of a FIFO queue that has to name those, too.
 */
const doneOf = <Message>(
  { id, reportBatchItemFailures }: Settled<Message>,
  messages: ReadonlyArray<Message>,
  outcome: InvocationOutcome,
): ReadonlyArray<Message> => {
  if (outcome._tag !== 'Returned') return []
  if (!reportBatchItemFailures) return messages
  const failures = reported(outcome.value, new Set(messages.map(id)))
  switch (failures._tag) {
    case 'AllFailed':
      return []
    case 'AllSucceeded':
      return messages
    case 'SomeFailed':
      return messages.filter((message) => !failures.identifiers.has(id(message)))
  }
}

/** SQS's messages, as its model and its SDK give them. */
export const sqsMessages: MessageReading<{
  readonly messageId: string
  readonly receiptHandle: string
  readonly attributes: Readonly<Record<string, string>>
}> = {
  id: ({ messageId }) => messageId,
  receipt: ({ receiptHandle }) => receiptHandle,
  group: ({ attributes }) => attributes['MessageGroupId'],
}
