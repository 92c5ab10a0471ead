import { test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { errorOf, payment, transports } from './bench.ts'

describe.each(transports)('a refund, $name', ({ open }) => {
  test('gives back in parts, and never more than was captured', async () => {
    await using bench = await open()
    const { stripe } = bench
    const paid = await stripe.paymentIntents.create(payment({ capture_method: 'manual' }))
    await stripe.paymentIntents.capture(paid.id, { amount_to_capture: 600 })
    const first = await stripe.refunds.create({
      payment_intent: paid.id,
      amount: 250,
      reason: 'requested_by_customer',
    })
    expect(first).toMatchObject({ status: 'succeeded', amount: 250, reason: 'requested_by_customer' })
    const greedy = await errorOf(stripe.refunds.create({ payment_intent: paid.id, amount: 351 }))
    expect(greedy).toMatchObject({ statusCode: 400, type: 'StripeInvalidRequestError', param: 'amount' })
    const chargeId = typeof first.charge === 'string' ? first.charge : ''
    const rest = await stripe.refunds.create({ charge: chargeId })
    expect(rest.amount).toBe(350)
    const more = await errorOf(stripe.refunds.create({ payment_intent: paid.id }))
    expect(more.code).toBe('charge_already_refunded')
    const charge = await stripe.charges.retrieve(chargeId, { expand: ['refunds'] })
    expect(charge).toMatchObject({ amount_refunded: 600, refunded: true })
    expect(charge.refunds?.data.map((refund) => refund.id)).toEqual([rest.id, first.id])
    const { data } = await stripe.refunds.list({ payment_intent: paid.id })
    expect(data).toHaveLength(2)
  })

  test('of what was never captured is refused', async () => {
    await using bench = await open()
    const held = await bench.stripe.paymentIntents.create(payment({ capture_method: 'manual' }))
    const refusal = await errorOf(bench.stripe.refunds.create({ payment_intent: held.id }))
    expect(refusal.code).toBe('charge_not_refundable')
  })

  test('may look made and fail a minute later, and its money can then be given back again', async () => {
    await using bench = await open()
    const { stripe } = bench
    const paid = await stripe.paymentIntents.create(payment({ payment_method: 'pm_card_refundFail' }))
    const refund = await stripe.refunds.create({ payment_intent: paid.id })
    expect(refund.status).toBe('succeeded')
    bench.pass(60_000)
    expect(await stripe.refunds.retrieve(refund.id)).toMatchObject({
      status: 'failed',
      failure_reason: 'expired_or_canceled_card',
    })
    expect(bench.sim.ledger().totals['usd']).toMatchObject({ captured: 1_000, refunded: 0 })
    const types = bench.sim.snapshot().events.map((event) => event.type)
    expect(types).toContain('refund.failed')
    expect((await stripe.refunds.create({ payment_intent: paid.id })).amount).toBe(1_000)
  })

  test('may be pending, and succeed a minute later', async () => {
    await using bench = await open()
    const { stripe } = bench
    const paid = await stripe.paymentIntents.create(payment({ payment_method: 'pm_card_pendingRefund' }))
    const refund = await stripe.refunds.create({ payment_intent: paid.id, amount: 400 })
    expect(refund.status).toBe('pending')
    bench.pass(60_000)
    expect((await stripe.refunds.retrieve(refund.id)).status).toBe('succeeded')
  })
})

describe.each(transports)('a dispute, $name', ({ open }) => {
  test('follows the capture of the card made for it, and freezes refunds', async () => {
    await using bench = await open()
    const { stripe } = bench
    const paid = await stripe.paymentIntents.create(payment({ payment_method: 'pm_card_createDispute' }))
    expect(paid.status).toBe('succeeded')
    const { data } = await stripe.disputes.list({ payment_intent: paid.id })
    expect(data).toMatchObject([{ status: 'needs_response', amount: 1_000, reason: 'fraudulent' }])
    const types = bench.sim.snapshot().events.map((event) => event.type)
    expect(types.slice(-2)).toEqual(['charge.dispute.created', 'charge.dispute.funds_withdrawn'])
    const frozen = await errorOf(stripe.refunds.create({ payment_intent: paid.id }))
    expect(frozen.code).toBe('charge_disputed')
    const evidence = { uncategorized_text: 'winning_evidence' }
    const won = await stripe.disputes.update(data[0]?.id ?? '', { evidence, submit: true })
    expect(won.status).toBe('won')
    const last = bench.sim.snapshot().events.at(-1)
    expect(last?.type).toBe('charge.dispute.funds_reinstated')
  })
})
