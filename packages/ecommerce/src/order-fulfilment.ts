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
 *
 * What others do to the payment counts too: what they captured is refunded with an order that is canceled, and what
 * they gave back is not given back again.
 */
import {
  ask,
  cancelTimer,
  type Heard,
  hear,
  type Output,
  type Process,
  type RecordedEvent,
  schedule,
  streamParts,
} from '@everfold/core'
import type { AnyMoney } from './money.ts'
import * as Notification from './notification.ts'
import * as Order from './order.ts'
import * as Payment from './payment.ts'
import type { RefundId } from './provider-statement.ts'
import type { OrderId, Reason, ReservationId, Sku, TimeMs, Units } from './quantities.ts'
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
}

/** Why the order cannot go on. Once it is confirmed goods may be on their way, so a person decides. */
interface Obstacle {
  readonly reason: Reason
  readonly way: 'cancel' | 'hold'
}

interface Refund {
  readonly refundId: RefundId
  /** Minor units, as asked for. */
  readonly amount: number
  readonly fate: 'asked' | 'failed' | 'refused'
}

export interface Fulfilment {
  readonly placed?: OrderPlaced
  readonly lines: ReadonlyArray<Line>
  /** How the reservations that were heard of stand, by id. */
  readonly holdings: { readonly [reservationId: string]: Holding }
  readonly paymentAsked: boolean
  readonly actionRequired: boolean
  readonly authorized: boolean
  /** The most minor units that were ever captured. */
  readonly captured: number
  /** The provider has closed the payment, without a capture. */
  readonly voided: boolean
  /** The payment's version when it last became known what had become of a request; 0 before. */
  readonly settledVersion: number
  readonly refunds: ReadonlyArray<Refund>
  /** Minor units that others have given back. */
  readonly givenByOthers: number
  readonly confirmed: boolean
  readonly canceled: boolean
  /** The first one. */
  readonly obstacle?: Obstacle
}

export const initial: Fulfilment = {
  lines: [],
  holdings: {},
  paymentAsked: false,
  actionRequired: false,
  authorized: false,
  captured: 0,
  voided: false,
  settledVersion: 0,
  refunds: [],
  givenByOthers: 0,
  confirmed: false,
  canceled: false,
}

export const evolve = (state: Fulfilment, heard: Told): Fulfilment => withAsked(told(state, heard))

/** What is asked for once, and must not be forgotten when what called for it has passed. */
const withAsked = (state: Fulfilment): Fulfilment => {
  if (!state.paymentAsked && payable(state)) return { ...state, paymentAsked: true }
  const amount = refundDue(state)
  if (state.placed === undefined || amount <= 0) return state
  // Each under an id of its own.
  const refundId = `${state.placed.orderId}~canceled~${state.refunds.length}` as RefundId
  return { ...state, refunds: [...state.refunds, { refundId, amount, fate: 'asked' }] }
}

const told = (state: Fulfilment, heard: Told): Fulfilment => {
  switch (heard._tag) {
    case 'Happened':
      return happened(state, heard.recorded)
    case 'Refused':
      return refused(state, streamParts(heard.stream).id, heard.rejection)
    case 'Elapsed':
      return state.authorized || paid(state) ? state : obstructed(state, 'The payment was not made in time.')
  }
}

