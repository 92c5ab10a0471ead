import { canonical, E, fold } from '@everfold/core'
import { Payment } from '@everfold/ecommerce'
import { stripeWebhooks } from '@everfold/gateway-stripe'
import { fc, test as property } from '@fast-check/vitest'
import { Stripe } from 'stripe'
import { describe, expect, test } from 'vitest'
import { anySteps, live } from './life.ts'
import { PATIENCE_MS, SECRET, START_MS, type Till, transports } from './till.ts'

const hook = stripeWebhooks({ secret: SECRET })
const bytes = (text: string) => new TextEncoder().encode(text)
const signature = (payload: string, signedAtMs = START_MS, secret = SECRET) =>
  Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp: Math.floor(signedAtMs / 1_000) })
const receive = (payload: string, header: string | undefined = signature(payload), nowMs = START_MS) =>
  hook({ body: bytes(payload), headers: { 'stripe-signature': header }, nowMs })

const refusedWith = (heard: Awaited<ReturnType<typeof hook>>) =>
  E.isLeft(heard) ? heard.left.status : 'taken'
const taken = (heard: Awaited<ReturnType<typeof hook>>) => {
  if (E.isLeft(heard)) throw new Error(heard.left.title)
  return heard.right
}

const event = (object: object, more: object = {}) =>
  JSON.stringify({
    id: 'evt_1',
    object: 'event',
    type: 'payment_intent.succeeded',
    created: START_MS / 1_000,
    data: { object },
    ...more,
  })
const intent = {
  object: 'payment_intent',
  id: 'pi_1',
  amount: 1_000,
  amount_received: 1_000,
  created: START_MS / 1_000 - 60,
  currency: 'usd',
  latest_charge: 'ch_1',
  metadata: { paymentId: 'o-1', attempt: '2' },
  status: 'succeeded',
}

describe('a webhook', () => {
  test('of ours is one command on the payment’s stream', () => {
    const [only, ...others] = taken(receive(event(intent)) as never)
    expect(others).toEqual([])
    expect(only).toEqual({
      aggregate: Payment.aggregate,
      id: 'o-1',
      commandId: only?.commandId,
      command: {
        _tag: 'RecordProviderEvent',
        statement: {
          providerPaymentId: 'pi_1',
          providerEventId: 'evt_1',
          currency: 'USD',
          createdAtMs: START_MS,
          sequence: 2,
          attemptId: 'ch_1',
          status: 'succeeded',
          authorized: 1_000,
          captured: 1_000,
        },
      },
    })
    expect(Payment.PaymentCommand.is(only?.command)).toBe(true)
    expect(taken(receive(event(intent)) as never)).toEqual([only])
  })
  test('of a stranger, or of another kind, is acknowledged and does nothing', () => {
    for (const object of [
      { ...intent, metadata: {} },
      { ...intent, metadata: { paymentId: 'not an id' } },
      { ...intent, metadata: null },
      { object: 'customer', id: 'cus_1' },
      {},
    ])
      expect(taken(receive(event(object)) as never)).toEqual([])
  })
  test('of ours that cannot be read is a problem', () => {
    for (const wrong of [
      { currency: 'xyz' },
      { currency: null },
      { id: 7 },
      { amount_received: 0.5, id: '' },
    ])
      expect(refusedWith(receive(event({ ...intent, ...wrong })) as never)).toBe(400)
  })
})

describe('unsigned, stale or tampered webhooks are refused', () => {
  const payload = event(intent)
  const now = START_MS + 400_000
  test.each([
    ['no signature', payload, ''],
    ['no header at all', payload, 'nonsense'],
    ['another secret', payload, signature(payload, START_MS, 'whsec_other')],
    ['another body', payload.replace('1000', '1001'), signature(payload)],
    ['a byte order mark before it', `\uFEFF${payload}`, signature(payload)],
    ['another time', payload, signature(payload).replace(/t=\d+/, `t=${START_MS / 1_000 + 1}`)],
    ['no time', payload, signature(payload).replace(/t=\d+,/, '')],
    ['no number as its time', payload, signature(payload).replace(/t=\d+/, 't=now')],
  ])('%s', (_, body, header) => {
    expect(refusedWith(receive(body, header) as never)).toBe(400)
  })
  test.each([
    [300, 'taken'],
    [301, 400],
    [-300, 'taken'],
    [-301, 400],
  ])('signed %i seconds ago: %s', (agoS, outcome) => {
    expect(refusedWith(receive(payload, signature(payload, now - agoS * 1_000), now) as never)).toBe(outcome)
  })
})

