/**
 * What an order's fulfilment may hear: whole lives, each event only once what it answers was asked for, and otherwise
 * in any order and any number of times.
 */
import { deriveId, type Output, type RecordedEvent, streamName } from '@everfold/core'
import { happened, recordedOf, valid } from '@everfold/core/testing'
import { Order, OrderFulfilment, Payment, Stock } from '@everfold/ecommerce'
import { fc } from '@fast-check/vitest'
import { redelivered } from './provider.ts'

export type Told = Parameters<typeof OrderFulfilment.evolve>[1]

export const ORDER = 'o-1'
/** The first of January 2026. */
export const START_MS = 1_767_225_600_000
const LINE_TOTAL = 250

interface When {
  /** Of the stream that the event is in. */
  readonly version?: number
  readonly timeMs?: number
}

const told = <Event>(
  recorded: ReadonlyArray<RecordedEvent<Event>>,
  { version = 1, timeMs = START_MS }: When = {},
) => {
  const [first] = recorded
  if (first === undefined) throw new Error('one event')
  return happened({ ...first, version, timeMs })
}

export const order = (event: object, when?: When): Told =>
  told(recordedOf(Order.aggregate, ORDER)(valid(Order.OrderEvent)(event)), when)
const payment = (event: object, when?: When): Told =>
  told(recordedOf(Payment.aggregate, ORDER)(valid(Payment.PaymentEvent)({ orderId: ORDER, ...event })), when)
export const stock = (sku: string, event: object, when?: When): Told => {
  const ours = { reservationId: `${ORDER}:${sku}`, orderId: ORDER }
  return told(recordedOf(Stock.aggregate, sku)(valid(Stock.StockEvent)({ ...ours, ...event })), when)
}

const sealed = { _tag: 'Sealed', subject: 'ann', box: 'YQ' }
const purchase = {
  _tag: 'OrderPlaced',
  orderId: ORDER,
  cartId: 'c-1',
  userId: 'ann',
  currency: 'USD',
  rounding: { level: 'line', rounding: 'half-up' },
  taxRates: { standard: 0, reduced: 0, shipping: 0 },
  email: sealed,
  address: sealed,
  paymentMethod: 'pm_card_visa',
  placedAtMs: START_MS,
}

/** The first line has one unit, the second has two, and so on; each costs the same. */
export const placed = (skus: ReadonlyArray<string>, lineTotal: number = LINE_TOTAL): Told => {
  const lines = skus.map((sku, at) => ({
    lineId: `line-${at}`,
    sku,
    quantity: at + 1,
    unitPrice: lineTotal,
    taxClass: 'zero',
    priceListVersion: 1,
    discount: lineTotal * at,
    orderDiscount: 0,
    net: lineTotal,
    tax: 0,
  }))
  const net = lineTotal * lines.length
  const totals = { net, tax: 0, shipping: 0, shippingTax: 0, total: net }
  return order({ ...purchase, lines, totals })
}

export const usd = (amount: number) => ({ amount, currency: 'USD' })
export const confirmed = order({ _tag: 'OrderConfirmed' })
export const canceled = order({ _tag: 'OrderCanceled', reason: 'regret', by: 'shopper' })
export const reserved = (sku: string, units = 1) =>
  stock(sku, { _tag: 'StockReserved', units, backordered: 0, expiresAtMs: START_MS })
export const allocated = (sku: string, units = 1) => stock(sku, { _tag: 'StockAllocated', units })
export const released = (sku: string, more: object = {}) =>
  stock(sku, { _tag: 'ReservationReleased', units: 1, ...more })
export const expired = (sku: string) => stock(sku, { _tag: 'ReservationExpired', units: 1 })
export const deallocated = (sku: string) =>
  stock(sku, { _tag: 'StockDeallocated', units: 1, reason: 'counted wrongly' })
export const authorized = (amount: number) => payment({ _tag: 'PaymentAuthorized', amount: usd(amount) })
export const captured = (amount: number) => payment({ _tag: 'PaymentCaptured', amount: usd(amount) })
export const declined = payment({ _tag: 'PaymentFailed', declineCode: 'insufficient_funds' })
export const voided = payment({ _tag: 'PaymentCanceled' })
export const actionRequired = (timeMs: number) => payment({ _tag: 'PaymentActionRequired' }, { timeMs })
export const lapsed = payment({ _tag: 'AuthorizationExpired' })
export const resolved = (found: boolean, version: number) =>
  payment({ _tag: 'PaymentOutcomeResolved', found }, { version })
export const captureRefused = (version: number) =>
  payment({ _tag: 'OperationRefused', operation: 'capture', code: 'capture_failed' }, { version })
export const refundFailed = (refundId: string, amount: number) =>
  payment({ _tag: 'RefundFailed', refundId, amount: usd(amount) })
export const elapsed: Told = { _tag: 'Elapsed', timer: 'payment', dueMs: START_MS + 30 * 60_000 }

