import { type CommandRoute, fingerprint, freshId, type Route } from '@everfold/core'
import { arbitrary, invalid } from '@everfold/core/testing'
import { Shop } from '@everfold/ecommerce'
import { virtualKernel } from '@everfold/runtime-memory'
import { fc, test as property } from '@fast-check/vitest'
import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, test } from 'vitest'
import {
  cartOf,
  document,
  orderOf,
  purchase,
  SHOP,
  type Storefront,
  sell,
  storefront,
  usd,
} from './storefront.ts'

test('the document is valid OpenAPI 3.1', async () => {
  const validator = new Validator()
  expect(await validator.validate(structuredClone(document))).toEqual({ valid: true })
})

const ann = { as: 'ann' }
const root = { as: 'root' }

describe('from the catalogue to the order', () => {
  test('an administrator fills it, and all can read it', async () => {
    const { ask } = storefront()
    const product = { name: 'Green tea', category: 'tea', variants: [{ sku: 'green' }] }
    const created = await ask('POST', `${SHOP}/products`, { ...root, body: product })
    expect(created.status).toBe(201)
    const { productId } = created.json
    const priced = await ask('POST', `${SHOP}/prices`, { ...root, body: { sku: 'green', price: usd(450) } })
    expect([priced.status, priced.json]).toEqual([200, { sku: 'green', price: usd(450) }])
    const received = await ask('POST', `${SHOP}/stock/green/receipts`, { ...root, body: { units: 3 } })
    expect([received.status, received.json]).toEqual([201, { sku: 'green', units: 3 }])
    const listed = {
      productId,
      name: 'Green tea',
      category: 'tea',
      variants: [{ sku: 'green', attributes: [], price: usd(450), available: 3 }],
    }
    const page = await ask('GET', `${SHOP}/products`, { position: received.position })
    expect([page.status, page.json]).toEqual([200, { items: [listed] }])
    expect((await ask('GET', `${SHOP}/products/${productId}`)).json).toEqual(listed)
    expect((await ask('GET', `${SHOP}/products?category=tea`)).json).toEqual({ items: [listed] })
    expect((await ask('GET', `${SHOP}/products?category=coffee`)).json).toEqual({ items: [] })
    expect((await ask('GET', `${SHOP}/products/unknown`)).status).toBe(404)
  })

  test('the catalogue is served to caches', async () => {
    const shop = storefront()
    await sell(shop, 'green')
    const page = await shop.ask('GET', `${SHOP}/products`)
    expect(page.headers['cache-control']).toMatch(/^public, max-age=\d+/)
    const same = await shop.ask('GET', `${SHOP}/products`, {
      headers: { 'if-none-match': page.headers['etag'] },
    })
    expect([same.status, same.text]).toEqual([304, ''])
    expect((await shop.ask('HEAD', `${SHOP}/products`)).headers['etag']).toBe(page.headers['etag'])
    await shop.ask('POST', `${SHOP}/stock/green/receipts`, { ...root, body: { units: 1 } })
    const changed = await shop.ask('GET', `${SHOP}/products`, {
      headers: { 'if-none-match': page.headers['etag'] },
    })
    expect(changed.status).toBe(200)
  })

  test('a cart holds lines at the prices they were added at', async () => {
    const shop = storefront()
    await sell(shop, 'green', { amount: 450 })
    await sell(shop, 'black', { amount: 300 })
    const made = await shop.ask('POST', `${SHOP}/carts`, { ...ann, body: {} })
    expect([made.status, made.json]).toMatchObject([201, { lines: [], total: usd(0) }])
    const cart = `${SHOP}/carts/${made.json.cartId}`
    const added = await shop.ask('POST', `${cart}/lines`, { ...ann, body: { sku: 'green', quantity: 2 } })
    expect([added.status, added.json]).toMatchObject([201, { sku: 'green', quantity: 2 }])
    await shop.ask('POST', `${cart}/lines`, { ...ann, body: { sku: 'black', quantity: 1 } })
    const more = await shop.ask('POST', `${cart}/lines`, { ...ann, body: { sku: 'green', quantity: 1 } })
    expect(more.json).toMatchObject({ quantity: 3 })
    const patched = await shop.ask('PATCH', `${cart}/lines/green`, { ...ann, body: { quantity: 5 } })
    expect([patched.status, patched.json]).toMatchObject([200, { sku: 'green', quantity: 5 }])
    const removed = await shop.ask('DELETE', `${cart}/lines/black`, ann)
    expect(removed.status).toBe(200)
    await shop.ask('POST', `${SHOP}/prices`, { ...root, body: { sku: 'green', price: usd(999) } })
    expect((await shop.ask('GET', cart, ann)).json).toMatchObject({
      cartId: made.json.cartId,
      lines: [{ sku: 'green', quantity: 5, unitPrice: usd(450), lineTotal: usd(2250) }],
      total: usd(2250),
    })
    const shown = await shop.ask('POST', `${cart}/checkout`, { ...ann, body: purchase })
    expect([shown.status, shown.json.rejection]).toMatchObject([
      409,
      {
        _tag: 'PricesChanged',
        differences: [{ sku: 'green', was: { unitAmount: 450 }, is: { unitAmount: 999 } }],
      },
    ])
    expect((await shop.ask('POST', `${cart}/reprice`, ann)).status).toBe(200)
    expect((await shop.ask('POST', `${cart}/checkout`, { ...ann, body: purchase })).status).toBe(202)
  })

  test('an order is placed, paid and confirmed, and its shopper can follow it', async () => {
    const shop = storefront()
    await sell(shop, 'green', { amount: 450, units: 5 })
    const { orderId } = await orderOf(shop, 'ann', { green: 2 })
    await shop.runtime.idle()
    const order = await shop.ask('GET', `${SHOP}/orders/${orderId}`, ann)
    expect(order.json).toMatchObject({
      orderId,
      status: 'confirmed',
      lines: [{ sku: 'green', quantity: 2, unitPrice: usd(450), lineTotal: usd(900) }],
      total: usd(900),
      payment: { status: 'succeeded', authorized: usd(900), captured: usd(900), refunded: usd(0) },
    })
    const { items } = (await shop.ask('GET', `${SHOP}/orders`, ann)).json
    const { placedAtMs } = order.json
    expect(items).toEqual([{ orderId, status: 'confirmed', total: usd(900), placedAtMs }])
    const history = await shop.ask('GET', `${SHOP}/orders/${orderId}/history`, ann)
    const events = history.json.events as ReadonlyArray<{ event: { _tag: string }; version: number }>
    expect(events.map(({ event, version }) => [version, event._tag])).toEqual([
      [1, 'OrderPlaced'],
      [2, 'OrderConfirmed'],
    ])
    expect(history.text).not.toContain('Springfield')
    expect((await shop.ask('GET', `${SHOP}/products/p-green`)).json.variants[0].available).toBe(3)
    expect(shop.runtime.deadLetters).toEqual([])
  })

  test.each([
    ['pm_action', 'action_required'],
    ['pm_declined', 'canceled'],
  ])('paid with %s it is %s, alone and in the list', async (paymentMethod, status) => {
    const shop = storefront()
    await sell(shop, 'green')
    const { orderId } = await orderOf(shop, 'ann', { green: 1 }, { paymentMethod })
    await shop.runtime.idle()
    expect((await shop.ask('GET', `${SHOP}/orders/${orderId}`, ann)).json.status).toBe(status)
    expect((await shop.ask('GET', `${SHOP}/orders`, ann)).json.items).toMatchObject([{ orderId, status }])
  })

  test('an order is canceled by its shopper, and all is given back', async () => {
    const shop = storefront()
    await sell(shop, 'green', { units: 5 })
    const { orderId } = await orderOf(shop, 'ann', { green: 2 })
    await shop.runtime.idle()
    const order = `${SHOP}/orders/${orderId}`
    const canceled = await shop.ask('POST', `${order}/cancel`, { ...ann, body: { reason: 'too late' } })
    expect([canceled.status, canceled.json]).toEqual([202, { orderId }])
    await shop.runtime.idle()
    expect((await shop.ask('GET', order, ann)).json).toMatchObject({
      status: 'canceled',
      payment: { captured: usd(500 * 2), refunded: usd(500 * 2) },
    })
    expect((await shop.ask('GET', `${SHOP}/products/p-green`)).json.variants[0].available).toBe(5)
  })
})

