/**
 * The shop's server over raw sockets: whatever bytes come in, it answers or hangs up, writes nothing that was not
 * asked for properly, and goes on serving others.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Shop } from '@everfold/ecommerce'
import { realKernel } from '@everfold/runtime-memory'
import { createSimHttpClient } from '@everfold/stripe-sim'
import { fc, test as property } from '@fast-check/vitest'
import { Stripe } from 'stripe'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { seed } from '../src/catalogue-seed.ts'
import { doorway } from '../src/doorway.ts'
import { type House, house, WEBHOOK_SECRET } from '../src/house.ts'
import { type LocalServer, serve } from '../src/http-server.ts'
import { tokens } from '../src/token.ts'
import { eventually } from './program.ts'

const MEBIBYTE = 1_048_576
const BOUND_MS = 5000

const kernel = realKernel()
const issued = tokens(new Uint8Array(32).fill(7), kernel.nowMs)
const failures: Array<unknown> = []
let shop: House
let server: LocalServer
let bearer = ''

beforeAll(async () => {
  shop = await house({ kernel, authenticate: issued.authenticate, seed: 'http' })
  await seed(shop.runtime, Shop.defaultTerms)
  const log = { info: () => {}, error: (fields: object) => void failures.push(fields) }
  server = await serve(doorway(shop.service, shop.door, issued), 0, log)
  bearer = `Bearer ${await issued.issue({ userId: 'ann', roles: [] })}`
  await shop.idle()
})
afterAll(async () => {
  await server.close()
  shop.runtime.stop()
  kernel.close()
})
beforeEach(() => void failures.splice(0))

interface Line {
  readonly socket: Socket
  /** All that has come so far. */
  readonly heard: () => string
  readonly closed: Promise<unknown>
}

const dial = async (port: number = server.port): Promise<Line> => {
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  let heard = ''
  socket.setEncoding('latin1').on('data', (text: string) => (heard += text))
  const closed = new Promise((resolve) => socket.once('close', resolve))
  await once(socket, 'connect')
  return { socket, heard: () => heard, closed }
}

/** Everything that is answered to these bytes until the server hangs up. */
const answersTo = async (bytes: string): Promise<string> => {
  const { socket, heard, closed } = await dial()
  socket.write(bytes)
  const late = setTimeout(() => socket.destroy(new Error('the server does not hang up')), BOUND_MS)
  await closed
  clearTimeout(late)
  if (socket.errored?.message === 'the server does not hang up') throw socket.errored
  return heard()
}

const statusesOf = (answers: string): ReadonlyArray<number> =>
  [...answers.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))

const heads = (method: string, path: string, headers: Readonly<Record<string, string>> = {}): string =>
  [
    `${method} ${path} HTTP/1.1`,
    'Host: shop',
    ...Object.entries({ Connection: 'close', ...headers }).map(([name, value]) => `${name}: ${value}`),
    '\r\n',
  ].join('\r\n')

type Body = NonNullable<NonNullable<Parameters<typeof fetch>[1]>['body']>

const ask = (method: string, path: string, body?: Body, headers: Readonly<Record<string, string>> = {}) =>
  fetch(`http://127.0.0.1:${server.port}${path}`, {
    method,
    headers: { authorization: bearer, ...headers },
    ...(body === undefined ? {} : { body }),
  })

const isWell = async (): Promise<void> => {
  const response = await ask('GET', '/health')
  expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }])
  expect(failures).toEqual([])
}

const newCart = async (): Promise<string> =>
  ((await (await ask('POST', '/ecommerce/carts', '{}')).json()) as { cartId: string }).cartId

const written = (): number => shop.runtime.ports.log?.length ?? 0

