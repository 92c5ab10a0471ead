import { accept, decodeEvent, E, fold, reject } from '@everfold/core'
import { anyContext, given, laws, valid } from '@everfold/core/testing'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { Quantities, Stock } from '../src/index.ts'

type StockEvent = Stock.StockEvent
type StockCommand = Stock.StockCommand
type EventNamed<Tag extends StockEvent['_tag']> = Extract<StockEvent, { readonly _tag: Tag }>

const command = valid(Stock.StockCommand)
const event = valid(Stock.StockEvent)
const stock = given(Stock.decider)
const at = (timeMs: number) => ({ ...anyContext, timeMs })

interface Step {
  readonly before: Stock.StockItem
  readonly command: StockCommand
  readonly timeMs: number
  readonly decision: ReturnType<typeof Stock.decide>
  readonly after: Stock.StockItem
}

/** One step a second, each deciding on what the steps before it left. */
const steps = (commands: ReadonlyArray<StockCommand>, from = Stock.initial): ReadonlyArray<Step> => {
  let before = from
  return commands.map((next, index) => {
    const timeMs = index * 1000
    const decision = Stock.decide(next, before, at(timeMs))
    const after = E.isRight(decision) ? fold(Stock.decider, decision.right, before) : before
    const step = { before, command: next, timeMs, decision, after }
    before = after
    return step
  })
}
const eventsOf = (taken: ReadonlyArray<Step>): ReadonlyArray<StockEvent> =>
  taken.flatMap(({ decision }) => (E.isRight(decision) ? decision.right : []))
const history = (commands: ReadonlyArray<StockCommand>) => eventsOf(steps(commands))

const anyUnits = fc.integer({ min: 1, max: 6 }).map(valid(Quantities.Units))
const anyReservation = fc.constantFrom('r-1', 'r-2', 'r-3', 'r-4').map(valid(Quantities.ReservationId))
const anyOrder = fc.constantFrom('o-1', 'o-2').map(valid(Quantities.OrderId))
const anyShopper = fc.constantFrom('ann', 'ben').map(valid(Quantities.UserId))
const anyTime = fc.integer({ min: 0, max: 30_000 }).map(valid(Quantities.TimeMs))
const because = valid(Quantities.Reason)('counted')
const tagged = <Tag extends StockCommand['_tag']>(tag: Tag) => fc.constant(tag)

const reserving = fc.record(
  {
    _tag: tagged('ReserveStock'),
    reservationId: anyReservation,
    orderId: anyOrder,
    lines: fc.array(anyUnits, { minLength: 1, maxLength: 3 }),
    expiresAtMs: anyTime,
    shopper: anyShopper,
  },
  { requiredKeys: ['_tag', 'reservationId', 'orderId', 'lines', 'expiresAtMs'] },
)
const receiving = fc.record({ _tag: tagged('ReceiveStock'), units: anyUnits })
const adjusting = fc.record({
  _tag: tagged('AdjustStock'),
  delta: fc.integer({ min: -6, max: 6 }).map(valid(Quantities.UnitsDelta)),
  reason: fc.constant(because),
})
const ending = fc.oneof(
  fc.record({ _tag: tagged('ReleaseReservation'), reservationId: anyReservation }),
  fc.record({ _tag: tagged('ExpireReservation'), reservationId: anyReservation }),
  fc.record({ _tag: tagged('AllocateStock'), reservationId: anyReservation, orderId: anyOrder }),
)
const delivering = fc.oneof(
  fc.record({
    _tag: tagged('DeallocateStock'),
    reservationId: anyReservation,
    reason: fc.constant(because),
  }),
  fc.record({
    _tag: tagged('ShipStock'),
    reservationId: anyReservation,
    units: fc.integer({ min: 1, max: 6 }).map(valid(Stock.HeldUnits)),
  }),
  fc.record({ _tag: tagged('RestockReturn'), orderId: anyOrder, units: anyUnits }),
)
const other = fc.oneof(
  fc.record({
    _tag: tagged('ExtendReservation'),
    reservationId: anyReservation,
    expiresAtMs: anyTime,
  }),
  fc.record({
    _tag: tagged('SetBackorderPolicy'),
    limit: fc.integer({ min: 0, max: 5 }).map(valid(Quantities.Count)),
  }),
)
const anyCommand: fc.Arbitrary<StockCommand> = fc.oneof(
  { weight: 4, arbitrary: reserving },
  { weight: 2, arbitrary: receiving },
  { weight: 3, arbitrary: ending },
  { weight: 2, arbitrary: delivering },
  { weight: 1, arbitrary: adjusting },
  { weight: 1, arbitrary: other },
)
const anyCommands = fc.array(anyCommand, { minLength: 1, maxLength: 40, size: 'max' })

