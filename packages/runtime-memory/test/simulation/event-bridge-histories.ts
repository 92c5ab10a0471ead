/** Random histories of a simulated bus: puts, deliveries with all that may become of them, time that passes, replays. */
import { fc } from '@fast-check/vitest'
import {
  type BusEvent,
  type Delivery,
  type EventBridgeState,
  eventBridgeWith,
  type Target,
} from '../../src/simulation/models/event-bridge/bus.ts'
import { due } from '../../src/simulation/models/event-bridge/delivery.ts'
import {
  type EventBridgeAnswer,
  type EventBridgeRequest,
  eventBridgeModel,
} from '../../src/simulation/models/event-bridge/event-bridge.ts'
import type { PutEventsEntry } from '../../src/simulation/models/event-bridge/put-events.ts'

/** The first of January 2026. */
export const TIME_MS = 1_767_225_600_000

const target = (id: string, more: Partial<Target> = {}): Target => ({
  id,
  arn: `arn:aws:lambda:us-east-1:000000000000:function:${id}`,
  ...more,
})

/** One rule for everything, whose target has dead letters; one for orders, with a target that has none and little patience. */
export const start = (): EventBridgeState =>
  eventBridgeWith([
    {
      name: 'shop',
      rules: [
        { name: 'all', targets: [target('audit', { deadLetters: 'audit-dead' })] },
        {
          name: 'orders',
          pattern: { 'detail-type': [{ prefix: 'order.' }] },
          targets: [
            target('mails', { retries: 1 }),
            target('books', { deadLetters: 'books-dead', retryMs: 60_000 }),
          ],
        },
      ],
      archives: [{ name: 'kept', pattern: { source: ['shop'] } }],
    },
  ])

export const entry = (type: string, detail: object = {}): PutEventsEntry => ({
  EventBusName: 'shop',
  Source: 'shop',
  DetailType: type,
  Detail: JSON.stringify(detail),
})

const anyEntry = fc
  .record({ type: fc.constantFrom('order.Placed', 'order.Paid', 'stock.Moved'), n: fc.nat(2) })
  .map(({ type, n }) => entry(type, { n }))

type Act =
  | { readonly _tag: 'Put'; readonly entries: ReadonlyArray<PutEventsEntry> }
  | { readonly _tag: 'Deliver' | 'Delivered' | 'Failed' | 'Refused'; readonly pick: number }
  | { readonly _tag: 'Replay' }

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      _tag: fc.constant('Put' as const),
      entries: fc.array(anyEntry, { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 5, arbitrary: fc.record({ _tag: fc.constant('Deliver' as const), pick: fc.nat(20) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      _tag: fc.constantFrom('Delivered' as const, 'Failed' as const, 'Refused' as const),
      pick: fc.nat(20),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ _tag: 'Replay' as const }) },
)

export interface Move {
  readonly act: Act
  readonly afterMs: number
  /** Picks among what the model offers; nothing deviates where it picks none. */
  readonly deviation: number
}

export const anyMoves = fc.array(
  fc.record({
    act,
    afterMs: fc.oneof(fc.constant(0), fc.nat(2000), fc.nat(3_600_000)),
    deviation: fc.nat(8),
  }),
  { maxLength: 40 },
)

export interface Made {
  readonly request: EventBridgeRequest
  readonly answer: EventBridgeAnswer
  readonly before: EventBridgeState
  readonly after: EventBridgeState
  readonly nowMs: number
}

const pick = (from: ReadonlyArray<Delivery>, number: number): string =>
  from[number % from.length]?.id ?? 'none'

const requestOf = (
  state: EventBridgeState,
  { act: does }: Move,
  at: number,
  nowMs: number,
): EventBridgeRequest => {
  const underWay = [...state.deliveries.values()].filter((delivery) => delivery.underWay)
  switch (does._tag) {
    case 'Put':
      return { _tag: 'PutEvents', entries: does.entries }
    case 'Deliver':
      return { _tag: 'Deliver', delivery: pick(due(state, nowMs), does.pick) }
    case 'Delivered':
      return { _tag: 'Delivered', delivery: pick(underWay, does.pick) }
    case 'Failed':
      return { _tag: 'Failed', delivery: pick(underWay, does.pick), retriable: true }
    case 'Refused':
      return { _tag: 'Failed', delivery: pick(underWay, does.pick), retriable: false }
    case 'Replay':
      return { _tag: 'Replay', name: `replay-${at}`, archive: 'kept', fromMs: TIME_MS, toMs: nowMs + 1 }
  }
}

/** What was asked and answered, move by move. */
export const play = (history: ReadonlyArray<Move>): ReadonlyArray<Made> => {
  let state = start()
  let nowMs = TIME_MS
  return history.map((move, at) => {
    nowMs += move.afterMs
    const request = requestOf(state, move, at, nowMs)
    const deviation = eventBridgeModel.offers(state, request)[move.deviation]
    const before = state
    const stepped = eventBridgeModel.step(state, request, {
      nowMs,
      ...(deviation === undefined ? {} : { deviation }),
    })
    state = stepped.state
    return { request, answer: stepped.answer, before, after: state, nowMs }
  })
}

/** An event and a target that it is meant for, as a text. */
export const errand = (event: Pick<BusEvent, 'id' | 'replay-name'>, rule: string, to: string): string =>
  `${event.id} ${event['replay-name'] ?? ''} ${rule}/${to}`

export const errandOf = ({ event, rule, target: { id } }: Delivery): string => errand(event, rule, id)
