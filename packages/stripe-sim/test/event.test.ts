import { test } from '@fast-check/vitest'
import type { Stripe } from 'stripe'
import { describe, expect } from 'vitest'
import { errorOf, payment, transports } from './bench.ts'
import { history, make } from './history.ts'

const byId = (objects: ReadonlyArray<{ readonly id: string }>): ReadonlyMap<string, unknown> =>
  new Map(objects.map((object) => [object.id, object]))

const listAll = (stripe: Stripe) => stripe.events.list({ limit: 100 }).autoPagingToArray({ limit: 10_000 })

describe.each(transports)('events, $name', ({ open, runs }) => {
  test.prop([history], { numRuns: runs })(
    'every change has an event, and replaying the events’ objects gives the final state',
    async (calls) => {
      await using bench = await open()
      for (const [nth, each] of calls.entries()) await make(bench, each, `call-${nth}`)
      bench.sim.advance()
      const now = bench.sim.snapshot()
      const replayed = new Map<string, unknown>()
      for (const event of (await listAll(bench.stripe)).toReversed()) {
        const { object } = event.data as { object: { id: string } }
        replayed.set(object.id, object)
      }
      for (const objects of [now.paymentIntents, now.charges, now.refunds, now.disputes])
        for (const [id, object] of byId(objects))
          expect(replayed.get(id)).toEqual(JSON.parse(JSON.stringify(object)))
    },
  )

  test('are snapshots: what happens later does not change them', async () => {
    await using bench = await open()
    const { stripe } = bench
    const held = await stripe.paymentIntents.create(payment({ capture_method: 'manual' }))
    await stripe.paymentIntents.capture(held.id)
    const { data } = await stripe.events.list({ type: 'payment_intent.*' })
    expect(data.map((event) => [event.type, (event.data.object as Stripe.PaymentIntent).status])).toEqual([
      ['payment_intent.succeeded', 'succeeded'],
      ['payment_intent.amount_capturable_updated', 'requires_capture'],
      ['payment_intent.created', 'requires_confirmation'],
    ])
  })

  test('tell which request and which idempotency key caused them', async () => {
    await using bench = await open()
    const paid = await bench.stripe.paymentIntents.create(payment(), { idempotencyKey: 'pay-o1' })
    const { data } = await bench.stripe.events.list({ limit: 1 })
    expect(data[0]).toMatchObject({
      request: { id: paid.lastResponse.requestId, idempotency_key: 'pay-o1' },
      api_version: '2026-10-28.endive',
    })
    expect((await bench.stripe.events.retrieve(data[0]?.id ?? '')).type).toBe('payment_intent.succeeded')
  })

  test('are found by type and by time, newest first', async () => {
    await using bench = await open()
    const { stripe } = bench
    await stripe.paymentIntents.create(payment())
    bench.pass(10_000)
    await stripe.paymentIntents.create(payment())
    const since = Math.floor(bench.nowMs() / 1_000)
    const recent = await stripe.events.list({ created: { gte: since }, types: ['payment_intent.succeeded'] })
    expect(recent.data).toHaveLength(1)
    const older = await stripe.events.list({ created: { lt: since }, type: 'payment_intent.succeeded' })
    expect(older.data).toHaveLength(1)
    expect((await errorOf(stripe.events.list({ limit: 101 }))).param).toBe('limit')
  })
})
