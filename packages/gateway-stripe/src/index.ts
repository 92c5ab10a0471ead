/** The shop's payments at Stripe: a gateway for what is asked, a hook for what Stripe says of its own accord. */
export type { StripeOptions } from './account.ts'
export { stripePayments } from './gateway.ts'
export { keyOf } from './key.ts'
export { ofCharge, ofDispute, ofIntent, ofRefund } from './statement.ts'
export { stripeWebhooks, type WebhookOptions } from './webhook.ts'