// Every route, with a cart and an order of Ann's

const routes = Shop.service().routes
type AnyCommand = CommandRoute<unknown, unknown, unknown, unknown>
const commands = routes.filter((route): route is Route & AnyCommand => route.kind === 'command')
const personal = routes.filter((route) => /\{(cart|order)Id\}/.test(route.path))

interface Anns {
  readonly cartId: string
  readonly orderId: string
}

const annsShop = async (): Promise<Storefront & Anns> => {
  const shop = storefront()
  await sell(shop, 'green', { units: 50 })
  const cartId = await cartOf(shop, 'ann', { green: 1 })
  const { orderId } = await orderOf(shop, 'ann', { green: 1 })
  await shop.runtime.idle()
  return { ...shop, cartId, orderId }
}

const pathOf = ({ path }: Route, { cartId, orderId }: Anns): string =>
  path
    .replace('{cartId}', cartId)
    .replace('{orderId}', orderId)
    .replace('{sku}', 'green')
    .replace('{productId}', 'p-green')

const titled = <R extends Route>(ones: ReadonlyArray<R>) =>
  ones.map((route) => ({ title: `${route.method} ${route.path}`, route }))

/** A body that says nothing, a key and a position that are none. */
const broken = { body: new Uint8Array([0xff]), key: '', position: '?' }

