import {
  ask,
  cancelTimer,
  deriveId,
  E,
  elapsed as elapsedOf,
  execute,
  type Heard,
  hear,
  load,
  messageOf,
  type Output,
  outbox,
  type Process,
  processAggregate,
  schedule,
  streamName,
} from '@everfold/core'
import { arbitrary, givenHeard, happened, laws, recordedOf, valid } from '@everfold/core/testing'
import { memoryEventStore, virtualKernel } from '@everfold/runtime-memory'
import { fc, test as property } from '@fast-check/vitest'
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
    { _tag: 'TimerScheduled' as const, id: first.commandId, timer: 'Ada', dueMs: START_MS },
    { _tag: 'TimerCanceled' as const, id: first.commandId, timer: 'Ada' },
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
  const scheduling = deriveId(first.timeMs, 'asked', first.commandId, '0')
  const elapsed: SeatsHeard = { _tag: 'Elapsed', timer: 'Ada', dueMs: START_MS + 3_600_000, scheduling }
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
    { _tag: 'TimerScheduled', id: scheduling, timer: 'Ada', dueMs: START_MS + 3_600_000 },
    { _tag: 'Heard', heard: elapsed },
    { _tag: 'Asked', aggregate: 'seats', key: 'gala', command: { _tag: 'FreeSeats', guest: 'Ada' } },
  ])
  const head = await load(aggregate, store, stream, 3)
  expect(head).toMatchObject(E.right({ state: { state: { guests: [] }, timers: {} } }))
})

/** One alarm: set at every odd seat, put off by taking it back at every even one, always for the same time. */
const alarm: Process<null, Seats.SeatsEvent, Seats.SeatsRejection> = {
  name: 'alarm',
  hears: [hear(Seats.aggregate, () => 'gala')],
  asks: [Seats.aggregate],
  initial: null,
  evolve: (state) => state,
  react: (_before, _after, heard) => {
    if (heard._tag === 'Elapsed')
      return [ask(Seats.aggregate, 'gala', valid(Seats.SeatsCommand)({ _tag: 'FreeSeats', guest: 'Ada' }))]
    if (heard._tag === 'Refused' || heard.recorded.event._tag !== 'SeatTaken') return []
    const odd = heard.recorded.event.seat % 2 === 1
    return odd ? [schedule('alarm', START_MS + 3_600_000)] : [cancelTimer('alarm')]
  },
}

const service = (...processes: ReadonlyArray<Process<null, Seats.SeatsEvent, Seats.SeatsRejection>>) => ({
  name: 'theatre',
  aggregates: [Seats.aggregate],
  projections: [],
  processes,
  gateways: [],
  routes: [],
})

property.prop([fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 12 })])(
  'a timer is heard once if its latest scheduling stands, and a canceled or replaced one never, also at the same time',
  async (seats) => {
    const kernel = virtualKernel({ mode: 'immediate' })
    const store = memoryEventStore(kernel)
    const aggregate = processAggregate(alarm)
    const stream = streamName('alarm', 'gala')
    const run = execute(aggregate, { store, clock: kernel })
    const events = recordedOf(Seats.aggregate, 'gala')(...seats.map((seat) => taken(seat, 'Ada')))
    for (const recorded of events) {
      const heard = { command: happened(recorded), fingerprint: '1', metadata: { correlationId: 'c' } }
      await run(stream, [{ ...heard, id: recorded.commandId, identified: true, timeMs: recorded.timeMs }])()
    }
    const deliveries = store.log
      .map(outbox(service(alarm)))
      .flatMap((one) => (E.isRight(one) ? one.right : []))
    const fired = deliveries.flatMap((one) => (one._tag === 'Schedule' ? [one.timer.payload] : []))
    // Every timer that was ever set goes off, twice, the canceled ones too: they may have been on their way.
    for (const payload of [...fired, ...fired]) {
      const { envelope } = elapsedOf(payload as never)
      await run(stream, [envelope as never])()
    }
    const asked = store.log.flatMap(({ answers }) => answers.flatMap((answer) => answer.events))
    const stands = (seats.at(-1) ?? 0) % 2 === 1
    expect(asked.filter(({ _tag }) => _tag === 'Asked')).toHaveLength(stands ? 1 : 0)
  },
)

test('every instance that hears an event is told under an id of its own', () => {
  const twice: typeof alarm = {
    ...alarm,
    hears: [hear(Seats.aggregate, () => 'one'), hear(Seats.aggregate, () => 'other')],
  }
  const commit = {
    stream: first.stream,
    number: 1,
    version: 1,
    timeMs: first.timeMs,
    latestIdMs: first.timeMs,
    answers: [
      {
        id: first.commandId,
        fingerprint: '1',
        timeMs: first.timeMs,
        metadata: first.metadata,
        events: [first.event],
      },
    ],
  }
  const told = outbox(service(twice))(commit)
  const messages = E.isRight(told)
    ? told.right.flatMap((one) => (one._tag === 'Dispatch' ? [messageOf(one)] : []))
    : []
  expect(messages.map(({ group }) => group)).toEqual(['alarm/one', 'alarm/other'])
  expect(new Set(messages.map(({ id }) => id)).size).toBe(2)
})

test('a process is loaded in one page, however much it heard', async () => {
  const kernel = virtualKernel({ mode: 'immediate' })
  const store = memoryEventStore(kernel)
  const aggregate = processAggregate(alarm)
  const stream = streamName('alarm', 'gala')
  const run = execute(aggregate, { store, clock: kernel })
  const events = recordedOf(
    Seats.aggregate,
    'gala',
  )(...Array.from({ length: 200 }, (_, at) => taken((at % 50) + 1, 'Ada')))
  for (const recorded of events) {
    const heard = { command: happened(recorded), fingerprint: '1', metadata: { correlationId: 'c' } }
    await run(stream, [{ ...heard, id: recorded.commandId, identified: true, timeMs: recorded.timeMs }])()
  }
  let reads = 0
  const counting = {
    ...store,
    readBackward: (...asked: Parameters<typeof store.readBackward>) => {
      reads += 1
      return store.readBackward(...asked)
    },
  }
  expect(E.isRight(await load(aggregate, counting, stream, 12))).toBe(true)
  expect(reads).toBe(1)
})
