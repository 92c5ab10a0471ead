import { Payment } from '@everfold/ecommerce'
import { keyOf } from '@everfold/gateway-stripe'
import type { RequestFault, RequestRule } from '@everfold/stripe-sim'
import { describe, expect, test } from 'vitest'
import { type Call, type Setup, type Till, transports } from './till.ts'

const usd = (amount: number) => ({ amount, currency: 'USD' })
const pay = (till: Till, paymentMethod = 'pm_card_visa', more: object = {}) =>
  till.execute({
    _tag: 'RequestPayment',
    orderId: 'o-1',
    amount: usd(1_000),
    paymentMethod,
    captureMethod: 'manual',
    ...more,
  })
const capture = (till: Till, amount: number, final: boolean) =>
  till.execute({ _tag: 'RequestCapture', amount: usd(amount), final })
const refund = (till: Till, refundId: string, amount: number) =>
  till.execute({ _tag: 'RequestRefund', refundId, amount: usd(amount), reason: 'returned' })
const cancel = (till: Till) => till.execute({ _tag: 'CancelPayment', reason: 'changed my mind' })

const newest = ({ calls }: Till): Call => {
  const call = calls.at(-1)
  if (call === undefined) throw new Error('nothing is asked')
  return call
}
const intents = ({ sim }: Till) => sim.snapshot().paymentIntents
const failures = ({ events }: Till) =>
  events.flatMap(({ event }) => (event._tag === 'PaymentFailed' ? [event.declineCode] : []))
const refusals = ({ events }: Till) =>
  events.flatMap(({ event }) => (event._tag === 'OperationRefused' ? [[event.operation, event.code]] : []))
const asks = ({ sent }: Till) => sent.map(({ endpoint }) => endpoint)

const secretOf = (till: Till): string => {
  const secret = intents(till)[0]?.client_secret
  if (typeof secret !== 'string' || secret === '') throw new Error('it has no secret')
  return secret
}

const HOUR_MS = 3_600_000
const CREATE = '/v1/payment_intents'
const on = (path: string, fault: RequestFault, more: Partial<RequestRule> = {}): Setup => ({
  faults: { rules: [{ on: 'request', method: 'POST', path, fault, ...more }] },
})
/** As often as the gateway tries for one delivery. */
const PATIENCE = { times: 4 }

