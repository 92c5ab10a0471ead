import { type AnyAggregate, decode, E, type Output, processAggregate } from '@everfold/core'
import { arbitrary, givenHeard, laws } from '@everfold/core/testing'
import { Notification, Order, OrderFulfilment, Payment, Quantities, Stock } from '@everfold/ecommerce'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import {
  actionRequired,
  allocated,
  anyLife,
  anyTale,
  authorized,
  canceled,
  captured,
  captureRefused,
  commandsOf,
  confirmed,
  deallocated,
  declined,
  elapsed,
  evolve,
  expired,
  initial,
  type Life,
  lapsed,
  ORDER,
  order,
  outOfStock,
  paymentRefused,
  placed,
  react,
  refundFailed,
  released,
  reserved,
  resolved,
  START_MS,
  stock,
  stockRefused,
  type Told,
  tagsOf,
  usd,
  voided,
} from './order-life.ts'

const MINUTE_MS = 60_000

/** What is asked for at each that is heard. */
const stepsOf = (heard: ReadonlyArray<Told>): ReadonlyArray<ReadonlyArray<Output>> => {
  let state = initial
  return heard.map((one) => {
    const before = state
    state = evolve(before, one)
    return react(before, state, one)
  })
}

const eventOf = (heard: Told) => (heard._tag === 'Happened' ? heard.recorded.event : undefined)
const heardOf = (heard: ReadonlyArray<Told>, tag: string, sku?: string): number =>
  heard.filter((one) => {
    const event = eventOf(one)
    if (event?._tag !== tag) return false
    return sku === undefined || ('reservationId' in event && event.reservationId === `${ORDER}:${sku}`)
  }).length

/** How often each was asked for. */
const timesAsked = (outputs: ReadonlyArray<Output>): ReadonlyMap<string, number> => {
  const times = new Map<string, number>()
  for (const output of outputs) {
    if (output._tag === 'CancelTimer') continue
    const [asked] = commandsOf([output])
    const key = JSON.stringify(asked ?? output)
    times.set(key, (times.get(key) ?? 0) + 1)
  }
  return times
}

/** What may be asked for again, when it becomes known what had become of it. */
const repeatable = (asked: string): boolean => /"(CancelPayment|RequestCapture)"/.test(asked)

const askedOnce = (outputs: ReadonlyArray<Output>): void => {
  for (const [asked, times] of timesAsked(outputs))
    expect([asked, times <= (repeatable(asked) ? 3 : 1)]).toEqual([asked, true])
}

const count = (outputs: ReadonlyArray<Output>, tag: string, of?: string): number =>
  commandsOf(outputs).filter((one) => one.command._tag === tag && (of === undefined || one.of === of)).length

