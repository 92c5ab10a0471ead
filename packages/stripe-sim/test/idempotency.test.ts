import { fc, test } from '@fast-check/vitest'
import { Stripe } from 'stripe'
import { describe, expect } from 'vitest'
import { errorOf, payment, transports } from './bench.ts'
import { history, make } from './history.ts'

const DAY_MS = 86_400_000

/** All that exists, without what a repeated request or another port may change. */
const objectsOf = (snapshot: object): string =>
  JSON.stringify(snapshot, (key, value: unknown) =>
    key === 'request' || key === 'pending_webhooks' ? null : value,
  ).replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1')

describe.each(transports)('an idempotency key, $name', ({ open, runs }) => {
  test.prop([history, fc.integer()], { numRuns: runs })(
    'has no second effect, whichever requests and answers are lost and however often it is repeated',
    async (calls, seed) => {
      await using calm = await open()
      for (const [nth, each] of calls.entries()) await make(calm, each, `call-${nth}`)

      const lossy = {
        seed,
        rules: [
          { on: 'request', fault: { _tag: 'DropResponse' }, rate: 0.4 },
          { on: 'request', fault: { _tag: 'DropBeforeApply' }, rate: 0.2 },
          { on: 'request', fault: { _tag: 'RateLimit' }, rate: 0.1 },
          { on: 'request', fault: { _tag: 'ServerError', when: 'before', saved: false }, rate: 0.1 },
        ],
      } as const
      await using rough = await open({ faults: lossy })
      for (const [nth, each] of calls.entries()) {
        const acts = each._tag === 'Pass' || each._tag === 'Authenticate'
        for (let answers = 0; answers < (acts ? 1 : 2); ) {
          const before = rough.sim.faultsFired().length
          await make(rough, each, `call-${nth}`)
          if (rough.sim.faultsFired().length === before) answers += 1
        }
      }

      expect(objectsOf(rough.sim.snapshot())).toBe(objectsOf(calm.sim.snapshot()))
    },
  )

  test('gives the same answer to the same request, declines included, and says so', async () => {
    await using bench = await open()
    const { stripe, sim } = bench
    const key = { idempotencyKey: 'k1' }
    const first = await stripe.paymentIntents.create(payment(), key)
    const second = await stripe.paymentIntents.create(payment(), key)
    expect(second).toEqual(first)
    expect(first.lastResponse.headers['idempotent-replayed']).toBeUndefined()
    expect(second.lastResponse.headers['idempotent-replayed']).toBe('true')
    expect(second.lastResponse.headers['original-request']).toBe(first.lastResponse.requestId)

    const bad = payment({ payment_method: 'pm_card_chargeDeclined' })
    const declined = await errorOf(stripe.paymentIntents.create(bad, { idempotencyKey: 'k2' }))
    const again = await errorOf(stripe.paymentIntents.create(bad, { idempotencyKey: 'k2' }))
    expect(again.payment_intent?.id).toBe(declined.payment_intent?.id)
    expect(sim.snapshot().paymentIntents).toHaveLength(2)
  })

  test('refuses other parameters, and another path', async () => {
    await using bench = await open()
    const { stripe, sim } = bench
    const key = { idempotencyKey: 'k1' }
    const held = await stripe.paymentIntents.create(payment({ capture_method: 'manual' }), key)
    const other = await errorOf(stripe.paymentIntents.create(payment({ amount: 2_000 }), key))
    expect(other).toBeInstanceOf(Stripe.errors.StripeIdempotencyError)
    expect(other.statusCode).toBe(400)
    const elsewhere = await errorOf(stripe.paymentIntents.capture(held.id, {}, key))
    expect(elsewhere).toBeInstanceOf(Stripe.errors.StripeIdempotencyError)
    expect(sim.ledger().totals['usd']).toEqual({ authorized: 1_000, captured: 0, refunded: 0 })
  })

  test.prop(
    [
      fc.integer({ min: 50, max: 900 }),
      fc.dictionary(fc.stringMatching(/^[a-z]{1,9}$/), fc.string({ minLength: 1 })),
      fc.integer({ min: 1, max: 90 }),
    ],
    {
      numRuns: runs,
    },
  )('is bound to the parameters and not to their order', async (amount, metadata, more) => {
    await using bench = await open()
    const { stripe, sim } = bench
    const key = { idempotencyKey: 'k1' }
    const first = await stripe.paymentIntents.create(payment({ amount, metadata }), key)
    const backwards = Object.fromEntries(Object.entries(payment({ amount, metadata })).toReversed())
    const again = await stripe.paymentIntents.create(
      backwards as unknown as Stripe.PaymentIntentCreateParams,
      key,
    )
    expect(again.id).toBe(first.id)
    for (const other of [
      { amount: amount + more, metadata },
      { amount, metadata: { ...metadata, More: 'x' } },
    ])
      expect(await errorOf(stripe.paymentIntents.create(payment(other), key))).toBeInstanceOf(
        Stripe.errors.StripeIdempotencyError,
      )
    expect(sim.snapshot().paymentIntents).toHaveLength(1)
  })

  test('is not used up by a parameter that was refused', async () => {
    await using bench = await open()
    const key = { idempotencyKey: 'k1' }
    await errorOf(bench.stripe.paymentIntents.create(payment({ amount: 1 }), key))
    expect((await bench.stripe.paymentIntents.create(payment(), key)).status).toBe('succeeded')
  })

  test('is forgotten after 24 hours', async () => {
    await using bench = await open()
    const key = { idempotencyKey: 'k1' }
    const first = await bench.stripe.paymentIntents.create(payment(), key)
    bench.pass(DAY_MS - 1)
    expect((await bench.stripe.paymentIntents.create(payment(), key)).id).toBe(first.id)
    bench.pass(1)
    expect((await bench.stripe.paymentIntents.create(payment(), key)).id).not.toBe(first.id)
  })

  test('keeps a 500 as it keeps any answer, though the payment was made', async () => {
    const faults = {
      rules: [{ on: 'request', fault: { _tag: 'ServerError', when: 'after' }, nth: 1 }],
    } as const
    await using bench = await open({ faults })
    const { stripe, sim } = bench
    const key = { idempotencyKey: 'k1' }
    for (let i = 0; i < 3; i += 1)
      expect((await errorOf(stripe.paymentIntents.create(payment(), key))).statusCode).toBe(500)
    expect(sim.ledger().totals['usd']).toMatchObject({ captured: 1_000 })
    expect((await stripe.paymentIntents.list()).data).toHaveLength(1)
  })

  test('in use by a request that is still being carried out answers 409', async () => {
    const faults = { rules: [{ on: 'request', fault: { _tag: 'Delay', ms: 5_000 }, nth: 1 }] } as const
    const waiting = Promise.withResolvers<void>()
    const arrived = Promise.withResolvers<void>()
    const delay = (ms: number): Promise<void> => {
      if (ms !== 5_000) return new Promise(() => undefined)
      arrived.resolve()
      return waiting.promise
    }
    await using bench = await open({ faults, delay })
    const key = { idempotencyKey: 'k1' }
    const slow = bench.stripe.paymentIntents.create(payment(), key)
    await arrived.promise
    const busy = await errorOf(bench.stripe.paymentIntents.create(payment(), key))
    expect(busy).toMatchObject({ statusCode: 409, code: 'idempotency_key_in_use' })
    waiting.resolve()
    const made = await slow
    expect(await bench.stripe.paymentIntents.create(payment(), key)).toEqual(made)
    expect(bench.sim.snapshot().paymentIntents).toHaveLength(1)
  })
})