describe.each(transports)('paying, $name', ({ use }) => {
  test('authorizes, and the answer is the statement', () =>
    use({}, async (till) => {
      pay(till)
      await till.drain()
      expect(till.said()).toEqual(['PaymentRequested', 'ProviderStatementRecorded', 'PaymentAuthorized'])
      expect(till.state.known.standing).toMatchObject({ status: 'requires_capture', sequence: 1 })
      expect(till.state.known.standing?.captureBeforeMs).toBe(till.nowMs + 7 * 24 * HOUR_MS)
    }))
  test('with 3-D Secure sends the shopper to the bank and back', () =>
    use({ options: { returnUrl: (orderId) => `https://shop.example/orders/${orderId}` } }, async (till) => {
      pay(till, 'pm_card_authenticationRequired')
      await till.drain()
      const action = till.events.at(-1)?.event
      expect(action).toMatchObject({ _tag: 'PaymentActionRequired' })
      expect(till.state.known.standing?.nextAction?.redirectUrl).toContain('/3d_secure/')
      expect(intents(till)[0]?.next_action?.redirect_to_url?.return_url).toBe(
        'https://shop.example/orders/o-1',
      )
      till.sim.completeAuthentication(till.state.known.providerPaymentId ?? '', 'succeed')
      await till.rest()
      expect(Payment.authorized(till.state)).toBe(1_000)
    }))
  test('without a URL to return to there is nowhere to send the shopper', () =>
    use({}, async (till) => {
      pay(till, 'pm_card_authenticationRequired')
      await till.rest()
      expect(till.said()).toContain('PaymentActionRequired')
      expect(till.state.known.standing).toMatchObject({ status: 'requires_action' })
      expect(till.state.known.standing?.nextAction).toBeUndefined()
      expect(JSON.stringify(await till.stored())).not.toContain(secretOf(till))
    }))
  test('with 3-D Secure the client secret is not on record, but where the bank’s own address bears it', () =>
    use({ options: { returnUrl: () => 'https://shop.example' } }, async (till) => {
      pay(till, 'pm_card_authenticationRequired')
      await till.rest()
      const commits = await till.stored()
      expect(JSON.stringify(commits)).toContain('redirectUrl')
      const others = JSON.stringify(commits, (key, value: unknown) =>
        key === 'redirectUrl' ? undefined : value,
      )
      expect(others).not.toContain(secretOf(till))
    }))
  test('a decline is an answer, and another attempt confirms the same intent anew', () =>
    use({}, async (till) => {
      pay(till, 'pm_card_chargeDeclinedInsufficientFunds')
      await till.drain()
      pay(till, 'pm_card_authenticationRequiredChargeDeclinedInsufficientFunds')
      await till.drain()
      expect(failures(till)).toEqual(['insufficient_funds'])
      expect(till.said().at(-1)).toBe('PaymentActionRequired')
      till.sim.completeAuthentication(till.state.known.providerPaymentId ?? '', 'fail')
      await till.rest()
      expect(failures(till)).toEqual(['insufficient_funds', 'payment_intent_authentication_failure'])
      pay(till)
      await till.rest()
      expect(intents(till).length).toBe(1)
      expect(till.state.known.standing).toMatchObject({ status: 'requires_capture', sequence: 3 })
    }))
  test.each([
    ['a method that does not exist', 'pm_unknown', {}, 'resource_missing'],
    ['a method that is not taken', 'pm_usBankAccount_success', {}, 'payment_intent_invalid_parameter'],
    ['too small an amount', 'pm_card_visa', { amount: usd(1) }, 'amount_too_small'],
    [
      'a currency that Stripe does not know',
      'pm_card_visa',
      { amount: { amount: 1_000, currency: 'CUP' } },
      'currency_not_supported',
    ],
    [
      'an amount too fine for it',
      'pm_card_visa',
      { amount: { amount: 1_001, currency: 'KWD' } },
      'amount_too_fine',
    ],
  ])('by %s fails, and may be tried again', (_, method, more, code) =>
    use({}, async (till) => {
      pay(till, method, more)
      await till.rest()
      expect(refusals(till)).toEqual([['payment', code]])
      expect(failures(till)).toEqual([code])
      expect(intents(till)).toEqual([])
      pay(till, 'pm_card_mastercard', more)
      expect(till.calls.at(-1)?.recorded.event).toMatchObject({ _tag: 'PaymentRequested', attempt: 2 })
    }),
  )
  test('a refused attempt that is delivered late does not begin again', () =>
    use({}, async (till) => {
      pay(till, 'pm_unknown')
      await till.drain()
      const requests = till.sent.length
      await till.deliver(newest(till))
      expect(till.sent.length).toBe(requests)
    }))
  test('a bank debit is processing until the bank says more', () =>
    use({ options: { paymentMethodTypes: ['card', 'us_bank_account'] } }, async (till) => {
      pay(till, 'pm_usBankAccount_success', { captureMethod: 'automatic' })
      await till.drain()
      expect(till.said().at(-1)).toBe('PaymentProcessing')
      await till.rest()
      expect(Payment.captured(till.state)).toBe(1_000)
    }))
})

describe.each(transports)('trouble, $name', ({ use }) => {
  test.each<RequestFault>([
    { _tag: 'DropBeforeApply' },
    { _tag: 'DropResponse' },
    { _tag: 'ServerError', when: 'before', saved: false },
    { _tag: 'RateLimit' },
    { _tag: 'LockTimeout' },
    { _tag: 'KeyInUse' },
  ])('$_tag three times is waited out, with ever longer pauses', (fault) =>
    use(on(CREATE, fault, { times: 3 }), async (till) => {
      pay(till)
      const before = till.nowMs
      await till.drain()
      expect(Payment.authorized(till.state)).toBe(1_000)
      expect(new Set(till.sent.map(({ key }) => key)).size).toBe(1)
      expect(till.nowMs - before).toBe(200 + 400 + 800)
    }),
  )
  test('longer than that the outcome is unknown, until the very same request tells', () =>
    use(on(CREATE, { _tag: 'DropResponse' }, PATIENCE), async (till) => {
      pay(till)
      await till.drain(1)
      expect(till.said()).toEqual(['PaymentRequested', 'PaymentOutcomeUnknown'])
      await till.drain()
      expect(till.said()).toEqual([
        'PaymentRequested',
        'PaymentOutcomeUnknown',
        'ProviderStatementRecorded',
        'PaymentAuthorized',
        'PaymentOutcomeResolved',
      ])
      expect(asks(till).slice(0, 5)).toEqual(Array.from({ length: 5 }, () => `POST ${CREATE}`))
      expect(new Set(till.sent.slice(0, 5).map(({ key }) => key)).size).toBe(1)
      expect(intents(till).length).toBe(1)
    }))
  test('while it lasts, asking what became of it is a fault, and is delivered again', () =>
    use(on(CREATE, { _tag: 'DropBeforeApply' }, { times: 12 }), async (till) => {
      pay(till)
      await till.drain(3)
      expect(till.state.unknown).toEqual(['payment'])
      expect(newest(till).done).toBe(false)
      await till.drain()
      expect(Payment.authorized(till.state)).toBe(1_000)
    }))
  test('turned away all the time, nothing is unknown: the request is delivered again', () =>
    use(on(CREATE, { _tag: 'RateLimit' }, PATIENCE), async (till) => {
      pay(till)
      expect(await till.deliver(newest(till))).toBeUndefined()
      expect(newest(till).done).toBe(false)
      expect(till.said()).toEqual(['PaymentRequested'])
    }))
  test('a 500 that Stripe keeps for the key is not asked for again and again: Stripe is looked at', () =>
    use(on(CREATE, { _tag: 'ServerError', when: 'after' }, { times: 1 }), async (till) => {
      pay(till)
      await till.drain(1)
      expect(till.sent.length).toBe(2)
      expect(till.state.unknown).toEqual(['payment'])
      await till.drain()
      expect(till.said().at(-1)).toBe('PaymentOutcomeResolved')
      expect(Payment.authorized(till.state)).toBe(1_000)
    }))
})

