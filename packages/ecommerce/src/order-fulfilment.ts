/**
 * OrderFulfilment: from OrderPlaced to an order that is confirmed and paid, or canceled with everything taken back.
 *
 * Stream `order-fulfilment/{orderId}`: at most one per order.
 *
 *     OrderPlaced -> reserve every line -> request payment -> [the shopper acts] -> authorized -> allocate
 *       -> confirm -> capture, mail
 *     a line refused, payment failed or timed out, stock gone after payment -> cancel
 *     canceled, by whomever -> release and deallocate, cancel or refund the payment, mail
 *
 * A rule asks once, when its fact becomes true of what was heard so far, so neither the order of events nor their
 * repetition matters. Compensations take back only what this order holds, and name what they undo.
 */
import {
  ask,
  cancelTimer,
  type Heard,
  hear,
  type Output,
  type Process,
  schedule,
  streamParts,
} from '@everfold/core'
import type { AnyMoney } from './money.ts'
import * as Notification from './notification.ts'
import * as Order from './order.ts'
import * as Payment from './payment.ts'
import type { RefundId } from './provider-statement.ts'
import type { Reason, ReservationId, Sku, TimeMs, Units } from './quantities.ts'
import * as Stock from './stock.ts'

type HeardEvent = Order.OrderEvent | Stock.StockEvent | Payment.PaymentEvent
type Refusal = Order.OrderRejection | Stock.StockRejection | Payment.PaymentRejection
type Told = Heard<HeardEvent, Refusal>
type OrderPlaced = Extract<Order.OrderEvent, { readonly _tag: 'OrderPlaced' }>

// State

/** How stock stands with this order, in the order in which it passes through them. */
const HOLDINGS = ['none', 'reserved', 'allocated', 'ended'] as const
type Holding = (typeof HOLDINGS)[number]

interface Line {
  readonly sku: Sku
  readonly reservationId: ReservationId
  /** The units of each order line of this SKU: one reservation covers them all. */
  readonly units: ReadonlyArray<Units>
  readonly holding: Holding
}

export interface Fulfilment {
  readonly placed?: OrderPlaced
  readonly lines: ReadonlyArray<Line>
  readonly paymentAsked: boolean
  readonly actionRequired: boolean
  readonly authorized: boolean
  /** Minor units captured by now. */
  readonly captured: number
  /** The provider has closed the payment, without a capture. */
  readonly voided: boolean
  /** How often it became known what had become of a request. */
  readonly resolved: number
  readonly failedRefunds: number
  readonly confirmed: boolean
  readonly canceled: boolean
  /** Why the order cannot go on. */
  readonly obstacle?: Reason
}

export const initial: Fulfilment = {
  lines: [],
  paymentAsked: false,
  actionRequired: false,
  authorized: false,
  captured: 0,
  voided: false,
  resolved: 0,
  failedRefunds: 0,
  confirmed: false,
  canceled: false,
}

export const evolve = (state: Fulfilment, heard: Told): Fulfilment => {
  const next = told(state, heard)
  return next.paymentAsked || !payable(next) ? next : { ...next, paymentAsked: true }
}

const told = (state: Fulfilment, heard: Told): Fulfilment => {
  switch (heard._tag) {
    case 'Happened':
      return happened(state, heard.recorded.event)
    case 'Refused':
      return refused(state, streamParts(heard.stream).id, heard.rejection)
    case 'Elapsed':
      return state.authorized ? state : obstructed(state, 'The payment was not made in time.')
  }
}

const happened = (state: Fulfilment, event: HeardEvent): Fulfilment => {
  switch (event._tag) {
    case 'OrderPlaced':
      return { ...state, placed: event, lines: linesOf(event) }
    case 'OrderConfirmed':
      return { ...state, confirmed: true }
    case 'OrderCanceled':
      return { ...state, canceled: true }
    case 'StockReserved':
      return holding(state, event.reservationId, 'reserved')
    case 'StockAllocated':
      return holding(state, event.reservationId, 'allocated')
    case 'ReservationReleased':
    case 'ReservationExpired':
    case 'StockDeallocated':
      return obstructed(holding(state, event.reservationId, 'ended'), 'The stock is gone.')
    case 'PaymentActionRequired':
      return { ...state, actionRequired: true }
    case 'PaymentAuthorized':
      return { ...state, authorized: true }
    case 'PaymentCaptured':
      return { ...state, authorized: true, captured: event.amount.amount }
    case 'PaymentFailed':
      return obstructed(state, `The payment failed: ${event.declineCode}.`)
    case 'PaymentCanceled':
      return obstructed({ ...state, voided: true }, 'The payment was canceled.')
    case 'AuthorizationExpired':
      return obstructed({ ...state, voided: true }, 'The authorization expired before it was captured.')
    case 'PaymentOutcomeResolved':
      return event.found || state.authorized
        ? { ...state, resolved: state.resolved + 1 }
        : obstructed({ ...state, resolved: state.resolved + 1 }, 'The payment could not be made.')
    case 'OperationRefused':
      return captureRefused(state, event)
    case 'RefundFailed':
      return { ...state, failedRefunds: state.failedRefunds + 1 }
    default:
      return state
  }
}

