import {
  ask,
  cancelTimer,
  E,
  execute,
  type Heard,
  hear,
  load,
  type Output,
  type Process,
  processAggregate,
  schedule,
  streamName,
} from '@everfold/core'
import { arbitrary, givenHeard, happened, laws, recordedOf, valid } from '@everfold/core/testing'
import { memoryEventStore, virtualKernel } from '@everfold/runtime-memory'
import { fc } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import * as Seats from './seats.ts'
import { START_MS } from './writers.ts'

/** A waiting list: whoever takes a seat must be confirmed within an hour, or their seats are freed. */
interface Waiting {
  readonly guests: ReadonlyArray<string>
}
type SeatsHeard = Heard<Seats.SeatsEvent, Seats.SeatsRejection>

const waitingList: Process<Waiting, Seats.SeatsEvent, Seats.SeatsRejection> = {
  name: 'waiting-list',
  hears: [
    hear(Seats.aggregate, ({ event, stream }) => (event._tag === 'SeatsAdded' ? undefined : stream.slice(6))),
  ],
  asks: [Seats.aggregate],
  initial: { guests: [] },
  evolve: (waiting, heard) => {
    if (heard._tag === 'Elapsed') return { guests: waiting.guests.filter((guest) => guest !== heard.timer) }
    if (heard._tag === 'Refused' || heard.recorded.event._tag !== 'SeatTaken') return waiting
    return { guests: [...new Set([...waiting.guests, heard.recorded.event.guest])] }
  },
  react: (before, after, heard): ReadonlyArray<Output> => {
    if (heard._tag === 'Elapsed')
      return [
        ask(Seats.aggregate, 'gala', valid(Seats.SeatsCommand)({ _tag: 'FreeSeats', guest: heard.timer })),
      ]
    if (heard._tag === 'Refused') return []
    const { event, timeMs } = heard.recorded
    if (event._tag === 'SeatFreed') return before.guests.map(cancelTimer)
    return after.guests
      .filter((guest) => !before.guests.includes(guest))
      .map((guest) => schedule(guest, timeMs + 3_600_000))
  },
}

const taken = (seat: number, guest: string): Seats.SeatsEvent =>
  valid(Seats.SeatsEvent)({ _tag: 'SeatTaken', seat, guest })
const [first, second] = recordedOf(Seats.aggregate, 'gala')(taken(1, 'Ada'), taken(2, 'Ada'))
if (first === undefined || second === undefined) throw new Error('two events')

describe('given what a process heard', () => {
  test('a guest who takes a seat gets an hour', () => {
    expect(givenHeard(waitingList)().when(happened(first))).toEqual([schedule('Ada', START_MS + 3_600_000)])
  })
  test('a second seat asks for nothing more', () => {
    expect(givenHeard(waitingList)(happened(first)).when(happened(second))).toEqual([])
  })
})

const anyHeard: fc.Arbitrary<SeatsHeard> = fc.oneof(
  fc.tuple(arbitrary(Seats.SeatsEvent), fc.nat({ max: 5 })).map(([event, place]) => {
    const recorded = recordedOf(Seats.aggregate, 'gala')(...Array.from({ length: place + 1 }, () => event))[
      place
    ]
    return happened(recorded ?? first)
  }),
  fc
    .constantFrom('Ada', 'a', 'b')
    .map((timer) => ({ _tag: 'Elapsed' as const, timer, dueMs: START_MS + 3_600_000 })),
)

describe('a process keeps the laws of aggregates', () => {
  const aggregate = processAggregate(waitingList)
  const event = fc.constantFrom(
    { _tag: 'TimerScheduled' as const, timer: 'Ada', dueMs: START_MS },
    { _tag: 'TimerCanceled' as const, timer: 'Ada', dueMs: START_MS },
    { _tag: 'Heard' as const, heard: happened(first) },
  )
  test.each(laws(aggregate, { command: anyHeard, event }))('$title', async ({ check }) => {
    await expect(check()).resolves.toBeUndefined()
  })
})

test('what a process heard and asked for is stored verbatim, and hearing it again asks for nothing', async () => {
  const kernel = virtualKernel({ mode: 'immediate' })
  const store = memoryEventStore(kernel)
  const aggregate = processAggregate(waitingList)
  const stream = streamName('waiting-list', 'gala')
  const elapsed: SeatsHeard = { _tag: 'Elapsed', timer: 'Ada', dueMs: START_MS + 3_600_000 }
  const run = execute(aggregate, { store, clock: kernel })
  const tell = async (heard: SeatsHeard, id: typeof first.commandId, timeMs: number) =>
    run(stream, [
      { id, identified: true, command: heard, fingerprint: '1', timeMs, metadata: { correlationId: 'c' } },
    ])()
  for (let time = 0; time < 2; time += 1) {
    await tell(happened(first), first.commandId, first.timeMs)
    await tell(elapsed, second.commandId, elapsed.dueMs)
  }
  const stored = store.log.flatMap(({ answers }) => answers.flatMap(({ events }) => events))
  expect(stored).toMatchObject([
    { _tag: 'Heard', heard: { _tag: 'Happened', recorded: { event: taken(1, 'Ada') } } },
    { _tag: 'TimerScheduled', timer: 'Ada', dueMs: START_MS + 3_600_000 },
    { _tag: 'Heard', heard: elapsed },
    { _tag: 'Asked', aggregate: 'seats', key: 'gala', command: { _tag: 'FreeSeats', guest: 'Ada' } },
  ])
  const head = await load(aggregate, store, stream, 3)
  expect(head).toMatchObject(E.right({ state: { state: { guests: [] }, timers: {} } }))
})
