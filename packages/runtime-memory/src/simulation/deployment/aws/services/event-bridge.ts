/** Simulated EventBridge: buses, whose events are delivered to the targets of the rules that they match. */
import type { EventBridgeState, Undelivered } from '../../../models/event-bridge/bus.ts'
import { deadLetter, due as dueNow, nextDueMs } from '../../../models/event-bridge/delivery.ts'
import { type EventBridgeRequest, eventBridgeModel } from '../../../models/event-bridge/event-bridge.ts'
import { offersOf } from '../../../models/offers.ts'
import { eventBridgeWire } from '../../../sdk/event-bridge.ts'
import { type HttpAnswer, type HttpRequest, jsonOf } from '../../../sdk/http.ts'
import { alarm } from '../../alarm.ts'
import type { Stage } from '../../stage.ts'
import { eventBridgeSubject } from '../subjects.ts'
import type { Give } from '../targets.ts'
import type { Endpoint } from '../transport.ts'
import { atOf, type Service } from './service.ts'

/** Told of each event that a bus accepted. */
export type PublishedListener = (entry: { readonly type: string; readonly detail: string }) => void

export interface EventBridgeService extends Service<EventBridgeState> {
  published(this: void, listener: PublishedListener): void
}

export const eventBridgeService = (
  stage: Stage,
  initial: EventBridgeState,
  give: Give,
): EventBridgeService => {
  const { kernel, choose, tell, lane } = stage
  let state = initial
  const listeners: Array<PublishedListener> = []
  lane('eventbridge', 'eventbridge')
  const step = (request: EventBridgeRequest, deviation?: string) => {
    const stepped = eventBridgeModel.step(state, request, atOf(stage, deviation))
    state = stepped.state
    if (stepped.answer._tag === 'Undelivered') bury(stepped.answer.undelivered)
    return stepped.answer
  }
  const bury = (undelivered: Undelivered) => {
    const { queue, delivery } = undelivered
    if (queue !== undefined) give(queue, { what: delivery.id, ...deadLetter(state, undelivered) })
  }
  const deliver = (id: string, attempt: number) => {
    const request = { _tag: 'Deliver', delivery: id } as const
    const offers = offersOf(eventBridgeModel.offers(state, request))
    const key = `eventbridge: ${id} #${attempt}`
    const deviation = choose(key, offers, { port: 'eventbridge', operation: 'delivers' })
    const told = deviation === undefined ? {} : { deviation }
    tell({ lane: 'eventbridge', operation: 'delivers', subject: id, key, ...told })
    const answer = step(request, deviation)
    if (answer._tag !== 'Delivering') return
    const { target, event } = answer.delivery
    const given = give(target.arn, { what: id, body: JSON.stringify(event) })
    if (given === 'taken') step({ _tag: 'Delivered', delivery: id })
    else step({ _tag: 'Failed', delivery: id, ...FAILURES[given], message: `${target.arn} is ${given}` })
  }
  const due = alarm(kernel, 'deliveries are due', () => {
    for (const { id, attempt } of dueNow(state, kernel.nowMs())) deliver(id, attempt)
    due(nextDueMs(state))
  })
  const endpoint: Endpoint = {
    name: 'eventbridge',
    target: 'AWSEvents.',
    subjectOf: eventBridgeSubject,
    offers: (request) => eventBridgeWire.offers(state, request),
    step: (request, at) => {
      const stepped = eventBridgeWire.wire(state, request, at)
      state = stepped.state
      if (listeners.length > 0)
        for (const entry of acceptedOf(request, stepped.answer))
          for (const listener of listeners) listener(entry)
      due(nextDueMs(state))
      return stepped.answer
    },
  }
  return {
    endpoints: [endpoint],
    state: () => state,
    published: (listener) => void listeners.push(listener),
  }
}

const FAILURES = {
  refused: { retriable: true, code: 'ERROR_FROM_TARGET' },
  gone: { retriable: false, code: 'RESOURCE_NOT_FOUND' },
} as const

/** The events of a call that were accepted. */
const acceptedOf = (
  request: HttpRequest,
  answer: HttpAnswer,
): ReadonlyArray<Parameters<PublishedListener>[0]> => {
  const { Entries: entries = [] } = jsonOf(request) as {
    readonly Entries?: ReadonlyArray<{ readonly DetailType: string; readonly Detail: string }>
  }
  const { Entries: results = [] } = JSON.parse(new TextDecoder().decode(answer.body)) as {
    readonly Entries?: ReadonlyArray<{ readonly EventId?: string }>
  }
  return entries.flatMap(({ DetailType: type, Detail: detail }, at) =>
    results[at]?.EventId === undefined ? [] : [{ type, detail }],
  )
}