describe('whatever is heard', () => {
  property.prop([anyLife], { numRuns: 500 })(
    'in any order and with repetitions, each thing is asked for once',
    ({ outputs }) => {
      askedOnce(outputs)
    },
  )
  property.prop([anyTale], { numRuns: 500 })(
    'each thing is asked for once, also in an order without cause and effect',
    (tale) => {
      askedOnce(stepsOf(tale).flat())
    },
  )
  property.prop([anyTale], { numRuns: 300 })('nothing is asked before the order is placed', (tale) => {
    const at = tale.findIndex((heard) => eventOf(heard)?._tag === 'OrderPlaced')
    expect(stepsOf(tale.slice(0, at)).flat()).toEqual([])
  })
  property.prop(
    [
      fc.oneof(
        anyTale,
        anyLife.map(({ heard }) => heard),
      ),
    ],
    { numRuns: 1000 },
  )(
    'a canceled order never pays, confirms, captures or allocates after the cancellation was heard',
    (heard) => {
      const at = heard.findIndex((one) => eventOf(one)?._tag === 'OrderCanceled')
      const after = at < 0 ? [] : stepsOf(heard).slice(at).flat()
      const forbidden = /^(ReserveStock|RequestPayment|AllocateStock|ConfirmOrder|RequestCapture)$/
      expect(tagsOf(after).filter((tag) => forbidden.test(tag))).toEqual([])
    },
  )
  property.prop([anyLife], { numRuns: 1000 })('every order is confirmed or canceled at rest', ({ heard }) => {
    expect(heardOf(heard, 'OrderConfirmed') + heardOf(heard, 'OrderCanceled')).toBeGreaterThan(0)
  })
  property.prop([anyLife], { numRuns: 1000 })(
    'every reservation that was ever made for a canceled order has ended, or was asked to, as it stands',
    ({ plan, heard, outputs }) => {
      if (heardOf(heard, 'OrderCanceled') === 0) return
      for (const sku of plan.skus) {
        const ended = ['ReservationReleased', 'ReservationExpired', 'StockDeallocated'].some(
          (tag) => heardOf(heard, tag, sku) > 0,
        )
        const last = heardOf(heard, 'StockAllocated', sku) > 0 ? 'DeallocateStock' : 'ReleaseReservation'
        const made = heardOf(heard, 'StockReserved', sku) + heardOf(heard, 'StockAllocated', sku) > 0
        expect([sku, !made || ended || count(outputs, last, `stock/${sku}`) === 1]).toEqual([sku, true])
      }
    },
  )
  property.prop([anyLife], { numRuns: 1000 })(
    'the payment of a canceled order that was authorized is canceled, or refunded if it was captured',
    ({ plan, heard, outputs }) => {
      if (heardOf(heard, 'OrderCanceled') === 0) return
      const over = heardOf(heard, 'PaymentCanceled') + heardOf(heard, 'AuthorizationExpired') > 0
      if (heardOf(heard, 'PaymentCaptured') > 0) expect(leftToRefund({ plan, heard, outputs })).toBe(0)
      else if (heardOf(heard, 'PaymentAuthorized') > 0 && !over)
        expect(count(outputs, 'CancelPayment')).toBeGreaterThan(0)
    },
  )
  property.prop([anyLife], { numRuns: 500 })(
    'the payment of a confirmed order is captured',
    ({ heard, outputs }) => {
      const otherwise = ['OrderCanceled', 'PaymentCaptured'].some((tag) => heardOf(heard, tag) > 0)
      if (otherwise || count(outputs, 'RequestPayment') === 0 || count(outputs, 'HoldOrder') > 0) return
      expect(count(outputs, 'RequestCapture')).toBeGreaterThan(0)
    },
  )
  property.prop([anyLife], { numRuns: 500 })('every compensation names what it undoes', ({ outputs }) => {
    for (const { command } of commandsOf(outputs)) {
      const { _tag, reason, reservationId } = command
      if (_tag === 'ReleaseReservation' || _tag === 'DeallocateStock')
        expect(reason).toBe(`undoes the reservation ${String(reservationId)} of the canceled order ${ORDER}`)
      if (_tag === 'CancelPayment') expect(reason).toBe(`undoes the payment of the canceled order ${ORDER}`)
      if (_tag === 'RequestRefund') expect(reason).toBe(`undoes the capture of the canceled order ${ORDER}`)
    }
  })
})

/** What a canceled order has captured and neither given back nor asked back, nor tried to three times. */
const leftToRefund = ({ plan, heard, outputs }: Pick<Life, 'plan' | 'heard' | 'outputs'>): number => {
  const refused = heard.some((one) => one._tag === 'Refused' && one.rejection._tag === 'InsufficientCapture')
  const given = refused ? plan.given : 0
  const failed = new Set<string>(
    heard.flatMap((one) => {
      const event = eventOf(one)
      return event?._tag === 'RefundFailed' ? [event.refundId] : []
    }),
  )
  const asked = commandsOf(outputs).flatMap(({ command }) =>
    command._tag === 'RequestRefund'
      ? [{ id: command['refundId'] as string, amount: (command['amount'] as { amount: number }).amount }]
      : [],
  )
  const tries = asked.slice(refused ? 1 : 0)
  if (failed.size === 3) return tries.length - 3
  const onTheirWay = tries.filter(({ id }) => !failed.has(id))
  return totalOf(plan) - given - onTheirWay.reduce((sum, { amount }) => sum + amount, 0)
}

const totalOf = ({ skus }: Life['plan']): number => 250 * skus.length