describe('authorization precedes validation', () => {
  test.each(titled(routes.filter((route) => route.kind !== 'hook' && route.access !== 'public')))(
    '$title',
    async ({ route }) => {
      const shop = await annsShop()
      const before = shop.written()
      const [path, { method }] = [pathOf(route, shop), route]
      expect((await shop.ask(method, path, broken)).status).toBe(401)
      expect((await shop.ask(method, path, { ...broken, as: 'forged' })).status).toBe(401)
      const bobs = (await shop.ask(method, path, { ...broken, as: 'bob' })).status
      const own = route.path === `${SHOP}/carts` || route.path === `${SHOP}/orders`
      expect(bobs).toBe(own ? 400 : 403)
      const unknown = pathOf(route, { cartId: 'unknown', orderId: 'unknown' })
      expect((await shop.ask(method, unknown, { ...broken, as: 'bob' })).status).toBe(
        personal.includes(route) ? 404 : bobs,
      )
      expect(shop.written()).toBe(before)
    },
  )
})

describe('carts and orders belong to their user', () => {
  test.each(titled(personal))(
    '$title: nothing a stranger sends changes or reveals anything',
    async ({ route }) => {
      const shop = await annsShop()
      const before = shop.written()
      const path = pathOf(route, shop)
      const plain = await shop.ask(route.method, path, { as: 'bob' })
      expect(plain.status).toBe(403)
      const bodies = route.kind === 'command' ? arbitrary(route.body) : fc.constant(undefined)
      await fc.assert(
        fc.asyncProperty(bodies, fc.constantFrom('bob', 'guest-1'), fc.string(), async (body, as, key) => {
          expect(await shop.ask(route.method, path, { as, body, key })).toEqual(plain)
          expect(shop.written()).toBe(before)
        }),
        { numRuns: 15 },
      )
    },
  )

  test('no list shows what is another’s', async () => {
    const shop = await annsShop()
    expect((await shop.ask('GET', `${SHOP}/orders`, { as: 'bob' })).json).toEqual({ items: [] })
    expect((await shop.ask('GET', `${SHOP}/orders`, ann)).json.items.length).toBe(1)
  })

  test('an administrator reads every order, and cancels for the shop', async () => {
    const shop = await annsShop()
    const order = `${SHOP}/orders/${shop.orderId}`
    expect((await shop.ask('GET', order, root)).json).toMatchObject({ orderId: shop.orderId })
    await shop.ask('POST', `${order}/cancel`, { ...root, body: { reason: 'recalled' } })
    const { events } = (await shop.ask('GET', `${order}/history`, ann)).json
    expect(events.at(-1).event).toEqual({ _tag: 'OrderCanceled', reason: 'recalled', by: 'shop' })
  })

  test('whoever cannot own a cart opens none', async () => {
    const shop = storefront()
    for (const as of ['a b', 'é', 'a'.repeat(129)]) {
      const opened = await shop.ask('POST', `${SHOP}/carts`, { as })
      expect([opened.status, opened.json.errors[0].pointer]).toEqual([400, '/owner'])
    }
    expect(shop.written()).toBe('[]')
  })
})

