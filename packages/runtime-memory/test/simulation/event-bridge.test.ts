import { test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { EVENTBRIDGE } from '../../src/simulation/limits.ts'
import { type EventBridgeState, eventBridgeWith } from '../../src/simulation/models/event-bridge/bus.ts'
import { deadLetter, due, nextDueMs } from '../../src/simulation/models/event-bridge/delivery.ts'
import {
  type EventBridgeRequest,
  eventBridgeModel,
} from '../../src/simulation/models/event-bridge/event-bridge.ts'
import type { PutEventsEntry, PutEventsOutput } from '../../src/simulation/models/event-bridge/put-events.ts'
import {
  anyMoves,
  entry,
  errand,
  errandOf,
  type Made,
  play,
  start,
  TIME_MS,
} from './event-bridge-histories.ts'

/** For whom the accepted entries of a put are, by the rules of these tests. */
const askedFor = ({ request, answer }: Made): ReadonlyArray<string> => {
  if (request._tag !== 'PutEvents' || answer._tag !== 'Output') return []
  return (answer.output as PutEventsOutput).Entries.flatMap(({ EventId: id }, at) => {
    if (id === undefined) return []
    const toAll = errand({ id }, 'all', 'audit')
    return request.entries[at]?.DetailType?.startsWith('order.') === true
      ? [toAll, errand({ id }, 'orders', 'mails'), errand({ id }, 'orders', 'books')]
      : [toAll]
  })
}

/** What targets have taken. */
const takenIn = (played: ReadonlyArray<Made>): ReadonlyArray<string> =>
  played.flatMap(({ request, answer, before }) => {
    if (request._tag !== 'Delivered' || answer._tag !== 'Taken') return []
    const delivery = before.deliveries.get(request.delivery)
    return delivery === undefined ? [] : [errandOf(delivery)]
  })

describe('whatever happens to what is put', () => {
  property.prop([anyMoves])('an accepted event is taken, on its way, or given up by its policy', (moves) => {
    const played = play(moves)
    const last = played.at(-1)?.after ?? start()
    const accounted = new Set([
      ...takenIn(played),
      ...[...last.deliveries.values()].map(errandOf),
      ...last.undelivered.map(({ delivery }) => errandOf(delivery)),
    ])
    for (const asked of played.flatMap(askedFor)) expect(accounted).toContain(asked)
  })
  property.prop([anyMoves])('only a target without dead letters loses an event', (moves) => {
    for (const { queue, delivery } of play(moves).at(-1)?.after.undelivered ?? [])
      expect(queue).toBe(delivery.target.deadLetters)
  })
  property.prop([anyMoves])('every delivery was put, or comes from a replay of what was', (moves) => {
    const played = play(moves)
    const put = new Set(played.flatMap(askedFor))
    for (const { answer } of played)
      if (answer._tag === 'Delivering') {
        const { event, rule, target } = answer.delivery
        expect(put).toContain(errand({ id: event.id }, rule, target.id))
      }
  })
  property.prop([anyMoves])('nothing is tried more often or longer than its policy says', (moves) => {
    for (const { answer } of play(moves))
      if (answer._tag === 'Delivering') {
        const { target, attempt, acceptedMs, dueMs } = answer.delivery
        const { retries = EVENTBRIDGE.retries, retryMs = EVENTBRIDGE.retryMs } = target
        expect(attempt).toBeLessThanOrEqual(retries + 1)
        expect(dueMs - acceptedMs).toBeLessThanOrEqual(retryMs)
      }
  })
  property.prop([anyMoves])(
    'the results of a put are those of its entries, and count its failures',
    (moves) => {
      for (const { request, answer } of play(moves))
        if (request._tag === 'PutEvents' && answer._tag === 'Output') {
          const { Entries: results, FailedEntryCount: failed } = answer.output as PutEventsOutput
          expect(results.length).toBe(request.entries.length)
          expect(failed).toBe(results.filter(({ EventId: id }) => id === undefined).length)
        }
    },
  )
  property.prop([anyMoves])(
    'no state changes that was passed in, and the same again answers the same',
    (moves) => {
      const played = play(moves)
      const images = played.map(({ before }) => structuredClone(before))
      expect(play(moves)).toEqual(played)
      expect(played.map(({ before }) => before)).toEqual(images)
    },
  )
})

const ask = (state: EventBridgeState, request: EventBridgeRequest, nowMs = TIME_MS, deviation?: string) =>
  eventBridgeModel.step(state, request, { nowMs, ...(deviation === undefined ? {} : { deviation }) })

const put = (
  state: EventBridgeState,
  entries: ReadonlyArray<PutEventsEntry>,
  nowMs = TIME_MS,
  deviation?: string,
) => ask(state, { _tag: 'PutEvents', entries }, nowMs, deviation)

/** One event, on its way to the target `audit`. */
const one = () => {
  const { state } = put(start(), [entry('stock.Moved')])
  return { state, id: [...state.deliveries.keys()][0] ?? '' }
}

describe('a put', () => {
  test('makes of an entry what targets are given', () => {
    const { state } = put(start(), [
      { ...entry('order.Placed', { n: 1 }), Resources: ['r'], Time: TIME_MS / 1000 + 1.5 },
    ])
    const [{ event } = {}] = due(state, TIME_MS)
    expect(event).toEqual({
      version: '0',
      id: expect.stringMatching(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/),
      'detail-type': 'order.Placed',
      source: 'shop',
      account: '000000000000',
      time: '2026-01-01T00:00:01Z',
      region: 'us-east-1',
      resources: ['r'],
      detail: { n: 1 },
    })
  })
  test('of which one entry fails accepts the others, and says which', () => {
    const entries = [entry('a', { n: 1 }), entry('a', { n: 2 }), entry('a', { n: 3 })]
    const { state, answer } = put(start(), entries, TIME_MS, 'entry 2 throttled')
    expect(answer).toMatchObject({
      output: {
        FailedEntryCount: 1,
        Entries: [
          { EventId: expect.any(String) },
          { ErrorCode: 'ThrottlingException' },
          { EventId: expect.any(String) },
        ],
      },
    })
    expect(due(state, TIME_MS).map(({ event }) => event.detail)).toEqual([{ n: 1 }, { n: 3 }])
  })
  test.each<[string, PutEventsEntry, string]>([
    ['no type', { ...entry('a'), DetailType: '' }, 'InvalidArgument'],
    ['a type of 129 characters', entry('x'.repeat(129)), 'InvalidArgument'],
    ['a source of AWS', { ...entry('a'), Source: 'aws.s3' }, 'NotAuthorizedForSourceException'],
    ['a detail that is no object', { ...entry('a'), Detail: '[]' }, 'MalformedDetail'],
    ['a detail that is no JSON', { ...entry('a'), Detail: '{' }, 'MalformedDetail'],
  ])('of an entry with %s fails for it alone', (_, wrong, code) => {
    const { answer } = put(start(), [wrong, entry('a')])
    expect(answer).toMatchObject({
      output: { FailedEntryCount: 1, Entries: [{ ErrorCode: code }, { EventId: expect.any(String) }] },
    })
  })
  test('of too many entries, or of too much, is refused as a whole', () => {
    const many = Array.from({ length: EVENTBRIDGE.entries + 1 }, () => entry('a'))
    expect(put(start(), many).answer).toMatchObject({ error: 'ValidationException' })
    const large = { ...entry('a'), Detail: JSON.stringify({ text: 'x'.repeat(EVENTBRIDGE.requestBytes) }) }
    expect(put(start(), [large]).answer).toMatchObject({ error: 'ValidationException' })
  })
  test('for a bus that does not exist is accepted, and nobody hears of it', () => {
    const { state, answer } = put(start(), [{ ...entry('a'), EventBusName: 'nowhere' }])
    expect(answer).toMatchObject({ output: { FailedEntryCount: 0 } })
    expect(state.deliveries.size).toBe(0)
  })
  test('of the same content twice makes two events', () => {
    const { state } = put(start(), [entry('a'), entry('a')])
    expect(new Set(due(state, TIME_MS).map(({ event }) => event.id)).size).toBe(2)
  })
})

test('a rule with a pattern that is none is not taken', () => {
  const rule = { name: 'broken', pattern: { source: 'shop' }, targets: [] }
  expect(() => eventBridgeWith([{ name: 'shop', rules: [rule] }])).toThrow('must be an object or an array')
})

describe('a delivery', () => {
  test('that is doubled comes again after it was taken', () => {
    const { state, id } = one()
    const twice = ask(state, { _tag: 'Deliver', delivery: id }, TIME_MS, 'delivered twice').state
    const taken = ask(twice, { _tag: 'Delivered', delivery: id }).state
    expect(due(taken, TIME_MS).map(({ event }) => event.id)).toEqual(
      due(state, TIME_MS).map(({ event }) => event.id),
    )
  })
  test('that is late comes when it is due then, once', () => {
    const { state, id } = one()
    const late = ask(state, { _tag: 'Deliver', delivery: id }, TIME_MS, 'late by 1h').state
    expect(due(late, TIME_MS + 3_599_999)).toEqual([])
    expect(nextDueMs(late)).toBe(TIME_MS + 3_600_000)
    expect(eventBridgeModel.offers(late, { _tag: 'Deliver', delivery: id })).not.toContain('late by 60s')
  })
  test('goes straight to the dead letters only where the target has some', () => {
    const { state } = put(start(), [entry('order.Paid')])
    const offered = Object.fromEntries(
      due(state, TIME_MS).map(({ id, target }) => [
        target.id,
        eventBridgeModel
          .offers(state, { _tag: 'Deliver', delivery: id })
          .includes('straight to the dead letters'),
      ]),
    )
    expect(offered).toEqual({ audit: true, mails: false, books: true })
  })
  test('is tried for a day, 185 times, ever more slowly, and is then a dead letter that says why', () => {
    let { state, id } = one()
    let nowMs = TIME_MS
    let attempts = 0
    for (; nextDueMs(state) !== undefined; attempts += 1) {
      nowMs = nextDueMs(state) ?? 0
      state = ask(state, { _tag: 'Deliver', delivery: id }, nowMs).state
      state = ask(state, { _tag: 'Failed', delivery: id, retriable: true }, nowMs).state
    }
    expect(attempts).toBe(EVENTBRIDGE.retries + 1)
    expect(nowMs - TIME_MS).toBeLessThanOrEqual(EVENTBRIDGE.retryMs)
    const [undelivered] = state.undelivered
    expect(undelivered).toMatchObject({ queue: 'audit-dead', exhausted: 'MaximumRetryAttempts' })
    expect(undelivered && deadLetter(state, undelivered).attributes).toEqual({
      RULE_ARN: 'arn:aws:events:us-east-1:000000000000:rule/shop/all',
      TARGET_ARN: 'arn:aws:lambda:us-east-1:000000000000:function:audit',
      ERROR_CODE: 'ERROR_FROM_TARGET',
      ERROR_MESSAGE: 'The target did not take the event.',
      EXHAUSTED_RETRY_CONDITION: 'MaximumRetryAttempts',
      RETRY_ATTEMPTS: '185',
    })
  })
  test('that cannot succeed is not tried again', () => {
    const { state, id } = one()
    const underWay = ask(state, { _tag: 'Deliver', delivery: id }).state
    const refused = ask(underWay, { _tag: 'Failed', delivery: id, retriable: false })
    expect(refused.answer).toMatchObject({ _tag: 'Undelivered', undelivered: { queue: 'audit-dead' } })
    expect(nextDueMs(refused.state)).toBeUndefined()
  })
})

/** Three events of two minutes, the latest put first. */
const filled = (): EventBridgeState =>
  [90, 10, 20].reduce(
    (state, seconds) =>
      put(state, [{ ...entry('stock.Moved', { seconds }), Time: TIME_MS / 1000 + seconds }]).state,
    start(),
  )

const quiet = (state: EventBridgeState): EventBridgeState => ({ ...state, deliveries: new Map() })

const asked = {
  _tag: 'Replay',
  name: 'again',
  archive: 'kept',
  fromMs: TIME_MS,
  toMs: TIME_MS + 90_000,
} as const

describe('a replay', () => {
  test('goes minute by minute of the events’ own time, and names itself', () => {
    const { state } = ask(quiet(filled()), asked)
    const first = due(state, TIME_MS).map(({ event }) => event)
    expect(first.map(({ detail }) => detail)).toEqual([{ seconds: 10 }, { seconds: 20 }])
    expect(first.map((event) => event['replay-name'])).toEqual(['again', 'again'])
    expect(due(state, TIME_MS + 1000).length).toBe(3)
  })
  test('has only what lies in its time, and what has reached the archive', () => {
    const { state } = ask(quiet(filled()), { ...asked, toMs: TIME_MS + 15_000 })
    expect(due(state, TIME_MS).length).toBe(1)
    const late = ask(quiet(filled()), asked, TIME_MS + 60_000, 'archive late by 10m').state
    expect(late.deliveries.size).toBe(0)
  })
  test('is not archived again, and has a name of its own', () => {
    const { state } = ask(filled(), asked)
    expect(state.archived.length).toBe(3)
    expect(ask(state, asked).answer).toMatchObject({ error: 'ResourceAlreadyExistsException' })
  })
  test('goes to no other bus', () => {
    expect(ask(filled(), { ...asked, bus: 'other' }).answer).toMatchObject({ error: 'ValidationException' })
  })
  test('of an archive that does not exist is refused', () => {
    expect(ask(filled(), { ...asked, archive: 'none' }).answer).toMatchObject({
      error: 'ResourceNotFoundException',
    })
  })
})
