/** Random lives of one payment: what the shop asks, the shopper does and the network loses. */
import type { FaultScript, RequestFault } from '@everfold/stripe-sim'
import { fc } from '@fast-check/vitest'
import type { Till } from './till.ts'

export type Step =
  | { readonly _tag: 'Pay'; readonly method: string }
  | { readonly _tag: 'Capture'; readonly amount: number; readonly final: boolean }
  | { readonly _tag: 'Cancel' }
  | { readonly _tag: 'Refund'; readonly amount: number }
  | { readonly _tag: 'Shopper'; readonly outcome: 'succeed' | 'fail' }
  | { readonly _tag: 'Deliver' }
  | { readonly _tag: 'DeliverAgain'; readonly at: number }
  | { readonly _tag: 'Hear' }
  | { readonly _tag: 'Pass'; readonly ms: number }

const AMOUNT = 1_000

const anyMethod = fc.constantFrom(
  'pm_card_visa',
  'pm_card_visa',
  'pm_card_credit_disableEnterpriseCardFeatures',
  'pm_card_chargeDeclined',
  'pm_card_chargeDeclinedInsufficientFunds',
  'pm_card_authenticationRequired',
  'pm_card_authenticationRequiredChargeDeclinedInsufficientFunds',
  'pm_card_pendingRefund',
  'pm_card_refundFail',
  'pm_unknown',
)

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ _tag: fc.constant('Pay' as const), method: anyMethod }) },
  {
    weight: 3,
    arbitrary: fc.record({
      _tag: fc.constant('Capture' as const),
      amount: fc.constantFrom(AMOUNT, 300, 300, 200),
      final: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ _tag: 'Cancel' } as const) },
  {
    weight: 3,
    arbitrary: fc.record({ _tag: fc.constant('Refund' as const), amount: fc.constantFrom(100, 100, 300) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      _tag: fc.constant('Shopper' as const),
      outcome: fc.constantFrom('succeed' as const, 'fail' as const),
    }),
  },
  { weight: 6, arbitrary: fc.constant({ _tag: 'Deliver' } as const) },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant('DeliverAgain' as const), at: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.constant({ _tag: 'Hear' } as const) },
  {
    weight: 1,
    arbitrary: fc.record({
      _tag: fc.constant('Pass' as const),
      ms: fc.constantFrom(1_000, 90_000, 25 * 3_600_000),
    }),
  },
)

/** At least one attempt to pay, so that the rest has something to be about. */
export const anySteps: fc.Arbitrary<ReadonlyArray<Step>> = fc
  .tuple(anyMethod, fc.array(anyStep, { maxLength: 25, size: 'max' }))
  .map(([method, rest]): ReadonlyArray<Step> => [{ _tag: 'Pay', method } as Step].concat(rest))

/** Not a 500 after the work was done and without its key kept: Stripe does not do that, and no key would help. */
const anyFault: fc.Arbitrary<RequestFault> = fc.constantFrom<RequestFault>(
  { _tag: 'DropBeforeApply' },
  { _tag: 'DropResponse' },
  { _tag: 'DropResponse' },
  { _tag: 'ServerError', when: 'before' },
  { _tag: 'ServerError', when: 'after' },
  { _tag: 'ServerError', when: 'before', saved: false },
  { _tag: 'RateLimit' },
  { _tag: 'KeyInUse' },
)

/** Bursts of faults, some longer than the gateway's patience for one call. */
export const anyFaults: fc.Arbitrary<FaultScript> = fc
  .array(
    fc
      .tuple(anyFault, fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 6 }))
      .map(([fault, first, length]) => ({
        on: 'request' as const,
        fault,
        nth: Array.from({ length }, (_, at) => first + at),
      })),
    { maxLength: 3 },
  )
  .map((rules) => ({ rules }))

export const live = async (till: Till, steps: ReadonlyArray<Step>): Promise<void> => {
  for (const step of steps) await take(till, step)
  await till.rest()
}

const usd = (amount: number) => ({ amount, currency: 'USD' })

const take = async (till: Till, step: Step): Promise<unknown> => {
  switch (step._tag) {
    case 'Pay':
      return till.execute({
        _tag: 'RequestPayment',
        orderId: 'o-1',
        amount: usd(AMOUNT),
        paymentMethod: step.method,
        captureMethod: 'manual',
      })
    case 'Capture':
      return till.execute({ _tag: 'RequestCapture', amount: usd(step.amount), final: step.final })
    case 'Cancel':
      return till.execute({ _tag: 'CancelPayment', reason: 'changed my mind' })
    case 'Refund': {
      const refundId = `r-${till.events.length}`
      return till.execute({ _tag: 'RequestRefund', refundId, amount: usd(step.amount), reason: 'returned' })
    }
    case 'Shopper': {
      const waiting = till.sim.snapshot().paymentIntents.find(({ status }) => status === 'requires_action')
      return waiting && till.sim.completeAuthentication(waiting.id, step.outcome)
    }
    case 'Deliver': {
      const next = till.calls.find(({ done }) => !done)
      return next && till.deliver(next)
    }
    case 'DeliverAgain': {
      const done = till.calls.filter((call) => call.done)
      const again = done[step.at % Math.max(1, done.length)]
      return again && till.deliver(again)
    }
    case 'Hear':
      for (const webhook of till.sim.takeWebhooks()) await till.hear(webhook)
      return undefined
    case 'Pass':
      return till.pass(step.ms)
  }
}
