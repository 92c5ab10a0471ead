import {
  type Delivery,
  deliver,
  E,
  envelope,
  eventId,
  type Fault,
  freshId,
  gateway,
  streamName,
  type TE,
  unavailable,
} from '@everfold/core'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { aggregate as seats } from './seats.ts'

const stream = streamName('seats', 'hamlet')
const printer = gateway({ name: 'printer', aggregate: seats, hears: ['SeatTaken'], keyHorizonMs: 1000 })
const id = (at: number) => freshId(1 + at, () => 0.5)

const deliveryOf = (tag: Delivery['_tag'], at: number): Delivery => {
  switch (tag) {
    case 'Dispatch':
      return {
        _tag: tag,
        stream,
        envelope: envelope({ _tag: 'AddSeats', seats: 1 }, { id: id(at), timeMs: at }),
      }
    case 'Call': {
      const about = { stream, commit: at + 1, version: at + 1, timeMs: at, commandId: id(at), schema: 1 }
      const event = { _tag: 'SeatTaken', seat: 1, guest: 'g' }
      const metadata = { correlationId: id(at) }
      const recorded = { ...about, id: eventId(stream, at + 1, 0), metadata, event }
      return { _tag: tag, gateway: printer, recorded }
    }
    case 'Schedule':
      return { _tag: tag, timer: { id: `timer ${at}`, dueMs: at, payload: null } }
    case 'CancelTimer':
      return { _tag: tag, id: `timer ${at}` }
  }
}

const placeOf = { Dispatch: 'commands', Call: 'calls', Schedule: 'timers', CancelTimer: 'timers' } as const
type Place = (typeof placeOf)[Delivery['_tag']]

/** What arrived at each place, in its order; those that are down take nothing. */
const places = (down: ReadonlySet<Place>) => {
  const arrived: Record<Place, Array<string>> = { commands: [], calls: [], timers: [] }
  let requests = 0
  const take =
    (place: Place, ids: ReadonlyArray<string>): TE.TaskEither<Fault, void> =>
    async () => {
      requests += 1
      if (down.has(place)) return E.left(unavailable(place))
      arrived[place].push(...ids)
      return E.right(undefined)
    }
  const queue = (place: Place) => ({
    send: (messages: ReadonlyArray<{ readonly body: unknown }>) =>
      take(
        place,
        messages.map(({ body }) => JSON.stringify(body)),
      ),
  })
  const timers = {
    schedule: (timer: { readonly id: string }) => take('timers', [`set ${timer.id}`]),
    cancel: (timer: string) => take('timers', [`cancel ${timer}`]),
  }
  return {
    arrived,
    requests: () => requests,
    to: { commands: queue('commands'), calls: queue('calls'), timers },
  }
}

const anyTags = fc.array(fc.constantFrom('Dispatch', 'Call', 'Schedule', 'CancelTimer'), { maxLength: 8 })
const anyDown = fc.uniqueArray(fc.constantFrom('commands', 'calls', 'timers'))

describe('what commits set off', () => {
  property.prop([anyTags])(
    'arrives each at its place, in its order and in one request a queue',
    async (tags) => {
      const { arrived, requests, to } = places(new Set())
      const deliveries = tags.map(deliveryOf)
      expect(await deliver(deliveries, to)()).toEqual(E.right(undefined))
      const at = (place: Place) => deliveries.filter(({ _tag: tag }) => placeOf[tag] === place)
      expect(arrived.commands).toEqual(
        at('commands').map((one) =>
          JSON.stringify(one._tag === 'Dispatch' ? { stream, envelope: one.envelope } : one),
        ),
      )
      expect(arrived.calls.map((body) => (JSON.parse(body) as { commit: number }).commit)).toEqual(
        at('calls').map((one) => (one._tag === 'Call' ? one.recorded.commit : undefined)),
      )
      expect(arrived.timers).toEqual(
        at('timers').map((one) => {
          if (one._tag === 'Schedule') return `set ${one.timer.id}`
          return one._tag === 'CancelTimer' ? `cancel ${one.id}` : one
        }),
      )
      const asked = Number(at('commands').length > 0) + Number(at('calls').length > 0) + at('timers').length
      expect(requests()).toBe(asked)
    },
  )

  property.prop([anyTags, anyDown])(
    'is a fault exactly where something was for a place that is down, and arrives at the others',
    async (tags, down) => {
      const { arrived, to } = places(new Set(down))
      const delivered = await deliver(tags.map(deliveryOf), to)()
      const failed = down.filter((place) => tags.some((tag) => placeOf[tag] === place))
      expect(E.isLeft(delivered)).toBe(failed.length > 0)
      for (const place of ['commands', 'calls', 'timers'] as const) {
        const due = tags.filter((tag) => placeOf[tag] === place)
        expect(arrived[place]).toHaveLength(down.includes(place) ? 0 : due.length)
      }
    },
  )
})
