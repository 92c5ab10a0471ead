/** Tokens: only those that this process has signed, that have not expired and that name somebody open a door. */
import { E } from '@everfold/core'
import { virtualKernel } from '@everfold/runtime-memory'
import { fc, test as property } from '@fast-check/vitest'
import { type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { doorway } from '../src/doorway.ts'
import { house } from '../src/house.ts'
import { tokens } from '../src/token.ts'

const HOUR_MS = 3_600_000
const kernel = virtualKernel({ mode: 'immediate', startMs: Date.UTC(2026, 0, 1) })
const key = new Uint8Array(32).fill(1)
const issued = tokens(key, kernel.nowMs)
const shop = await house({ kernel, authenticate: issued.authenticate, seed: 'token' })
const door = doorway(shop.service, shop.door, issued)

const ask = (method: string, url: string, authorization?: string, body = '') =>
  door({
    method,
    url,
    headers: authorization === undefined ? {} : { authorization },
    body: Buffer.from(body),
  })

const nowS = Math.floor(kernel.nowMs() / 1000)
const claims: JWTPayload = { iss: 'everfold-local', sub: 'ann', roles: ['admin'], iat: nowS, exp: nowS + 60 }
const signed = (payload: JWTPayload, by = key, alg = 'HS256'): Promise<string> =>
  new SignJWT(payload).setProtectedHeader({ alg }).sign(by)
const without = (name: string): JWTPayload =>
  Object.fromEntries(Object.entries(claims).filter(([claim]) => claim !== name))

const tokenFrom = async (query: string): Promise<string> => {
  const { status, body } = await ask('GET', `/dev/token?${query}`)
  expect(status).toBe(200)
  return (JSON.parse(body) as { token: string }).token
}

describe('a token', () => {
  test('that was asked for names its user and his roles', async () => {
    const token = await tokenFrom('sub=ann&roles=admin,clerk')
    const caller = await issued.authenticate({ authorization: `Bearer ${token}` })
    expect(caller).toEqual(E.right({ userId: 'ann', roles: ['admin', 'clerk'] }))
    expect((await ask('GET', '/ecommerce/orders', `Bearer ${token}`)).status).toBe(200)
    expect((await ask('POST', '/ecommerce/products', `bearer ${token}`, '{}')).status).toBe(400)
  })

  test('without the role opens no door of administrators', async () => {
    for (const query of ['sub=ann', 'sub=ann&roles=', 'sub=ann&roles=clerk']) {
      const authorization = `Bearer ${await tokenFrom(query)}`
      expect((await ask('GET', '/ecommerce/orders', authorization)).status).toBe(200)
      expect((await ask('POST', '/ecommerce/products', authorization, '{}')).status).toBe(403)
    }
  })

  test('made with the same claims and key passes, so that what is refused below is refused for its fault', async () => {
    expect((await ask('GET', '/ecommerce/orders', `Bearer ${await signed(claims)}`)).status).toBe(200)
  })

  const faulty: ReadonlyArray<readonly [string, () => string | Promise<string>]> = [
    ['has expired', () => signed({ ...claims, exp: nowS })],
    ['never expires', () => signed(without('exp'))],
    ['is not valid yet', () => signed({ ...claims, nbf: nowS + 60 })],
    ['is signed by another key', () => signed(claims, new Uint8Array(32).fill(2))],
    ['is signed by another algorithm', () => signed(claims, new Uint8Array(64).fill(1), 'HS512')],
    ['is not signed', () => new UnsecuredJWT(claims).encode()],
    ['lost its signature', async () => (await signed(claims)).replace(/[^.]+$/, '')],
    [
      'was changed',
      async () =>
        (await signed(claims)).replace(
          /\.[^.]+\./,
          `.${Buffer.from(JSON.stringify({ ...claims, sub: 'bob' })).toString('base64url')}.`,
        ),
    ],
    ['comes from elsewhere', () => signed({ ...claims, iss: 'elsewhere' })],
    ['comes from nowhere', () => signed(without('iss'))],
    ['names nobody', () => signed(without('sub'))],
    ['names nobody by an empty name', () => signed({ ...claims, sub: '' })],
    ['names somebody by blanks', () => signed({ ...claims, sub: 'ann and bob' })],
    ['has no roles', () => signed(without('roles'))],
    ['has a word for a list of roles', () => signed({ ...claims, roles: 'admin' })],
    ['has roles that are no words', () => signed({ ...claims, roles: [['admin']] })],
    ['is none', () => ''],
    ['is two', async () => `${await signed(claims)} ${await signed(claims)}`],
  ]
  test.each(faulty)('that %s is 401 wherever one is needed', async (_title, make) => {
    const authorization = `Bearer ${await make()}`
    for (const [method, path] of [
      ['GET', '/ecommerce/orders'],
      ['POST', '/ecommerce/carts'],
      ['POST', '/ecommerce/prices'],
    ] as const) {
      const { status, headers, body } = await ask(method, path, authorization, 'not even JSON')
      expect([status, headers['www-authenticate']]).toEqual([401, 'Bearer'])
      expect(JSON.parse(body)).toMatchObject({ title: 'Unauthorized', detail: expect.any(String) })
    }
    expect((await ask('GET', '/ecommerce/products', authorization)).status).toBe(200)
  })

  test('expires after twelve hours', async () => {
    let timeMs = kernel.nowMs()
    const { issue, authenticate } = tokens(key, () => timeMs)
    const authorization = `Bearer ${await issue({ userId: 'ann', roles: [] })}`
    timeMs += 12 * HOUR_MS - 1000
    expect(E.isRight(await authenticate({ authorization }))).toBe(true)
    timeMs += 1000
    expect(E.isLeft(await authenticate({ authorization }))).toBe(true)
  })

  property.prop([
    fc.oneof(
      fc.string(),
      fc.string().map((text) => `Bearer ${text}`),
    ),
  ])('that is anything else is 401, never an exception', async (authorization) => {
    expect((await ask('GET', '/ecommerce/orders', authorization)).status).toBe(401)
  })
})

describe('a token is not given', () => {
  test.each([
    ['', '/query/sub'],
    ['sub=', '/query/sub'],
    ['sub=a%20b', '/query/sub'],
    ['sub=%FF', '/query/sub'],
    [`sub=${'a'.repeat(129)}`, '/query/sub'],
    ['sub=ann&sub=bob', '/query/sub'],
    ['sub=ann&roles=Admin', '/query/roles'],
    ['sub=ann&roles=admin,,clerk', '/query/roles'],
    ['sub=ann&role=admin', '/query/role'],
  ])('for %j', async (query, pointer) => {
    const { status, body } = await ask('GET', `/dev/token?${query}`)
    expect(status).toBe(400)
    expect(JSON.parse(body)).toMatchObject({ errors: [{ pointer }] })
  })

  test('for whoever does not ask with GET', async () => {
    expect((await ask('POST', '/dev/token?sub=ann')).status).toBe(404)
  })
})