/** Several writers' commands in one of their interleavings. */
const anyInterleaving = fc
  .tuple(
    fc.array(fc.array(anyCommand, { maxLength: 12 }), { minLength: 2, maxLength: 4 }),
    fc.array(fc.nat(), { minLength: 48, maxLength: 48 }),
  )
  .map(([writers, choices]) => {
    const queues = writers.map((commands) => [...commands])
    return choices.flatMap((choice) => {
      const waiting = queues.filter((queue) => queue.length > 0)
      const next = waiting[choice % Math.max(1, waiting.length)]?.shift()
      return next === undefined ? [] : [next]
    })
  })

/** Every interleaving of two lists of commands. */
const interleavings = (
  ones: ReadonlyArray<StockCommand>,
  others: ReadonlyArray<StockCommand>,
): ReadonlyArray<ReadonlyArray<StockCommand>> => {
  const [one, ...rest] = ones
  if (one === undefined) return [others]
  return others
    .flatMap((_, index) => {
      const before = others.slice(0, index)
      return interleavings(rest, others.slice(index)).map((tail) => before.concat(one, tail))
    })
    .concat([others.concat(ones)])
}

const sum = (numbers: ReadonlyArray<number>) => numbers.reduce((total, number) => total + number, 0)
const named = <Tag extends StockEvent['_tag']>(events: ReadonlyArray<StockEvent>, tag: Tag) =>
  events.filter((one): one is EventNamed<Tag> => one._tag === tag)

/** The ledger, added up from the events alone. */
const ledger = (events: ReadonlyArray<StockEvent>) => {
  const held = new Map<string, number>()
  const promised = new Map<string, number>()
  for (const one of events) {
    if (one._tag === 'StockReserved') held.set(one.reservationId, one.units)
    if (one._tag === 'ReservationReleased' || one._tag === 'ReservationExpired')
      held.delete(one.reservationId)
    if (one._tag === 'StockAllocated') {
      held.delete(one.reservationId)
      promised.set(one.reservationId, one.units)
    }
    if (one._tag === 'StockDeallocated' || one._tag === 'StockShipped')
      promised.set(one.reservationId, (promised.get(one.reservationId) ?? 0) - one.units)
  }
  return {
    onHand:
      sum(named(events, 'StockReceived').map(({ units }) => units)) +
      sum(named(events, 'StockAdjusted').map(({ delta }) => delta)) +
      sum(named(events, 'StockRestocked').map(({ units }) => units)) -
      sum(named(events, 'StockShipped').map(({ units }) => units)),
    reserved: sum([...held.values()]),
    allocated: sum([...promised.values()]),
    least: 0 - (named(events, 'BackorderPolicySet').at(-1)?.limit ?? 0),
  }
}

/** K2 at every prefix, by the ledger of the events as well as by the running totals of the state. */
const expectNothingOversold = (taken: ReadonlyArray<Step>) => {
  const events: Array<StockEvent> = []
  for (const { decision, after } of taken) {
    if (E.isLeft(decision)) continue
    events.push(...decision.right)
    const { onHand, reserved, allocated, least } = ledger(events)
    expect(onHand - reserved - allocated).toBeGreaterThanOrEqual(least)
    expect(Stock.available(after)).toBe(onHand - reserved - allocated)
  }
}