/** A refused payment says so by PaymentFailed too, and a payment that cannot be canceled is settled otherwise. */
const captureRefused = (
  state: Fulfilment,
  { operation, code }: Extract<Payment.PaymentEvent, { readonly _tag: 'OperationRefused' }>,
): Fulfilment => {
  if (operation !== 'capture') return state
  return state.canceled
    ? { ...state, resolved: state.resolved + 1 }
    : obstructed(state, `The capture was refused: ${code}.`)
}

const refused = (state: Fulfilment, streamId: string, rejection: Refusal): Fulfilment => {
  switch (rejection._tag) {
    case 'InsufficientStock':
    case 'ReservationAllocated':
    case 'ReservationOfAnotherOrder':
      return obstructed(state, `Not enough of ${Stock.itemOf(streamId).sku} is in stock.`)
    // While an order goes on, only an allocation can meet a reservation that is gone.
    case 'UnknownReservation':
      return obstructed(state, 'The stock is gone.')
    case 'PaymentDiffers':
    case 'PaymentUnderWay':
    case 'NotAuthorized':
    case 'InsufficientAuthorization':
    case 'CaptureClosed':
    case 'AmountNotPositive':
    case 'CurrencyDiffers':
      return obstructed(state, `The payment was refused: ${rejection._tag}.`)
    default:
      return state
  }
}

/** The first obstacle stays; what comes after a cancellation is its own work. */
const obstructed = (state: Fulfilment, reason: string): Fulfilment =>
  state.canceled || state.obstacle !== undefined ? state : { ...state, obstacle: reason as Reason }

const linesOf = ({ orderId, lines }: OrderPlaced): ReadonlyArray<Line> =>
  [...Map.groupBy(lines, ({ sku }) => sku)].map(([sku, ofSku]) => ({
    sku,
    reservationId: `${orderId}:${sku}` as ReservationId,
    units: ofSku.map(({ quantity }) => quantity),
    holding: 'none',
  }))

/** Never back: a reservation of this order is made once. */
const holding = (state: Fulfilment, reservationId: ReservationId, reached: Holding): Fulfilment => ({
  ...state,
  lines: state.lines.map((line) =>
    line.reservationId === reservationId && HOLDINGS.indexOf(reached) > HOLDINGS.indexOf(line.holding)
      ? { ...line, holding: reached }
      : line,
  ),
})

const underWay = (state: Fulfilment): boolean =>
  state.placed !== undefined && !state.canceled && state.obstacle === undefined

const held = (state: Fulfilment, least: Holding): boolean =>
  state.lines.every(
    (line) => line.holding !== 'ended' && HOLDINGS.indexOf(line.holding) >= HOLDINGS.indexOf(least),
  )

const payable = (state: Fulfilment): boolean => underWay(state) && held(state, 'reserved')

const free = ({ placed }: Fulfilment): boolean => placed?.totals.total === 0

const paid = (state: Fulfilment): boolean => state.paymentAsked && (state.authorized || free(state))

// Rules

/** How long a shopper has to pay, and to act where the bank asks for it. */
const PAYMENT_MS = 30 * 60_000
const ACTION_MS = 60 * 60_000
/** A reservation outlives the timer that decides about it. */
const MARGIN_MS = 10 * 60_000
const MAX_REFUNDS = 3

const PAYMENT_TIMER = 'payment'

interface Rule {
  readonly when: (state: Fulfilment) => boolean
  readonly asks: (order: OrderPlaced, state: Fulfilment, timeMs: number) => ReadonlyArray<Output>
}

