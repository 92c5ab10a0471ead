/**
 * Money at the provider against money in the log: what has to hold of both while a run goes on, and in the end. The
 * letters are those of the domain's page.
 */
import { streamName } from '@everfold/core'
import { Payment } from '@everfold/ecommerce'
import {
  always,
  alwaysOverall,
  eventually,
  eventuallyOverall,
  type Invariant,
  type Overview,
} from '@everfold/runtime-memory/simulation'
import type { IntentLedger } from '@everfold/stripe-sim'
import type { SimulatedStripe } from './stripe.ts'

/** What Stripe holds, by the order that it is for. */
export const intentsByOrder = ({
  sim,
}: Pick<SimulatedStripe, 'sim'>): ReadonlyMap<string, ReadonlyArray<IntentLedger>> =>
  Map.groupBy(sim.ledger().intents, ({ metadata }) => metadata['orderId'] ?? 'nobody')

export const total = (
  intents: ReadonlyArray<IntentLedger>,
  of: 'authorized' | 'captured' | 'refunded',
): number => intents.reduce((sum, intent) => sum + intent[of], 0)

export const SAME_KEY = 'P4 the same request has the same idempotency key'

export const moneyInvariants = (stripe: SimulatedStripe): ReadonlyArray<Invariant> => [
  always('P2 refunded <= captured <= authorized, in the log', Payment.aggregate, (payment) => {
    const [given, taken, allowed] = [
      Payment.refunded(payment),
      Payment.captured(payment),
      Payment.authorized(payment),
    ]
    return (given <= taken && taken <= allowed) || `${given} of ${taken} of ${allowed}`
  }),
  always(
    'P2 no more is asked back than was captured, nor captured than was authorized',
    Payment.aggregate,
    (payment) => {
      const { known, refundsAsked, captureAsked } = payment
      const failed = new Set(
        known.refunds.flatMap(({ refundId, status }) => (status === 'failed' ? [refundId] : [])),
      )
      const back = refundsAsked.reduce(
        (sum, { refundId, amount }) => (failed.has(refundId) ? sum : sum + amount),
        0,
      )
      if (back > known.captured) return `${back} of ${known.captured} is asked back`
      return captureAsked <= known.authorized || `${captureAsked} of ${known.authorized} is to be captured`
    },
  ),
  alwaysOverall('P2 refunded <= captured <= authorized, at the provider', () => {
    const wrong = stripe.sim
      .ledger()
      .intents.find(({ refunded, captured, authorized }) => refunded > captured || captured > authorized)
    return wrong === undefined || JSON.stringify(wrong)
  }),
  alwaysOverall(
    'P3 at most one charge per order at the provider, and never more than was asked for',
    (overview) => {
      const payments = overview.states(Payment.aggregate)
      for (const [orderId, intents] of intentsByOrder(stripe)) {
        const charges = intents.flatMap((intent) => intent.charges)
        if (charges.length > 1) return `${orderId} was charged by ${charges.join(' and ')}`
        const most = payments.get(streamName(Payment.aggregate.name, orderId))?.request?.amount.amount ?? 0
        if (total(intents, 'authorized') > most)
          return `${orderId} was to pay ${most}: ${JSON.stringify(intents)}`
      }
      return true
    },
  ),
  alwaysOverall(SAME_KEY, (overview) => strayKeys(stripe, overview)),
  eventually('every request to the provider has its outcome in the end', Payment.aggregate, (payment) => {
    const { awaiting, unknown, capturesOpen, refundsAsked, known } = payment
    if (unknown.length > 0) return `unknown: ${unknown.join(', ')}`
    if (awaiting) return 'an attempt to pay is open'
    if (capturesOpen.length > 0) return 'a capture is open'
    const told = new Map(known.refunds.map(({ refundId, status }) => [refundId, status]))
    const open = refundsAsked.find(({ refundId }) => (told.get(refundId) ?? 'pending') === 'pending')
    return open === undefined || `the refund ${open.refundId} is open`
  }),
  eventuallyOverall("the provider's ledger agrees with the log", (overview) =>
    disagreement(stripe, overview),
  ),
]

/** Of each kind of request there are no more keys than events on record that ask for one. */
const strayKeys = ({ asked }: SimulatedStripe, { log }: Overview): true | string => {
  for (const [operation, tag] of KEYED) {
    const keys = new Set(asked.flatMap((one) => (one.operation === operation ? [one.key] : [])))
    if (keys.size <= 1) continue
    const asking = log.reduce(
      (sum, { answers }) =>
        sum +
        answers.reduce((count, { events }) => count + events.filter(({ _tag }) => _tag === tag).length, 0),
      0,
    )
    if (keys.size > asking) return `${operation} came under ${keys.size} keys for ${asking} ${tag}`
  }
  return true
}

const KEYED = [
  ['POST /v1/payment_intents', 'PaymentRequested'],
  ['POST /v1/payment_intents/:id/confirm', 'PaymentRequested'],
  ['POST /v1/payment_intents/:id/capture', 'CaptureRequested'],
  ['POST /v1/refunds', 'RefundRequested'],
] as const

const disagreement = (stripe: SimulatedStripe, overview: Overview): true | string => {
  const intents = intentsByOrder(stripe)
  for (const [stream, payment] of overview.states(Payment.aggregate)) {
    const orderId = payment.request?.orderId
    if (orderId === undefined) continue
    const there = intents.get(orderId) ?? []
    const captured = total(there, 'captured')
    const refunded = total(there, 'refunded')
    if (Payment.captured(payment) !== captured || Payment.refunded(payment) !== refunded)
      return `${stream} has ${Payment.captured(payment)} captured and ${Payment.refunded(payment)} refunded, and the provider ${captured} and ${refunded}`
  }
  return true
}