describe('laws', () => {
  test.each(laws(Stock.aggregate, { command: anyCommand }))('$title', async ({ check }) => {
    await expect(check(50)).resolves.toBeUndefined()
  })
})

const ENDS = new Set(['ReservationReleased', 'ReservationExpired', 'StockAllocated'])

describe('stock, whatever is asked', () => {
  property.prop([anyCommands])('K1 onHand = received + adjusted + restocked - shipped', (commands) => {
    const taken = steps(commands)
    taken.forEach(({ after }, index) => {
      expect(Stock.onHand(after)).toBe(ledger(eventsOf(taken.slice(0, index + 1))).onHand)
      expect(Stock.onHand(after)).toBeGreaterThanOrEqual(0)
    })
  })

  property.prop([anyInterleaving], { numRuns: 1000 })(
    'K2 available = onHand - reserved - allocated >= -backorderLimit, after every prefix of every interleaving',
    (commands) => expectNothingOversold(steps(commands)),
  )

  property.prop([fc.array(anyCommand, { maxLength: 4 }), fc.array(anyCommand, { maxLength: 4 })], {
    numRuns: 30,
  })('K2 also when all interleavings of two writers are tried, one by one', (ones, twos) => {
    const start = fold(Stock.decider, [event({ _tag: 'StockReceived', units: 5 })])
    for (const commands of interleavings(ones, twos))
      for (const { after } of steps(commands, start))
        expect(Stock.available(after)).toBeGreaterThanOrEqual(-after.backorderLimit)
  })

  property.prop([anyCommands])(
    'K4 a reservation ends at most once (released, expired or allocated)',
    (commands) => {
      const live = new Set<string>()
      for (const one of history(commands)) {
        if (one._tag === 'StockReserved') live.add(one.reservationId)
        if (ENDS.has(one._tag) && 'reservationId' in one) expect(live.delete(one.reservationId)).toBe(true)
      }
    },
  )

  property.prop([anyCommands, reserving])(
    'K5 a shopper’s own reservation never blocks that shopper',
    (commands, wish) => {
      const before = fold(Stock.decider, history(commands))
      if (before.allocations.has(wish.reservationId)) return
      const former = before.reservations.get(wish.reservationId)
      if (former !== undefined && former.orderId !== wish.orderId) return
      const others = before.reservations.filter(
        (held, id) =>
          id !== wish.reservationId &&
          (wish.shopper === undefined
            ? held.shopper !== undefined || held.orderId !== wish.orderId
            : held.shopper !== wish.shopper),
      )
      const heldByOthers = sum([...others.values()].map(({ units }) => units))
      const forHim = Stock.onHand(before) - before.allocated - heldByOthers + before.backorderLimit
      const decision = Stock.decide(wish, before, anyContext)
      expect(E.isRight(decision)).toBe(sum(wish.lines) <= forHim)
      if (E.isLeft(decision))
        expect(decision.left).toMatchObject({ requested: sum(wish.lines), available: forHim })
    },
  )

  property.prop([anyCommands, reserving])(
    'K6 two lines of one command on one item are checked against their sum',
    (commands, wish) => {
      const before = fold(Stock.decider, history(commands))
      const oneLine = { ...wish, lines: [valid(Quantities.Units)(sum(wish.lines))] }
      expect(Stock.decide(wish, before, anyContext)).toEqual(Stock.decide(oneLine, before, anyContext))
    },
  )

  property.prop([anyCommands])(
    'what an accepted command asked for is so when it is asked again',
    (commands) => {
      const repeatable = new Set(['ReserveStock', 'ExtendReservation', 'AllocateStock', 'ExpireReservation'])
      for (const { command: asked, decision, after, timeMs } of steps(commands))
        if (E.isRight(decision) && repeatable.has(asked._tag))
          expect(Stock.decide(asked, after, at(timeMs))).toEqual(accept())
    },
  )

  property.prop([anyCommands])('the state holds nothing that has ended', (commands) => {
    for (const { after } of steps(commands)) {
      expect(sum([...after.reservations.values()].map(({ units }) => units))).toBe(after.reserved)
      expect(sum([...after.allocations.values()].map(({ units }) => units))).toBe(after.allocated)
      expect([...after.owned.values()].flat().toSorted()).toEqual([...after.reservations.keys()].toSorted())
    }
  })
})

