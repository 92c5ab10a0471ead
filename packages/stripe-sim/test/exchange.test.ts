import { createSimHttpClient, type Faults } from '@everfold/stripe-sim'
import { fc, test } from '@fast-check/vitest'
import { Stripe } from 'stripe'
import { describe, expect } from 'vitest'
import { errorOf, inProcess, payment, transports } from './bench.ts'
import { history, make } from './history.ts'

const AUTHORIZED = {
  authorization: 'Bearer sk_test_bench',
  'content-type': 'application/x-www-form-urlencoded',
}
const PATHS = ['/v1/payment_intents', '/v1/refunds', '/v1/webhook_endpoints', '/v1/nothing']

describe('a run', () => {
  test.prop([history, fc.integer()])(
    'is the same for the same seed and the same calls',
    async (calls, seed) => {
      const play = async (): Promise<string> => {
        const faults = {
          seed,
          rules: [{ on: 'request', fault: { _tag: 'DropResponse' }, rate: 0.3 }],
        } as const
        await using bench = await inProcess.open({ seed, faults })
        for (const [nth, each] of calls.entries()) await make(bench, each, `call-${nth}`)
        return JSON.stringify([bench.sim.snapshot(), bench.sim.takeWebhooks(), bench.sim.faultsFired()])
      }
      expect(await play()).toBe(await play())
    },
  )

  test('takes its faults from whoever decides on them, in place of a script', async () => {
    const asked: Array<string> = []
    const faults: Faults = {
      forRequest: ({ method, path }) => {
        asked.push(`${method} ${path}`)
        return asked.length === 1 ? [{ _tag: 'DropResponse' }] : []
      },
      forWebhook: ({ type }) => (type === 'charge.succeeded' ? [{ _tag: 'DuplicateWebhook' }] : []),
      fired: () => [],
      draw: () => 0,
    }
    await using bench = await inProcess.open({ faults })
    const pay = () => bench.stripe.paymentIntents.create(payment(), { idempotencyKey: 'pay' })
    await expect(pay()).rejects.toThrow(Stripe.errors.StripeConnectionError)
    await pay()
    expect(asked).toEqual(['POST /v1/payment_intents', 'POST /v1/payment_intents'])
    expect(bench.sim.takeWebhooks().map(({ type }) => type)).toEqual([
      'payment_intent.created',
      'charge.succeeded',
      'charge.succeeded',
      'payment_intent.succeeded',
    ])
  })

  test('names its objects otherwise for another seed', async () => {
    await using one = await inProcess.open({ seed: 1 })
    await using two = await inProcess.open({ seed: 2 })
    const [a, b] = [
      await one.stripe.paymentIntents.create(payment()),
      await two.stripe.paymentIntents.create(payment()),
    ]
    expect(a.id).not.toBe(b.id)
  })
})

describe('a body', () => {
  const junk = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc
      .array(
        fc.tuple(
          fc.constantFrom(
            'amount',
            'currency',
            'metadata[a]',
            'metadata',
            'a[][b]',
            '__proto__[x]',
            'expand[0]',
            '%',
          ),
          fc.string({ maxLength: 20 }),
        ),
      )
      .map((pairs) => pairs.map(([key, value]) => `${key}=${value}`).join('&')),
  )

  test.prop([fc.constantFrom(...PATHS), junk], { numRuns: 500 })(
    'of any characters gives a 4xx and changes nothing',
    async (path, body) => {
      await using bench = await inProcess.open()
      const exchange = await bench.sim.exchange({
        method: 'POST',
        path,
        headers: AUTHORIZED,
        body,
        origin: '',
      })
      expect(exchange._tag === 'Answered' ? Math.floor(exchange.response.status / 100) : 0).toBe(4)
      const { events, ...objects } = bench.sim.snapshot()
      expect([events, ...Object.values(objects)].flat()).toEqual([])
    },
  )

  test.prop([fc.constantFrom(...PATHS), fc.uint8Array({ maxLength: 300 })], { numRuns: 30 })(
    'of any bytes over HTTP gives a 4xx and changes nothing',
    async (path, body) => {
      await using bench = await transports[1].open()
      const response = await fetch(`${bench.url}${path}`, { method: 'POST', headers: AUTHORIZED, body })
      expect(Math.floor(response.status / 100)).toBe(4)
      expect(((await response.json()) as { error: { type: string } }).error.type).toBe(
        'invalid_request_error',
      )
      expect(bench.sim.snapshot().events).toEqual([])
    },
  )

  test('too long to be a request is refused', async () => {
    await using bench = await transports[1].open()
    const body = `description=${'x'.repeat(300_000)}`
    const response = await fetch(`${bench.url}/v1/payment_intents`, {
      method: 'POST',
      headers: AUTHORIZED,
      body,
    })
    expect(response.status).toBe(400)
  })
})