/** Times that a deadline may be added to. */
const anyTimeMs = fc.integer({ min: 0, max: 8_640_000_000_000 })
const sensible = new Map([[Quantities.TimeMs, anyTimeMs]]) as Parameters<typeof arbitrary>[1]

const heardFrom = (aggregate: AnyAggregate, id: string, like: Told): fc.Arbitrary<unknown> => {
  if (like._tag !== 'Happened') throw new Error('an event')
  const { recorded } = like
  const event = arbitrary(aggregate.event, sensible)
  const rejection = arbitrary(aggregate.rejection, sensible)
  const stream = recorded.stream.slice(0, recorded.stream.indexOf('/') + 1) + id
  return fc.oneof(
    event.map((one) => ({ _tag: 'Happened', recorded: { ...recorded, stream, event: one } })),
    rejection.map((one) => ({
      _tag: 'Refused',
      commandId: recorded.commandId,
      stream,
      rejection: one,
    })),
  )
}

const anyHeard = fc.oneof(
  { weight: 2, arbitrary: heardFrom(Order.aggregate as AnyAggregate, ORDER, confirmed) },
  { weight: 1, arbitrary: heardFrom(Stock.aggregate as AnyAggregate, 'tea', reserved('tea')) },
  { weight: 1, arbitrary: heardFrom(Payment.aggregate as AnyAggregate, ORDER, declined) },
  { weight: 1, arbitrary: anyTale.chain((tale) => fc.constantFrom(...tale)) },
) as fc.Arbitrary<Told>

describe('react and evolve are total', () => {
  property.prop([fc.array(anyHeard, { maxLength: 12 })], { numRuns: 300 })(
    'over anything that decodes, and what is asked for decodes too',
    (heard) => {
      for (const output of stepsOf(heard).flat())
        if (output._tag === 'Ask')
          expect(decode(output.aggregate.command, output.command)).toEqual(E.right(output.command))
    },
  )
})

describe('it keeps the laws of aggregates', () => {
  const aggregate = processAggregate(OrderFulfilment.process)
  const command = anyTale.chain((tale) => fc.constantFrom(...tale))
  const event = command.map((heard) => ({ _tag: 'Heard' as const, heard }))
  test.each(laws(aggregate, { command, event, maxCommands: 12 }))('$title', async ({ check }) => {
    await expect(check(20)).resolves.toBeUndefined()
  })
})

const given = givenHeard(OrderFulfilment.process)
const asked = (outputs: ReadonlyArray<Output>) => commandsOf(outputs)
const tea = (command: object) => ({ of: 'stock/tea', command })
const pay = (command: object) => ({ of: `payment/${ORDER}`, command })
const decide = (command: object) => ({ of: `order/${ORDER}`, command })
const schedule = (afterMs: number) => ({ _tag: 'Schedule', timer: 'payment', dueMs: START_MS + afterMs })
const RESERVATION = `${ORDER}:tea`

const cancelFor = (reason: string) => decide({ _tag: 'CancelOrder', reason, by: 'system' })
const holdFor = (reason: string) => decide({ _tag: 'HoldOrder', reason })
const undone = `undoes the reservation ${RESERVATION} of the canceled order ${ORDER}`
const release = tea({ _tag: 'ReleaseReservation', reservationId: RESERVATION, reason: undone })
const deallocate = tea({ _tag: 'DeallocateStock', reservationId: RESERVATION, reason: undone })
const cancelPayment = pay({
  _tag: 'CancelPayment',
  reason: `undoes the payment of the canceled order ${ORDER}`,
})
const refund = (attempt: number, amount = 250) =>
  pay({
    _tag: 'RequestRefund',
    refundId: `${ORDER}~canceled~${attempt}`,
    amount: usd(amount),
    reason: `undoes the capture of the canceled order ${ORDER}`,
  })
const capture = pay({ _tag: 'RequestCapture', amount: usd(250), final: true })
const mail = (name: string, total = '250') => ({
  of: `notification/${ORDER}@order-${name}@${name}`,
  command: {
    _tag: 'RequestEmail',
    orderId: ORDER,
    template: `order-${name}`,
    cause: name,
    to: { _tag: 'Sealed', subject: 'ann', box: 'YQ' },
    data: [
      { name: 'orderId', value: ORDER },
      { name: 'total', value: total },
      { name: 'currency', value: 'USD' },
    ],
  },
})