describe('a body with one fault is told where it is, and writes nothing', () => {
  test.each(titled(commands))('$title', async ({ route }) => {
    const shop = await annsShop()
    const as = route.access === 'user' ? 'ann' : 'root'
    const before = shop.written()
    await fc.assert(
      fc.asyncProperty(invalid(route.body), async ({ input, pointer }) => {
        const body = new TextEncoder().encode(JSON.stringify(input))
        const answer = await shop.ask(route.method, pathOf(route, shop), { as, body })
        expect([answer.status, answer.json.errors?.[0]?.pointer]).toEqual([400, pointer])
        expect(shop.written()).toBe(before)
      }),
      { numRuns: 30 },
    )
  })
})

describe('whatever comes in', () => {
  const odd = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      'green',
      'p-green',
      '__proto__',
      'constructor',
      '%',
      '%ff',
      '%2F',
      '..',
      '',
      'a@b',
      'x'.repeat(65),
    ),
  )
  const search = fc.oneof(
    fc.constantFrom(
      '',
      '?limit=0',
      '?limit=2',
      '?limit=101',
      '?limit=1e1',
      '?cursor=_-8',
      '?cursor=YWJj',
      '?cursor=',
    ),
    fc.constantFrom(
      '?category=',
      '?category=tea&category=tea',
      '?__proto__=1',
      '?category=%ed%a0%80',
      '?&',
      '?a',
    ),
    odd.map((text) => `?category=${text}`),
    odd.map((text) => `?cursor=${text}`),
  )
  const body = fc.oneof(
    fc.uint8Array({ maxLength: 30 }),
    fc.json().map((json) => new TextEncoder().encode(json)),
    fc.constant(new Uint8Array()),
  )
  const asked = fc.record({
    route: fc.constantFrom(...routes),
    ids: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: odd }),
    search,
    body,
    as: fc.constantFrom('ann', 'bob', 'root', undefined),
    key: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, odd),
    position: fc.option(fc.oneof(odd, fc.constantFrom('cart%2Fx@0', 'stock%2Fgreen@1')), { nil: undefined }),
  })

  test('gets a documented response, and what is refused as input writes nothing', async () => {
    const shop = await annsShop()
    await fc.assert(
      fc.asyncProperty(asked, async ({ route, ids, search: query, body: sent, as, key, position }) => {
        const anns = ids === undefined ? shop : { cartId: ids, orderId: ids }
        const before = shop.written()
        const answer = await shop.ask(route.method, pathOf(route, anns) + query, {
          body: sent,
          ...(as === undefined ? {} : { as }),
          ...(key === undefined ? {} : { key }),
          ...(position === undefined ? {} : { position }),
        })
        expect(answer.status).not.toBe(500)
        const recorded = answer.status < 400 || answer.status === 409
        expect(recorded || shop.written() === before).toBe(true)
      }),
      { numRuns: 600 },
    )
  })
})

// Keys

const KEYS = ['one', 'two', freshId(virtualKernel().nowMs(), () => 0.5)]

interface Step {
  readonly what:
    | 'line'
    | 'quantity'
    | 'removal'
    | 'reprice'
    | 'checkout'
    | 'merge'
    | 'price'
    | 'product'
    | 'cart'
  readonly key: number
  readonly pick: number
}

/** Each kind of request in two payloads, told apart by `pick`. */
const requestOf = ({ what, pick }: Step, cart: string, other: string) => {
  const sku = pick === 0 ? 'green' : 'new'
  const quantity = pick + 1
  switch (what) {
    case 'cart':
      return { method: 'POST', path: '/carts', ...ann, body: {} }
    case 'line':
      return { method: 'POST', path: `/carts/${cart}/lines`, ...ann, body: { sku, quantity } }
    case 'quantity':
      return { method: 'PATCH', path: `/carts/${cart}/lines/green`, ...ann, body: { quantity } }
    case 'removal':
      return { method: 'DELETE', path: `/carts/${cart}/lines/green`, ...ann, body: {} }
    case 'reprice':
      return { method: 'POST', path: `/carts/${cart}/reprice`, ...ann, body: {} }
    case 'checkout':
      return {
        method: 'POST',
        path: `/carts/${cart}/checkout`,
        ...ann,
        body: { ...purchase, email: `${pick}@b.c` },
      }
    case 'merge':
      return {
        method: 'POST',
        path: `/carts/${cart}/merge`,
        ...ann,
        body: { fromCartId: pick === 0 ? other : cart, policy: 'sum' },
      }
    case 'price':
      return { method: 'POST', path: '/prices', ...root, body: { sku: 'new', price: usd(100 * quantity) } }
    case 'product': {
      const product = { productId: `p-${pick}`, name: 'New', category: 'tea', variants: [{ sku }] }
      return { method: 'POST', path: '/products', ...root, body: product }
    }
  }
}

