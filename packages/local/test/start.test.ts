/** `pnpm start` as a process: what it prints can be pasted, what it answers is the shop, and it ends when it is told. */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { eventually, type Program, program } from './program.ts'

/** A Java virtual machine takes its time to start. */
const TIMEOUT_MS = 60_000

interface Shop extends Program {
  readonly at: string
  readonly port: number
}

const running = new Set<Program>()
const start = (port: string, ...args: ReadonlyArray<string>): Program => {
  const started = program('main.ts', args, { PORT: port })
  running.add(started)
  void started.ended.then(() => running.delete(started))
  return started
}

/** A shop on a port that the system chose, as soon as it has said where. */
const opened = async (...args: ReadonlyArray<string>): Promise<Shop> => {
  const started = start('0', ...args)
  const open = () => {
    if (started.child.exitCode !== null) throw new Error(started.err())
    return /The shop is open at (http:\/\/127\.0\.0\.1:\d+)/.exec(started.out())?.[1]
  }
  const at = await eventually('the shop opens', open, TIMEOUT_MS)
  return { ...started, at, port: Number(new URL(at).port) }
}

const killAll = async (): Promise<void> => {
  const ends = [...running].map((one) => {
    one.signal('SIGKILL')
    return one.ended
  })
  await Promise.all(ends)
}

type Json = { readonly [name: string]: Json } & ReadonlyArray<Json> & string

const read = async (response: Response): Promise<Json> => {
  expect(response.ok).toBe(true)
  return (await response.json()) as Json
}

/** A shopper's own requests. */
const shopper = async (at: string, sub: string) => {
  const { token } = (await (await fetch(`${at}/dev/token?sub=${sub}`)).json()) as { token: string }
  const headers = { authorization: `Bearer ${token}` }
  const get = (path: string): Promise<Response> => fetch(`${at}/ecommerce${path}`, { headers })
  const ask = async (method: string, path: string, body?: unknown): Promise<Json> => {
    if (body === undefined) return read(await get(path))
    return read(await fetch(`${at}/ecommerce${path}`, { method, headers, body: JSON.stringify(body) }))
  }
  const buy = async (paymentMethod: string): Promise<string> => {
    const { cartId } = await ask('POST', '/carts', {})
    await ask('POST', `/carts/${cartId}/lines`, { sku: 'tea-sencha-100', quantity: 1 })
    const address = { name: 'Ben', line1: '1 High St', city: 'Oxford', postalCode: 'OX1 1AA', country: 'GB' }
    const checkout = { email: 'ben@example.com', paymentMethod, address }
    return (await ask('POST', `/carts/${cartId}/checkout`, checkout))['orderId'] as string
  }
  /** The order, once it has the status. */
  const order = (orderId: string, status: string): Promise<Json> =>
    eventually(`${orderId} is ${status}`, async () => {
      // Placing it was accepted; it is there a moment later.
      const response = await get(`/orders/${orderId}`)
      if (response.status === 404) return undefined
      const found = await read(response)
      return found['status'] === status ? found : undefined
    })
  return { ask, buy, order }
}

describe.each(['memory', 'dynamodb'])('an open shop, its store in %s', (store) => {
  let shop: Shop
  beforeAll(async () => {
    shop = await opened('--store', store)
  }, TIMEOUT_MS)
  afterAll(killAll)

  test('says that it is well', async () => {
    const response = await fetch(`${shop.at}/health`)
    expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }])
  })

  test('serves its lines to try, pasted into a shell as they are printed', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const run = promisify(execFile)
    await run('curl', ['--version']).catch(() => {
      throw new Error('curl is missing, and the lines to try need it')
    })
    const lines = shop
      .out()
      .split('\n')
      .filter((line) => line.startsWith('  '))
    expect(lines.filter((line) => line.includes('curl'))).toHaveLength(6)
    const { stdout, stderr } = await run('bash', ['-euc', `${lines.join('\n')}\n`])
    expect(stderr).toBe('')
    const [products, line, order, orders, ...more] = stdout
      .replaceAll('}{', '}\n{')
      .split('\n')
      .map((text) => JSON.parse(text) as Json)
    expect(more).toEqual([])
    expect(products?.['items']?.map((item) => item['productId'])).toEqual(['tea-assam', 'tea-sencha'])
    expect(line).toMatchObject({ sku: 'tea-assam-100', quantity: 2 })
    // On a busy machine the order may not be in it yet.
    expect(orders?.['items']).toBeInstanceOf(Array)
    const ann = await shopper(shop.at, 'ann')
    const listed = await eventually('the order is in the list', async () => {
      const { items } = await ann.ask('GET', '/orders')
      return items?.length === 0 ? undefined : items
    })
    expect(listed.map((item) => item['orderId'])).toEqual([order?.['orderId']])
    const paid = await ann.order(order?.['orderId'] ?? '', 'confirmed')
    expect(paid['total']).toEqual({ amount: 1780, currency: 'USD' })
  })

  test('sends a challenged shopper to his bank and back', { timeout: TIMEOUT_MS }, async () => {
    const { buy, order } = await shopper(shop.at, 'ben')
    expect(shop.out()).toContain('pm_card_authenticationRequired')
    const orderId = await buy('pm_card_authenticationRequired')
    const { payment } = await order(orderId, 'action_required')
    const bank = payment?.['nextAction']?.['redirectUrl'] ?? ''
    const page = await (await fetch(bank)).text()
    const link = /href="([^"]+)">Authenticate/.exec(page)?.[1]?.replaceAll('&amp;', '&') ?? ''
    const back = await fetch(new URL(link, bank), { redirect: 'manual' })
    expect(back.status).toBe(302)
    expect(back.headers.get('location')).toContain(`${shop.at}/ecommerce/orders/${orderId}?`)
    await order(orderId, 'confirmed')
  })

  test('cancels what a card does not pay', { timeout: TIMEOUT_MS }, async () => {
    const { ask, buy, order } = await shopper(shop.at, 'cid')
    expect(shop.out()).toContain('pm_card_chargeDeclined')
    const orderId = await buy('pm_card_chargeDeclined')
    const { payment } = await order(orderId, 'canceled')
    expect(payment).toMatchObject({ captured: { amount: 0 } })
    expect(JSON.stringify(await ask('GET', `/orders/${orderId}/history`))).toContain('generic_decline')
  })

  test('logs JSON, one object a line', async () => {
    await fetch(`${shop.at}/health?probe=1`)
    await eventually('the request is logged', () =>
      shop.out().includes('"path":"/health"') ? true : undefined,
    )
    const logged = shop
      .out()
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Json)
    expect(logged[0]).toMatchObject({ level: 30, port: shop.port, msg: 'open' })
    expect(logged).toContainEqual(
      expect.objectContaining({ msg: 'request', method: 'GET', path: '/health', status: 200 }),
    )
    expect(logged.every((line) => !Number.isNaN(Date.parse(line['time'] ?? '')))).toBe(true)
    expect(shop.err()).toBe('')
  })

  test('has its port to itself: another says so in one line, and exits 1', async () => {
    const second = start(String(shop.port))
    expect(await second.ended).toBe(1)
    expect(second.err()).toBe(
      `Port ${shop.port} is taken. Choose another, or let the system choose: PORT=0 pnpm start\n`,
    )
  })
})