const forward: ReadonlyArray<Rule> = [
  {
    when: underWay,
    asks: ({ orderId, placedAtMs }, { lines }) => [
      schedule(PAYMENT_TIMER, placedAtMs + PAYMENT_MS),
      ...lines.map(({ sku, reservationId, units }) =>
        ask(Stock.aggregate, Stock.streamId({ sku }), {
          _tag: 'ReserveStock',
          reservationId,
          orderId,
          lines: units,
          expiresAtMs: (placedAtMs + PAYMENT_MS + MARGIN_MS) as TimeMs,
        }),
      ),
    ],
  },
  {
    when: (state) => state.paymentAsked && !free(state),
    asks: (order) => [
      ask(Payment.aggregate, order.orderId, {
        _tag: 'RequestPayment',
        orderId: order.orderId,
        amount: totalOf(order),
        paymentMethod: order.paymentMethod,
        captureMethod: 'manual',
      }),
    ],
  },
  {
    when: (state) => underWay(state) && state.actionRequired && !state.authorized,
    asks: (_order, { lines }, timeMs) => [
      schedule(PAYMENT_TIMER, timeMs + ACTION_MS),
      ...lines.map(({ sku, reservationId }) =>
        ask(Stock.aggregate, Stock.streamId({ sku }), {
          _tag: 'ExtendReservation',
          reservationId,
          expiresAtMs: (timeMs + ACTION_MS + MARGIN_MS) as TimeMs,
        }),
      ),
    ],
  },
  {
    when: (state) => underWay(state) && paid(state),
    asks: ({ orderId }, { lines }) => [
      cancelTimer(PAYMENT_TIMER),
      ...lines.map(({ sku, reservationId }) =>
        ask(Stock.aggregate, Stock.streamId({ sku }), { _tag: 'AllocateStock', reservationId, orderId }),
      ),
    ],
  },
  {
    when: (state) => underWay(state) && paid(state) && held(state, 'allocated'),
    asks: ({ orderId }) => [ask(Order.aggregate, orderId, { _tag: 'ConfirmOrder' })],
  },
  {
    when: (state) => state.confirmed && !state.canceled,
    asks: (order, state) => [mail(order, 'confirmed'), ...(free(state) ? [] : [capture(order)])],
  },
  {
    when: ({ placed, canceled, confirmed, obstacle }) =>
      placed !== undefined && !canceled && !confirmed && obstacle !== undefined,
    asks: ({ orderId }, { obstacle }) => [
      ask(Order.aggregate, orderId, { _tag: 'CancelOrder', reason: reasonOf(obstacle), by: 'system' }),
    ],
  },
  {
    // Goods may be on their way: a person decides.
    when: ({ canceled, confirmed, obstacle }) => confirmed && !canceled && obstacle !== undefined,
    asks: ({ orderId }, { obstacle }) => [
      ask(Order.aggregate, orderId, { _tag: 'HoldOrder', reason: reasonOf(obstacle) }),
    ],
  },
]

const compensation: ReadonlyArray<Rule> = [
  {
    when: ({ placed, canceled }) => placed !== undefined && canceled,
    asks: (order) => [cancelTimer(PAYMENT_TIMER), mail(order, 'canceled')],
  },
  {
    when: (state) =>
      state.canceled && state.paymentAsked && !free(state) && !state.voided && state.captured === 0,
    asks: (order) => [cancelPayment(order)],
  },
  {
    // An authorization that comes after the cancellation was asked for is taken back too.
    when: ({ canceled, authorized, voided, captured }) => canceled && authorized && !voided && captured === 0,
    asks: (order) => [cancelPayment(order)],
  },
  {
    when: ({ canceled, captured }) => canceled && captured > 0,
    asks: (order, state) => [refund(order, state)],
  },
]

/** Each line is taken back by itself, whenever it is heard of. */
const takeBack = (order: OrderPlaced, before: Fulfilment, after: Fulfilment): ReadonlyArray<Output> =>
  after.lines.flatMap(({ sku, reservationId, holding: now }, at) => {
    const was = before.canceled ? before.lines[at]?.holding : 'none'
    if (!after.canceled || now === was) return []
    const reason = `undoes the reservation ${reservationId} of the canceled order ${order.orderId}` as Reason
    const id = Stock.streamId({ sku })
    if (now === 'reserved')
      return [ask(Stock.aggregate, id, { _tag: 'ReleaseReservation', reservationId, reason })]
    return now === 'allocated'
      ? [ask(Stock.aggregate, id, { _tag: 'DeallocateStock', reservationId, reason })]
      : []
  })