const one = placed(['tea'])
const paying = [one, reserved('tea')]
const paid = [...paying, authorized(250)]
const ready = [...paid, allocated('tea')]
const done = [...ready, confirmed]
const shipped = [...done, captured(250)]

describe('an order that goes well', () => {
  test('reserves its stock, and sets the shopper a time', () => {
    const outputs = given().when(one)
    expect(outputs[0]).toEqual(schedule(30 * MINUTE_MS))
    expect(asked(outputs)).toEqual([
      tea({
        _tag: 'ReserveStock',
        reservationId: RESERVATION,
        orderId: ORDER,
        lines: [1],
        expiresAtMs: START_MS + 40 * MINUTE_MS,
      }),
    ])
  })
  test('requests the payment once all of its stock is reserved', () => {
    const two = placed(['tea', 'jam'])
    expect(given(two).when(reserved('tea'))).toEqual([])
    expect(asked(given(two, reserved('tea')).when(reserved('jam', 2)))).toEqual([
      pay({
        _tag: 'RequestPayment',
        orderId: ORDER,
        amount: usd(500),
        paymentMethod: 'pm_card_visa',
        captureMethod: 'manual',
      }),
    ])
  })
  test('allocates what it reserved when the payment is authorized', () => {
    const outputs = given(...paying).when(authorized(250))
    expect(outputs[0]).toEqual({ _tag: 'CancelTimer', timer: 'payment' })
    expect(asked(outputs)).toEqual([
      tea({ _tag: 'AllocateStock', reservationId: RESERVATION, orderId: ORDER }),
    ])
  })
  test('is confirmed, then captured, and its shopper told', () => {
    expect(asked(given(...paid).when(allocated('tea')))).toEqual([decide({ _tag: 'ConfirmOrder' })])
    expect(asked(given(...ready).when(confirmed))).toEqual([mail('confirmed'), capture])
    expect(given(...done).when(captured(250))).toEqual([])
  })
  test('makes one reservation of two lines of one SKU', () => {
    const [reserve, more] = asked(given().when(placed(['tea', 'tea'])))
    expect([reserve?.of, reserve?.command['lines'], more]).toEqual(['stock/tea', [1, 2], undefined])
  })
  test('needs no payment when it is free', () => {
    const free = placed(['tea'], 0)
    expect(tagsOf(given(free).when(reserved('tea')))).toEqual(['CancelTimer', 'AllocateStock'])
    expect(tagsOf(given(free, reserved('tea')).when(allocated('tea')))).toEqual(['ConfirmOrder'])
    const last = given(free, reserved('tea'), allocated('tea'))
    expect(asked(last.when(confirmed))).toEqual([mail('confirmed', '0')])
    expect(given(free, reserved('tea'), allocated('tea'), confirmed).when(elapsed)).toEqual([])
    const [, ...compensations] = asked(
      given(free, reserved('tea'), allocated('tea'), confirmed).when(canceled),
    )
    expect(compensations).toEqual([deallocate])
  })
  test('that is placed again, or hears of its stock first, asks for no more and forgets nothing', () => {
    expect(given(...paid).when(one)).toEqual([])
    expect(tagsOf(given(...paid, one).when(allocated('tea')))).toEqual(['ConfirmOrder'])
    expect(tagsOf(given(reserved('tea')).when(one))).toEqual(['Schedule', 'ReserveStock', 'RequestPayment'])
  })
})

describe('an order whose bank asks the shopper', () => {
  const at = actionRequired(START_MS + 5 * MINUTE_MS)
  test('gives him an hour, and its reservations a little more', () => {
    expect(given(...paying).when(at)).toMatchObject([
      schedule(65 * MINUTE_MS),
      {
        command: {
          _tag: 'ExtendReservation',
          reservationId: RESERVATION,
          expiresAtMs: START_MS + 75 * MINUTE_MS,
        },
      },
    ])
  })
  test('goes on when he has acted', () => {
    expect(tagsOf(given(...paying, at).when(authorized(250)))).toEqual(['CancelTimer', 'AllocateStock'])
  })
  test('is not troubled by an extension that the allocation overtook', () => {
    const late = stockRefused('tea', {
      _tag: 'ReservationAllocated',
      reservationId: RESERVATION,
      orderId: ORDER,
    })
    expect(given(...paid, at).when(late)).toEqual([])
    expect(tagsOf(given(...paid, at, late).when(allocated('tea')))).toEqual(['ConfirmOrder'])
  })
})