/** A connection that has been answered and stays open. */
const keptAlive = async ({ at }: Shop): Promise<Agent> => {
  const agent = new Agent({ keepAlive: true })
  const [response] = (await once(request(`${at}/health`, { agent }).end(), 'response')) as [
    NodeJS.ReadableStream,
  ]
  await once(response.resume(), 'end')
  return agent
}

/** A request whose body never ends. */
const inFlight = async ({ port }: Shop): Promise<Socket> => {
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  await once(socket, 'connect')
  socket.write(
    'POST /ecommerce/carts HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n',
  )
  const [said] = (await once(socket, 'data')) as [Buffer]
  expect(String(said)).toContain('100 Continue')
  return socket
}

describe.concurrent('a shop that is told to end', () => {
  afterAll(killAll)

  test.each(['SIGINT', 'SIGTERM'] as const)(
    'by %s ends with code 0 and soon, whoever is still connected',
    async (signal) => {
      const shop = await opened()
      const agent = await keptAlive(shop)
      const socket = await inFlight(shop)
      const told = performance.now()
      shop.signal(signal)
      shop.signal(signal)
      expect(await shop.ended).toBe(0)
      // A second, and what a busy machine adds to it.
      expect(performance.now() - told).toBeLessThan(10_000)
      expect(shop.out().trim().split('\n').at(-1)).toContain('"msg":"closed"')
      agent.destroy()
      socket.destroy()
    },
    TIMEOUT_MS,
  )

  test('lets a request in flight come to its end', { timeout: TIMEOUT_MS }, async () => {
    const shop = await opened()
    const socket = await inFlight(shop)
    shop.signal('SIGTERM')
    await eventually('it does not listen any more', () =>
      fetch(`${shop.at}/health`).then(
        () => undefined,
        () => true,
      ),
    )
    socket.write('{"a":"b"}')
    let said = ''
    for await (const chunk of socket) said += String(chunk)
    expect(said).toMatch(/^HTTP\/1\.1 401 .*Connection: close/is)
    expect(await shop.ended).toBe(0)
    socket.destroy()
  })
})

/** How each of these ends, and what it says. */
const refused = async (...wrong: ReadonlyArray<readonly [port: string, ...args: ReadonlyArray<string>]>) => {
  const shops = wrong.map((asked) => start(...asked))
  const codes = await Promise.all(shops.map(({ ended }) => ended))
  return shops.map(({ out, err }, at) => ({ code: codes[at], out: out(), err: err() }))
}

const why = (reason: string) => ({
  code: 2,
  out: '',
  err: expect.stringMatching(new RegExp(`^${reason}.*\n\npnpm start \\[--store memory`)) as string,
})

describe('a shop that is asked wrongly exits 2, and says why and how it is asked', () => {
  test('on what is no port', { timeout: TIMEOUT_MS }, async () => {
    const wrong = ['http', '65536', '-1', '40.5', '0x50', ' ']
    expect(await refused(...wrong.map((port) => [port] as const))).toEqual(
      wrong.map((port) => why(`PORT is no port from 0 to 65535: ${port}`)),
    )
  })

  test('by what it does not know', { timeout: TIMEOUT_MS }, async () => {
    expect(await refused(['0', '--bogus'], ['0', '--store', 'foo'], ['0', 'foo'])).toEqual([
      why("Unknown option '--bogus'"),
      why('--store is memory or dynamodb, not foo'),
      why("Unexpected argument 'foo'"),
    ])
  })

  test('and tells how, whatever the port, in 80 columns', { timeout: TIMEOUT_MS }, async () => {
    const [help] = await refused(['http', '--help'])
    expect(help).toEqual({ code: 0, out: expect.stringMatching(/^pnpm start /), err: '' })
    expect(help?.out.split('\n').filter((line) => line.length > 80)).toEqual([])
  })
})