describe('whatever is received', () => {
  property.prop([fc.uint8Array({ maxLength: 200 }), fc.string(), fc.boolean()])(
    'any bytes as body give a problem, never an exception',
    (body, header, signed) => {
      const text = new TextDecoder().decode(body)
      const headers = { 'stripe-signature': signed && text !== '' ? signature(text) : header }
      expect(refusedWith(hook({ body, headers, nowMs: START_MS }) as never)).toBe(400)
    },
  )
  const anyObject = fc.record(
    {
      object: fc.constantFrom('payment_intent', 'charge', 'refund', 'dispute', 'customer'),
      id: fc.constantFrom('x_1', 1, null),
      metadata: fc.constantFrom({ paymentId: 'o-1' }, {}, null, 'x'),
      currency: fc.constantFrom('usd', 'isk', 'xyz', 1, null),
      status: fc.constantFrom('succeeded', 'canceled', 'requires_action', 'won', 'new', 1),
      amount: fc.jsonValue(),
      amount_received: fc.jsonValue(),
      latest_charge: fc.constantFrom('ch_1', null, {}, 1),
      payment_intent: fc.constantFrom('pi_1', null, {}, 1),
      created: fc.jsonValue(),
      next_action: fc.jsonValue(),
      last_payment_error: fc.jsonValue(),
    },
    { requiredKeys: [] },
  )
  property.prop([fc.oneof(fc.jsonValue(), anyObject), fc.jsonValue(), fc.jsonValue()])(
    'anything that Stripe signs gives commands or a problem, never an exception',
    (object, created, whole) => {
      const payloads = [event(object as object), event(object as object, { created }), JSON.stringify(whole)]
      for (const payload of payloads) {
        const heard = receive(payload) as Awaited<ReturnType<typeof hook>>
        if (E.isLeft(heard)) expect(heard.left.status).toBe(400)
        else for (const { command } of heard.right) expect(Payment.PaymentCommand.is(command)).toBe(true)
      }
    },
  )
})

const statesOf = (till: Till, said: ReadonlyArray<Payment.PaymentCommand>): Payment.Payment => {
  const requests = till.events.flatMap((one) => (one.event._tag === 'PaymentRequested' ? [one.event] : []))
  let state = fold(Payment.decider, requests)
  for (const command of said) {
    const decision = Payment.decide(command, state)
    if (E.isRight(decision)) state = fold(Payment.decider, decision.right, state)
  }
  return state
}

const anyOrder = fc.infiniteStream(fc.nat())

/** All of them in an order that the numbers pick, some of them again. */
const redelivered = <Item>(items: ReadonlyArray<Item>, numbers: Iterator<number>): ReadonlyArray<Item> => {
  const pick = (below: number) => (numbers.next().value as number) % Math.max(1, below)
  const again = items.filter(() => pick(3) === 0)
  const rest = [...items, ...again]
  const order: Array<Item> = []
  while (rest.length > 0) order.push(...rest.splice(pick(rest.length), 1))
  return order
}

describe.each(transports)('the webhooks of a payment, $name', ({ use, runs }) => {
  property.prop([anySteps, anyOrder], { numRuns: runs })(
    'P1 every permutation, with repetitions, of one payment’s webhooks folds to the same state',
    (steps, numbers) =>
      use({}, async (till) => {
        await live(till, steps)
        const expected = statesOf(till, till.heard)
        const [held] = till.sim.ledger().intents
        expect(Payment.statusOf(expected)).toBe(held?.status)
        expect(Payment.captured(expected)).toBe(held?.captured ?? 0)
        expect(Payment.refunded(expected)).toBe(held?.refunded ?? 0)
        for (let orders = 0; orders < 5; orders += 1)
          expect(canonical(statesOf(till, redelivered(till.heard, numbers)))).toBe(canonical(expected))
      }),
    PATIENCE_MS,
  )
  property.prop([anySteps, anyOrder], { numRuns: runs })(
    'with the answers of the API among them, in any order, they end where Stripe stands',
    (steps, numbers) =>
      use({}, async (till) => {
        await live(till, steps)
        const said = till.events.flatMap(({ event: { _tag, ...rest } }) =>
          _tag === 'ProviderStatementRecorded' && 'statement' in rest
            ? [{ _tag: 'RecordProviderEvent' as const, statement: rest.statement }]
            : [],
        )
        const state = statesOf(till, redelivered([...till.heard, ...said], numbers))
        const [held] = till.sim.ledger().intents
        expect(Payment.statusOf(state)).toBe(held?.status)
        expect(Payment.captured(state)).toBe(held?.captured ?? 0)
        expect(Payment.refunded(state)).toBe(held?.refunded ?? 0)
      }),
    PATIENCE_MS,
  )
})

