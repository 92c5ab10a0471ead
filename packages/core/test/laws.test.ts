import { type Aggregate, E, integer, union, variant } from '@everfold/core'
import { laws } from '@everfold/core/testing'
import { describe, expect, test } from 'vitest'
import * as Seats from './seats.ts'

type SeatsAggregate = Aggregate<Seats.SeatsCommand, Seats.Seats, Seats.SeatsEvent, Seats.SeatsRejection>

const stored = [{ _tag: 'SeatTaken', seat: 3, guest: 'Ada' }]

describe('the seats keep the laws', () => {
  test.each(laws(Seats.aggregate, { stored }))('$title', async ({ check }) => {
    await expect(check()).resolves.toBeUndefined()
  })
})

/** The laws that this aggregate breaks. */
const broken = async (aggregate: SeatsAggregate): Promise<ReadonlyArray<string>> => {
  const titles: Array<string> = []
  for (const { title, check } of laws(aggregate, { stored }))
    try {
      await check(200)
    } catch {
      titles.push(title)
    }
  return titles
}

describe('a broken aggregate breaks its law', () => {
  const { aggregate } = Seats
  test('a decide that throws', async () => {
    const decide: typeof aggregate.decide = (command, state, context) => {
      if (command._tag === 'FreeSeats' && state.taken.size > 0) throw new Error('oops')
      return aggregate.decide(command, state, context)
    }
    expect(await broken({ ...aggregate, decide })).toContain('decide and evolve are total')
  })
  test('an evolve that refuses an event', async () => {
    const evolve: typeof aggregate.evolve = (state, event) => {
      if (event._tag === 'SeatFreed' && !state.taken.has(event.seat)) throw new Error('nobody sits there')
      return aggregate.evolve(state, event)
    }
    expect(await broken({ ...aggregate, evolve })).toContain('decide and evolve are total')
  })
  test('a snapshot that forgets', async () => {
    const { snapshot } = aggregate
    if (snapshot === undefined) throw new Error('it has one')
    const forgetful = {
      ...snapshot,
      decode: (input: unknown) => ({ ...snapshot.decode(input), capacity: 1 }),
    }
    expect(await broken({ ...aggregate, snapshot: forgetful })).toContain(
      'fold = snapshot + tail for every cut',
    )
  })
  test('a snapshot that JSON does not carry', async () => {
    const { snapshot } = aggregate
    if (snapshot === undefined) throw new Error('it has one')
    const alive = { ...snapshot, encode: (state: Seats.Seats) => state }
    expect(await broken({ ...aggregate, snapshot: alive })).toContain('fold = snapshot + tail for every cut')
  })
  test('an event that its codec does not know', async () => {
    const decide: typeof aggregate.decide = (command, state, context) => {
      const decision = aggregate.decide(command, state, context)
      if (E.isLeft(decision)) return decision
      return E.right(decision.right.map((event) => Object.assign({ at: context.timeMs }, event)))
    }
    expect(await broken({ ...aggregate, decide })).toContain('an event survives its codec')
  })
  test('an event codec that refuses what was once stored', async () => {
    const event = union(
      'SeatsEvent',
      variant('SeatsAdded', { seats: integer('Count', 1, 10) }),
      variant('SeatTaken', { seat: integer('Seat', 4, 50), guest: Seats.Guest }, { note: Seats.Guest }),
      variant('SeatFreed', { seat: Seats.Seat }),
    ) as unknown as typeof Seats.SeatsEvent
    expect(await broken({ ...aggregate, event })).toContain('a stored event, once readable, stays readable')
  })
  test('a decide that remembers what it was asked before', async () => {
    let asked = 0
    const decide: typeof aggregate.decide = (command, state, context) => {
      asked += 1
      return aggregate.decide(
        asked % 5 === 0 ? ({ ...command, guest: `guest ${asked}` } as never) : command,
        state,
        context,
      )
    }
    expect(await broken({ ...aggregate, decide })).not.toEqual([])
  })
  test('an evolve whose group differs from its members', async () => {
    const evolve: typeof aggregate.evolve = (state, event) => {
      const next = aggregate.evolve(state, event)
      // Depends on identity: a state that came out of a snapshot counts otherwise.
      return state === Seats.initial ? { ...next, capacity: next.capacity + 1 } : next
    }
    expect(await broken({ ...aggregate, evolve })).not.toEqual([])
  })
})