describe.each(transports)('the front door, $name', ({ open }) => {
  test('lets in test keys only', async () => {
    await using bench = await open()
    for (const apiKey of ['sk_live_bench', 'nonsense']) {
      const refusal = await errorOf(bench.stripe.paymentIntents.create(payment(), { apiKey }))
      expect(refusal).toBeInstanceOf(Stripe.errors.StripeAuthenticationError)
    }
    expect(bench.sim.snapshot().events).toEqual([])
  })

  test('gives each request an id of its own', async () => {
    await using bench = await open()
    const one = await bench.stripe.paymentIntents.create(payment())
    const two = await bench.stripe.paymentIntents.retrieve(one.id)
    expect(one.lastResponse.requestId).toMatch(/^req_/)
    expect(two.lastResponse.requestId).not.toBe(one.lastResponse.requestId)
  })

  test('does not know other addresses', async () => {
    await using bench = await open()
    expect((await errorOf(bench.stripe.customers.list())).statusCode).toBe(404)
  })
})

describe.each(transports)('a script of request faults, $name', ({ open }) => {
  test('loses a request before it is applied, or its answer after', async () => {
    const faults = {
      rules: [
        { on: 'request', fault: { _tag: 'DropBeforeApply' }, method: 'POST', nth: 1 },
        { on: 'request', fault: { _tag: 'DropResponse' }, path: '/v1/*/capture' },
      ],
    } as const
    await using bench = await open({ faults })
    const { stripe, sim } = bench
    const key = { idempotencyKey: 'k1' }
    const held = payment({ capture_method: 'manual' })
    expect(await errorOf(stripe.paymentIntents.create(held, key))).toBeInstanceOf(
      Stripe.errors.StripeConnectionError,
    )
    expect(sim.snapshot().paymentIntents).toEqual([])
    const { id } = await stripe.paymentIntents.create(held, key)
    expect(await errorOf(stripe.paymentIntents.capture(id))).toBeInstanceOf(
      Stripe.errors.StripeConnectionError,
    )
    expect(sim.ledger().totals['usd']).toMatchObject({ captured: 1_000 })
    expect(sim.faultsFired().map(({ fault, subject }) => [fault._tag, subject])).toEqual([
      ['DropBeforeApply', 'POST /v1/payment_intents'],
      ['DropResponse', `POST /v1/payment_intents/${id}/capture`],
    ])
  })

  test.each([
    [{ _tag: 'RateLimit' } as const, 429, 'rate_limit'],
    [{ _tag: 'LockTimeout' } as const, 429, 'lock_timeout'],
    [{ _tag: 'KeyInUse' } as const, 409, 'idempotency_key_in_use'],
  ])('turns a request away with %j, which may be sent again', async (fault, statusCode, code) => {
    await using bench = await open({ faults: { rules: [{ on: 'request', fault, times: 1 }] } })
    const key = { idempotencyKey: 'k1' }
    expect(await errorOf(bench.stripe.paymentIntents.create(payment(), key))).toMatchObject({
      statusCode,
      code,
    })
    expect(bench.sim.snapshot().events).toEqual([])
    expect((await bench.stripe.paymentIntents.create(payment(), key)).status).toBe('succeeded')
  })

  test('fails before anything is done', async () => {
    const fault = { _tag: 'ServerError', when: 'before', saved: false } as const
    await using bench = await open({ faults: { rules: [{ on: 'request', fault, times: 1 }] } })
    const key = { idempotencyKey: 'k1' }
    expect((await errorOf(bench.stripe.paymentIntents.create(payment(), key))).statusCode).toBe(500)
    expect(bench.sim.snapshot().events).toEqual([])
    expect((await bench.stripe.paymentIntents.create(payment(), key)).status).toBe('succeeded')
  })
})

describe('virtual time', () => {
  test('is the only time: a delay is asked of the caller’s clock', async () => {
    const fault = { _tag: 'Delay', ms: 2_000, side: 'after' } as const
    const asked: Array<number> = []
    const delay = (ms: number): Promise<void> => {
      asked.push(ms)
      return Promise.resolve()
    }
    await using bench = await inProcess.open({ faults: { rules: [{ on: 'request', fault }] }, delay })
    expect((await bench.stripe.paymentIntents.create(payment())).status).toBe('succeeded')
    expect(asked).toEqual([2_000])
  })

  test('a caller without the patience for a delay hangs up, and the request goes on', async () => {
    const fault = { _tag: 'Delay', ms: 2_000 } as const
    const waits: Array<{ readonly ms: number; readonly over: () => void }> = []
    const delay = (ms: number): Promise<void> =>
      new Promise((resolve) => {
        waits.push({ ms, over: resolve })
      })
    await using bench = await inProcess.open({ faults: { rules: [{ on: 'request', fault }] } })
    const httpClient = createSimHttpClient(bench.sim, { delay })
    const stripe = new Stripe('sk_test_bench', {
      httpClient,
      maxNetworkRetries: 0,
      telemetry: false,
      timeout: 500,
    })
    const call = errorOf(stripe.paymentIntents.create(payment()))
    while (waits.length < 2) await Promise.resolve()
    waits.find(({ ms }) => ms === 500)?.over()
    expect(await call).toBeInstanceOf(Stripe.errors.StripeConnectionError)
    expect(bench.sim.snapshot().events).toEqual([])
    waits.find(({ ms }) => ms === 2_000)?.over()
    while (bench.sim.snapshot().events.length === 0) await Promise.resolve()
    expect(bench.sim.ledger().totals['usd']).toMatchObject({ captured: 1_000 })
  })
})
