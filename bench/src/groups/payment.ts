/**
 * `payment/webhooks`: webhooks of Stripe received, against verifying their signatures alone.
 *
 * Receiving is all that a shop does with one before it is stored: verify, decode, decide and fold. The webhooks are
 * those of one payment's life, as the simulated Stripe sends them: authorized, captured, refunded.
 */
import { E, fold } from '@everfold/core'
import { Payment } from '@everfold/ecommerce'
import { stripeWebhooks } from '@everfold/gateway-stripe'
import { createSimHttpClient, createStripeSim, type WebhookAttempt } from '@everfold/stripe-sim'
import { Stripe } from 'stripe'
import { type Group, rounded } from '../group.ts'
import { median } from '../measure.ts'

const SECRET = 'whsec_bench'
const NOW_MS = 1_700_000_000_000
const ROUNDS = 15
const LIVES_PER_ROUND = 400

export const group: Group = {
  run: async (_options, report) => {
    const webhooks = await life()
    const receive = receiving(webhooks)
    const verify = verifying(webhooks)
    for (let warmUp = 0; warmUp < 3; warmUp += 1) {
      perCpuSecond(receive, webhooks.length)
      perCpuSecond(verify, webhooks.length)
    }
    const rounds = Array.from({ length: ROUNDS }, () => {
      const ours = perCpuSecond(receive, webhooks.length)
      return { ours, theirs: perCpuSecond(verify, webhooks.length) }
    })
    const name = 'payment/webhooks'
    const ratio = median(rounds.map(({ ours, theirs }) => ours / theirs))
    report.result({ name, against: 'signature', ratio: rounded(ratio) })
    const value = median(rounds.map(({ ours }) => ours))
    report.result({ name, value: rounded(value), unit: 'webhooks/cpu-s' })
  },
}

const life = async (): Promise<ReadonlyArray<WebhookAttempt>> => {
  const sim = createStripeSim({ nowMs: () => NOW_MS, seed: 'bench', webhookSecret: SECRET })
  const httpClient = createSimHttpClient(sim)
  const stripe = new Stripe('sk_test_bench', { httpClient, maxNetworkRetries: 0, telemetry: false })
  const { id } = await stripe.paymentIntents.create({
    amount: 1_000,
    currency: 'usd',
    confirm: true,
    capture_method: 'manual',
    payment_method: 'pm_card_visa',
    allowed_payment_method_types: ['card'],
    metadata: { paymentId: 'o-1', orderId: 'o-1', attempt: 1 },
  })
  await stripe.paymentIntents.capture(id)
  const metadata = { paymentId: 'o-1', refundId: 'r-1' }
  await stripe.refunds.create({ payment_intent: id, amount: 400, metadata })
  return sim.takeWebhooks()
}

const requested = Payment.decide(
  {
    _tag: 'RequestPayment',
    orderId: 'o-1',
    amount: { amount: 1_000, currency: 'USD' },
    paymentMethod: 'pm_card_visa',
    captureMethod: 'manual',
  } as Payment.PaymentCommand,
  Payment.initial,
)

const receiving = (webhooks: ReadonlyArray<WebhookAttempt>): (() => void) => {
  const hook = stripeWebhooks({ secret: SECRET })
  const messages = webhooks.map(({ rawBody, headers }) => ({
    body: new TextEncoder().encode(rawBody),
    headers,
    nowMs: NOW_MS,
  }))
  if (E.isLeft(requested)) throw new Error('the payment was refused')
  const start = fold(Payment.decider, requested.right)
  return () => {
    let state = start
    for (const message of messages) {
      const heard = hook(message)
      if (heard instanceof Promise || E.isLeft(heard)) throw new Error('a webhook was refused')
      for (const { command } of heard.right) {
        const decision = Payment.decide(command as Payment.PaymentCommand, state)
        if (E.isRight(decision)) state = fold(Payment.decider, decision.right, state)
      }
    }
    if (Payment.refunded(state) !== 400) throw new Error('the webhooks were not folded')
  }
}

const verifying = (webhooks: ReadonlyArray<WebhookAttempt>): (() => void) => {
  const { signature } = Stripe.webhooks
  if (signature === null) throw new Error('the SDK has no signatures here')
  const messages = webhooks.map(({ rawBody, headers }) => ({
    body: new TextEncoder().encode(rawBody),
    header: headers['stripe-signature'] ?? '',
  }))
  return () => {
    for (const { body, header } of messages)
      signature.verifyHeader(body, header, SECRET, 300, undefined, NOW_MS)
  }
}

const perCpuSecond = (work: () => void, webhooks: number): number => {
  globalThis.gc?.()
  const before = process.cpuUsage()
  for (let lives = 0; lives < LIVES_PER_ROUND; lives += 1) work()
  const { user, system } = process.cpuUsage(before)
  return (LIVES_PER_ROUND * webhooks * 1e6) / (user + system)
}