const anyStep: fc.Arbitrary<Step> = fc.record({
  what: fc.constantFrom(
    'line',
    'quantity',
    'removal',
    'reprice',
    'checkout',
    'merge',
    'price',
    'product',
    'cart',
  ),
  key: fc.nat({ max: KEYS.length - 1 }),
  pick: fc.nat({ max: 1 }),
})

describe('the same key', () => {
  property.prop([fc.array(fc.array(anyStep, { minLength: 1, maxLength: 4 }), { maxLength: 8 }), fc.nat()], {
    numRuns: 80,
  })(
    'gives the byte-same answer in flight and later, whatever happens between; another payload is 422',
    async (rounds, seed) => {
      const kernel = virtualKernel({ seed })
      const shop = storefront(kernel)
      const answers = await kernel.run(async () => {
        await sell(shop, 'green')
        const [cart, other] = [
          await cartOf(shop, 'ann', { green: 1 }),
          await cartOf(shop, 'guest-1', { green: 2 }),
        ]
        const all: Array<{ scope: string; sent: string; status: number; text: string; replayed: boolean }> =
          []
        for (const round of rounds)
          all.push(
            ...(await Promise.all(
              round.map(async (one, at) => {
                const { method, path, as, body } = requestOf(one, cart, other)
                const key = KEYS[one.key] ?? ''
                const { status, text, headers } = await kernel.as(`caller ${at}`, () =>
                  shop.ask(method, SHOP + path, { as, body, key }),
                )
                const replayed = headers['idempotent-replayed'] === 'true'
                return {
                  scope: `${method} ${path} ${key}`,
                  sent: JSON.stringify(body),
                  status,
                  text,
                  replayed,
                }
              }),
            )),
          )
        return all
      })
      for (const same of Map.groupBy(answers, ({ scope }) => scope).values()) {
        const answered = same.filter(({ status }) => status !== 422)
        expect(answered.filter(({ replayed }) => !replayed).length).toBe(1)
        expect(new Set(answered.map(({ status, text, sent }) => `${status} ${text} ${sent}`)).size).toBe(1)
        for (const { sent, status } of same) if (status === 422) expect(sent).not.toBe(answered[0]?.sent)
      }
      expect(shop.runtime.deadLetters).toEqual([])
    },
  )

  test('gives a refusal again, also once it would be granted', async () => {
    const shop = storefront()
    const cartId = await cartOf(shop, 'ann')
    const add = (key: string) =>
      shop.ask('POST', `${SHOP}/carts/${cartId}/lines`, { ...ann, key, body: { sku: 'green', quantity: 1 } })
    const refused = await add('k')
    expect([refused.status, refused.json.rejection]).toEqual([409, { _tag: 'NotForSale', sku: 'green' }])
    await sell(shop, 'green')
    const again = await add('k')
    expect([again.status, again.text, again.headers['idempotent-replayed']]).toEqual([
      409,
      refused.text,
      'true',
    ])
    expect((await add('another')).status).toBe(201)
  })

  test('gives a checkout’s answer again when the prices have changed and the cart is closed', async () => {
    const shop = storefront()
    await sell(shop, 'green')
    const cartId = await cartOf(shop, 'ann', { green: 1 })
    const checkout = (body: object = purchase) =>
      shop.ask('POST', `${SHOP}/carts/${cartId}/checkout`, { ...ann, key: 'k', body })
    const first = await checkout()
    await shop.ask('POST', `${SHOP}/prices`, { ...root, body: { sku: 'green', price: usd(1) } })
    const again = await checkout()
    expect([again.status, again.text, again.headers['idempotent-replayed']]).toEqual([
      202,
      first.text,
      'true',
    ])
    expect((await checkout({ ...purchase, email: 'b@c.de' })).status).toBe(422)
    await shop.runtime.idle()
    expect((await shop.ask('GET', `${SHOP}/orders`, ann)).json.items.length).toBe(1)
  })

  test.each([
    [
      'products',
      { productId: 'a', name: 'A', category: 'c', variants: [{ sku: 'a' }] },
      { productId: 'b', name: 'A', category: 'c', variants: [{ sku: 'a' }] },
    ],
    ['prices', { sku: 'a', price: usd(1) }, { sku: 'b', price: usd(1) }],
    ['stock/a/receipts', { units: 1, location: 'here' }, { units: 1, location: 'there' }],
  ])('with a payload that names another stream is 422 for %s', async (path, body, other) => {
    const shop = storefront()
    const sent = (payload: object) =>
      shop.ask('POST', `${SHOP}/${path}`, { ...root, key: 'k', body: payload })
    const first = await sent(body)
    expect(first.status).toBeLessThan(300)
    const before = shop.written()
    expect((await sent(other)).status).toBe(422)
    expect(await sent(body)).toMatchObject({ status: first.status, text: first.text })
    expect(shop.written()).toBe(before)
  })
})

