import { goldenFold } from '@everfold/core/testing'
import { describe, expect, test } from 'vitest'
import * as Seats from './seats.ts'

const { aggregate } = Seats
const stored = [
  { _tag: 'SeatsAdded', seats: 4 },
  { _tag: 'SeatTaken', seat: 3, guest: 'Ada' },
  { _tag: 'SeatTaken', seat: 4, guest: 'Bob', note: 'aisle' },
  { _tag: 'SeatFreed', seat: 3 },
]
const GOLDEN = '1:17cbBFxAVaNw'

const counted = (capacity: number, event: Seats.SeatsEvent): number =>
  event._tag === 'SeatsAdded' ? capacity + event.seats : capacity

describe('a golden fold', () => {
  test('is the same as long as evolve is', () => {
    expect(goldenFold(aggregate, stored)).toBe(GOLDEN)
  })
  test('fails when evolve changes without a new reducer version', () => {
    const evolve: typeof aggregate.evolve = (state, event) =>
      event._tag === 'SeatFreed' ? state : aggregate.evolve(state, event)
    expect(goldenFold({ ...aggregate, evolve }, stored)).not.toBe(GOLDEN)
  })
  test('fails also when a later event covers what has changed', () => {
    const evolve: typeof aggregate.evolve = (state, event) =>
      event._tag === 'SeatTaken'
        ? { ...state, taken: new Map(state.taken).set(event.seat, `${event.guest}!`) }
        : aggregate.evolve(state, event)
    const freed = [stored[0], stored[1], stored[3]].flatMap((event) => (event === undefined ? [] : [event]))
    expect(goldenFold({ ...aggregate, evolve }, freed)).not.toBe(goldenFold(aggregate, freed))
  })
  test('says which reducer made it', () => {
    expect(goldenFold({ ...aggregate, reducer: 2 }, stored)).toBe(GOLDEN.replace(/^1:/, '2:'))
  })
  test('does not depend on the order in which a state lists its fields', () => {
    const evolve: typeof aggregate.evolve = (state, event) => {
      const { capacity, taken } = aggregate.evolve(state, event)
      return { taken, capacity }
    }
    expect(goldenFold({ ...aggregate, evolve }, stored)).toBe(GOLDEN)
  })
  test('upcasts what is stored in an older schema', () => {
    const upcasters = { SeatTaken: [(old: object) => ({ ...old, _tag: 'SeatTaken', guest: 'Ada' })] }
    const [added, _taken, bob, freed] = stored
    const older = [added, { _tag: 'SeatTaken', seat: 3, guest: 'A.' }, { ...bob, _v: 2 }, freed]
    expect(goldenFold({ ...aggregate, upcasters }, older as typeof stored)).toBe(GOLDEN)
  })
  test('of a history that does not decode is none', () => {
    expect(() => goldenFold(aggregate, [{ _tag: 'SeatsSold' }])).toThrow('not readable')
  })
  test('of an aggregate without snapshots is of its state', () => {
    const { snapshot: _snapshot, ...bare } = aggregate
    const counting = {
      ...bare,
      initial: 0,
      evolve: counted,
      decide: () => ({ _tag: 'Right', right: [] }) as const,
    }
    expect(goldenFold(counting, stored)).not.toBe(goldenFold({ ...counting, initial: 1 }, stored))
  })
})