/** What is settled anew each time that it becomes known what had become of a request. */
const again = (order: OrderPlaced, before: Fulfilment, after: Fulfilment): ReadonlyArray<Output> => {
  if (after.failedRefunds > before.failedRefunds && after.canceled && after.failedRefunds < MAX_REFUNDS)
    return [refund(order, after)]
  if (after.resolved === before.resolved || !after.authorized || after.voided || after.captured > 0) return []
  if (after.canceled) return [cancelPayment(order)]
  return after.confirmed ? [capture(order)] : []
}

export const react = (before: Fulfilment, after: Fulfilment, heard: Told): ReadonlyArray<Output> => {
  const order = after.placed
  if (order === undefined) return []
  const timeMs = heard._tag === 'Happened' ? heard.recorded.timeMs : order.placedAtMs
  const became = [...forward, ...compensation].filter(({ when }) => !when(before) && when(after))
  return [
    ...became.flatMap(({ asks }) => asks(order, after, timeMs)),
    ...takeBack(order, before, after),
    ...again(order, before, after),
  ]
}

const totalOf = ({ totals, currency }: OrderPlaced): AnyMoney => ({
  amount: totals.total as number as AnyMoney['amount'],
  currency,
})

const reasonOf = (obstacle: Reason | undefined): Reason => obstacle ?? ('The order cannot go on.' as Reason)

const capture = (order: OrderPlaced): Output =>
  ask(Payment.aggregate, order.orderId, { _tag: 'RequestCapture', amount: totalOf(order), final: true })

const cancelPayment = ({ orderId }: OrderPlaced): Output =>
  ask(Payment.aggregate, orderId, {
    _tag: 'CancelPayment',
    reason: `undoes the payment of the canceled order ${orderId}` as Reason,
  })

/** Each failed refund is followed by one under a new id. */
const refund = (order: OrderPlaced, { captured, failedRefunds }: Fulfilment): Output =>
  ask(Payment.aggregate, order.orderId, {
    _tag: 'RequestRefund',
    refundId: `${order.orderId}~canceled~${failedRefunds}` as RefundId,
    amount: { ...totalOf(order), amount: captured as AnyMoney['amount'] },
    reason: `undoes the capture of the canceled order ${order.orderId}` as Reason,
  })

/** One mail per order and template: an order is confirmed once and canceled once. */
const mail = ({ orderId, email, totals, currency }: OrderPlaced, name: 'confirmed' | 'canceled'): Output => {
  const template = `order-${name}` as Notification.Template
  const cause = name as Notification.Cause
  return ask(Notification.aggregate, Notification.streamId({ orderId, template, cause }), {
    _tag: 'RequestEmail',
    orderId,
    template,
    cause,
    to: email,
    data: [
      { name: 'orderId', value: orderId },
      { name: 'total', value: String(totals.total) },
      { name: 'currency', value: currency },
    ] as unknown as Notification.MailFields,
  })
}

export const process: Process<Fulfilment, HeardEvent, Refusal> = {
  name: 'order-fulfilment',
  hears: [
    hear(Order.aggregate, ({ event, stream }) => (decides(event) ? streamParts(stream).id : undefined)),
    hear(Payment.aggregate, ({ event, stream }) => (decides(event) ? streamParts(stream).id : undefined)),
    hear(Stock.aggregate, ({ event }) => ('orderId' in event && decides(event) ? event.orderId : undefined)),
  ],
  asks: [Order.aggregate, Stock.aggregate, Payment.aggregate, Notification.aggregate],
  initial,
  evolve,
  react,
}

/** Whether an event says anything that this process acts on; what it only asked for itself is no news. */
const decides = ({ _tag }: HeardEvent): boolean => DECIDING.has(_tag)

const DECIDING: ReadonlySet<HeardEvent['_tag']> = new Set([
  'OrderPlaced',
  'OrderConfirmed',
  'OrderCanceled',
  'StockReserved',
  'StockAllocated',
  'ReservationReleased',
  'ReservationExpired',
  'StockDeallocated',
  'PaymentActionRequired',
  'PaymentAuthorized',
  'PaymentCaptured',
  'PaymentFailed',
  'PaymentCanceled',
  'AuthorizationExpired',
  'PaymentOutcomeResolved',
  'OperationRefused',
  'RefundFailed',
])
