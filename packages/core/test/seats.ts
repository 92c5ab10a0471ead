/**
 * The seats of a show, the domain of these tests: small, with refusals that depend on time passed and commands of
 * no, one or many events.
 *
 * Stream `seats/{show}`. Invariant: no seat is taken twice, and none beyond the capacity.
 */
import {
  accept,
  type Context,
  type Decision,
  aggregate as defineAggregate,
  integer,
  list,
  record,
  reject,
  snapshotCodec,
  type TypeOf,
  text,
  union,
  variant,
} from '@everfold/core'
import { valid } from '@everfold/core/testing'

export const Seat = integer('Seat', 1, 50)
export const Guest = text('Guest', { maxLength: 20 })

export const SeatsEvent = union(
  'SeatsEvent',
  variant('SeatsAdded', { seats: integer('Count', 1, 10) }),
  variant('SeatTaken', { seat: Seat, guest: Guest }, { note: Guest }),
  variant('SeatFreed', { seat: Seat }),
)
export type SeatsEvent = TypeOf<typeof SeatsEvent>

export interface Seats {
  readonly capacity: number
  readonly taken: ReadonlyMap<number, string>
}

export const initial: Seats = { capacity: 0, taken: new Map() }

export const evolve = (seats: Seats, event: SeatsEvent): Seats => {
  switch (event._tag) {
    case 'SeatsAdded':
      return { ...seats, capacity: seats.capacity + event.seats }
    case 'SeatTaken':
      return { ...seats, taken: new Map(seats.taken).set(event.seat, event.guest) }
    case 'SeatFreed':
      return { ...seats, taken: new Map([...seats.taken].filter(([seat]) => seat !== event.seat)) }
  }
}

export const SeatsCommand = union(
  'SeatsCommand',
  variant('AddSeats', { seats: integer('Count', 1, 10) }),
  variant('TakeSeats', { seats: list(Seat, 1, 4), guest: Guest }, { note: Guest }),
  variant('FreeSeats', { guest: Guest }),
)
export type SeatsCommand = TypeOf<typeof SeatsCommand>

export const SeatsRejection = union('SeatsRejection', variant('SeatsNotFree', { seats: list(Seat) }))
export type SeatsRejection = TypeOf<typeof SeatsRejection>

export const decide = (
  command: SeatsCommand,
  { capacity, taken }: Seats,
  _context: Context,
): Decision<SeatsRejection, SeatsEvent> => {
  switch (command._tag) {
    case 'AddSeats':
      return accept({ _tag: 'SeatsAdded', seats: command.seats })
    case 'TakeSeats': {
      const { guest, note } = command
      const wanted = [...new Set(command.seats)]
      const occupied = wanted.filter((seat) => seat > capacity || (taken.get(seat) ?? guest) !== guest)
      if (occupied.length > 0) return reject({ _tag: 'SeatsNotFree', seats: occupied })
      const fresh = wanted.filter((seat) => !taken.has(seat))
      const more = note === undefined ? {} : { note }
      return accept(...fresh.map((seat) => Object.assign({ _tag: 'SeatTaken' as const, seat, guest }, more)))
    }
    case 'FreeSeats': {
      const ours = [...taken].filter(([, guest]) => guest === command.guest)
      return accept(
        ...ours.map(([seat]) => ({ _tag: 'SeatFreed' as const, seat: seat as TypeOf<typeof Seat> })),
      )
    }
  }
}

const Stored = record('Seats', {
  capacity: integer('Capacity', 0),
  taken: list(record('Taken', { seat: Seat, guest: Guest })),
})

export const aggregate = defineAggregate<SeatsCommand, Seats, SeatsEvent, SeatsRejection>({
  name: 'seats',
  initial,
  evolve,
  decide,
  command: SeatsCommand,
  event: SeatsEvent,
  rejection: SeatsRejection,
  reducer: 1,
  snapshot: snapshotCodec(
    Stored,
    ({ capacity, taken }) =>
      valid(Stored)({ capacity, taken: [...taken].map(([seat, guest]) => ({ seat, guest })) }),
    ({ capacity, taken }) => ({ capacity, taken: new Map(taken.map(({ seat, guest }) => [seat, guest])) }),
  ),
})