describe.each(transports)('beyond the key horizon, $name', ({ use }) => {
  test('what was done is found by its mark, on whatever page, and nothing is repeated', () =>
    use(on(CREATE, { _tag: 'DropResponse' }, PATIENCE), async (till) => {
      pay(till)
      await till.drain(1)
      for (let others = 0; others < 120; others += 1)
        await till.stripe.paymentIntents.create({
          amount: 500,
          currency: 'usd',
          metadata: { paymentId: 'o-2' },
        })
      till.pass(24 * HOUR_MS)
      const before = till.sent.length
      await till.drain()
      expect(
        asks(till)
          .slice(before)
          .every((endpoint) => endpoint.startsWith('GET')),
      ).toBe(true)
      expect(till.said().at(-1)).toBe('PaymentOutcomeResolved')
      expect(Payment.authorized(till.state)).toBe(1_000)
    }))
  test('what was not done is not done any more', () =>
    use(on(CREATE, { _tag: 'DropBeforeApply' }, PATIENCE), async (till) => {
      pay(till)
      await till.drain(1)
      till.pass(24 * HOUR_MS)
      await till.drain()
      expect(till.events.at(-1)?.event).toMatchObject({ _tag: 'PaymentOutcomeResolved', found: false })
      expect(intents(till)).toEqual([])
    }))
  test('the horizon counts from the request, not from when its outcome was recorded as unknown', () =>
    use(on(CREATE, { _tag: 'DropBeforeApply' }, PATIENCE), async (till) => {
      pay(till)
      till.pass(23 * HOUR_MS)
      await till.drain(1)
      expect(till.state.unknown).toEqual(['payment'])
      till.pass(2 * HOUR_MS)
      await till.drain()
      expect(till.events.at(-1)?.event).toMatchObject({ _tag: 'PaymentOutcomeResolved', found: false })
      expect(intents(till)).toEqual([])
    }))
  test('a request that comes so late is not begun', () =>
    use({}, async (till) => {
      pay(till)
      till.pass(24 * HOUR_MS)
      await till.drain()
      expect(refusals(till)).toEqual([['payment', 'request_expired']])
      expect(intents(till)).toEqual([])
    }))
  test('a refund that is not there has failed', () =>
    use(on('/v1/refunds', { _tag: 'DropBeforeApply' }, PATIENCE), async (till) => {
      pay(till, 'pm_card_visa', { captureMethod: 'automatic' })
      await till.rest()
      refund(till, 'r-1', 400)
      await till.drain(1)
      till.pass(24 * HOUR_MS)
      await till.drain()
      expect(till.state.known.refunds).toMatchObject([
        { refundId: 'r-1', status: 'failed', failureCode: 'request_expired' },
      ])
      expect(till.said()).toContain('RefundFailed')
    }))
})