describe('any bytes', () => {
  const pieces = fc
    .array(
      fc.oneof(
        fc.constantFrom('GET ', 'POST ', 'PATCH ', 'HEAD ', 'OPTIONS ', 'CONNECT ', 'PRI ', 'PUT ', ' '),
        fc.constantFrom('/health', '/', '*', '/%', '/%ff', '?', '/ecommerce/carts', 'http://x/health', 'x:1'),
        fc.constantFrom(
          ' HTTP/1.1\r\n',
          ' HTTP/1.0\r\n',
          ' HTTP/9.9\r\n',
          '\r\n',
          '\n',
          '\r\n\r\n',
          ': \r\n',
        ),
        fc.constantFrom(
          'Host: x\r\n',
          'Connection: close\r\n',
          'Upgrade: websocket\r\nConnection: upgrade\r\n',
        ),
        fc.constantFrom('Content-Length: 3\r\n', 'Content-Length: -1\r\n', 'Transfer-Encoding: chunked\r\n'),
        fc.constantFrom('Transfer-Encoding: gzip\r\n', 'Expect: 100-continue\r\n', 'Expect: x\r\n'),
        fc.constantFrom('0\r\n\r\n', '3\r\n{}\n\r\n', 'ffffffffffffffff\r\n', '{}', '\0', '\x80'),
        fc.constantFrom(
          'GET /health HTTP/1.1\r\nHost: x\r\n\r\n',
          'POST /ecommerce/carts HTTP/1.1\r\nHost: x\r\n',
        ),
      ),
      { maxLength: 12 },
    )
    .map((parts) => Buffer.from(parts.join(''), 'latin1'))

  property.prop([fc.oneof(pieces, fc.uint8Array({ maxLength: 100 }))], { numRuns: 200 })(
    'are answered or hung up on, and the server goes on',
    async (bytes) => {
      const before = written()
      const { socket, heard, closed } = await dial()
      socket.write(bytes)
      // Whoever asks later is answered later, so the bytes have been looked at by then.
      await isWell()
      socket.end()
      await closed
      const answers = heard()
      expect(answers === '' || answers.startsWith('HTTP/1.1 ')).toBe(true)
      for (const status of statusesOf(answers)) expect(status).toBeLessThan(500)
      expect(written()).toBe(before)
      await isWell()
    },
    60_000,
  )

  const anyPart = fc.oneof(
    fc.constantFrom(
      'ecommerce',
      'carts',
      'products',
      'orders',
      'lines',
      'checkout',
      'merge',
      'cancel',
      'history',
    ),
    fc.constantFrom(
      'prices',
      'stock',
      'receipts',
      'webhooks',
      'stripe',
      'dev',
      'token',
      'health',
      '__proto__',
      '',
    ),
    fc.webSegment(),
  )
  const anyUrl = fc
    .tuple(
      fc.oneof(fc.constant('/ecommerce/'), fc.constant('/')),
      fc.array(anyPart, { maxLength: 4 }),
      fc.constantFrom(
        '',
        '?',
        '?limit=0',
        '?cursor=%FF',
        '?limit=1&limit=2',
        '?sub=a&roles=%00',
        '?sub=a&x=1',
        '?%',
      ),
    )
    .map(([root, parts, query]) => root + parts.join('/') + query)
  const anyBody = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.json().map((text) => Buffer.from(text)),
    fc.constant(Buffer.from('{"__proto__":{"sku":"x"},"sku":"tea-assam-100","quantity":1}')),
  )

  property.prop([fc.constantFrom('GET', 'POST', 'PATCH', 'DELETE', 'PUT'), anyUrl, anyBody], {
    numRuns: 200,
  })(
    'as path, query and body give an answer or a problem, and what gives a problem writes nothing',
    async (method, url, body) => {
      const before = written()
      const response = await ask(method, url, method === 'GET' ? undefined : body)
      const text = await response.text()
      if (response.status >= 400) {
        expect(response.status).toBeLessThan(500)
        expect(response.headers.get('content-type')).toBe('application/problem+json')
        expect(JSON.parse(text)).toMatchObject({ status: response.status, title: expect.any(String) })
        expect(written()).toBe(before)
      }
      expect(failures).toEqual([])
    },
    60_000,
  )

  property.prop([fc.stringMatching(/^[\x20-\x7e\x80-\xff]{0,40}$/)], { numRuns: 25 })(
    'as header values give an answer or a problem',
    async (value) => {
      const named = [
        'authorization',
        'idempotency-key',
        'everfold-position',
        'x-correlation-id',
        'traceparent',
      ]
      for (const name of [...named, 'if-none-match', 'content-type']) {
        const { status } = await ask('GET', '/ecommerce/orders', undefined, { [name]: value })
        expect([200, 400, 401, 503]).toContain(status)
        const posted = await ask('POST', '/ecommerce/carts', '{"x":1}', { [name]: value })
        expect([400, 401]).toContain(posted.status)
      }
    },
    60_000,
  )
})

