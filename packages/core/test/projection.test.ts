import { from, type Projection } from '@everfold/core'
import { givenRows, projectionLaws, recordedOf } from '@everfold/core/testing'
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

describe('a projection keeps the laws', () => {
  test.each(projectionLaws(guests))('$title', async ({ check }) => {
    await expect(check()).resolves.toBeUndefined()
  })
  test('and one that counts what others did does not', async () => {
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