const refused = (
  category: string,
  id: string,
  rejection: Extract<Told, { _tag: 'Refused' }>['rejection'],
): Told => ({
  _tag: 'Refused',
  commandId: deriveId(START_MS, category, id, JSON.stringify(rejection)),
  stream: streamName(category, id),
  rejection,
})
export const stockRefused = (sku: string, rejection: object) =>
  refused('stock', sku, valid(Stock.StockRejection)(rejection))
export const paymentRefused = (rejection: object) =>
  refused('payment', ORDER, valid(Payment.PaymentRejection)(rejection))
export const outOfStock = (sku: string) =>
  stockRefused(sku, { _tag: 'InsufficientStock', requested: 1, available: 0 })

// What was asked for

export interface Asked {
  /** The aggregate's name and the stream's id. */
  readonly of: string
  readonly command: { readonly _tag: string; readonly [field: string]: unknown }
}

/** The commands among outputs, as data. */
export const commandsOf = (outputs: ReadonlyArray<Output>): ReadonlyArray<Asked> =>
  outputs.flatMap((output) =>
    output._tag === 'Ask'
      ? [{ of: `${output.aggregate.name}/${output.id}`, command: output.command as Asked['command'] }]
      : [],
  )

export const tagsOf = (outputs: ReadonlyArray<Output>): ReadonlyArray<string> =>
  outputs.map((output) => (output._tag === 'Ask' ? (output.command as Asked['command'])._tag : output._tag))

// Lives

/** Something that may come to be heard, once what it waits for was asked. */
interface Chance {
  readonly heard: Told
  readonly comes: (asked: Sofar) => boolean
}

/** What was asked for and heard so far. */
interface Sofar {
  readonly outputs: ReadonlyArray<Output>
  readonly heard: ReadonlyArray<Told>
}

const asks = ({ outputs }: Sofar, tag: string, of?: string): number =>
  commandsOf(outputs).filter((one) => one.command._tag === tag && (of === undefined || one.of === of)).length

const paymentAsked = (sofar: Sofar): boolean => asks(sofar, 'RequestPayment') > 0
const captureAsked = (sofar: Sofar): boolean => asks(sofar, 'RequestCapture') > 0

const refundsAsked = ({ outputs }: Sofar): ReadonlyArray<unknown> =>
  commandsOf(outputs).flatMap(({ command }) =>
    command._tag === 'RequestRefund' ? [command['refundId']] : [],
  )

const timerRuns = ({ outputs }: Sofar): boolean =>
  outputs.findLast(({ _tag }) => _tag !== 'Ask')?._tag === 'Schedule'

interface Plan {
  readonly skus: ReadonlyArray<string>
  readonly free: boolean
  readonly stock: 'kept' | 'refused' | 'expired' | 'deallocated'
  readonly payment: 'authorized' | 'action' | 'failed' | 'closed' | 'lapsed' | 'unmade' | 'silent'
  readonly capture: 'done' | 'refused' | 'undone' | 'foreign'
  readonly failedRefunds: number
  /** What others give back of a capture, before we do. */
  readonly given: number
  readonly regret: boolean
}

const anyPlan: fc.Arbitrary<Plan> = fc.record({
  skus: fc.array(fc.constantFrom('tea', 'jam', 'rye'), { minLength: 1, maxLength: 4 }),
  free: fc.constantFrom(false, false, false, true),
  stock: fc.constantFrom('kept', 'kept', 'kept', 'refused', 'expired', 'deallocated'),
  payment: fc.constantFrom(
    'authorized',
    'authorized',
    'action',
    'failed',
    'closed',
    'lapsed',
    'unmade',
    'silent',
  ),
  capture: fc.constantFrom('done', 'done', 'refused', 'undone', 'foreign'),
  failedRefunds: fc.nat({ max: 3 }),
  given: fc.constantFrom(0, 0, 100, LINE_TOTAL),
  regret: fc.boolean(),
})

const chance = (heard: Told, comes: Chance['comes'] = () => true): Chance => ({ heard, comes })

/** What may become of one reservation. */
const chancesOfLine = (sku: string, fate: Plan['stock']): ReadonlyArray<Chance> => {
  const asked = (tag: string) => (sofar: Sofar) => asks(sofar, tag, `stock/${sku}`) > 0
  if (fate === 'refused') return [chance(outOfStock(sku), asked('ReserveStock'))]
  const gone = stockRefused(sku, { _tag: 'UnknownReservation', reservationId: `${ORDER}:${sku}` })
  const chances = [
    chance(reserved(sku), asked('ReserveStock')),
    chance(released(sku), (sofar) => asked('ReleaseReservation')(sofar) && !asked('AllocateStock')(sofar)),
    chance(deallocated(sku), asked('DeallocateStock')),
  ]
  if (fate === 'expired')
    chances.push(chance(expired(sku), asked('ReserveStock')), chance(gone, asked('AllocateStock')))
  else chances.push(chance(allocated(sku), asked('AllocateStock')))
  if (fate === 'deallocated') chances.push(chance(deallocated(sku), asked('AllocateStock')))
  return chances
}