// Merging

const merge = (shop: Storefront, cartId: string, fromCartId: string, key?: string) =>
  shop.ask('POST', `${SHOP}/carts/${cartId}/merge`, {
    as: 'ann',
    body: { fromCartId, policy: 'sum' },
    ...(key === undefined ? {} : { key }),
  })

describe('a guest’s cart', () => {
  test('is merged into its user’s, and closed', async () => {
    const shop = storefront()
    await sell(shop, 'green')
    const [mine, guests] = [
      await cartOf(shop, 'ann', { green: 1 }),
      await cartOf(shop, 'guest-1', { green: 2 }),
    ]
    const merged = await merge(shop, mine, guests)
    expect([merged.status, merged.json]).toEqual([200, { cartId: mine, fromCartId: guests, policy: 'sum' }])
    expect((await shop.ask('GET', `${SHOP}/carts/${mine}`, ann)).json.lines).toMatchObject([{ quantity: 3 }])
    expect((await shop.ask('GET', `${SHOP}/carts/${guests}`, { as: 'guest-1' })).json.status).toBe('merged')
    expect((await merge(shop, await cartOf(shop, 'ann'), guests)).json.rejection._tag).toBe('CartClosed')
  })

  test('stays open where it cannot be taken over', async () => {
    const shop = storefront()
    await sell(shop, 'green')
    const { cartId } = await orderOf(shop, 'ann', { green: 1 })
    const guests = await cartOf(shop, 'guest-1', { green: 2 })
    expect((await merge(shop, cartId, guests)).json.rejection._tag).toBe('CartClosed')
    expect((await shop.ask('GET', `${SHOP}/carts/${guests}`, { as: 'guest-1' })).json.status).toBe('open')
    const mine = await cartOf(shop, 'ann')
    expect((await merge(shop, mine, mine)).json.rejection._tag).toBe('CannotMergeWithItself')
  })

  test('stays open when a refused merge is repeated, also once it could be taken over', async () => {
    const shop = storefront()
    await sell(shop, 'green', { amount: 1 })
    const mine = await cartOf(shop, 'ann', { green: 1_000_000 })
    const guests = await cartOf(shop, 'guest-1', { green: 2 })
    const refused = await merge(shop, mine, guests, 'k')
    expect(refused.json.rejection._tag).toBe('QuantityTooLarge')
    await shop.ask('DELETE', `${SHOP}/carts/${mine}/lines/green`, ann)
    const again = await merge(shop, mine, guests, 'k')
    expect([again.status, again.text, again.headers['idempotent-replayed']]).toEqual([
      409,
      refused.text,
      'true',
    ])
    expect((await shop.ask('GET', `${SHOP}/carts/${guests}`, { as: 'guest-1' })).json.status).toBe('open')
  })

  test.each(['bob', 'guesthouse', 'Guest-1'])('is no cart of %s', async (owner) => {
    const shop = storefront()
    await sell(shop, 'green')
    const [mine, theirs] = [await cartOf(shop, 'ann'), await cartOf(shop, owner, { green: 2 })]
    const before = shop.written()
    expect((await merge(shop, mine, theirs)).status).toBe(403)
    expect((await merge(shop, mine, 'unknown')).status).toBe(404)
    expect(shop.written()).toBe(before)
  })
})