const exactly = (bytes: number): string => `{"x":"${'a'.repeat(bytes - 8)}"}`

describe('a body', () => {
  test('of a mebibyte is read, and a larger one is 413', async () => {
    expect((await ask('POST', '/ecommerce/carts', exactly(MEBIBYTE))).status).toBe(400)
    const larger = await ask('POST', '/ecommerce/carts', exactly(MEBIBYTE + 1))
    expect([larger.status, larger.headers.get('connection')]).toEqual([413, 'close'])
    expect(await larger.json()).toMatchObject({ title: 'Too large', status: 413 })
    await isWell()
  })

  test('that is announced as too large is refused before any of it has come', async () => {
    const line = await dial()
    line.socket.write(
      heads('POST', '/ecommerce/carts', { Authorization: bearer, 'Content-Length': '99999999999' }),
    )
    const answered = await eventually(
      'the answer',
      () => (line.heard() === '' ? undefined : line.heard()),
      500,
    )
    expect(statusesOf(answered)).toEqual([413])
    line.socket.destroy()
    await isWell()
  })

  test('of chunks that never end is refused with most of it unread', async () => {
    const line = await dial()
    line.socket.write(
      heads('POST', '/ecommerce/carts', { Authorization: bearer, 'Transfer-Encoding': 'chunked' }),
    )
    const chunk = Buffer.from(`10000\r\n${'a'.repeat(65_536)}\r\n`)
    const [wanted, sent] = [4000, { chunks: 0 }]
    const isOpen = (): boolean => !line.socket.destroyed
    while (isOpen() && sent.chunks < wanted) {
      sent.chunks += 1
      if (!line.socket.write(chunk))
        await Promise.race([new Promise((resolve) => line.socket.once('drain', resolve)), line.closed])
    }
    expect(statusesOf(line.heard())).toEqual([413])
    expect(sent.chunks).toBeLessThan(wanted / 4)
    await isWell()
  })

  test('that is sent whole before anybody listens is still told to be too large', async () => {
    const line = await dial()
    line.socket.pause()
    const [chunk, chunks] = [Buffer.alloc(65_536), 128]
    const length = String(chunk.length * chunks)
    line.socket.write(heads('POST', '/ecommerce/carts', { Authorization: bearer, 'Content-Length': length }))
    for (let at = 0; at < chunks; at += 1) await new Promise((resolve) => line.socket.write(chunk, resolve))
    line.socket.resume()
    await line.closed
    expect(statusesOf(line.heard())).toEqual([413])
  })

  test('is not even asked for where its size is announced and too large', async () => {
    const expecting = { Authorization: bearer, Expect: '100-continue' }
    const answers = await answersTo(
      heads('POST', '/ecommerce/carts', { ...expecting, 'Content-Length': '2000000' }),
    )
    expect(statusesOf(answers)).toEqual([413])
    const line = await dial()
    line.socket.write(heads('POST', '/ecommerce/carts', { ...expecting, 'Content-Length': '2' }))
    await eventually('to be told to go on', () => (line.heard().includes(' 100 ') ? true : undefined))
    line.socket.write('{}')
    await line.closed
    expect(statusesOf(line.heard())).toEqual([100, 201])
  })

  test('that is slow keeps nobody waiting', async () => {
    const line = await dial()
    line.socket.write(heads('POST', '/ecommerce/carts', { Authorization: bearer, 'Content-Length': '2' }))
    line.socket.write('{')
    await isWell()
    expect(line.heard()).toBe('')
    line.socket.write('}')
    await line.closed
    expect(statusesOf(line.heard())).toEqual([201])
  })

  test('that breaks off writes nothing', async () => {
    const before = written()
    const line = await dial()
    line.socket.end(
      heads('POST', '/ecommerce/carts', { Authorization: bearer, 'Content-Length': '9' }) + '{}',
    )
    await line.closed
    expect(statusesOf(line.heard()).filter((status) => status < 400)).toEqual([])
    await isWell()
    expect(written()).toBe(before)
  })

  test.each(['application/x-www-form-urlencoded', 'text/plain', 'application/json; charset=utf-8', ''])(
    'of JSON is taken, though it calls itself %j',
    async (type) => {
      const response = await ask('POST', '/ecommerce/carts', Buffer.from('{}'), { 'content-type': type })
      expect(response.status).toBe(201)
    },
  )
})