const received = event({ _tag: 'StockReceived', units: 5 })
const reserved = (reservationId: string, units: number, more: object = {}) =>
  event({
    _tag: 'StockReserved',
    reservationId,
    orderId: 'o-1',
    units,
    backordered: 0,
    expiresAtMs: 60_000,
    ...more,
  })
const reserve = (reservationId: string, lines: ReadonlyArray<number>, more: object = {}) =>
  command({
    _tag: 'ReserveStock',
    reservationId,
    orderId: 'o-1',
    lines,
    expiresAtMs: 60_000,
    ...more,
  })
const allocated = event({ _tag: 'StockAllocated', reservationId: 'r-1', orderId: 'o-1', units: 3 })

describe('reserving', () => {
  test('holds units that are on hand', () => {
    expect(stock(received).when(reserve('r-1', [2, 1]))).toEqual(accept(reserved('r-1', 3)))
  })
  test('the last unit says that the item is depleted', () => {
    expect(stock(received).when(reserve('r-1', [5]))).toEqual(
      accept(reserved('r-1', 5), event({ _tag: 'StockDepleted', available: 0 })),
    )
  })
  test('more than is free is refused, saying what is free', () => {
    expect(stock(received, reserved('r-1', 3)).when(reserve('r-2', [1, 2], { orderId: 'o-2' }))).toEqual(
      reject({ _tag: 'InsufficientStock', reservationId: 'r-2', requested: 3, available: 2 }),
    )
  })
  test('beyond the stock, up to the backorder limit, says how many are missing', () => {
    const policy = event({ _tag: 'BackorderPolicySet', limit: 4 })
    expect(stock(received, policy).when(reserve('r-1', [8]))).toEqual(
      accept(reserved('r-1', 8, { backordered: 3 }), event({ _tag: 'StockDepleted', available: -3 })),
    )
  })
  test('again with other units replaces the reservation', () => {
    expect(stock(received, reserved('r-1', 4)).when(reserve('r-1', [5]))).toEqual(
      accept(reserved('r-1', 5, { replaces: 4 }), event({ _tag: 'StockDepleted', available: 0 })),
    )
  })
  test('by a shopper whose other reservation holds the units supersedes it', () => {
    const ann = { shopper: 'ann' }
    expect(
      stock(received, reserved('r-1', 5, ann)).when(reserve('r-2', [4], { ...ann, orderId: 'o-2' })),
    ).toEqual(
      accept(
        event({
          _tag: 'ReservationReleased',
          reservationId: 'r-1',
          orderId: 'o-1',
          units: 5,
          supersededBy: 'r-2',
        }),
        reserved('r-2', 4, { ...ann, orderId: 'o-2' }),
      ),
    )
  })
  test('by a shopper leaves his other reservation alone while there is enough for both', () => {
    const ann = { shopper: 'ann' }
    expect(
      stock(received, reserved('r-1', 3, ann)).when(reserve('r-2', [1], { ...ann, orderId: 'o-2' })),
    ).toEqual(accept(reserved('r-2', 1, { ...ann, orderId: 'o-2' })))
  })
  test('with an id of another order is refused', () => {
    expect(stock(received, reserved('r-1', 1)).when(reserve('r-1', [1], { orderId: 'o-2' }))).toEqual(
      reject({ _tag: 'ReservationOfAnotherOrder', reservationId: 'r-1', orderId: 'o-1' }),
    )
  })
})

