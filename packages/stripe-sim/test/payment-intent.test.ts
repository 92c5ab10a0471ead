import { fc, test } from '@fast-check/vitest'
import { Stripe } from 'stripe'
import { describe, expect } from 'vitest'
import { errorOf, payment, transports } from './bench.ts'
import { history, make } from './history.ts'

const DAY_MS = 86_400_000

describe.each(transports)('a payment intent, $name', ({ open, runs }) => {
  test('is paid at once when confirmed with a good card', async () => {
    await using bench = await open()
    const paid = await bench.stripe.paymentIntents.create(payment({ metadata: { orderId: 'o1' } }))
    expect(paid).toMatchObject({ status: 'succeeded', amount_received: 1_000, amount_capturable: 0 })
    expect(bench.sim.chargesBy('orderId').get('o1')).toHaveLength(1)
  })

  test('waits for a method, then for a confirmation', async () => {
    await using bench = await open()
    const { stripe } = bench
    const bare = await stripe.paymentIntents.create({
      amount: 500,
      currency: 'eur',
      allowed_payment_method_types: ['card'],
    })
    expect(bare.status).toBe('requires_payment_method')
    const chosen = await stripe.paymentIntents.update(bare.id, {
      payment_method: 'pm_card_visa',
      metadata: { a: '1' },
    })
    expect(chosen).toMatchObject({ status: 'requires_confirmation', metadata: { a: '1' } })
    const paid = await stripe.paymentIntents.confirm(bare.id)
    expect(paid.status).toBe('succeeded')
    expect(await stripe.paymentIntents.retrieve(bare.id)).toEqual(paid)
  })

  test('captures a part and releases the rest', async () => {
    await using bench = await open()
    const { stripe } = bench
    const held = await stripe.paymentIntents.create(payment({ capture_method: 'manual' }))
    expect(held).toMatchObject({ status: 'requires_capture', amount_capturable: 1_000, amount_received: 0 })
    const taken = await stripe.paymentIntents.capture(held.id, {
      amount_to_capture: 600,
      expand: ['latest_charge'],
    })
    expect(taken).toMatchObject({
      status: 'succeeded',
      amount_capturable: 0,
      amount_received: 600,
      latest_charge: { amount: 1_000, amount_captured: 600, amount_refunded: 0, captured: true },
    })
    const again = await errorOf(stripe.paymentIntents.capture(held.id))
    expect(again).toMatchObject({ statusCode: 400, code: 'payment_intent_unexpected_state' })
    expect(again.payment_intent).toMatchObject({ id: held.id, status: 'succeeded' })
  })

  test('captures several parts only where multicapture was asked for', async () => {
    await using bench = await open()
    const { stripe } = bench
    const options = { card: { request_multicapture: 'if_available' as const } }
    const held = await stripe.paymentIntents.create(
      payment({ capture_method: 'manual', payment_method_options: options }),
    )
    const first = await stripe.paymentIntents.capture(held.id, {
      amount_to_capture: 700,
      final_capture: false,
    })
    expect(first).toMatchObject({ status: 'requires_capture', amount_capturable: 300, amount_received: 700 })
    const last = await stripe.paymentIntents.capture(held.id, { amount_to_capture: 0, final_capture: true })
    expect(last).toMatchObject({ status: 'succeeded', amount_capturable: 0, amount_received: 700 })
    const plain = await stripe.paymentIntents.create(payment({ capture_method: 'manual' }))
    const refusal = await errorOf(
      stripe.paymentIntents.capture(plain.id, { amount_to_capture: 1, final_capture: false }),
    )
    expect(refusal).toMatchObject({ statusCode: 400, param: 'final_capture' })
  })

  test.each([
    ['pm_card_chargeDeclined', 'card_declined', 'generic_decline'],
    ['pm_card_chargeDeclinedInsufficientFunds', 'card_declined', 'insufficient_funds'],
    ['pm_card_chargeDeclinedLostCard', 'card_declined', 'lost_card'],
    ['pm_card_chargeDeclinedStolenCard', 'card_declined', 'stolen_card'],
    ['pm_card_chargeDeclinedVelocityLimitExceeded', 'card_declined', 'card_velocity_exceeded'],
    ['pm_card_chargeDeclinedExpiredCard', 'expired_card', ''],
    ['pm_card_chargeDeclinedIncorrectCvc', 'incorrect_cvc', ''],
    ['pm_card_chargeDeclinedProcessingError', 'processing_error', ''],
  ])('is declined by %s with %s and can be paid with another card', async (token, code, decline) => {
    await using bench = await open()
    const { stripe } = bench
    const refusal = await errorOf(stripe.paymentIntents.create(payment({ payment_method: token })))
    expect(refusal).toBeInstanceOf(Stripe.errors.StripeCardError)
    expect(refusal).toMatchObject({ statusCode: 402, code, decline_code: decline })
    const failed = refusal.payment_intent
    expect(failed).toMatchObject({
      status: 'requires_payment_method',
      payment_method: null,
      last_payment_error: { code },
    })
    const types = bench.sim.snapshot().events.map((event) => event.type)
    expect(types).toEqual(['payment_intent.created', 'charge.failed', 'payment_intent.payment_failed'])
    const paid = await stripe.paymentIntents.confirm(failed?.id ?? '', { payment_method: 'pm_card_visa' })
    expect(paid).toMatchObject({ status: 'succeeded', last_payment_error: null })
    expect(bench.sim.ledger().totals['usd']).toEqual({ authorized: 1_000, captured: 1_000, refunded: 0 })
  })

  test('waits for the shopper in 3-D Secure, and charges only after it', async () => {
    await using bench = await open()
    const { stripe, sim } = bench
    const card = 'pm_card_authenticationRequired'
    const waiting = await stripe.paymentIntents.create(
      payment({ payment_method: card, return_url: 'https://shop.example/back' }),
    )
    expect(waiting).toMatchObject({
      status: 'requires_action',
      latest_charge: null,
      next_action: { type: 'redirect_to_url' },
    })
    expect(sim.ledger().totals['usd']).toMatchObject({ authorized: 0 })
    sim.completeAuthentication(waiting.id, 'fail')
    const failed = await stripe.paymentIntents.retrieve(waiting.id)
    expect(failed).toMatchObject({
      status: 'requires_payment_method',
      last_payment_error: { code: 'payment_intent_authentication_failure' },
    })
    const again = await stripe.paymentIntents.confirm(waiting.id, { payment_method: card })
    expect(again.next_action?.type).toBe('use_stripe_sdk')
    sim.completeAuthentication(waiting.id, 'succeed')
    expect((await stripe.paymentIntents.retrieve(waiting.id)).status).toBe('succeeded')
  })

  test('may still be declined after 3-D Secure', async () => {
    await using bench = await open()
    const { stripe, sim } = bench
    const card = 'pm_card_authenticationRequiredChargeDeclinedInsufficientFunds'
    const waiting = await stripe.paymentIntents.create(payment({ payment_method: card }))
    const declined = sim.completeAuthentication(waiting.id, 'succeed')
    expect(declined).toMatchObject({
      status: 'requires_payment_method',
      last_payment_error: { decline_code: 'insufficient_funds' },
    })
  })

  test('is canceled seven days after an authorization nobody captured', async () => {
    await using bench = await open()
    const { stripe } = bench
    const held = await stripe.paymentIntents.create(payment({ capture_method: 'manual' }))
    bench.pass(7 * DAY_MS - 1)
    expect((await stripe.paymentIntents.retrieve(held.id)).status).toBe('requires_capture')
    bench.pass(1)
    const late = await errorOf(stripe.paymentIntents.capture(held.id))
    expect(late.code).toBe('payment_intent_unexpected_state')
    expect(await stripe.paymentIntents.retrieve(held.id)).toMatchObject({
      status: 'canceled',
      cancellation_reason: 'automatic',
      amount_capturable: 0,
    })
    const { data } = await stripe.events.list({ types: ['payment_intent.canceled', 'charge.expired'] })
    expect(data.map((event) => event.type)).toEqual(['payment_intent.canceled', 'charge.expired'])
  })

  test('cancels before it is paid and not after', async () => {
    await using bench = await open()
    const { stripe } = bench
    const held = await stripe.paymentIntents.create(payment({ capture_method: 'manual' }))
    const gone = await stripe.paymentIntents.cancel(held.id, { cancellation_reason: 'abandoned' })
    expect(gone).toMatchObject({ status: 'canceled', cancellation_reason: 'abandoned', amount_capturable: 0 })
    const paid = await stripe.paymentIntents.create(payment())
    expect((await errorOf(stripe.paymentIntents.cancel(paid.id))).code).toBe(
      'payment_intent_unexpected_state',
    )
  })

  test('of a bank debit is processing until the bank has spoken', async () => {
    await using bench = await open()
    const { stripe, sim } = bench
    const debit = {
      allowed_payment_method_types: ['us_bank_account'],
      payment_method: 'pm_usBankAccount_processing',
    }
    const waiting = await stripe.paymentIntents.create(payment(debit))
    expect(waiting.status).toBe('processing')
    expect(sim.settleDebit(waiting.id, 'succeed')).toMatchObject({
      status: 'succeeded',
      amount_received: 1_000,
    })
    const late = await stripe.paymentIntents.create(
      payment({ ...debit, payment_method: 'pm_usBankAccount_insufficientFunds' }),
    )
    bench.pass(60_000)
    expect((await stripe.paymentIntents.retrieve(late.id)).status).toBe('requires_payment_method')
  })

  test('is listed newest first, page by page, without gaps or repeats', async () => {
    await using bench = await open()
    const { stripe, sim } = bench
    for (let i = 0; i < 25; i += 1) await stripe.paymentIntents.create(payment({ confirm: false }))
    const newestFirst = sim
      .snapshot()
      .paymentIntents.map((intent) => intent.id)
      .toReversed()
    const listed = await stripe.paymentIntents.list({ limit: 7 }).autoPagingToArray({ limit: 100 })
    expect(listed.map((intent) => intent.id)).toEqual(newestFirst)
    const above = await stripe.paymentIntents.list({ limit: 3, ending_before: newestFirst[5] ?? '' })
    expect(above.data.map((intent) => intent.id)).toEqual(newestFirst.slice(2, 5))
    expect(above.has_more).toBe(true)
  })

  test('must have a place to send the shopper back to, unless redirects are ruled out', async () => {
    await using bench = await open()
    const open_ = { amount: 1_000, currency: 'usd', payment_method: 'pm_card_visa', confirm: true }
    expect((await errorOf(bench.stripe.paymentIntents.create(open_))).param).toBe('return_url')
    const ruledOut = { enabled: true, allow_redirects: 'never' as const }
    const paid = await bench.stripe.paymentIntents.create({ ...open_, automatic_payment_methods: ruledOut })
    expect(paid.status).toBe('succeeded')
  })

  test('with a method, an id or a parameter nobody knows is refused by name', async () => {
    await using bench = await open()
    const { stripe, sim } = bench
    const odd = await errorOf(stripe.paymentIntents.create(payment({ payment_method: 'pm_card_nobody' })))
    expect(odd).toMatchObject({ statusCode: 400, code: 'resource_missing', param: 'payment_method' })
    const gone = await errorOf(stripe.paymentIntents.retrieve('pi_none'))
    expect(gone).toMatchObject({ statusCode: 404, code: 'resource_missing' })
    const loud = await errorOf(stripe.paymentIntents.create(payment({ application_fee_amount: 1 })))
    expect(loud).toMatchObject({
      statusCode: 400,
      code: 'parameter_unknown',
      param: 'application_fee_amount',
    })
    expect(sim.snapshot().events).toEqual([])
  })

  test.prop([history], { numRuns: runs })(
    'refunded <= captured <= authorized, whatever is called',
    async (calls) => {
      await using bench = await open()
      for (const [nth, each] of calls.entries()) {
        await make(bench, each, `call-${nth}`)
        const { intents, totals } = bench.sim.ledger()
        for (const sums of [...intents, ...Object.values(totals)]) {
          expect(sums.refunded).toBeLessThanOrEqual(sums.captured)
          expect(sums.captured).toBeLessThanOrEqual(sums.authorized)
        }
        for (const { amount, amount_capturable, amount_received } of bench.sim.snapshot().paymentIntents)
          expect(amount_capturable + amount_received).toBeLessThanOrEqual(amount)
      }
    },
  )

  test.prop([history], { numRuns: runs })(
    'the charge, the intent and the refunds agree about the money',
    async (calls) => {
      await using bench = await open()
      for (const [nth, each] of calls.entries()) await make(bench, each, `call-${nth}`)
      const { charges, paymentIntents } = bench.sim.snapshot()
      const { intents } = bench.sim.ledger()
      for (const charge of charges) {
        const intent = paymentIntents.find((each) => each.id === charge.payment_intent)
        const sums = intents.find((each) => each.id === charge.payment_intent)
        if (charge.status !== 'succeeded') continue
        expect(intent?.amount_received).toBe(charge.amount_captured)
        expect(sums).toMatchObject({ captured: charge.amount_captured, refunded: charge.amount_refunded })
      }
    },
  )
})