const happened = (state: Fulfilment, { event, version }: RecordedEvent<HeardEvent>): Fulfilment => {
  switch (event._tag) {
    case 'OrderPlaced':
      return state.placed === undefined ? { ...state, placed: event, lines: linesOf(event) } : state
    case 'OrderConfirmed':
      return { ...state, confirmed: true }
    case 'OrderCanceled':
      return { ...state, canceled: true }
    case 'StockReserved':
      return holding(state, event, 'reserved')
    case 'StockAllocated':
      return holding(state, event, 'allocated')
    case 'ReservationReleased':
    case 'ReservationExpired':
    case 'StockDeallocated':
      return isOurs(event) ? obstructed(holding(state, event, 'ended'), 'The stock is gone.') : state
    case 'PaymentActionRequired':
      return { ...state, actionRequired: true }
    case 'PaymentAuthorized':
      return { ...state, authorized: true }
    case 'PaymentCaptured':
      return { ...state, authorized: true, captured: Math.max(state.captured, event.amount.amount) }
    case 'PaymentFailed':
      // An attempt that failed is older than the one that did not, whenever it is heard of.
      return state.authorized ? state : obstructed(state, `The payment failed: ${event.declineCode}.`)
    case 'PaymentCanceled':
      return obstructed({ ...state, voided: true }, 'The payment was canceled.')
    case 'AuthorizationExpired':
      return obstructed({ ...state, voided: true }, 'The authorization expired before it was captured.')
    case 'PaymentOutcomeResolved':
      return event.found || state.authorized
        ? settled(state, version)
        : obstructed(settled(state, version), 'The payment could not be made.')
    case 'OperationRefused':
      return captureRefused(state, event, version)
    case 'RefundFailed':
      return refundFailed(state, event.refundId)
    default:
      return state
  }
}

const settled = (state: Fulfilment, version: number): Fulfilment => ({
  ...state,
  settledVersion: Math.max(state.settledVersion, version),
})

/** A refused payment says so by PaymentFailed too, and a payment that cannot be canceled is settled otherwise. */
const captureRefused = (
  state: Fulfilment,
  { operation, code }: Extract<Payment.PaymentEvent, { readonly _tag: 'OperationRefused' }>,
  version: number,
): Fulfilment => {
  if (operation !== 'capture') return state
  return state.canceled ? settled(state, version) : obstructed(state, `The capture was refused: ${code}.`)
}

/** Where another's refund failed it is asked for anew, and the payment says what is left to give back. */
const refundFailed = (state: Fulfilment, refundId: RefundId): Fulfilment =>
  state.refunds.some((one) => one.refundId === refundId)
    ? { ...state, refunds: withFate(state.refunds, refundId, 'failed') }
    : { ...state, givenByOthers: 0 }

const withFate = (
  refunds: Fulfilment['refunds'],
  refundId: RefundId,
  fate: Refund['fate'],
): Fulfilment['refunds'] =>
  refunds.map((one) => (one.refundId === refundId ? Object.assign({}, one, { fate }) : one))

const refused = (state: Fulfilment, streamId: string, rejection: Refusal): Fulfilment => {
  switch (rejection._tag) {
    case 'InsufficientStock':
    case 'ReservationOfAnotherOrder':
      return obstructed(state, `Not enough of ${Stock.itemOf(streamId).sku} is in stock.`)
    // While an order goes on, only an extension or an allocation can meet a reservation that is gone.
    case 'UnknownReservation':
      return obstructed(state, 'The stock is gone.')
    case 'PaymentDiffers':
    case 'PaymentUnderWay':
    case 'NotAuthorized':
    case 'InsufficientAuthorization':
    case 'AmountNotPositive':
    case 'CurrencyDiffers':
      return obstructed(state, `The payment was refused: ${rejection._tag}.`)
    case 'InsufficientCapture':
      return refundRefused(state, rejection)
    // Of the rest none stands in the way: what was asked for is already done (an extension that an allocation
    // overtook, a capture asked for again), or undone.
    default:
      return state
  }
}

/** Somebody else gave back a part of it, or all. */
const refundRefused = (
  state: Fulfilment,
  { requested, available }: Extract<Payment.PaymentRejection, { readonly _tag: 'InsufficientCapture' }>,
): Fulfilment => {
  const last = state.refunds.at(-1)
  if (last?.fate !== 'asked' || last.amount !== requested.amount) return state
  return {
    ...state,
    refunds: withFate(state.refunds, last.refundId, 'refused'),
    givenByOthers: state.givenByOthers + requested.amount - available.amount,
  }
}

