/**
 * The simulated Stripe as a program holds it: requests in, webhooks out, and what only a test may do or see.
 *
 * Time, randomness and delays are arguments: given the same ones and the same calls, two simulators do the same.
 */
import {
  type Account,
  type AccountEvent,
  type Charge,
  type Dispute,
  type MeterEvent,
  openAccount,
  type PaymentIntent,
  type Refund,
} from './account.ts'
import type { Result } from './api-error.ts'
import { completeAuthentication } from './challenge-page.ts'
import { settled } from './confirmation.ts'
import { deliver, type OnWebhook, type Post } from './delivery.ts'
import { closeDispute } from './dispute.ts'
import { advance, type Exchange, exchange, type Machine, type Patience, turnOf } from './exchange.ts'
import { createFaults, type FaultFired, type FaultScript, type Faults } from './fault-script.ts'
import { chargesBy, type Ledger, ledgerOf } from './ledger.ts'
import { createRandom } from './random.ts'
import { nextTimerMs } from './timer.ts'
import type { SimRequest } from './visit.ts'
import { retry, take, type WebhookAttempt } from './webhook.ts'

export interface StripeSimOptions {
  readonly nowMs: () => number
  readonly seed: string | number
  /** Signs the events of the account's own endpoint. */
  readonly webhookSecret: string
  /** Where that endpoint is; without it, events are for `onWebhook` and `takeWebhooks`. */
  readonly webhookUrl?: string
  /** A script, or whoever else decides on each request and webhook. */
  readonly faults?: FaultScript | Faults
  /** Told of every event by `deliverWebhooks`, which both transports call after each request. */
  readonly onWebhook?: OnWebhook
  /** Only this secret key is let in; without it, any well-formed test key is. */
  readonly apiKey?: string
}

export interface Snapshot {
  readonly paymentIntents: ReadonlyArray<PaymentIntent>
  readonly charges: ReadonlyArray<Charge>
  readonly refunds: ReadonlyArray<Refund>
  readonly disputes: ReadonlyArray<Dispute>
  readonly meterEvents: ReadonlyArray<MeterEvent>
  readonly events: ReadonlyArray<AccountEvent>
}

export interface StripeSim {
  /** One request with the script's faults. A caller's own patience is `timeoutMs`, measured by `delay`. */
  readonly exchange: (request: SimRequest, patience?: Patience) => Promise<Exchange>
  /** Plays the shopper in 3-D Secure; throws if the intent does not wait for one. */
  readonly completeAuthentication: (paymentIntentId: string, outcome: 'succeed' | 'fail') => PaymentIntent
  /** Plays the bank that debits slowly; throws if the intent is not processing. */
  readonly settleDebit: (paymentIntentId: string, outcome: 'succeed' | 'fail') => PaymentIntent
  /** Plays the card network; throws if the dispute is closed. */
  readonly closeDispute: (disputeId: string, outcome: 'won' | 'lost') => Dispute
  /** Lets what is due happen: expiries, settlements. Every other call does so first. */
  readonly advance: () => void
  /** When something will next happen by itself or a webhook will be due, if ever. */
  readonly nextDueMs: () => number | undefined
  /** The webhooks due now, in the order of delivery; they count as delivered unless given to `retryWebhook`. */
  readonly takeWebhooks: () => ReadonlyArray<WebhookAttempt>
  /** Puts an attempt that failed back, for later. */
  readonly retryWebhook: (attempt: WebhookAttempt) => void
  /**
   * Sends what is due to `onWebhook`, and to endpoints with a URL by `post`; says how many were taken. One delivery
   * goes on at a time, so a receiver must not wait for it.
   */
  readonly deliverWebhooks: (post?: Post) => Promise<number>
  /** Deliveries not yet made, due or not. */
  readonly undelivered: () => number
  readonly faultsFired: () => ReadonlyArray<FaultFired>
  readonly ledger: () => Ledger
  /** Authorized charges by the value of a metadata key. */
  readonly chargesBy: (metadataKey: string) => ReadonlyMap<string, ReadonlyArray<Charge>>
  /** Every object as it is now, oldest first. */
  readonly snapshot: () => Snapshot
}

const orThrow = <A>(result: Result<A>): A => {
  if (!result.ok) throw new Error(result.error.body.message)
  return result.value
}

const nextDueMs = (account: Account): number | undefined =>
  [nextTimerMs(account), ...account.outbox.map(({ dueMs }) => dueMs)].reduce<number | undefined>(
    (least, each) => (each !== undefined && (least === undefined || each < least) ? each : least),
    undefined,
  )

const snapshotOf = (account: Account): Snapshot => ({
  paymentIntents: [...account.intents.values()],
  charges: [...account.charges.values()],
  refunds: [...account.refunds.values()],
  disputes: [...account.disputes.values()],
  meterEvents: [...account.meterEvents.values()],
  events: [...account.events.values()],
})

const openMachine = (options: StripeSimOptions): Machine => {
  const random = createRandom(options.seed)
  const account = openAccount(random)
  const id = random.id('we')
  account.endpoints.set(id, {
    id,
    url: options.webhookUrl ?? null,
    secret: options.webhookSecret,
    enabledEvents: ['*'],
    created: Math.floor(options.nowMs() / 1_000),
  })
  const { faults: decided = { rules: [] } } = options
  const faults = 'rules' in decided ? createFaults(decided) : decided
  return {
    account,
    nowMs: options.nowMs,
    apiKey: options.apiKey,
    requestIds: createRandom(`${options.seed} requests`),
    faults,
    keys: new Map(),
  }
}

export const createStripeSim = (options: StripeSimOptions): StripeSim => {
  const machine = openMachine(options)
  const { account } = machine
  let delivering: Promise<unknown> = Promise.resolve()
  return {
    exchange: (request, patience = {}) => exchange(machine, request, patience),
    completeAuthentication: (id, outcome) => orThrow(completeAuthentication(turnOf(machine), id, outcome)),
    settleDebit: (id, outcome) => {
      const turn = turnOf(machine)
      const intent = account.intents.get(id)
      if (intent === undefined) throw new Error(`No such payment_intent: '${id}'`)
      return orThrow(settled(turn, intent, outcome))
    },
    closeDispute: (id, outcome) => {
      const turn = turnOf(machine)
      const dispute = account.disputes.get(id)
      if (dispute === undefined) throw new Error(`No such dispute: '${id}'`)
      return orThrow(closeDispute(turn, dispute, outcome))
    },
    advance: () => advance(machine),
    nextDueMs: () => nextDueMs(account),
    takeWebhooks: () => {
      const { nowMs } = turnOf(machine)
      return take(account, nowMs, () => true)
    },
    retryWebhook: (attempt) => retry(account, attempt, options.nowMs()),
    deliverWebhooks: (post) => {
      const delivered = delivering.then(() => deliver(machine, { onWebhook: options.onWebhook, post }))
      delivering = delivered
      return delivered
    },
    undelivered: () => account.outbox.length,
    faultsFired: machine.faults.fired,
    ledger: () => ledgerOf(turnOf(machine).account),
    chargesBy: (key) => chargesBy(turnOf(machine).account, key),
    snapshot: () => snapshotOf(turnOf(machine).account),
  }
}
