import { Payment } from '@everfold/ecommerce'
import { ofCharge, ofDispute, ofIntent, ofRefund } from '@everfold/gateway-stripe'
import { test as property } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { anyFaults, anySteps, live } from './life.ts'
import { PATIENCE_MS, type Till, transports } from './till.ts'

/** How many different keys an endpoint was asked by. */
const keys = ({ sent }: Till, endpoint: string): number =>
  new Set(sent.flatMap((one) => (one.endpoint === endpoint ? [one.key] : []))).size

const asked = ({ events }: Till, tag: Payment.PaymentEvent['_tag']): number =>
  events.filter(({ event }) => event._tag === tag).length

describe.each(transports)('payments at Stripe, $name', ({ use, runs }) => {
  property.prop([anySteps, anyFaults], { numRuns: runs })(
    'P4 the same command id gives the same provider idempotency key',
    (steps, faults) =>
      use({ faults }, async (till) => {
        await live(till, steps)
        const byAsk = new Map<string, Set<string | undefined>>()
        for (const { eventId, endpoint, key } of till.sent) {
          if (!endpoint.startsWith('POST') || eventId === '') continue
          expect(key).toMatch(/^[\x21-\x7e]{1,255}$/)
          const ask = `${eventId} ${endpoint}`
          byAsk.set(ask, (byAsk.get(ask) ?? new Set()).add(key))
        }
        const unknowns = new Set(
          till.events.flatMap(({ id, event }) => (event._tag === 'PaymentOutcomeUnknown' ? [id] : [])),
        )
        for (const [ask, used] of byAsk)
          if (!unknowns.has(ask.split(' ')[0] ?? '')) expect([ask, used.size]).toEqual([ask, 1])
        // A reconciliation asks by the keys of those who asked before, and brings none of its own.
        expect(keys(till, 'POST /v1/payment_intents')).toBeLessThanOrEqual(asked(till, 'PaymentRequested'))
        expect(keys(till, 'POST /v1/payment_intents/*/confirm')).toBeLessThanOrEqual(
          asked(till, 'PaymentRequested'),
        )
        expect(keys(till, 'POST /v1/payment_intents/*/capture')).toBeLessThanOrEqual(
          asked(till, 'CaptureRequested'),
        )
        expect(keys(till, 'POST /v1/refunds')).toBeLessThanOrEqual(asked(till, 'RefundRequested'))
      }),
    PATIENCE_MS,
  )

  property.prop([anySteps, anyFaults], { numRuns: runs })(
    'under dropped responses and repeats there is at most one PaymentIntent per payment and one effect per request',
    (steps, faults) =>
      use({ faults }, async (till) => {
        await live(till, steps)
        const { paymentIntents, charges, refunds } = till.sim.snapshot()
        expect(paymentIntents.length).toBeLessThanOrEqual(1)
        expect(charges.filter(({ status }) => status === 'succeeded').length).toBeLessThanOrEqual(1)
        const refundIds = refunds.map(({ metadata }) => metadata?.['refundId'])
        expect(new Set(refundIds).size).toBe(refundIds.length)
        const captures = till.events.reduce(
          (sum, { event }) => sum + (event._tag === 'CaptureRequested' ? event.amount.amount : 0),
          0,
        )
        const { captured = 0 } = till.sim.ledger().totals['usd'] ?? {}
        expect(captured).toBeLessThanOrEqual(captures)
      }),
    PATIENCE_MS,
  )

  property.prop([anySteps, anyFaults], { numRuns: runs })(
    'at rest the shop knows what Stripe holds, and nothing that it asked is without an answer',
    (steps, faults) =>
      use({ faults }, async (till) => {
        await live(till, steps)
        const { state } = till
        const [held] = till.sim.ledger().intents
        expect(till.calls.every(({ done }) => done)).toBe(true)
        expect(state.unknown).toEqual([])
        expect(state.awaiting).toBe(false)
        expect(state.capturesOpen).toEqual([])
        expect(Payment.statusOf(state)).toBe(held?.status)
        expect(Payment.captured(state)).toBe(held?.captured ?? 0)
        expect(Payment.refunded(state)).toBe(held?.refunded ?? 0)
        const answers = new Set(state.known.refunds.map(({ refundId }) => refundId))
        expect(state.refundsAsked.filter(({ refundId }) => !answers.has(refundId))).toEqual([])
      }),
    PATIENCE_MS,
  )

  property.prop([anySteps], { numRuns: runs })(
    'every object that Stripe can hold is a statement',
    (steps) =>
      use({}, async (till) => {
        await live(till, steps)
        const { paymentIntents, charges, refunds, disputes } = till.sim.snapshot()
        for (const intent of paymentIntents) {
          expect(ofIntent(intent)).toMatchObject({ status: intent.status, captured: intent.amount_received })
          const whole = await till.stripe.paymentIntents.retrieve(intent.id, { expand: ['latest_charge'] })
          expect(ofIntent(whole, { refunds, disputes })).toMatchObject({ status: intent.status })
        }
        for (const charge of charges) expect(ofCharge(charge)).toBeDefined()
        for (const refund of refunds) expect(ofRefund(refund)).toBeDefined()
        for (const dispute of disputes) expect(ofDispute(dispute, 'charge.dispute.created')).toBeDefined()
      }),
    PATIENCE_MS,
  )
})
