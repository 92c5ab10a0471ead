/** A simulated Stripe for tests, in process and over HTTP. */
export type { AccountEvent, Charge, Dispute, MeterEvent, PaymentIntent, Refund } from './account.ts'
export type { OnWebhook, Post } from './delivery.ts'
export type { Delay, Exchange, Patience } from './exchange.ts'
export type {
  FaultFired,
  FaultScript,
  Faults,
  RequestFault,
  RequestRule,
  WebhookFault,
  WebhookRule,
} from './fault-script.ts'
export { createSimHttpClient } from './http-client.ts'
export { type SimServer, type SimServerOptions, startSimServer } from './http-server.ts'
export type { IntentLedger, Ledger, Sums } from './ledger.ts'
export {
  createStripeSim,
  type Snapshot,
  type StripeSim,
  type StripeSimOptions,
} from './simulator.ts'
export type { SimRequest, SimResponse } from './visit.ts'
export type { WebhookAttempt } from './webhook.ts'