const payAtOnce = async (till: Till, paymentMethod: string) => {
  till.execute({
    _tag: 'RequestPayment',
    orderId: 'o-1',
    amount: { amount: 1_000, currency: 'USD' },
    paymentMethod,
    captureMethod: 'automatic',
  })
  await till.rest()
}

describe.each(transports)('another intent with the mark of one of our payments, $name', ({ use }) => {
  test('changes nothing, and is on record as a rejection in the payment’s stream, once', () =>
    use({}, async (till) => {
      await payAtOnce(till, 'pm_card_visa')
      const expected = till.state.known.providerPaymentId
      const before = till.state
      const twin = await till.stripe.paymentIntents.create({
        amount: 1_000,
        currency: 'usd',
        confirm: true,
        payment_method: 'pm_card_visa',
        return_url: 'https://shop.example',
        metadata: { paymentId: 'o-1' },
      })
      const webhooks = till.sim.takeWebhooks().filter(({ rawBody }) => rawBody.includes(twin.id))
      const told = webhooks.filter(({ type }) => type === 'payment_intent.succeeded')
      expect(told).toHaveLength(1)
      for (const webhook of [...told, ...told]) expect(await till.hear(webhook)).toBe(200)
      expect(till.state).toEqual(before)
      const answers = (await till.stored()).flatMap((commit) => commit.answers)
      expect(answers.flatMap(({ rejection }) => (rejection === undefined ? [] : [rejection]))).toEqual([
        { _tag: 'ProviderPaymentDiffers', expected, actual: twin.id },
      ])
    }))
})

describe.each(transports)('events that bear no mark of ours, $name', ({ use }) => {
  test('a dispute is heard by asking whose intent it is about', () =>
    use({ curious: true }, async (till) => {
      await payAtOnce(till, 'pm_card_createDispute')
      expect(till.state.known.disputes).toMatchObject([{ status: 'open', amount: 1_000, withdrawn: 1_000 }])
      till.sim.closeDispute(till.sim.snapshot().disputes[0]?.id ?? '', 'won')
      await till.rest()
      expect(till.state.known.disputes).toMatchObject([
        { status: 'won', withdrawn: 1_000, reinstated: 1_000 },
      ])
      expect(till.said().filter((tag) => tag.startsWith('Dispute'))).toEqual([
        'DisputeOpened',
        'DisputeFundsWithdrawn',
        'DisputeClosed',
        'DisputeFundsReinstated',
      ])
    }))
  test('an inquiry takes no money', () =>
    use({ curious: true }, async (till) => {
      await payAtOnce(till, 'pm_card_createDisputeInquiry')
      till.sim.closeDispute(till.sim.snapshot().disputes[0]?.id ?? '', 'lost')
      await till.rest()
      expect(till.state.known.disputes).toMatchObject([{ status: 'closed', withdrawn: 0, reinstated: 0 }])
    }))
  test('a refund made in the dashboard is heard with its end', () =>
    use({ curious: true }, async (till) => {
      await payAtOnce(till, 'pm_card_refundFail')
      const { id = '' } = till.sim.snapshot().paymentIntents[0] ?? {}
      const { id: refundId } = await till.stripe.refunds.create({ payment_intent: id, amount: 400 })
      for (const webhook of till.sim.takeWebhooks()) await till.hear(webhook)
      expect(Payment.refunded(till.state)).toBe(400)
      await till.rest()
      expect(till.state.known.refunds).toMatchObject([{ refundId, amount: 400, status: 'failed' }])
      expect(Payment.refunded(till.state)).toBe(0)
    }))
  test('without asking, the sum of refunds made in the dashboard is heard from the charge', () =>
    use({}, async (till) => {
      await payAtOnce(till, 'pm_card_visa')
      const { id = '' } = till.sim.snapshot().paymentIntents[0] ?? {}
      await till.stripe.refunds.create({ payment_intent: id, amount: 400 })
      await till.rest()
      expect(Payment.refunded(till.state)).toBe(400)
    }))
  test('while Stripe cannot be asked, the event is to be sent again', () =>
    use(
      {
        curious: true,
        faults: {
          rules: [{ on: 'request', method: 'GET', fault: { _tag: 'DropBeforeApply' }, times: 1 }],
        },
      },
      async (till) => {
        await payAtOnce(till, 'pm_card_visa')
        const { id = '' } = till.sim.snapshot().paymentIntents[0] ?? {}
        await till.stripe.refunds.create({ payment_intent: id, amount: 400 })
        const created = till.sim.takeWebhooks().find(({ type }) => type === 'refund.created')
        if (created === undefined) throw new Error('no refund was created')
        expect(await till.hear(created)).toBe(503)
        expect(await till.hear(created)).toBe(200)
        expect(till.state.known.refunds).toHaveLength(1)
      },
    ))
})