describe('an order that cannot be', () => {
  test.each([
    ['stock is short', [one], outOfStock('tea'), 'Not enough of tea is in stock.'],
    ['the payment is declined', paying, declined, 'The payment failed: insufficient_funds.'],
    ['the payment is closed', paying, voided, 'The payment was canceled.'],
    ['the provider does not know the payment', paying, resolved(false, 3), 'The payment could not be made.'],
    ['the shopper takes too long', paying, elapsed, 'The payment was not made in time.'],
    ['a reservation expires before the payment', paying, expired('tea'), 'The stock is gone.'],
    [
      'a reservation is superseded',
      paying,
      released('tea', { supersededBy: 'o-2:tea' }),
      'The stock is gone.',
    ],
    ['a reservation expires after the authorization', paid, expired('tea'), 'The stock is gone.'],
    ['an allocation is taken back before it is confirmed', ready, deallocated('tea'), 'The stock is gone.'],
    [
      'the payment differs',
      paying,
      paymentRefused({ _tag: 'PaymentDiffers', orderId: ORDER, amount: usd(1) }),
      'The payment was refused: PaymentDiffers.',
    ],
  ])('is canceled: %s', (_why, history, heard, reason) => {
    expect(asked(given(...history).when(heard))).toEqual([cancelFor(reason)])
  })
  test('is canceled for its first obstacle only', () => {
    expect(given(...paying, declined).when(elapsed)).toEqual([])
  })
  test('is neither captured nor said to be confirmed when the confirmation was on its way', () => {
    expect(given(...ready, deallocated('tea')).when(confirmed)).toEqual([])
  })
  test('is not troubled by what others hold in its name', () => {
    const theirs = { reservationId: 'counter:1' }
    expect(given(...done).when(released('tea', theirs))).toEqual([])
    expect(given(...paying).when(stock('tea', { _tag: 'ReservationExpired', units: 1, ...theirs }))).toEqual(
      [],
    )
  })
  test('an attempt that failed before the one that was authorized is no obstacle', () => {
    expect(given(...paid).when(declined)).toEqual([])
    expect(given(...done).when(declined)).toEqual([])
  })
})