describe('a connection', () => {
  test('that pipelines requests is answered in their order, each seeing what came before', async () => {
    const cartId = await newCart()
    const line = '{"sku":"tea-assam-100","quantity":2}'
    const more = { Authorization: bearer, Connection: 'keep-alive' }
    const answers = await answersTo(
      heads('POST', `/ecommerce/carts/${cartId}/lines`, { ...more, 'Content-Length': String(line.length) }) +
        line +
        heads('GET', `/ecommerce/carts/${cartId}`, more) +
        heads('DELETE', `/ecommerce/carts/${cartId}/lines/tea-assam-100`, more) +
        heads('GET', `/ecommerce/carts/${cartId}`, { Authorization: bearer }),
    )
    expect(statusesOf(answers)).toEqual([201, 200, 200, 200])
    expect([...answers.matchAll(/"total":\{"amount":(\d+)/g)].map(([, amount]) => amount)).toEqual([
      '1780',
      '0',
    ])
  })

  test('whose header is too large is told so', async () => {
    const answers = await answersTo(heads('GET', '/health', { 'X-Long': 'a'.repeat(20_000) }))
    expect(statusesOf(answers)).toEqual([431])
    expect(answers).toContain('application/problem+json')
    await isWell()
  })

  test('that does not speak HTTP is told so', async () => {
    const answers = await answersTo('Hello?\r\n\r\n')
    expect(statusesOf(answers)).toEqual([400])
    expect(answers).toContain('"title":"Not HTTP"')
  })

  test.each(['/health', '/openapi.json', '/ecommerce/products?limit=1', '/ecommerce/products/none'])(
    'that asks HEAD %s gets the head of what GET gives',
    async (path) => {
      const got = await ask('GET', path)
      const [head = '', body] = (await answersTo(heads('HEAD', path))).split('\r\n\r\n')
      expect(statusesOf(head)).toEqual([got.status])
      const type = got.headers.get('content-type') ?? 'none'
      expect([head.includes(`content-type: ${type}`), head.includes(got.headers.get('etag') ?? '')]).toEqual([
        true,
        true,
      ])
      expect([head.includes('content-length'), body]).toEqual([false, ''])
    },
  )

  test('may name the whole address, as through a proxy', async () => {
    expect(statusesOf(await answersTo(heads('GET', 'http://shop/health')))).toEqual([200])
    expect(statusesOf(await answersTo(heads('GET', 'HTTP://shop')))).toEqual([404])
  })
})

const signed = (payload: string, { secret = WEBHOOK_SECRET, agoS = 0 } = {}): Promise<string> =>
  Stripe.webhooks.generateTestHeaderStringAsync({
    payload,
    secret,
    timestamp: Math.floor(Date.now() / 1000) - agoS,
  })

describe('a server', () => {
  const silent = { info: () => {}, error: () => {} }

  test('starts on a request of a connection when it has answered the one before', async () => {
    const order: Array<string> = []
    const own = await serve(
      async ({ url }) => {
        order.push(`from ${url}`)
        await new Promise((resolve) => setImmediate(resolve))
        order.push(`to ${url}`)
        return { status: 200, headers: {}, body: '' }
      },
      0,
      silent,
    )
    const line = await dial(own.port)
    line.socket.write(heads('POST', '/1', { Connection: 'keep-alive' }) + heads('GET', '/2'))
    await line.closed
    expect(order).toEqual(['from /1', 'to /1', 'from /2', 'to /2'])
    await own.close()
  })

  test('whose program throws answers 500, tells nobody why but its log, and goes on', async () => {
    const logged: Array<object> = []
    const log = { ...silent, error: (fields: object) => void logged.push(fields) }
    const own = await serve(() => Promise.reject(new Error('a secret')), 0, log)
    for (const path of ['/a?b', '/c']) {
      const response = await fetch(`http://127.0.0.1:${own.port}${path}`)
      expect([response.status, await response.json()]).toEqual([
        500,
        { type: 'about:blank', title: 'Internal error', status: 500 },
      ])
    }
    expect(logged).toEqual(['/a', '/c'].map((path) => ({ method: 'GET', path, error: 'Error: a secret' })))
    await own.close()
  })
})

describe("Stripe's webhook", () => {
  const path = '/ecommerce/webhooks/stripe'
  let told = 0

  /** What Stripe said when a card had paid, under an id that nobody has heard of yet. */
  const saidByStripe = async (): Promise<string> => {
    const stripe = new Stripe('sk_test_local', {
      httpClient: createSimHttpClient(shop.stripe),
      telemetry: false,
    })
    const { data } = await stripe.events.list({ type: 'payment_intent.succeeded' })
    told += 1
    return JSON.stringify({ ...data[0], id: `evt_told${told}` })
  }
  beforeAll(async () => {
    const cartId = await newCart()
    await ask('POST', `/ecommerce/carts/${cartId}/lines`, '{"sku":"coffee-sidamo-250","quantity":1}')
    const address = { name: 'Ann', line1: '1 High St', city: 'Oxford', postalCode: 'OX1 1AA', country: 'GB' }
    const checkout = { email: 'ann@example.com', paymentMethod: 'pm_card_visa', address }
    expect((await ask('POST', `/ecommerce/carts/${cartId}/checkout`, JSON.stringify(checkout))).status).toBe(
      202,
    )
    await eventually('the card has paid', async () => {
      await shop.idle()
      return shop.stripe.ledger().intents.some(({ captured }) => captured > 0) ? true : undefined
    })
    await shop.idle()
  })

  /** What is answered, and how many commits that made. */
  const heard = async (payload: Body, signature: string | undefined) => {
    const before = written()
    const response = await ask(
      'POST',
      path,
      payload,
      signature === undefined ? {} : { 'stripe-signature': signature },
    )
    await shop.idle()
    return [response.status, response.headers.get('content-type'), written() - before]
  }
  const REFUSED = [400, 'application/problem+json', 0]

  test('that is signed is recorded, once', async () => {
    const payload = await saidByStripe()
    expect(await heard(payload, await signed(payload))).toEqual([200, 'application/json', 1])
    expect(await heard(payload, await signed(payload))).toEqual([200, 'application/json', 0])
    expect(await heard(payload, await signed(payload, { agoS: 290 }))).toEqual([200, 'application/json', 0])
  })

  test.each([undefined, '', 't=,v1=', `t=${Math.floor(Date.now() / 1000)}`])(
    'that is not signed but by %j is 400 and writes nothing',
    async (signature) => {
      expect(await heard(await saidByStripe(), signature)).toEqual(REFUSED)
    },
  )

  test.each([
    ['signed by another', { secret: 'whsec_other' }],
    ['stale', { agoS: 301 }],
    ['stale by days', { agoS: 900_000 }],
    ['of the future', { agoS: -302 }],
  ])('that is %s is 400 and writes nothing', async (_title, otherwise) => {
    const payload = await saidByStripe()
    expect(await heard(payload, await signed(payload, otherwise))).toEqual(REFUSED)
  })

  test('that is tampered with is 400 and writes nothing', async () => {
    const payload = await saidByStripe()
    const signature = await signed(payload)
    const tampered = [
      payload.replace('"amount":1190', '"amount":1191'),
      `${payload} `,
      `\uFEFF${payload}`,
      '',
    ]
    for (const other of tampered) {
      expect(other).not.toBe(payload)
      expect(await heard(other, signature)).toEqual(REFUSED)
    }
    expect(await heard(payload, signature.replace(/t=\d/, 't=2'))).toEqual(REFUSED)
    expect(await heard(payload, signature)).toEqual([200, 'application/json', 1])
  })

  property.prop([fc.oneof(fc.json(), fc.string())], { numRuns: 50 })(
    'that is signed over anything else is 400 or heard in vain, and writes nothing',
    async (payload) => {
      const [status, , commits] = await heard(payload, await signed(payload))
      expect([200, 400]).toContain(status)
      expect(commits).toBe(0)
    },
  )

  test('that is too large is 413', async () => {
    const payload = 'a'.repeat(MEBIBYTE + 1)
    expect(await heard(payload, await signed(payload))).toEqual([413, 'application/problem+json', 0])
  })
})
