/** What the shop asks of the outside world; a runtime binds each to an implementation. */
import { gateway } from '@everfold/core'
import * as Notification from './notification.ts'
import * as Payment from './payment.ts'

const DAY_MS = 24 * 3_600_000

/**
 * The payment provider. What it answers returns as `RecordProviderEvent`; where nobody knows what it did, as
 * `RecordOutcomeUnknown`, and then the provider is asked until `ResolveUnknown` can be said.
 *
 * Stripe honours an idempotency key for at least 24 hours. Source: docs.stripe.com/api/idempotent_requests.
 */
export const payments = gateway({
  name: 'payments',
  aggregate: Payment.aggregate,
  hears: [
    'PaymentRequested',
    'CaptureRequested',
    'CancelRequested',
    'RefundRequested',
    'PaymentOutcomeUnknown',
  ],
  keyHorizonMs: DAY_MS,
})

/** The mail provider. It knows no idempotency key: what it left in doubt is tried once more, and recorded. */
export const mails = gateway({
  name: 'mails',
  aggregate: Notification.aggregate,
  hears: ['EmailRequested', 'EmailOutcomeUnknown'],
  keyHorizonMs: 0,
})
