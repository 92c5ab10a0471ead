/**
 * EventBridge: what is put on buses, and how it reaches the targets of their rules.
 *
 * The driver asks `due` and `nextDueMs`, has each delivery that is due made by `Deliver`, gives the event to the target,
 * and tells by `Delivered` or `Failed` what came of it: a target that never answers has failed.
 *
 * Deviations. `entry 2 failed`, `entry 2 throttled`: the second entry of a put is not accepted. `delivered twice`: the
 * event comes again. `late by 60s`, `late by 1h`: so that others overtake it. `straight to the dead letters`: the target
 * does not permit it. `archive late by 10m`: a replay misses what was put in the last ten minutes.
 */
import type { Answer } from '../answer.ts'
import type { At, Model, Stepped } from '../model.ts'
import { type EventBridgeState, eventBridgeWith } from './bus.ts'
import { type DeliveryAnswer, deliver, delivered, deliveryOffers, type Failure, failed } from './delivery.ts'
import { type EntryFault, type PutEventsEntry, putEvents } from './put-events.ts'
import { type Replay, replay } from './replay.ts'

export type EventBridgeRequest =
  | { readonly _tag: 'PutEvents'; readonly entries: ReadonlyArray<PutEventsEntry> }
  | { readonly _tag: 'Deliver'; readonly delivery: string }
  | { readonly _tag: 'Delivered'; readonly delivery: string }
  | ({ readonly _tag: 'Failed'; readonly delivery: string } & Failure)
  | ({ readonly _tag: 'Replay' } & Replay)

export type EventBridgeAnswer = Answer<unknown> | DeliveryAnswer

const step = (
  state: EventBridgeState,
  request: EventBridgeRequest,
  at: At,
): Stepped<EventBridgeState, EventBridgeAnswer> => {
  switch (request._tag) {
    case 'PutEvents':
      return putEvents(state, request.entries, at.nowMs, faultOf(at.deviation))
    case 'Deliver':
      return deliver(state, request.delivery, at)
    case 'Delivered':
      return delivered(state, request.delivery)
    case 'Failed':
      return failed(state, request.delivery, request, at.nowMs)
    case 'Replay':
      return replay(
        state,
        request,
        at.nowMs,
        at.nowMs - (at.deviation === ARCHIVE_LATE ? ARCHIVE_LATE_MS : 0),
      )
  }
}

const ARCHIVE_LATE = 'archive late by 10m'
const ARCHIVE_LATE_MS = 10 * 60_000

/** Entries are counted from 1, as people do. */
const faultOf = (deviation: string | undefined): EntryFault | undefined => {
  const [, number, what] = /^entry (\d+) (failed|throttled)$/.exec(deviation ?? '') ?? []
  return number === undefined
    ? undefined
    : { place: Number(number) - 1, code: what === 'failed' ? 'InternalFailure' : 'ThrottlingException' }
}

const offers = (state: EventBridgeState, request: EventBridgeRequest): ReadonlyArray<string> => {
  switch (request._tag) {
    case 'PutEvents':
      return request.entries.flatMap((_, at) => [`entry ${at + 1} failed`, `entry ${at + 1} throttled`])
    case 'Deliver':
      return deliveryOffers(state, request.delivery)
    case 'Replay':
      return [ARCHIVE_LATE]
    case 'Delivered':
    case 'Failed':
      return []
  }
}

/** No buses at first. */
export const eventBridgeModel: Model<EventBridgeState, EventBridgeRequest, EventBridgeAnswer> = {
  initial: eventBridgeWith([]),
  offers,
  step,
}