describe('the end of a reservation', () => {
  const held = stock(received, reserved('r-1', 3))
  test('a release names what it undoes', () => {
    expect(
      held.when(command({ _tag: 'ReleaseReservation', reservationId: 'r-1', reason: 'declined' })),
    ).toEqual(
      accept(
        event({
          _tag: 'ReservationReleased',
          reservationId: 'r-1',
          orderId: 'o-1',
          units: 3,
          reason: 'declined',
        }),
      ),
    )
  })
  test('a release of what is not held is refused', () => {
    expect(held.when(command({ _tag: 'ReleaseReservation', reservationId: 'r-9' }))).toEqual(
      reject({ _tag: 'UnknownReservation', reservationId: 'r-9' }),
    )
  })
  test('a release of what an order was promised is refused', () => {
    expect(
      stock(received, reserved('r-1', 3), allocated).when(
        command({ _tag: 'ReleaseReservation', reservationId: 'r-1' }),
      ),
    ).toEqual(reject({ _tag: 'ReservationAllocated', reservationId: 'r-1', orderId: 'o-1' }))
  })
  test('it does not expire before its time, and an extension moves that', () => {
    const expire = command({ _tag: 'ExpireReservation', reservationId: 'r-1' })
    const extended = event({
      _tag: 'ReservationExtended',
      reservationId: 'r-1',
      orderId: 'o-1',
      expiresAtMs: 90_000,
    })
    expect(held.when(expire, at(60_000))).toEqual(
      accept(event({ _tag: 'ReservationExpired', reservationId: 'r-1', orderId: 'o-1', units: 3 })),
    )
    expect(stock(received, reserved('r-1', 3), extended).when(expire, at(60_000))).toEqual(
      reject({ _tag: 'ReservationNotDue', reservationId: 'r-1', expiresAtMs: 90_000 }),
    )
  })
  test('a timer that comes after the end changes nothing', () => {
    expect(
      stock(received, reserved('r-1', 3), allocated).when(
        command({ _tag: 'ExpireReservation', reservationId: 'r-1' }),
        at(60_000),
      ),
    ).toEqual(accept())
  })
  test('an extension never shortens', () => {
    expect(held.when(command({ _tag: 'ExtendReservation', reservationId: 'r-1', expiresAtMs: 1 }))).toEqual(
      accept(),
    )
  })
})

const lose = (delta: number) => command({ _tag: 'AdjustStock', delta, reason: 'counted' })