describe('amounts', () => {
  const cases: ReadonlyArray<readonly [number, string, string | undefined]> = [
    [49, 'usd', 'amount_too_small'],
    [100_000_000, 'usd', 'amount_too_large'],
    [49, 'jpy', 'amount_too_small'],
    [150, 'isk', 'invalid_charge_amount'],
    [1_050, 'ugx', 'invalid_charge_amount'],
    [1_005, 'kwd', 'invalid_charge_amount'],
    [-5, 'usd', 'parameter_invalid_integer'],
    [1_000, 'USD', undefined],
    [1_000, 'zzz', undefined],
  ]

  test.each(cases)('%d %s is refused and nothing is made', async (amount, currency, code) => {
    await using bench = await transports[0].open()
    const refusal = await errorOf(bench.stripe.paymentIntents.create(payment({ amount, currency })))
    expect(refusal).toMatchObject({ statusCode: 400 })
    expect(refusal.code).toBe(code)
    expect(bench.sim.snapshot().paymentIntents).toEqual([])
  })

  test.prop([
    fc.constantFrom('isk', 'ugx', 'bhd', 'jod', 'kwd', 'omr', 'tnd'),
    fc.integer({ min: 1, max: 900 }),
  ])('only multiples of a currency’s step are taken', async (currency, amount) => {
    await using bench = await transports[0].open()
    const step = ['isk', 'ugx'].includes(currency) ? 100 : 10
    const call = bench.stripe.paymentIntents.create(payment({ amount, currency }))
    const taken = await call.then(
      () => true,
      () => false,
    )
    expect(taken).toBe(amount % step === 0)
  })
})