describe.each(transports)('capturing, $name', ({ use }) => {
  test('in parts, where the card allows it', () =>
    use({}, async (till) => {
      pay(till)
      await till.rest()
      capture(till, 300, false)
      capture(till, 300, false)
      await till.rest()
      expect(Payment.captured(till.state)).toBe(600)
      expect(Payment.statusOf(till.state)).toBe('requires_capture')
      capture(till, 400, true)
      await till.rest()
      expect(till.sim.ledger().totals).toEqual({ usd: { authorized: 1_000, captured: 1_000, refunded: 0 } })
      expect(Payment.statusOf(till.state)).toBe('succeeded')
    }))
  test('where it does not, the first is the last, and the next one is refused aloud', () =>
    use({}, async (till) => {
      pay(till, 'pm_card_credit_disableEnterpriseCardFeatures')
      await till.rest()
      capture(till, 300, false)
      await till.rest()
      expect(Payment.statusOf(till.state)).toBe('succeeded')
      capture(till, 300, false)
      await till.rest()
      expect(refusals(till)).toEqual([['capture', 'payment_intent_unexpected_state']])
      expect(Payment.captured(till.state)).toBe(300)
    }))
  test('while an earlier one is unknown waits for it, so that a last one does not close what is not yet made', () =>
    use(on('/v1/payment_intents/*/capture', { _tag: 'DropBeforeApply' }, PATIENCE), async (till) => {
      pay(till)
      await till.rest()
      capture(till, 300, false)
      await till.deliver(newest(till))
      expect(till.state.unknown).toEqual(['capture'])
      capture(till, 400, true)
      const before = till.sent.length
      const last = newest(till)
      expect(await till.deliver(last)).toBeUndefined()
      expect([last.done, till.sent.length - before]).toEqual([true, 0])
      await till.rest()
      expect(till.state.unknown).toEqual([])
      expect(refusals(till)).toEqual([])
      expect(Payment.captured(till.state)).toBe(700)
      expect(till.sim.ledger().totals['usd']?.captured).toBe(700)
    }))
  test('of a payment that was canceled elsewhere says that it was canceled', () =>
    use({}, async (till) => {
      pay(till)
      await till.rest()
      await till.stripe.paymentIntents.cancel(till.state.known.providerPaymentId ?? '')
      capture(till, 1_000, true)
      await till.drain()
      expect(till.said().at(-1)).toBe('PaymentCanceled')
    }))
})

describe.each(transports)('canceling, $name', ({ use }) => {
  test('a payment whose creation got no answer finds it, and cancels it', () =>
    use(on(CREATE, { _tag: 'DropResponse' }, PATIENCE), async (till) => {
      pay(till)
      cancel(till)
      await till.rest()
      expect(intents(till).map(({ status }) => status)).toEqual(['canceled'])
      expect(Payment.statusOf(till.state)).toBe('canceled')
    }))
  test('a payment whose creation never arrived creates it by its own key, and cancels that', () =>
    use(on(CREATE, { _tag: 'DropBeforeApply' }, PATIENCE), async (till) => {
      pay(till)
      cancel(till)
      const [paying, canceling] = till.calls
      if (paying === undefined || canceling === undefined) throw new Error('nothing is asked')
      await till.deliver(paying)
      await till.deliver(canceling)
      expect(Payment.statusOf(till.state)).toBe('canceled')
      const creates = till.sent.flatMap(({ endpoint, key }) => (endpoint === `POST ${CREATE}` ? [key] : []))
      expect(new Set(creates)).toEqual(new Set([keyOf(paying.recorded.stream, 'create', 1)]))
      await till.rest()
      expect(intents(till).map(({ status }) => status)).toEqual(['canceled'])
      expect(till.state.unknown).toEqual([])
    }))
  test('a payment that can never be created has nothing to cancel', () =>
    use({}, async (till) => {
      pay(till, 'pm_unknown')
      cancel(till)
      const [, canceling] = till.calls
      if (canceling === undefined) throw new Error('nothing is asked')
      await till.deliver(canceling)
      expect(refusals(till)).toEqual([['payment', 'resource_missing']])
    }))
  test('a payment that the bank is debiting is refused, and may be asked again', () =>
    use({ options: { paymentMethodTypes: ['us_bank_account'] } }, async (till) => {
      pay(till, 'pm_usBankAccount_processing', { captureMethod: 'automatic' })
      await till.drain()
      cancel(till)
      await till.drain()
      expect(refusals(till)).toEqual([['cancel', 'payment_intent_unexpected_state']])
      expect(till.state.cancelAsked).toBe(false)
    }))
})

describe.each(transports)('refunding, $name', ({ use }) => {
  test('once per refund, and what Stripe refuses has failed', () =>
    use({}, async (till) => {
      pay(till, 'pm_card_visa', { captureMethod: 'automatic' })
      await till.rest()
      refund(till, 'r-1', 400)
      await till.rest()
      const id = till.state.known.providerPaymentId ?? ''
      await till.stripe.refunds.create({ payment_intent: id, amount: 600 })
      refund(till, 'r-2', 600)
      await till.rest()
      expect(till.state.known.refunds).toMatchObject([
        { refundId: 'r-1', amount: 400, status: 'succeeded' },
        { refundId: 'r-2', amount: 600, status: 'failed', failureCode: 'charge_already_refunded' },
      ])
      expect(Payment.refunded(till.state)).toBe(1_000)
    }))
})
