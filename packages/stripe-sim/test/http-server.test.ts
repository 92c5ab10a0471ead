import { createServer } from 'node:http'
import { createStripeSim, startSimServer } from '@everfold/stripe-sim'
import { test } from '@fast-check/vitest'
import { Stripe } from 'stripe'
import { describe, expect } from 'vitest'
import { overHttp, payment, START_MS } from './bench.ts'

describe('the HTTP server', () => {
  test('sends the shopper back to the shop from the bank’s page, paid', async () => {
    await using bench = await overHttp.open()
    const { stripe } = bench
    const waiting = await stripe.paymentIntents.create(
      payment({
        payment_method: 'pm_card_threeDSecure2Required',
        return_url: 'https://shop.example/back?order=1',
      }),
    )
    const url = waiting.next_action?.redirect_to_url?.url ?? ''
    expect(await (await fetch(url)).text()).toContain('outcome=succeed')
    expect((await fetch(url.replace('client_secret=', 'client_secret=x'))).status).toBe(404)
    const done = await fetch(`${url}&outcome=succeed`, { redirect: 'manual' })
    const back = new URL(done.headers.get('location') ?? '')
    expect(back.searchParams.get('order')).toBe('1')
    expect(back.searchParams.get('payment_intent')).toBe(waiting.id)
    expect(back.searchParams.get('redirect_status')).toBe('succeeded')
    expect((await stripe.paymentIntents.retrieve(waiting.id)).status).toBe('succeeded')
  })

  test('posts webhooks, signed with the secret of the endpoint that asked for them', async () => {
    const received = Promise.withResolvers<readonly [string, string]>()
    const shop = createServer((request, response) => {
      let body = ''
      request.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk
      })
      request.on('end', () => {
        received.resolve([body, String(request.headers['stripe-signature'])])
        response.end()
      })
    })
    await new Promise<void>((resolve) => {
      shop.listen(0, '127.0.0.1', resolve)
    })
    const address = shop.address()
    const port = typeof address === 'object' ? address?.port : undefined
    await using bench = await overHttp.open()
    const endpoint = await bench.stripe.webhookEndpoints.create({
      url: `http://127.0.0.1:${port}/hook`,
      enabled_events: ['payment_intent.succeeded'],
    })
    await bench.stripe.paymentIntents.create(payment())
    const [body, signature] = await received.promise
    const event = Stripe.webhooks.constructEvent(
      body,
      signature,
      endpoint.secret ?? '',
      300,
      undefined,
      START_MS,
    )
    expect(event.type).toBe('payment_intent.succeeded')
    shop.close()
    shop.closeAllConnections()
  })

  test('breaks the connection of a dropped answer, which the SDK itself then asks for once more', async () => {
    const faults = { rules: [{ on: 'request', fault: { _tag: 'DropResponse' }, nth: 1 }] } as const
    const sim = createStripeSim({ nowMs: () => START_MS, seed: 1, webhookSecret: 'whsec_x', faults })
    const server = await startSimServer(sim)
    const stripe = new Stripe('sk_test_bench', {
      ...server.stripeConfig,
      maxNetworkRetries: 0,
      telemetry: false,
    })
    const paid = await stripe.paymentIntents.create(payment())
    expect(paid.lastResponse.headers['idempotent-replayed']).toBe('true')
    expect(sim.snapshot().paymentIntents).toHaveLength(1)
    await server.close()
  })
})
