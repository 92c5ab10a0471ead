import { from, type Projection } from '@everfold/core'
import { givenRows, projectionLaws, recordedOf } from '@everfold/core/testing'
import { fc } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import * as Seats from './seats.ts'

const guests: Projection = {
  name: 'guests',
  generation: '1',
  sources: [
    from(Seats.aggregate, ({ event, stream }) => {
      switch (event._tag) {
        case 'SeatsAdded':
          return []
        case 'SeatTaken':
          return [{ pk: stream, sk: `${event.seat}`, change: () => ({ guest: event.guest }) }]
        case 'SeatFreed':
          return [{ pk: stream, sk: `${event.seat}`, change: () => undefined }]
      }
    }),
  ],
}

/** One row that every commit of every show changes: what is taken in twice, or lost, shows in the count. */
const free: Projection = {
  name: 'free',
  generation: '1',
  sources: [
    from(Seats.aggregate, ({ event }) => {
      const more = event._tag === 'SeatsAdded' ? event.seats : event._tag === 'SeatTaken' ? -1 : 1
      return [{ pk: 'all', sk: 'free', change: (count) => Number(count ?? 0) + more }]
    }),
  ],
}

const guest = fc.constantFrom('Ada', 'Ben')
const seats = fc.constantFrom(1, 2, 3)
const commands = {
  seats: fc.oneof(
    fc.record({ _tag: fc.constant('AddSeats'), seats }),
    fc.record({
      _tag: fc.constant('TakeSeats'),
      seats: fc.array(seats, { minLength: 1, maxLength: 3 }),
      guest,
    }),
    fc.record({ _tag: fc.constant('FreeSeats'), guest }),
  ),
}

describe.each([guests, free])('the projection $name keeps the laws', (projection) => {
  test.each(projectionLaws(projection, { commands }))('$title', async ({ check }) => {
    await expect(check()).resolves.toBeUndefined()
  })
})

describe('a projection', () => {
  test('that counts what others did breaks the law', async () => {
    let heard = 0
    const counting: Projection = {
      ...guests,
      sources: [
        from(Seats.aggregate, () => {
          heard += 1
          const count = heard
          return [{ pk: 'all', sk: 'count', change: () => count }]
        }),
      ],
    }
    const [converges] = projectionLaws(counting)
    await expect(converges?.check()).rejects.toThrow('Property failed')
  })
})

test('given a history, when something happens, then these are the rows', () => {
  const [added, taken, freed] = recordedOf(Seats.aggregate, 'gala')(
    { _tag: 'SeatsAdded', seats: 4 as never },
    { _tag: 'SeatTaken', seat: 2 as never, guest: 'Ada' as never },
    { _tag: 'SeatFreed', seat: 2 as never },
  )
  if (added === undefined || taken === undefined || freed === undefined) throw new Error('three events')
  const rows = givenRows(guests)(added)
  expect(rows.when(taken)).toEqual([{ pk: 'seats/gala', sk: '2', value: { guest: 'Ada' } }])
  expect(rows.when(taken, freed)).toEqual([])
})