const chancesOfPayment = (plan: Plan, total: number): ReadonlyArray<Chance> => {
  const held = chance(authorized(total), paymentAsked)
  switch (plan.payment) {
    case 'authorized':
      return [held, ...chancesOfCapture(plan, total)]
    case 'action':
      return [chance(actionRequired(START_MS + 60_000), paymentAsked), held, ...chancesOfCapture(plan, total)]
    case 'failed':
      return [chance(declined, paymentAsked)]
    case 'closed':
      return [chance(voided, paymentAsked)]
    case 'lapsed':
      return [held, chance(lapsed, paymentAsked)]
    case 'unmade':
      return [chance(resolved(false, 3), paymentAsked)]
    case 'silent':
      return []
  }
}

const chancesOfCapture = (plan: Plan, total: number): ReadonlyArray<Chance> => {
  const back = chancesOfRefund(plan, total)
  const closed = chance(voided, (sofar) => asks(sofar, 'CancelPayment') > 0 && !captureAsked(sofar))
  switch (plan.capture) {
    case 'done':
      return [chance(captured(total), captureAsked), ...back, closed]
    case 'foreign':
      return [chance(captured(total), paymentAsked), ...back]
    case 'refused':
      return [chance(captureRefused(8), captureAsked), closed]
    case 'undone':
      return [
        chance(resolved(true, 8), captureAsked),
        chance(captured(total), (sofar) => asks(sofar, 'RequestCapture') > 1),
        ...back,
        closed,
      ]
  }
}

/** Others may have given back a part; then the first refund of all is refused. */
const chancesOfRefund = ({ given, failedRefunds }: Plan, total: number): ReadonlyArray<Chance> => {
  const first = given > 0 ? 1 : 0
  const failures = Array.from({ length: failedRefunds }, (_, at) => {
    const refundId = `${ORDER}~canceled~${first + at}`
    return chance(refundFailed(refundId, total - given), (sofar) => refundsAsked(sofar).includes(refundId))
  })
  if (given === 0) return failures
  const available = usd(total - given)
  const refusal = paymentRefused({ _tag: 'InsufficientCapture', requested: usd(total), available })
  return [...failures, chance(refusal, (sofar) => refundsAsked(sofar).length > 0)]
}

/** Everything that may come to be heard in a life of this plan. */
const chancesOf = (plan: Plan): ReadonlyArray<Chance> => {
  const total = plan.free ? 0 : LINE_TOTAL * plan.skus.length
  return [
    chance(placed(plan.skus, plan.free ? 0 : LINE_TOTAL)),
    ...[...new Set(plan.skus)].flatMap((sku, at) => chancesOfLine(sku, at === 0 ? plan.stock : 'kept')),
    ...(plan.free ? [] : chancesOfPayment(plan, total)),
    chance(elapsed, timerRuns),
    chance(confirmed, (sofar) => asks(sofar, 'ConfirmOrder') > 0),
    chance(canceled, (sofar) => plan.regret || asks(sofar, 'CancelOrder') > 0),
  ]
}

export interface Life {
  readonly plan: Plan
  readonly heard: ReadonlyArray<Told>
  /** What was asked for at each that was heard. */
  readonly steps: ReadonlyArray<ReadonlyArray<Output>>
  readonly outputs: ReadonlyArray<Output>
  /** What a counterexample shows. */
  readonly [fc.toStringMethod]: () => string
}

export const { initial, evolve, react } = OrderFulfilment

/** Of the chances, whichever comes first in their order comes next. */
const live = (plan: Plan, chances: ReadonlyArray<Chance>): Life => {
  const open = [...chances]
  const heard: Array<Told> = []
  const steps: Array<ReadonlyArray<Output>> = []
  let state = initial
  for (;;) {
    const sofar = { outputs: steps.flat(), heard }
    const next = open.findIndex(({ comes }) => comes(sofar))
    const [come] = next < 0 ? [] : open.splice(next, 1)
    if (come === undefined)
      return {
        plan,
        heard,
        steps,
        outputs: steps.flat(),
        [fc.toStringMethod]: () => story(plan, heard, steps),
      }
    const after = evolve(state, come.heard)
    steps.push(react(state, after, come.heard))
    heard.push(come.heard)
    state = after
  }
}

const story = (
  plan: Plan,
  heard: ReadonlyArray<Told>,
  steps: ReadonlyArray<ReadonlyArray<Output>>,
): string => {
  const lines = heard.map((one, at) => {
    const what = one._tag === 'Happened' ? one.recorded.event._tag : JSON.stringify(one)
    return `${what} -> ${tagsOf(steps[at] ?? []).join(', ')}`
  })
  return [JSON.stringify(plan), ...lines].join('\n')
}

/** Lives in any order that cause and effect allow, with repetitions. */
export const anyLife: fc.Arbitrary<Life> = anyPlan.chain((plan) =>
  redelivered(chancesOf(plan)).map((chances) => live(plan, chances)),
)

/** The same things in an order that not even cause and effect allow. */
export const anyTale: fc.Arbitrary<ReadonlyArray<Told>> = anyPlan.chain((plan) =>
  redelivered(chancesOf(plan).map(({ heard }) => heard)),
)