describe('a canceled order', () => {
  test('releases what is reserved, and only cancels its timer and tells its shopper where nothing was', () => {
    const outputs = given(one).when(canceled)
    expect(outputs[0]).toEqual({ _tag: 'CancelTimer', timer: 'payment' })
    expect(asked(outputs)).toEqual([mail('canceled')])
    expect(asked(given(one, canceled).when(reserved('tea')))).toEqual([release])
    expect(asked(given(...paying).when(canceled))).toEqual([mail('canceled'), cancelPayment, release])
  })
  test('cancels what is authorized, once', () => {
    expect(asked(given(...paid).when(canceled))).toEqual([mail('canceled'), cancelPayment, release])
  })
  test('that is authorized afterwards cancels once more: the payment may have been requested later', () => {
    expect(asked(given(...paying, canceled).when(authorized(250)))).toEqual([cancelPayment])
  })
  test('deallocates what was allocated before or afterwards', () => {
    expect(asked(given(...ready).when(canceled))).toEqual([mail('canceled'), cancelPayment, deallocate])
    expect(asked(given(...paid, canceled).when(allocated('tea')))).toEqual([deallocate])
  })
  test('refunds what was captured before or afterwards', () => {
    expect(asked(given(...shipped).when(canceled))).toEqual([mail('canceled'), deallocate, refund(0)])
    expect(asked(given(...done, canceled).when(captured(250)))).toEqual([refund(0)])
  })
  test('refunds what is captured further', () => {
    expect(asked(given(...done, canceled, captured(100)).when(captured(250)))).toEqual([refund(1, 150)])
    expect(given(...done, canceled, captured(250)).when(captured(100))).toEqual([])
  })
  test('asks for a failed refund again under a new id, three times at most', () => {
    const tries = [0, 1, 2].map((attempt) => refundFailed(`${ORDER}~canceled~${attempt}`, 250))
    const [first, second, third] = tries as [Told, Told, Told]
    const refunding = [...shipped, canceled]
    expect(asked(given(...refunding).when(first))).toEqual([refund(1)])
    expect(given(...refunding, first).when(first)).toEqual([])
    expect(asked(given(...refunding, first).when(second))).toEqual([refund(2)])
    expect(given(...refunding, first, second).when(third)).toEqual([])
  })
  test('refunds what others have left, and their part where their refund failed', () => {
    const part = paymentRefused({
      _tag: 'InsufficientCapture',
      requested: usd(250),
      available: usd(150),
    })
    const refunding = [...shipped, canceled]
    expect(asked(given(...refunding).when(part))).toEqual([refund(1, 150)])
    expect(given(...refunding, part).when(part)).toEqual([])
    expect(asked(given(...refunding, part).when(refundFailed('re_theirs', 100)))).toEqual([refund(2, 100)])
    const all = paymentRefused({ _tag: 'InsufficientCapture', requested: usd(250), available: usd(0) })
    expect(given(...refunding).when(all)).toEqual([])
  })
  test('cancels the payment when the capture that stood in the way was refused or never made', () => {
    expect(asked(given(...done, canceled).when(captureRefused(9)))).toEqual([cancelPayment])
    expect(asked(given(...done, canceled).when(resolved(true, 9)))).toEqual([cancelPayment])
    expect(given(...done, canceled, resolved(true, 9)).when(resolved(true, 9))).toEqual([])
  })
  test('leaves a payment alone that was never asked for, or is closed', () => {
    expect(tagsOf(given(one, reserved('tea'), voided).when(canceled))).not.toContain('CancelPayment')
    expect(tagsOf(given(one, outOfStock('tea')).when(canceled))).not.toContain('CancelPayment')
  })
  test('whose cancellation is heard first only tells its shopper', () => {
    expect(given().when(canceled)).toEqual([])
    expect(tagsOf(given(canceled).when(one))).toEqual(['CancelTimer', 'RequestEmail'])
  })
})

describe('a confirmed order', () => {
  test.each([
    ['the authorization expires', lapsed, 'The authorization expired before it was captured.'],
    ['the capture is refused', captureRefused(9), 'The capture was refused: capture_failed.'],
    ['its allocation is taken away', deallocated('tea'), 'The stock is gone.'],
    [
      'it is not authorized',
      paymentRefused({ _tag: 'NotAuthorized' }),
      'The payment was refused: NotAuthorized.',
    ],
  ])('is held, for a person to decide: %s', (_why, heard, reason) => {
    expect(asked(given(...done).when(heard))).toEqual([holdFor(reason)])
  })
  test('is captured again when it became known that it was not', () => {
    expect(asked(given(...done).when(resolved(true, 9)))).toEqual([capture])
    expect(given(...shipped).when(resolved(true, 9))).toEqual([])
  })
  test('is not held because a capture is asked for that is on its way', () => {
    expect(given(...done, resolved(true, 9)).when(paymentRefused({ _tag: 'CaptureClosed' }))).toEqual([])
  })
  test('is not captured again where the provider has captured by itself', () => {
    const early = [...paying, captured(250), allocated('tea')]
    expect(asked(given(...early).when(confirmed))).toEqual([mail('confirmed')])
  })
  test('that is confirmed again after a hold asks for nothing', () => {
    const held = [...done, captureRefused(9), order({ _tag: 'OrderOnHold', reason: 'no capture' })]
    expect(given(...held).when(confirmed)).toEqual([])
  })
  test('keeps its mail short of what is personal', () => {
    const request = asked(given(...ready).when(confirmed))[0]?.command
    expect(E.isRight(decode(Notification.NotificationCommand, request))).toBe(true)
  })
})
