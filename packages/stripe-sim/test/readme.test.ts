import { readFileSync } from 'node:fs'
import { createSimHttpClient, createStripeSim } from '@everfold/stripe-sim'
import { Stripe } from 'stripe'
import { expect, test } from 'vitest'

/** Lines without their indentation, which differs here. */
const lines = (text: string): string => text.replaceAll(/^ +| +$/gm, '').trim()

test('the README’s example is what is run here, and ends as it says', async () => {
  // From here to the end of the example, this is the README's.
  let nowMs = 1_700_000_000_000
  const sim = createStripeSim({
    nowMs: () => nowMs,
    seed: 1,
    webhookSecret: 'whsec_test',
    faults: {
      rules: [{ on: 'request', fault: { _tag: 'DropResponse' }, path: '/v1/payment_intents', nth: 1 }],
    },
  })
  const httpClient = createSimHttpClient(sim)
  const stripe = new Stripe('sk_test_1', { httpClient, maxNetworkRetries: 0, telemetry: false })

  const pay = () =>
    stripe.paymentIntents.create(
      {
        amount: 1_000,
        currency: 'usd',
        payment_method: 'pm_card_visa',
        allowed_payment_method_types: ['card'],
        capture_method: 'manual',
        confirm: true,
        metadata: { orderId: 'o1' },
      },
      { idempotencyKey: 'pay-o1' },
    )

  // The answer is lost after the authorization; the same key finds it again.
  await pay().catch(() => undefined)
  const held = await pay()
  await stripe.paymentIntents.capture(held.id, { amount_to_capture: 600 })

  const webhooks = sim.takeWebhooks().map(({ rawBody, headers }) => {
    const signature = headers['stripe-signature'] ?? ''
    return stripe.webhooks.constructEvent(rawBody, signature, 'whsec_test', 300, undefined, nowMs).type
  })
  nowMs += 60_000
  const ledger = sim.ledger().totals // { usd: { authorized: 1000, captured: 600, refunded: 0 } }
  // The end of the example.
  expect(ledger).toEqual({ usd: { authorized: 1_000, captured: 600, refunded: 0 } })
  expect(webhooks.at(-1)).toBe('payment_intent.succeeded')

  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const here = readFileSync(new URL(import.meta.url), 'utf8')
  const example = readme.split('```ts')[1]?.split('```')[0]?.split("from 'stripe'\n")[1] ?? ''
  const run = here.split("is the README's.\n")[1]?.split('// The end of the example.')[0] ?? ''
  expect(lines(run)).toBe(lines(example))
})
