import type { FaultScript } from '@everfold/stripe-sim'
import { fc, test } from '@fast-check/vitest'
import { Stripe } from 'stripe'
import { describe, expect } from 'vitest'
import { inProcess, payment, SECRET, transports } from './bench.ts'

const webhooks = Stripe.webhooks

const verified = (rawBody: string, signature: string | undefined, atMs: number): Stripe.Event =>
  webhooks.constructEvent(rawBody, signature ?? '', SECRET, 300, undefined, atMs)

describe.each(transports)('webhooks, $name', ({ open }) => {
  test('come in the order of their events, signed, each once', async () => {
    await using bench = await open()
    await bench.stripe.paymentIntents.create(payment())
    const attempts = bench.sim.takeWebhooks()
    const events = attempts.map((each) =>
      verified(each.rawBody, each.headers['stripe-signature'], bench.nowMs()),
    )
    expect(events.map((event) => event.type)).toEqual([
      'payment_intent.created',
      'charge.succeeded',
      'payment_intent.succeeded',
    ])
    expect(bench.sim.takeWebhooks()).toEqual([])
  })

  test.prop([fc.nat(), fc.integer({ min: 1, max: 255 })], { numRuns: 50 })(
    'a tampered body or a wrong secret is not believed',
    async (at, shift) => {
      await using bench = await inProcess.open()
      await bench.stripe.paymentIntents.create(payment())
      const attempt = bench.sim.takeWebhooks()[0]
      const rawBody = attempt?.rawBody ?? ''
      const signature = attempt?.headers['stripe-signature'] ?? ''
      const place = at % rawBody.length
      const other = String.fromCharCode((rawBody.charCodeAt(place) + shift) % 256)
      const tampered = rawBody.slice(0, place) + other + rawBody.slice(place + 1)
      expect(() => verified(rawBody, signature, bench.nowMs())).not.toThrow()
      expect(() => verified(tampered, signature, bench.nowMs())).toThrow(
        Stripe.errors.StripeSignatureVerificationError,
      )
      expect(() => webhooks.constructEvent(rawBody, signature, 'whsec_other', 0)).toThrow(
        Stripe.errors.StripeSignatureVerificationError,
      )
    },
  )

  test('are sent again, later and later, until they are taken, with a fresh signature', async () => {
    const seen: Array<readonly [string, number]> = []
    let up = false
    const onWebhook = (rawBody: string, headers: Readonly<Record<string, string>>): number => {
      if (!up) return 503
      const event = webhooks.constructEvent(rawBody, headers['stripe-signature'] ?? '', SECRET, 0)
      seen.push([event.type, Number(/t=(\d+)/.exec(headers['stripe-signature'] ?? '')?.[1])])
      return 200
    }
    await using bench = await open({ onWebhook })
    await bench.stripe.paymentIntents.create(payment())
    await bench.sim.deliverWebhooks()
    expect(bench.sim.undelivered()).toBe(3)
    expect(bench.sim.nextDueMs()).toBe(bench.nowMs() + 60_000)
    up = true
    expect(await bench.sim.deliverWebhooks()).toBe(0)
    bench.pass(60_000)
    expect(await bench.sim.deliverWebhooks()).toBe(3)
    expect(seen.map(([type]) => type)).toEqual([
      'payment_intent.created',
      'charge.succeeded',
      'payment_intent.succeeded',
    ])
    expect(new Set(seen.map(([, at]) => at))).toEqual(new Set([Math.floor(bench.nowMs() / 1_000)]))
  })

  test('can be put back by a runtime that pulls them', async () => {
    await using bench = await open()
    await bench.stripe.paymentIntents.create(payment())
    const [first] = bench.sim.takeWebhooks()
    if (first !== undefined) bench.sim.retryWebhook(first)
    bench.pass(60_000)
    expect(bench.sim.takeWebhooks()).toMatchObject([{ eventId: first?.eventId, attempt: 2 }])
  })
})

const receivedUnder = async (faults: FaultScript) => {
  await using bench = await inProcess.open({ faults })
  await bench.stripe.paymentIntents.create(payment())
  const received = bench.sim.takeWebhooks().map((each) => each.type)
  const listed = (await bench.stripe.events.list()).data.length
  bench.pass(5_000)
  const late = bench.sim.takeWebhooks().map((each) => each.type)
  return { received, listed, late, fired: bench.sim.faultsFired() }
}

describe('a script of webhook faults', () => {
  test('repeats one', async () => {
    const fault = { _tag: 'DuplicateWebhook' } as const
    const { received, fired } = await receivedUnder({ rules: [{ on: 'webhook', fault, type: 'charge.*' }] })
    expect(received.filter((type) => type === 'charge.succeeded')).toHaveLength(2)
    expect(fired).toHaveLength(1)
  })

  test('loses one, which is still listed', async () => {
    const { received, listed } = await receivedUnder({
      rules: [{ on: 'webhook', fault: { _tag: 'DropWebhook' }, type: 'payment_intent.succeeded' }],
    })
    expect(received).not.toContain('payment_intent.succeeded')
    expect(listed).toBe(3)
  })

  test('holds one up', async () => {
    const { received, late } = await receivedUnder({
      rules: [{ on: 'webhook', fault: { _tag: 'DelayWebhook', ms: 5_000 }, nth: 1 }],
    })
    expect(received).toEqual(['charge.succeeded', 'payment_intent.succeeded'])
    expect(late).toEqual(['payment_intent.created'])
  })

  test('sends a later one first', async () => {
    const { received } = await receivedUnder({
      rules: [{ on: 'webhook', fault: { _tag: 'ReorderWebhook' }, type: 'payment_intent.succeeded' }],
    })
    expect(received).toHaveLength(3)
    expect(received.at(-1)).not.toBe('payment_intent.succeeded')
  })
})
