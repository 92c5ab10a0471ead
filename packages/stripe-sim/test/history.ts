/** Random histories of one account, as a shop could make them, good and bad calls alike. */
import * as fc from 'fast-check'
import { Stripe } from 'stripe'
import type { Bench } from './bench.ts'

export type Call =
  | {
      readonly _tag: 'Create'
      readonly amount: number
      readonly method: string
      readonly manual: boolean
      readonly parts: boolean
      readonly confirm: boolean
    }
  | { readonly _tag: 'Confirm'; readonly on: number; readonly method: string }
  | { readonly _tag: 'Capture'; readonly on: number; readonly amount: number; readonly final: boolean }
  | { readonly _tag: 'Cancel'; readonly on: number }
  | { readonly _tag: 'Refund'; readonly on: number; readonly amount: number }
  | { readonly _tag: 'Authenticate'; readonly on: number; readonly outcome: 'succeed' | 'fail' }
  | { readonly _tag: 'Pass'; readonly ms: number }

const method = fc.constantFrom(
  'pm_card_visa',
  'pm_card_visa',
  'pm_card_mastercard',
  'pm_card_chargeDeclined',
  'pm_card_chargeDeclinedExpiredCard',
  'pm_card_authenticationRequired',
  'pm_card_authenticationRequiredChargeDeclinedInsufficientFunds',
  'pm_card_createDispute',
  'pm_card_refundFail',
  'pm_card_pendingRefund',
  'pm_usBankAccount_success',
  'pm_usBankAccount_insufficientFunds',
)
const on = fc.nat(2)
const amount = fc.integer({ min: 1, max: 1_200 })

const call: fc.Arbitrary<Call> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      _tag: fc.constant('Create' as const),
      amount: fc.integer({ min: 50, max: 1_000 }),
      method,
      manual: fc.boolean(),
      parts: fc.boolean(),
      confirm: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant('Confirm' as const), on, method }) },
  {
    weight: 4,
    arbitrary: fc.record({ _tag: fc.constant('Capture' as const), on, amount, final: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant('Cancel' as const), on }) },
  { weight: 4, arbitrary: fc.record({ _tag: fc.constant('Refund' as const), on, amount }) },
  {
    weight: 2,
    arbitrary: fc.record({
      _tag: fc.constant('Authenticate' as const),
      on,
      outcome: fc.constantFrom('succeed' as const, 'fail' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      _tag: fc.constant('Pass' as const),
      ms: fc.constantFrom(1_000, 61_000, 86_400_000, 8 * 86_400_000),
    }),
  },
)

/** At least one payment, so that the other calls have something to be about. */
export const history: fc.Arbitrary<ReadonlyArray<Call>> = fc
  .tuple(
    fc.record({
      _tag: fc.constant('Create' as const),
      amount: fc.integer({ min: 50, max: 1_000 }),
      method: fc.constantFrom('pm_card_visa', 'pm_card_pendingRefund', 'pm_card_refundFail'),
      manual: fc.boolean(),
      parts: fc.boolean(),
      confirm: fc.constant(true),
    }),
    fc.array(call, { maxLength: 20, size: 'max' }),
  )
  .map(([first, rest]): ReadonlyArray<Call> => [first as Call].concat(rest))

const intentId = ({ sim }: Bench, nth: number): string => sim.snapshot().paymentIntents[nth]?.id ?? 'pi_none'

const send = async (bench: Bench, each: Call, options: Stripe.RequestOptions): Promise<unknown> => {
  const { stripe } = bench
  switch (each._tag) {
    case 'Create':
      return stripe.paymentIntents.create(
        {
          amount: each.amount,
          currency: 'usd',
          allowed_payment_method_types: ['card', 'us_bank_account'],
          capture_method: each.manual ? 'manual' : 'automatic',
          payment_method: each.method,
          payment_method_options: { card: { request_multicapture: each.parts ? 'if_available' : 'never' } },
          confirm: each.confirm,
        },
        options,
      )
    case 'Confirm':
      return stripe.paymentIntents.confirm(
        intentId(bench, each.on),
        { payment_method: each.method, return_url: 'https://shop.example/back' },
        options,
      )
    case 'Capture':
      return stripe.paymentIntents.capture(
        intentId(bench, each.on),
        { amount_to_capture: each.amount, final_capture: each.final },
        options,
      )
    case 'Cancel':
      return stripe.paymentIntents.cancel(intentId(bench, each.on), {}, options)
    case 'Refund':
      return stripe.refunds.create({ payment_intent: intentId(bench, each.on), amount: each.amount }, options)
    case 'Authenticate': {
      const intent = bench.sim.snapshot().paymentIntents[each.on]
      if (intent?.status === 'requires_action') bench.sim.completeAuthentication(intent.id, each.outcome)
      return undefined
    }
    case 'Pass':
      bench.pass(each.ms)
      return undefined
  }
}

export type Outcome = 'done' | 'lost' | 'refused'

/** Makes one call with its own key; only the SDK's own errors are outcomes, anything else is a fault of ours. */
export const make = async (bench: Bench, each: Call, idempotencyKey: string): Promise<Outcome> => {
  try {
    await send(bench, each, { idempotencyKey })
    return 'done'
  } catch (error) {
    if (error instanceof Stripe.errors.StripeConnectionError) return 'lost'
    if (error instanceof Stripe.errors.StripeError) return 'refused'
    throw error
  }
}