// Reading one's writes

describe('a read that sends a position back sees that write', () => {
  property.prop([fc.nat()], { numRuns: 25 })('also through views that lag', async (seed) => {
    const kernel = virtualKernel({ seed, overtaking: 100 })
    const shop = storefront(kernel)
    await kernel.run(async () => {
      const product = { productId: 'p', name: 'Tea', category: 'tea', variants: [{ sku: 'tea' }] }
      const writes = [
        [`${SHOP}/products`, product, { variants: [] }],
        [`${SHOP}/prices`, { sku: 'tea', price: usd(5) }, { variants: [{ price: usd(5), available: 0 }] }],
        [`${SHOP}/stock/tea/receipts`, { units: 3 }, { variants: [{ available: 3 }] }],
      ] as const
      for (const [url, body, expected] of writes) {
        const { position } = await shop.ask('POST', url, { ...root, body })
        expect((await shop.ask('GET', `${SHOP}/products`, { position })).json.items).toMatchObject([expected])
        expect((await shop.ask('GET', `${SHOP}/products/p`, { position })).json).toMatchObject(expected)
      }
      const { orderId, position } = await orderOf(shop, 'ann', { tea: 1 })
      expect((await shop.ask('GET', `${SHOP}/orders/${orderId}`, { ...ann, position })).json).toMatchObject({
        orderId,
      })
      expect((await shop.ask('GET', `${SHOP}/orders`, { ...ann, position })).json.items).toMatchObject([
        { orderId },
      ])
      expect((await shop.ask('GET', `${SHOP}/orders/${orderId}/history`, { ...ann, position })).status).toBe(
        200,
      )
      // The catalogue takes no carts in, so there is nothing to wait for.
      expect((await shop.ask('GET', `${SHOP}/products`, { position })).status).toBe(200)
    })
  })
})

test('an order can be followed from its checkout on, and canceled once it is placed', async () => {
  // Nobody places it here.
  const shop = storefront(virtualKernel({ mode: 'immediate' }), { ...Shop.service(), processes: [] })
  await sell(shop, 'green')
  const { orderId } = await orderOf(shop, 'ann', { green: 1 })
  await shop.runtime.idle()
  const order = `${SHOP}/orders/${orderId}`
  const summary = { orderId, status: 'placed', total: usd(500) }
  expect((await shop.ask('GET', order, ann)).json).toMatchObject({ ...summary, payment: { status: 'none' } })
  expect((await shop.ask('GET', order, { as: 'bob' })).status).toBe(403)
  expect((await shop.ask('GET', `${SHOP}/orders`, ann)).json.items).toMatchObject([summary])
  expect((await shop.ask('GET', `${order}/history`, ann)).json).toEqual({ events: [] })
  const before = shop.written()
  const cancel = { ...ann, key: 'k', body: { reason: 'no' } }
  const early = await shop.ask('POST', `${order}/cancel`, cancel)
  expect([early.status, early.headers['retry-after']]).toEqual([503, '1'])
  expect(shop.written()).toBe(before)
})

// Pages

const pages = async (shop: Storefront, url: string, as: string | undefined, limit: number) => {
  const items: Array<{ productId?: string; orderId?: string }> = []
  let cursor = ''
  do {
    const query = `limit=${limit}${cursor}`
    const { json } = await shop.ask(
      'GET',
      `${url}${url.includes('?') ? '&' : '?'}${query}`,
      as === undefined ? {} : { as },
    )
    expect(json.items.length).toBeLessThanOrEqual(limit)
    items.push(...json.items)
    cursor = json.nextCursor === undefined ? '' : `&cursor=${json.nextCursor}`
  } while (cursor !== '')
  return items
}