describe('promising, shipping and taking back', () => {
  const promised = stock(received, reserved('r-1', 3), allocated)
  test('an order is promised what was reserved for it', () => {
    const allocate = command({ _tag: 'AllocateStock', reservationId: 'r-1', orderId: 'o-1' })
    expect(stock(received, reserved('r-1', 3)).when(allocate)).toEqual(accept(allocated))
    expect(promised.when(allocate)).toEqual(accept())
    expect(promised.when(command({ _tag: 'AllocateStock', reservationId: 'r-1', orderId: 'o-2' }))).toEqual(
      reject({ _tag: 'ReservationOfAnotherOrder', reservationId: 'r-1', orderId: 'o-1' }),
    )
  })
  test('no more is shipped than was promised', () => {
    expect(promised.when(command({ _tag: 'ShipStock', reservationId: 'r-1', units: 4 }))).toEqual(
      reject({ _tag: 'InsufficientAllocation', reservationId: 'r-1', requested: 4, available: 3 }),
    )
  })
  test('no more is shipped than lies there', () => {
    const backordered = stock(
      event({ _tag: 'BackorderPolicySet', limit: 9 }),
      reserved('r-1', 3, { backordered: 3 }),
      allocated,
    )
    expect(backordered.when(command({ _tag: 'ShipStock', reservationId: 'r-1', units: 1 }))).toEqual(
      reject({ _tag: 'NotOnHand', reservationId: 'r-1', requested: 1, available: 0 }),
    )
  })
  test('taking a promise back frees what is not yet shipped', () => {
    const shipped = event({ _tag: 'StockShipped', reservationId: 'r-1', orderId: 'o-1', units: 1 })
    expect(
      stock(received, reserved('r-1', 3), allocated, shipped).when(
        command({ _tag: 'DeallocateStock', reservationId: 'r-1', reason: 'refunded' }),
      ),
    ).toEqual(
      accept(
        event({
          _tag: 'StockDeallocated',
          reservationId: 'r-1',
          orderId: 'o-1',
          units: 2,
          reason: 'refunded',
        }),
      ),
    )
  })
  test('no more comes back than was shipped', () => {
    expect(promised.when(command({ _tag: 'RestockReturn', orderId: 'o-1', units: 1 }))).toEqual(
      reject({ _tag: 'NotShipped', orderId: 'o-1', requested: 1, available: 0 }),
    )
  })
  test('a loss that would break a promise is refused', () => {
    expect(promised.when(lose(-3))).toEqual(reject({ _tag: 'InsufficientStock', requested: 3, available: 2 }))
    expect(promised.when(lose(-6))).toEqual(reject({ _tag: 'NotOnHand', requested: 6, available: 5 }))
  })
  test('the backorder limit does not fall below what is backordered', () => {
    const short = stock(
      event({ _tag: 'BackorderPolicySet', limit: 9 }),
      reserved('r-1', 3, { backordered: 3 }),
    )
    expect(short.when(command({ _tag: 'SetBackorderPolicy', limit: 2 }))).toEqual(
      reject({ _tag: 'BackordersOpen', requested: 2, backordered: 3 }),
    )
  })
})

describe('the wire', () => {
  test.each([
    { _tag: 'StockReceived', units: 5 },
    { _tag: 'StockAdjusted', delta: -1, reason: 'broken' },
    {
      _tag: 'StockReserved',
      reservationId: 'o-1:tea',
      orderId: 'o-1',
      units: 3,
      backordered: 1,
      expiresAtMs: 1_764_000_000_000,
      shopper: 'ann',
    },
    { _tag: 'ReservationExtended', reservationId: 'r-1', orderId: 'o-1', expiresAtMs: 1 },
    { _tag: 'ReservationReleased', reservationId: 'r-1', orderId: 'o-1', units: 3 },
    { _tag: 'ReservationReleased', reservationId: 'r-1', orderId: 'o-1', units: 3, reason: 'declined' },
    { _tag: 'ReservationReleased', reservationId: 'r-1', orderId: 'o-1', units: 3, supersededBy: 'r-2' },
    { _tag: 'ReservationExpired', reservationId: 'r-1', orderId: 'o-1', units: 3 },
    { _tag: 'StockAllocated', reservationId: 'r-1', orderId: 'o-1', units: 3 },
    { _tag: 'StockDeallocated', reservationId: 'r-1', orderId: 'o-1', units: 3, reason: 'refunded' },
    { _tag: 'StockShipped', reservationId: 'r-1', orderId: 'o-1', units: 3 },
    { _tag: 'StockRestocked', orderId: 'o-1', units: 1 },
    { _tag: 'BackorderPolicySet', limit: 10 },
    { _tag: 'StockDepleted', available: -2 },
  ])('$_tag, as once stored, still decodes', (stored) => {
    expect(decodeEvent(Stock.aggregate, stored)).toEqual(E.right(stored))
  })
  test('a stream is named by its item', () => {
    const sku = valid(Quantities.Sku)('tea-1')
    const location = valid(Quantities.Location)('north')
    expect(Stock.streamId({ sku })).toBe('tea-1')
    expect(Stock.streamId({ sku, location })).toBe('tea-1@north')
    expect(Stock.itemOf('tea-1')).toEqual({ sku })
    expect(Stock.itemOf('tea-1@north')).toEqual({ sku, location })
  })
})
