/**
 * Deliveries: each is due at a time, is tried until its target has taken it or the retry policy ends, and is then among
 * the dead letters, or dropped.
 *
 * Source: EventBridge User Guide, "How EventBridge retries delivering events" and "Using dead-letter queues" (2026-11).
 */
import { EVENTBRIDGE } from '../../limits.ts'
import type { At } from '../model.ts'
import type { Delivery, EventBridgeState, Undelivered } from './bus.ts'

/** What may be handed to its target now, in no order that means anything. */
export const due = ({ deliveries }: EventBridgeState, nowMs: number): ReadonlyArray<Delivery> =>
  [...deliveries.values()].filter(({ dueMs, underWay }) => !underWay && dueMs <= nowMs)

/** When the next delivery is due; undefined where none waits. */
export const nextDueMs = ({ deliveries }: EventBridgeState): number | undefined => {
  const waiting = [...deliveries.values()].filter(({ underWay }) => !underWay)
  return waiting.length === 0 ? undefined : Math.min(...waiting.map(({ dueMs }) => dueMs))
}

export type DeliveryAnswer =
  /** The target is to be given this event now, and what it says to be told. */
  | { readonly _tag: 'Delivering'; readonly delivery: Delivery }
  | { readonly _tag: 'Waiting'; readonly dueMs: number }
  | { readonly _tag: 'Undelivered'; readonly undelivered: Undelivered }
  | { readonly _tag: 'Taken' }
  /** There is no such delivery, or it is under way. */
  | { readonly _tag: 'Nothing' }

export interface Delivered {
  readonly state: EventBridgeState
  readonly answer: DeliveryAnswer
}

const LATE: ReadonlyMap<string, number> = new Map([
  ['late by 60s', 60_000],
  ['late by 1h', 3_600_000],
])

/** What may become of a delivery that is due. Each is late once at most, and a copy has no copies. */
export const deliveryOffers = (state: EventBridgeState, id: string): ReadonlyArray<string> => {
  const delivery = state.deliveries.get(id)
  if (delivery === undefined || delivery.underWay) return []
  const { target, isLate = false, isCopy = false, acceptedMs, dueMs } = delivery
  const { retryMs = EVENTBRIDGE.retryMs, deadLetters } = target
  const late = isLate ? [] : [...LATE].filter(([, ms]) => dueMs + ms - acceptedMs < retryMs)
  return [
    ...(isCopy ? [] : ['delivered twice']),
    ...late.map(([word]) => word),
    ...(deadLetters === undefined ? [] : ['straight to the dead letters']),
  ]
}

/** Hands a delivery to its target. */
export const deliver = (state: EventBridgeState, id: string, { nowMs, deviation = '' }: At): Delivered => {
  const delivery = state.deliveries.get(id)
  if (delivery === undefined || delivery.underWay) return { state, answer: { _tag: 'Nothing' } }
  if (!deliveryOffers(state, id).includes(deviation)) return handOver(state, delivery)
  const lateMs = LATE.get(deviation)
  if (lateMs !== undefined) {
    const dueMs = delivery.dueMs + lateMs
    return {
      state: withDelivery(state, { ...delivery, dueMs, isLate: true }),
      answer: { _tag: 'Waiting', dueMs },
    }
  }
  if (deviation === 'straight to the dead letters')
    return giveUp(state, { delivery, atMs: nowMs, error: FORBIDDEN })
  const copy = { ...delivery, id: `${id} again`, attempt: 1, isCopy: true }
  return handOver(withDelivery(state, copy), delivery)
}

const FORBIDDEN = {
  code: 'NO_PERMISSIONS',
  message: 'The target does not permit to be invoked by this rule.',
}

const handOver = (state: EventBridgeState, delivery: Delivery): Delivered => {
  const delivering = { ...delivery, underWay: true }
  return { state: withDelivery(state, delivering), answer: { _tag: 'Delivering', delivery: delivering } }
}

/** The target has taken it. */
export const delivered = (state: EventBridgeState, id: string): Delivered =>
  state.deliveries.get(id)?.underWay === true
    ? { state: without(state, id), answer: { _tag: 'Taken' } }
    : { state, answer: { _tag: 'Nothing' } }

export interface Failure {
  /** Without it the event is not tried again: the target is gone, or does not permit it. */
  readonly retriable: boolean
  readonly code?: string
  readonly message?: string
}

/** The target has not taken it, or nobody knows. */
export const failed = (state: EventBridgeState, id: string, failure: Failure, nowMs: number): Delivered => {
  const delivery = state.deliveries.get(id)
  if (delivery?.underWay !== true) return { state, answer: { _tag: 'Nothing' } }
  const { target, attempt, acceptedMs } = delivery
  const { retries = EVENTBRIDGE.retries, retryMs = EVENTBRIDGE.retryMs } = target
  const { code = 'ERROR_FROM_TARGET', message = 'The target did not take the event.' } = failure
  const end = { delivery, atMs: nowMs, error: { code, message } }
  if (!failure.retriable) return giveUp(state, end)
  if (attempt > retries) return giveUp(state, { ...end, exhausted: 'MaximumRetryAttempts' })
  const dueMs = nowMs + waitMs(attempt)
  if (dueMs - acceptedMs > retryMs) return giveUp(state, { ...end, exhausted: 'MaximumEventAgeInSeconds' })
  const again = { ...delivery, attempt: attempt + 1, dueMs, underWay: false }
  return { state: withDelivery(state, again), answer: { _tag: 'Waiting', dueMs } }
}

const waitMs = (attempt: number): number =>
  Math.min(EVENTBRIDGE.firstRetryMs * 2 ** (attempt - 1), EVENTBRIDGE.longestRetryMs)

const giveUp = (state: EventBridgeState, end: Omit<Undelivered, 'queue'>): Delivered => {
  const { id, target } = end.delivery
  const undelivered = target.deadLetters === undefined ? end : { ...end, queue: target.deadLetters }
  return {
    state: { ...without(state, id), undelivered: [...state.undelivered, undelivered] },
    answer: { _tag: 'Undelivered', undelivered },
  }
}

const withDelivery = (state: EventBridgeState, delivery: Delivery): EventBridgeState => ({
  ...state,
  deliveries: new Map(state.deliveries).set(delivery.id, delivery),
})

const without = (state: EventBridgeState, id: string): EventBridgeState => {
  const deliveries = new Map(state.deliveries)
  deliveries.delete(id)
  return { ...state, deliveries }
}

/** The message that a dead-letter queue gets: the event, and why it is there in the attributes. */
export interface DeadLetter {
  readonly body: string
  readonly attributes: Readonly<Record<string, string>>
}

export const deadLetter = (
  { account, region }: EventBridgeState,
  { delivery, error, exhausted }: Undelivered,
): DeadLetter => {
  const { bus, rule, target, event, attempt } = delivery
  const path = bus === 'default' ? rule : `${bus}/${rule}`
  return {
    body: JSON.stringify(event),
    attributes: {
      RULE_ARN: `arn:aws:events:${region}:${account}:rule/${path}`,
      TARGET_ARN: target.arn,
      ERROR_CODE: error.code,
      ERROR_MESSAGE: error.message,
      ...(exhausted === undefined ? {} : { EXHAUSTED_RETRY_CONDITION: exhausted }),
      RETRY_ATTEMPTS: String(attempt - 1),
    },
  }
}