/** The first obstacle stays; what comes after a cancellation is its own work. */
const obstructed = (state: Fulfilment, reason: string): Fulfilment =>
  state.canceled || state.obstacle !== undefined
    ? state
    : { ...state, obstacle: { reason: reason as Reason, way: state.confirmed ? 'hold' : 'cancel' } }

const linesOf = ({ orderId, lines }: OrderPlaced): ReadonlyArray<Line> =>
  [...Map.groupBy(lines, ({ sku }) => sku)].map(([sku, ofSku]) => ({
    sku,
    reservationId: `${orderId}:${sku}` as ReservationId,
    units: ofSku.map(({ quantity }) => quantity),
  }))

type Held = { readonly orderId: OrderId; readonly reservationId: ReservationId }

/** Others may hold stock in the name of this order; that is their affair. */
const isOurs = ({ orderId, reservationId }: Held): boolean => reservationId.startsWith(`${orderId}:`)

/** Never back: a reservation of this order is made once. */
const holding = (state: Fulfilment, reservation: Held, reached: Holding): Fulfilment => {
  const { reservationId } = reservation
  return isOurs(reservation) && rank(reached) > rank(holdingOf(state, { reservationId }))
    ? { ...state, holdings: { ...state.holdings, [reservationId]: reached } }
    : state
}

const holdingOf = ({ holdings }: Fulfilment, { reservationId }: Pick<Line, 'reservationId'>): Holding =>
  holdings[reservationId] ?? 'none'

const rank = (one: Holding): number => HOLDINGS.indexOf(one)

const underWay = (state: Fulfilment): boolean =>
  state.placed !== undefined && !state.canceled && state.obstacle === undefined

const held = (state: Fulfilment, least: Holding): boolean =>
  state.lines.every((line) => {
    const now = holdingOf(state, line)
    return now !== 'ended' && rank(now) >= rank(least)
  })

const payable = (state: Fulfilment): boolean => underWay(state) && held(state, 'reserved')

const free = ({ placed }: Fulfilment): boolean => placed?.totals.total === 0

const paid = (state: Fulfilment): boolean => state.paymentAsked && (state.authorized || free(state))

const total = ({ placed }: Fulfilment): number => placed?.totals.total ?? 0

/** What a canceled order has still to give back; nothing after too many failures. */
const refundDue = ({ placed, canceled, captured, refunds, givenByOthers }: Fulfilment): number => {
  const failures = refunds.filter(({ fate }) => fate === 'failed').length
  if (placed === undefined || !canceled || failures >= MAX_FAILED_REFUNDS) return 0
  const asked = refunds.reduce((sum, { amount, fate }) => (fate === 'asked' ? sum + amount : sum), 0)
  return captured - givenByOthers - asked
}

// Rules

/** How long a shopper has to pay, and to act where the bank asks for it. */
const PAYMENT_MS = 30 * 60_000
const ACTION_MS = 60 * 60_000
/** A reservation outlives the timer that decides about it. */
const MARGIN_MS = 10 * 60_000
const MAX_FAILED_REFUNDS = 3

const PAYMENT_TIMER = 'payment'

interface Rule {
  readonly when: (state: Fulfilment) => boolean
  readonly asks: (order: OrderPlaced, state: Fulfilment, timeMs: number) => ReadonlyArray<Output>
}

/** Confirmed, and nothing has called it off. */
const standing = ({ confirmed, canceled, obstacle }: Fulfilment): boolean =>
  confirmed && !canceled && obstacle?.way !== 'cancel'

const capturable = (state: Fulfilment): boolean =>
  standing(state) && !state.voided && state.captured < total(state)