describe('walking the pages', () => {
  property.prop(
    [
      fc.uniqueArray(fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._~-]{0,5}$/), { maxLength: 9 }),
      fc.array(fc.record({ draft: fc.boolean(), black: fc.boolean() }), { minLength: 9, maxLength: 9 }),
      fc.integer({ min: 1, max: 10 }),
    ],
    { numRuns: 40 },
  )('lists every published product once, in one order, with any limit', async (ids, kinds, limit) => {
    const shop = storefront()
    for (const [at, productId] of ids.entries()) {
      const { draft = false, black = false } = kinds[at] ?? {}
      const body = {
        productId,
        name: productId,
        category: black ? 'black' : 'green',
        variants: [{ sku: productId }],
      }
      await shop.ask('POST', `${SHOP}/products`, { ...root, body: { ...body, publish: !draft } })
    }
    await shop.runtime.idle()
    const published = ids.filter((_, at) => kinds[at]?.draft === false)
    const listed = (await pages(shop, `${SHOP}/products`, undefined, limit)).map(({ productId }) => productId)
    expect(listed).toEqual(published.toSorted())
    const black = (await pages(shop, `${SHOP}/products?category=black`, undefined, limit)).map(
      (one) => one.productId,
    )
    expect(black).toEqual(published.filter((id) => kinds[ids.indexOf(id)]?.black === true).toSorted())
  })

  test('lists every order once, the latest first, with any limit', async () => {
    const shop = storefront()
    await sell(shop, 'green', { units: 100 })
    const placed: Array<string> = []
    for (let count = 0; count < 7; count += 1) {
      placed.unshift((await orderOf(shop, 'ann', { green: 1 })).orderId)
      await shop.kernel.settle(shop.kernel.nowMs() + 1000)
    }
    for (const limit of [1, 2, 3, 7, 8]) {
      const listed = await pages(shop, `${SHOP}/orders`, 'ann', limit)
      expect(listed.map(({ orderId }) => orderId)).toEqual(placed)
    }
  })

  test('goes nowhere with a cursor that is not ours', async () => {
    const shop = await annsShop()
    for (const cursor of ['%', '_-8', 'YQ=', 'A'])
      expect((await shop.ask('GET', `${SHOP}/products?cursor=${cursor}`)).status).toBe(400)
    const history = `${SHOP}/orders/${shop.orderId}/history?cursor=YWJj`
    expect((await shop.ask('GET', history, ann)).status).toBe(400)
  })
})

test('a cart that is closed, and one that was never opened, refuse with reasons', async () => {
  const shop = storefront()
  await sell(shop, 'green')
  const { cartId, orderId } = await orderOf(shop, 'ann', { green: 1 })
  const line = { sku: 'green', quantity: 1 }
  const late = await shop.ask('POST', `${SHOP}/carts/${cartId}/lines`, { ...ann, body: line })
  expect([late.status, late.json.rejection]).toEqual([
    409,
    { _tag: 'CartClosed', status: 'checked_out', orderId },
  ])
  const empty = await cartOf(shop, 'ann')
  const checkout = await shop.ask('POST', `${SHOP}/carts/${empty}/checkout`, { ...ann, body: purchase })
  expect([checkout.status, checkout.json.rejection._tag]).toEqual([409, 'CartEmpty'])
})

test('an unsigned webhook is 400', async () => {
  const shop = storefront()
  expect((await shop.ask('POST', `${SHOP}/webhooks/stripe`, { body: {} })).status).toBe(400)
})

/** What a shop has on record after one checkout; two shops of one seed make the same ids and the same keys. */
const recordOf = async (body: object): Promise<string> => {
  const shop = storefront()
  await sell(shop, 'green')
  const cartId = await cartOf(shop, 'ann', { green: 1 })
  await shop.ask('POST', `${SHOP}/carts/${cartId}/checkout`, { ...ann, key: 'k', body })
  await shop.runtime.idle()
  return JSON.stringify(shop.runtime.ports.log)
}

const withoutBoxes = (log: string): string =>
  log.replaceAll(/"box":"[A-Za-z0-9_-]+"/g, '"box":""').replaceAll(/"fingerprint":"[^"]+"/g, '')

describe('personal data', () => {
  test('stand in no commit in the clear, and no fingerprint can be guessed without the key', async () => {
    const log = await recordOf(purchase)
    const secrets = [purchase.email, ...Object.values(purchase.address)].filter(({ length }) => length > 3)
    expect(secrets.filter((secret) => log.includes(secret))).toEqual([])
    expect(log).not.toContain(fingerprint({ body: purchase }))
  })

  test('change nothing on record but boxes, and fingerprints of boxes', async () => {
    const other = { ...purchase, email: 'somebody.else@example.org' }
    expect(withoutBoxes(await recordOf(other))).toBe(withoutBoxes(await recordOf(purchase)))
  })
})
