/** Payments alone, under everything that Stripe and AWS may do to them. */
import type { Service } from '@everfold/core'
import { valid } from '@everfold/core/testing'
import { Payment, Shop } from '@everfold/ecommerce'
import { stripePayments } from '@everfold/gateway-stripe'
import {
  eventuallyOverall,
  type Invariant,
  type Sending,
  type SimulationOptions,
  type Workload,
} from '@everfold/runtime-memory/simulation'
import { sometimesRecorded } from '../happening.ts'
import { intentsByOrder, moneyInvariants } from './money-books.ts'
import { simulatedStripe } from './stripe.ts'

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

const service: Service = {
  name: 'payments',
  aggregates: [Payment.aggregate],
  projections: [],
  processes: [],
  gateways: [Shop.payments],
  routes: [],
}

export interface PaymentParts {
  /** The shop's own, unless told. */
  readonly service: Service
  readonly payments: typeof stripePayments
}

export const paymentScenario = (parts: Partial<PaymentParts> = {}): SimulationOptions => {
  const { payments = stripePayments } = parts
  return {
    service: parts.service ?? service,
    workload,
    invariants: HAPPENINGS,
    surroundings: (ports) => {
      const stripe = simulatedStripe(ports, { lossy: () => false })
      return {
        gateways: () => [payments(stripe.client, ports.kernel)],
        invariants: [
          ...moneyInvariants(stripe),
          eventuallyOverall('nothing stays authorized that is neither captured nor released', () => {
            const open = [...intentsByOrder(stripe).values()]
              .flat()
              .find(({ status }) => status === 'requires_capture')
            return open === undefined || JSON.stringify(open)
          }),
        ],
      }
    },
  }
}

const HAPPENINGS: ReadonlyArray<Invariant> = [
  sometimesRecorded('a card is declined', Payment.aggregate, 'PaymentFailed'),
  sometimesRecorded('a bank asks who pays', Payment.aggregate, 'PaymentActionRequired'),
  sometimesRecorded('money is captured', Payment.aggregate, 'PaymentCaptured'),
  sometimesRecorded('a payment is canceled', Payment.aggregate, 'PaymentCanceled'),
  sometimesRecorded('an authorization expires', Payment.aggregate, 'AuthorizationExpired'),
  sometimesRecorded('a payment is refunded', Payment.aggregate, 'RefundSucceeded'),
  sometimesRecorded('a refund fails', Payment.aggregate, 'RefundFailed'),
  sometimesRecorded('nobody knows what became of a request', Payment.aggregate, 'PaymentOutcomeUnknown'),
]

const METHODS = [
  'pm_card_visa',
  'pm_card_visa',
  'pm_card_visa',
  'pm_card_credit_disableEnterpriseCardFeatures',
  'pm_card_chargeDeclined',
  'pm_card_authenticationRequired',
  'pm_card_authenticationRequired',
  'pm_card_refundFail',
  'pm_card_pendingRefund',
  'pm_card_unknown',
]

/** One or two payments: asked for, maybe anew, captured whole or in parts, canceled, given back. */
const workload: Workload = (random) =>
  Array.from({ length: random() < 0.6 ? 1 : 2 }, (_, at) => paymentOf(random, `order-${at + 1}`)).flat()

const AMOUNT = 1000

const usd = (amount: number) => ({ amount, currency: 'USD' })

const paymentOf = (random: () => number, orderId: string): ReadonlyArray<Sending> => {
  const sendings: Array<Sending> = []
  const send = (afterMs: number, command: object) =>
    void sendings.push({
      aggregate: Payment.aggregate,
      id: orderId,
      client: `client of ${orderId}`,
      command: valid(Payment.PaymentCommand)(command),
      afterMs: Math.floor(afterMs),
    })
  const pick = <A>(items: ReadonlyArray<A>): A => items[Math.floor(random() * items.length)] as A
  const within = (ms: number) => random() * ms
  const captureMethod = random() < 0.8 ? 'manual' : 'automatic'
  const request = { _tag: 'RequestPayment', orderId, amount: usd(AMOUNT), captureMethod }
  send(0, { ...request, paymentMethod: pick(METHODS) })
  if (random() < 0.3) send(within(10 * MINUTE_MS), { ...request, paymentMethod: pick(METHODS) })
  for (const amount of pick([[], [AMOUNT], [AMOUNT], [400, 600], [700, 700], [300]])) {
    const final = random() < 0.5
    send(1000 + within(5 * MINUTE_MS), { _tag: 'RequestCapture', amount: usd(amount), final })
  }
  if (random() < 0.3) send(within(5 * MINUTE_MS), { _tag: 'CancelPayment', reason: 'regret' })
  for (const [at, amount] of pick([[], [], [200], [200, 800], [AMOUNT, AMOUNT]]).entries())
    send(MINUTE_MS + within(20 * MINUTE_MS), {
      _tag: 'RequestRefund',
      refundId: `${orderId}~${at}`,
      amount: usd(amount),
      reason: 'returned',
    })
  // An authorization lapses after seven days; then somebody looks once more.
  send(9 * DAY_MS, { _tag: 'CancelPayment', reason: 'closed' })
  return sendings
}