/** The provider was asked for a payment, and nothing was captured by now. */
const voidable = (state: Fulfilment): boolean =>
  state.canceled &&
  (state.paymentAsked || state.authorized) &&
  !free(state) &&
  !state.voided &&
  state.captured === 0

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
    when: standing,
    asks: (order) => [mail(order, 'confirmed')],
  },
  {
    when: capturable,
    asks: (order) => [capture(order)],
  },
  {
    when: ({ canceled, obstacle }) => !canceled && obstacle?.way === 'cancel',
    asks: ({ orderId }, { obstacle }) =>
      obstacle === undefined
        ? []
        : [ask(Order.aggregate, orderId, { _tag: 'CancelOrder', reason: obstacle.reason, by: 'system' })],
  },
  {
    when: ({ canceled, obstacle }) => !canceled && obstacle?.way === 'hold',
    asks: ({ orderId }, { obstacle }) =>
      obstacle === undefined
        ? []
        : [ask(Order.aggregate, orderId, { _tag: 'HoldOrder', reason: obstacle.reason })],
  },
]

const compensation: ReadonlyArray<Rule> = [
  {
    when: ({ canceled }) => canceled,
    asks: (order) => [cancelTimer(PAYMENT_TIMER), mail(order, 'canceled')],
  },
  {
    when: voidable,
    asks: (order) => [cancelPayment(order)],
  },
]

/** Each line is taken back by itself, whenever it is heard of. */
const takeBack = (order: OrderPlaced, before: Fulfilment, after: Fulfilment): ReadonlyArray<Output> =>
  after.lines.flatMap((line) => {
    const { sku, reservationId } = line
    const now = holdingOf(after, line)
    if (!after.canceled || now === (before.canceled ? holdingOf(before, line) : 'none')) return []
    const reason = `undoes the reservation ${reservationId} of the canceled order ${order.orderId}` as Reason
    const id = Stock.streamId({ sku })
    if (now === 'reserved')
      return [ask(Stock.aggregate, id, { _tag: 'ReleaseReservation', reservationId, reason })]
    return now === 'allocated'
      ? [ask(Stock.aggregate, id, { _tag: 'DeallocateStock', reservationId, reason })]
      : []
  })

/**
 * What is asked for anew when it becomes known what had become of a request. An authorization that comes after the
 * cancellation was asked for is such news too: the cancellation may have overtaken the payment.
 */
const again = (order: OrderPlaced, before: Fulfilment, after: Fulfilment): ReadonlyArray<Output> => {
  const settledAnew = after.settledVersion > before.settledVersion
  if (!after.authorized || (before.authorized && !settledAnew)) return []
  if (voidable(before) && voidable(after)) return [cancelPayment(order)]
  return settledAnew && capturable(before) && capturable(after) ? [capture(order)] : []
}

export const react = (before: Fulfilment, after: Fulfilment, heard: Told): ReadonlyArray<Output> => {
  const order = after.placed
  if (order === undefined) return []
  // Nothing was asked for before the order was placed, whatever was heard.
  const earlier = before.placed === undefined ? initial : before
  const timeMs = heard._tag === 'Happened' ? heard.recorded.timeMs : order.placedAtMs
  const became = [...forward, ...compensation].filter(({ when }) => !when(earlier) && when(after))
  return [
    ...became.flatMap(({ asks }) => asks(order, after, timeMs)),
    ...takeBack(order, earlier, after),
    ...again(order, earlier, after),
    ...after.refunds.slice(earlier.refunds.length).map((one) => refund(order, one)),
  ]
}

const totalOf = ({ totals, currency }: OrderPlaced): AnyMoney => ({
  amount: totals.total as number as AnyMoney['amount'],
  currency,
})

const capture = (order: OrderPlaced): Output =>
  ask(Payment.aggregate, order.orderId, { _tag: 'RequestCapture', amount: totalOf(order), final: true })

const cancelPayment = ({ orderId }: OrderPlaced): Output =>
  ask(Payment.aggregate, orderId, {
    _tag: 'CancelPayment',
    reason: `undoes the payment of the canceled order ${orderId}` as Reason,
  })

const refund = (order: OrderPlaced, { refundId, amount }: Refund): Output =>
  ask(Payment.aggregate, order.orderId, {
    _tag: 'RequestRefund',
    refundId,
    amount: { ...totalOf(order), amount: amount as AnyMoney['amount'] },
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
