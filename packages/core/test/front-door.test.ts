import {
  type CommandId,
  cursorOf,
  E,
  type Fault,
  type FrontDoorPorts,
  freshId,
  frontDoor,
  type HttpRequest,
  type HttpResponse,
  MAX_BODY_BYTES,
  record,
  type StreamName,
  text,
} from '@everfold/core'
import { invalid } from '@everfold/core/testing'
import { virtualKernel } from '@everfold/runtime-memory'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { type Asking, type Bank, bank, Deposit, request, routes } from './jars.ts'

const open = (): Bank => bank(virtualKernel({ mode: 'immediate' }))
const bodyOf = ({ body }: HttpResponse): Record<string, unknown> =>
  JSON.parse(body) as Record<string, unknown>

const ask = ({ door }: Bank, method: string, url: string, asking: Asking = {}) =>
  door(request(method, url, asking))

/** A jar of Ann's with this many coins. */
const annsJar = async (house: Bank, coins = 0): Promise<string> => {
  const opened = await ask(house, 'POST', '/bank/jars', { as: 'ann' })
  const jarId = String(bodyOf(opened)['jarId'])
  if (coins > 0) await ask(house, 'POST', `/bank/jars/${jarId}/coins`, { as: 'ann', body: { coins } })
  return jarId
}

/** As text, so that a later change is seen. */
const written = ({ runtime }: Bank): string => JSON.stringify(runtime.ports.log)

// Whatever comes in

const oddText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string(),
  fc.constantFrom(
    '',
    '%',
    '%zz',
    '%ff',
    '%c3%28',
    '%00',
    '..',
    '%2e%2e',
    '__proto__',
    'constructor',
    '{jarId}',
  ),
  fc.constantFrom('\ud800', 'é', '%F0%9F%A6%8A', 'a'.repeat(5000), '%2F', 'a b', '?', '&&', '=', 'a=1&a=2'),
)
/** What stands in the place of a jar's id: `~` is the id of a jar that there is. */
const place = fc.oneof({ weight: 2, arbitrary: fc.constant('~') }, { weight: 1, arbitrary: oddText })
const path = fc.oneof(
  { weight: 1, arbitrary: oddText },
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        fc.constantFrom(
          '/bank/jars',
          '/bank/jars/{}',
          '/bank/jars/{}/coins',
          '/bank/jars/{}/pourings',
          '/bank/deposits',
          '/bank/hooks/mint',
          '/bank/{}',
          '{}',
        ),
        place,
        fc.oneof(
          { weight: 3, arbitrary: fc.constant('') },
          oddText.map((search) => `?${search}`),
        ),
      )
      .map(([template, id, search]) => template.replace('{}', id) + search),
  },
)
const headers = fc.dictionary(
  fc.constantFrom(
    'authorization',
    'idempotency-key',
    'content-type',
    'everfold-position',
    'if-none-match',
    'x-correlation-id',
    'x-tenant',
    'traceparent',
    '__proto__',
  ),
  fc.oneof(
    oddText,
    fc.constantFrom('ann', 'root', 'forged', 'application/json', 'text/plain', '*', 'jar%2Fx@1', 'jar%2Fx@0'),
  ),
  { noNullPrototype: true },
)
const json = fc.oneof(
  fc.json(),
  fc.constantFrom(
    '{"__proto__":{"coins":1}}',
    '{"coins":1e400}',
    '{"coins":1,"coins":2}',
    '['.repeat(50_000),
  ),
  fc.constantFrom('{"coins":1}', '{"jarId":"x","coins":2}', '{}'),
  fc.constantFrom('{"coins":"\\ud800"}', '\ufeff{}', '{"coins":9007199254740993}', 'NaN', '{"jarId":"x"}'),
)
const body = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  json.map((sent) => new TextEncoder().encode(sent)),
)
const anyRequest: fc.Arbitrary<HttpRequest> = fc
  .record({
    method: fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom('GET', 'HEAD', 'POST', 'PATCH', 'DELETE') },
      { weight: 1, arbitrary: fc.string() },
    ),
    url: path,
    headers,
    body,
    as: fc.constantFrom('ann', 'root', undefined),
  })
  .map(({ as, ...one }) =>
    Object.assign(one, as === undefined ? {} : { headers: { ...one.headers, authorization: as } }),
  )

describe('whatever comes in', () => {
  property.prop([fc.array(anyRequest, { maxLength: 5 })], { numRuns: 400 })(
    'gets a response, and what is refused as input writes nothing',
    async (requests) => {
      const house = open()
      const jarId = await annsJar(house, 3)
      for (const { url, ...one } of requests) {
        const before = written(house)
        const response = await house.door({ ...one, url: url.replace('~', jarId) })
        if (response.status < 400) continue
        expect([400, 401, 403, 404, 405, 409, 413, 422, 503]).toContain(response.status)
        expect(response.headers['content-type']).toBe('application/problem+json')
        if (one.method !== 'HEAD')
          expect(bodyOf(response)).toMatchObject({ type: 'about:blank', status: response.status })
        if (response.status !== 409) expect(written(house)).toBe(before)
      }
    },
  )

  const Coins = record('Amount', { coins: Deposit.required.coins }, { note: text('Note', { maxLength: 20 }) })

  property.prop([invalid(Coins), fc.constantFrom('POST', 'PATCH')])(
    'a body with one fault is told where it is, and writes nothing',
    async ({ input, pointer }, method) => {
      const house = open()
      const jarId = await annsJar(house, 5)
      const before = written(house)
      const sent = new TextEncoder().encode(JSON.stringify(input) ?? 'null')
      const response = await ask(house, method, `/bank/jars/${jarId}/coins`, { as: 'ann', body: sent })
      // A number that JSON cannot hold is null when it arrives.
      expect(response.status).toBe(400)
      expect(bodyOf(response)['errors']).toEqual([{ pointer, detail: expect.any(String) as string }])
      expect(written(house)).toBe(before)
    },
  )

  property.prop([fc.uint8Array({ minLength: 1, maxLength: 300 })])(
    'bytes that are no UTF-8 are refused, and never repaired',
    async (noise) => {
      const house = open()
      const jarId = await annsJar(house)
      const quoted = [...new TextEncoder().encode('{"coins":1,"note":"')]
      const sent = Uint8Array.from([...quoted, 0xc3, ...noise.slice(0, 4), 0x22, 0x7d])
      const wellFormed = E.tryCatch(
        () => new TextDecoder('utf-8', { fatal: true }).decode(sent),
        () => undefined,
      )
      const response = await ask(house, 'POST', `/bank/jars/${jarId}/coins`, { as: 'ann', body: sent })
      if (E.isLeft(wellFormed)) expect(response.status).toBe(400)
    },
  )

  test('a body of many faults gets an answer of bounded length', async () => {
    const house = open()
    const jarId = await annsJar(house)
    const many = Object.fromEntries(Array.from({ length: 50_000 }, (_, at) => [`f${at}`, at]))
    const response = await ask(house, 'POST', `/bank/jars/${jarId}/coins`, { as: 'ann', body: many })
    expect(response.status).toBe(400)
    expect((bodyOf(response)['errors'] as ReadonlyArray<unknown>).length).toBe(100)
  })
})

// Who may

describe('who may not touch a resource', () => {
  property.prop([
    fc.constantFrom<readonly [string, string]>(
      ['GET', ''],
      ['POST', '/coins'],
      ['PATCH', '/coins'],
      ['POST', '/pourings'],
    ),
    body,
    headers,
    fc.option(
      oddText.map((search) => `?${search}`),
      { nil: '' },
    ),
  ])('learns nothing by anything he sends, and changes nothing', async ([method, of], sent, odd, search) => {
    const house = open()
    const jarId = await annsJar(house, 7)
    const plain = await ask(house, method, `/bank/jars/${jarId}${of}`, { as: 'bob' })
    const before = written(house)
    const { authorization: _, 'x-tenant': _tenant, ...others } = odd
    const asking = { as: 'bob', body: sent, headers: others }
    const response = await ask(house, method, `/bank/jars/${jarId}${of}${search}`, asking)
    expect(response.status).toBe(403)
    expect(response).toEqual(plain)
    expect(written(house)).toBe(before)
  })

  test('is told so before anything else of his request is looked at', async () => {
    const house = open()
    const jarId = await annsJar(house)
    const broken = {
      body: new Uint8Array([0xff]),
      headers: { 'idempotency-key': '', 'everfold-position': '?' },
    }
    const coins = `/bank/jars/${jarId}/coins`
    expect((await ask(house, 'POST', coins, broken)).status).toBe(401)
    expect((await ask(house, 'POST', coins, { ...broken, as: 'forged' })).status).toBe(401)
    expect((await ask(house, 'POST', coins, { ...broken, as: 'bob' })).status).toBe(403)
    expect((await ask(house, 'POST', '/bank/jars/unknown/coins', { ...broken, as: 'bob' })).status).toBe(404)
    expect((await ask(house, 'POST', '/bank/deposits', { ...broken, as: 'bob' })).status).toBe(403)
    expect((await ask(house, 'POST', coins, { ...broken, as: 'ann' })).status).toBe(400)
  })

  test('nobody who could not be put on record is let in', async () => {
    const house = open()
    const before = written(house)
    for (const as of ['', 'a'.repeat(2000), '\ud800'])
      expect((await ask(house, 'POST', '/bank/jars', { as })).status).toBe(401)
    const tenant = { as: 'ann', headers: { 'x-tenant': 'other:jar/x' } }
    expect((await ask(house, 'POST', '/bank/jars', tenant)).status).toBe(401)
    expect(written(house)).toBe(before)
  })

  test('a command that its own codec refuses is never decided, whoever composed it', async () => {
    const house = open()
    const before = written(house)
    // The owner's name has at most 255 characters; an actor's may have more.
    const response = await ask(house, 'POST', '/bank/jars', { as: 'a'.repeat(300) })
    expect(bodyOf(response)).toMatchObject({ status: 400, errors: [{ pointer: '/owner' }] })
    expect(written(house)).toBe(before)
  })

  test('tenants do not meet', async () => {
    const house = open()
    const jarId = await annsJar(house, 5)
    const other = { as: 'ann', headers: { 'x-tenant': 'elsewhere' } }
    expect((await ask(house, 'GET', `/bank/jars/${jarId}`, other)).status).toBe(404)
  })
})

// Keys

interface Sent {
  readonly key: number
  readonly as: 'ann' | 'root'
  readonly method: 'POST' | 'PATCH'
  readonly to: 'coins' | 'deposits' | 'pourings'
  readonly body: object
}

const DATED = freshId(virtualKernel().nowMs(), () => 0.5)
const KEYS = ['one', 'two', DATED, DATED.toLowerCase()]

const sent = (jars: readonly [string, string]): fc.Arbitrary<Sent> => {
  const coins = fc.constantFrom(1, 2, 900)
  const key = fc.nat({ max: KEYS.length - 1 })
  return fc.oneof(
    fc.record({
      key,
      as: fc.constant('ann' as const),
      method: fc.constantFrom('POST' as const, 'PATCH' as const),
      to: fc.constant('coins' as const),
      body: fc.record({ coins }),
    }),
    fc.record({
      key,
      as: fc.constant('root' as const),
      method: fc.constant('POST' as const),
      to: fc.constant('deposits' as const),
      body: fc.record({ jarId: fc.constantFrom(...jars, 'unknown'), coins }),
    }),
    fc.record({
      key,
      as: fc.constant('ann' as const),
      method: fc.constant('POST' as const),
      to: fc.constant('pourings' as const),
      body: fc.record({ jarId: fc.constant(jars[1]), coins }),
    }),
  )
}

const scopeOf = ([{ as, method, to, key }]: readonly [Sent, HttpResponse]): string =>
  [as, method, to, key].join()

const oneAnswer = (same: ReadonlyArray<readonly [Sent, HttpResponse]>): void => {
  const answered = same.filter(([, { status }]) => status !== 422)
  const [first] = answered
  expect(first).toBeDefined()
  for (const [one, { status, body: replied }] of answered) {
    expect(one.body).toEqual(first?.[0].body)
    expect([status, replied]).toEqual([first?.[1].status, first?.[1].body])
  }
  const fresh = answered.filter(([, response]) => response.headers['idempotent-replayed'] === undefined)
  expect(fresh.length).toBe(1)
  for (const [one, { status }] of same) if (status === 422) expect(one.body).not.toEqual(first?.[0].body)
}

/** What the jars hold is what the answers say was put in and taken out, each key once. */
const oneEffect = ({ runtime }: Bank, answers: ReadonlyArray<readonly [Sent, HttpResponse]>): void => {
  let expected = 0
  for (const [{ body: payload, method, to }, { status, headers: fields }] of answers)
    if (status < 300 && fields['idempotent-replayed'] === undefined && to !== 'pourings')
      expected += (payload as { coins: number }).coins * (method === 'PATCH' ? -1 : 1)
  const events = runtime.ports.log.flatMap(({ answers: all }) => all.flatMap((one) => one.events))
  const held = events.reduce(
    (sum, { _tag, coins }) => sum + (_tag === 'CoinsPut' ? 1 : -1) * Number(coins ?? 0),
    0,
  )
  expect(held).toBe(expected)
}

const NAMES = ['first', 'second'] as const

/** The jars' ids derive from the keys that they were opened with, so they are the same in every run. */
const jarsOf = async (house: Bank): Promise<readonly [string, string]> => {
  const [one, other] = await Promise.all(
    NAMES.map(async (key) => {
      const opened = await ask(house, 'POST', '/bank/jars', { as: 'ann', key })
      return String(bodyOf(opened)['jarId'])
    }),
  )
  return [one ?? '', other ?? '']
}

const JARS = await jarsOf(open())

describe('the same key', () => {
  const rounds = fc.array(fc.array(sent(JARS), { minLength: 1, maxLength: 5 }), { maxLength: 8 })

  property.prop([rounds, fc.nat()], { numRuns: 150 })(
    'gives the same status and body, in flight and later; with another payload it is refused',
    async (requests, seed) => {
      const kernel = virtualKernel({ seed })
      const house = bank(kernel)
      const answers: Array<readonly [Sent, HttpResponse]> = []
      await kernel.run(async () => {
        await jarsOf(house)
        for (const round of requests)
          answers.push(
            ...(await Promise.all(
              round.map(async (one, at) => {
                const { as, method, to, body: sentBody, key } = one
                const url = to === 'deposits' ? '/bank/deposits' : `/bank/jars/${JARS[0]}/${to}`
                const asking = { as, key: KEYS[key] ?? '', body: sentBody }
                const response = await kernel.as(`caller ${at}`, () => ask(house, method, url, asking))
                return [one, response] as const
              }),
            )),
          )
      })
      for (const same of Object.values(Object.groupBy(answers, scopeOf))) oneAnswer(same ?? [])
      oneEffect(house, answers)
    },
  )

  test('is scoped by caller, method and path, however the path is spelled', async () => {
    const house = open()
    const jarId = await annsJar(house, 10)
    const put = { as: 'ann', key: 'k', body: { coins: 2 } }
    const first = await ask(house, 'POST', `/bank/jars/${jarId}/coins`, put)
    expect(bodyOf(first)).toEqual({ jarId, total: 12 })
    const taken = await ask(house, 'PATCH', `/bank/jars/${jarId}/coins`, put)
    expect(bodyOf(taken)).toEqual({ jarId, total: 10 })
    const spelled = jarId.replace(/^./, (digit) => `%${digit.charCodeAt(0).toString(16)}`)
    const again = await ask(house, 'POST', `/bank/jars/${spelled}/%63oins`, put)
    expect(again.headers['idempotent-replayed']).toBe('true')
    expect(again.body).toBe(first.body)
    const opened = await Promise.all(
      ['ann', 'bob'].map((as) => ask(house, 'POST', '/bank/jars', { as, key: 'k' })),
    )
    expect(new Set(opened.map(({ body: one }) => one)).size).toBe(2)
  })

  property.prop([fc.integer({ min: 1, max: 4 }), fc.nat()])(
    'gives the same answer when what the command needed has since gone, in flight and later',
    async (callers, seed) => {
      const kernel = virtualKernel({ seed })
      const house = bank(kernel)
      const answers = await kernel.run(async () => {
        const jarId = await annsJar(house, 1)
        const halve = (at: number) =>
          kernel.as(`caller ${at}`, () =>
            ask(house, 'POST', `/bank/jars/${jarId}/halvings`, { as: 'ann', key: 'k' }),
          )
        const inFlight = await Promise.all(Array.from({ length: callers }, (_, at) => halve(at)))
        return [...inFlight, await halve(callers)]
      })
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
      expect(new Set(answers.map(({ body: replied }) => replied)).size).toBe(1)
      const fresh = answers.filter((one) => one.headers['idempotent-replayed'] === undefined)
      expect(fresh.length).toBe(1)
    },
  )

  test('is refused with a payload that names another stream, also after a refusal', async () => {
    const kernel = virtualKernel({ mode: 'immediate' })
    const house = bank(kernel)
    const [mine, other] = await jarsOf(house)
    const third = await annsJar(house, 9)
    const deposit = (jarId: string) =>
      ask(house, 'POST', '/bank/deposits', { as: 'root', key: 'k', body: { jarId, coins: 1 } })
    expect((await deposit('unknown')).status).toBe(409)
    expect((await deposit(mine)).status).toBe(422)
    expect((await deposit('unknown')).headers['idempotent-replayed']).toBe('true')
    const pour = (jarId: string, coins = 5) =>
      ask(house, 'POST', `/bank/jars/${mine}/pourings`, { as: 'ann', key: 'p', body: { jarId, coins } })
    const refused = await pour(other)
    expect(refused.status).toBe(409)
    await ask(house, 'POST', `/bank/jars/${other}/coins`, { as: 'ann', body: { coins: 9 } })
    await kernel.settle(kernel.nowMs() + 1000)
    const again = await pour(other)
    expect([again.status, again.body]).toEqual([409, refused.body])
    expect(again.headers['idempotent-replayed']).toBe('true')
    expect((await pour(other, 6)).status).toBe(422)
    expect((await pour(third)).status).toBe(422)
  })

  test('of the far future is to be tried later, and one of long ago is refused unread', async () => {
    const kernel = virtualKernel({ mode: 'immediate' })
    const house = bank(kernel)
    const jarId = await annsJar(house)
    const put = (dateMs: number) => {
      const asking = { as: 'ann', key: freshId(dateMs, () => 0.5), body: { coins: 1 } }
      return ask(house, 'POST', `/bank/jars/${jarId}/coins`, asking)
    }
    const day = 24 * 3_600_000
    const before = written(house)
    const early = await put(kernel.nowMs() + day)
    expect([early.status, early.headers['retry-after']]).toEqual([503, '1'])
    expect((await put(kernel.nowMs() - 36 * day)).status).toBe(422)
    expect(written(house)).toBe(before)
    expect((await put(kernel.nowMs() - 34 * day)).status).toBe(201)
  })

  test('of long ago makes nobody read a whole log', async () => {
    const kernel = virtualKernel()
    const house = bank(kernel)
    await kernel.run(async () => {
      const jarId = await annsJar(house)
      const put = (key?: string) =>
        ask(house, 'POST', `/bank/jars/${jarId}/coins`, {
          as: 'ann',
          body: { coins: 1 },
          ...(key === undefined ? {} : { key }),
        })
      for (let count = 0; count < 200; count += 1) await put()
      const before = kernel.trace.length
      expect((await put('00000000000000000000000000')).status).toBe(422)
      const reads = kernel.trace.slice(before).filter((key) => key.includes('event-store.read'))
      // To ask whose it is.
      expect(reads.length).toBe(1)
    })
  })

  test.each(['', ' ', 'a b', 'é', 'a'.repeat(256), '\n'])('%j is not one', async (key) => {
    const house = open()
    const before = written(house)
    const response = await ask(house, 'POST', '/bank/jars', { as: 'ann', key })
    expect(bodyOf(response)).toMatchObject({ status: 400, errors: [{ pointer: '/headers/Idempotency-Key' }] })
    expect(written(house)).toBe(before)
  })
})

// Reading one's writes

describe('a read that sends a position back', () => {
  property.prop([fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }), fc.nat()])(
    'sees that write',
    async (puts, seed) => {
      const kernel = virtualKernel({ seed, overtaking: 200 })
      const house = bank(kernel)
      await kernel.run(async () => {
        const jarId = await annsJar(house)
        let total = 0
        for (const coins of puts) {
          total += coins
          const put = await ask(house, 'POST', `/bank/jars/${jarId}/coins`, { as: 'ann', body: { coins } })
          const position = put.headers['everfold-position'] ?? ''
          const read = await ask(house, 'GET', '/bank/jars', { headers: { 'everfold-position': position } })
          expect(bodyOf(read)).toEqual({ items: [{ jarId, total }] })
        }
      })
    },
  )

  test('is told to come back where the view does not get there', async () => {
    const house = open()
    const jarId = await annsJar(house)
    const ahead = { headers: { 'everfold-position': `jar%2F${jarId}@99` } }
    const response = await ask(house, 'GET', '/bank/jars', ahead)
    expect([response.status, response.headers['retry-after']]).toEqual([503, '1'])
  })

  test('does not wait for streams that the view takes no part of, nor for those of another tenant', async () => {
    const kernel = virtualKernel({ mode: 'immediate' })
    const house = bank(kernel)
    const startMs = kernel.nowMs()
    for (const position of ['other%2Fx@5', 'elsewhere:jar%2Fx@5'])
      expect(
        (await ask(house, 'GET', '/bank/jars', { headers: { 'everfold-position': position } })).status,
      ).toBe(200)
    expect(kernel.nowMs()).toBe(startMs)
  })

  test.each([
    '',
    '@',
    'jar/x',
    'jar/x@',
    'jar/x@-1',
    'jar/x@1.5',
    '%@1',
    'jar@1',
    '@1',
    `jar/x@${'9'.repeat(16)}`,
  ])('a position %j is malformed, which is told after authorization', async (position) => {
    const house = open()
    const jarId = await annsJar(house)
    const asking = { headers: { 'everfold-position': position } }
    const pointers = [{ pointer: '/headers/Everfold-Position' }]
    expect(bodyOf(await ask(house, 'GET', '/bank/jars', asking))).toMatchObject({
      status: 400,
      errors: pointers,
    })
    expect((await ask(house, 'GET', `/bank/jars/${jarId}`, { ...asking, as: 'bob' })).status).toBe(403)
  })
})

// HTTP

describe('the manners of HTTP', () => {
  test('HEAD is GET without its body, also where there is a problem', async () => {
    const house = open()
    await annsJar(house)
    const [got, head] = [await ask(house, 'GET', '/bank/jars'), await ask(house, 'HEAD', '/bank/jars')]
    expect(head).toEqual({ ...got, body: '' })
    expect(await ask(house, 'HEAD', '/nowhere')).toMatchObject({ status: 404, body: '' })
  })

  test('an answer that may be cached has an ETag, and a 304 has no body', async () => {
    const house = open()
    await annsJar(house)
    const got = await ask(house, 'GET', '/bank/jars')
    const { etag = '', ...others } = got.headers
    expect(others).toMatchObject({ 'cache-control': 'public, max-age=10', vary: 'everfold-position' })
    for (const match of [etag, `W/${etag}`, `"x", ${etag}`, '*'])
      expect(await ask(house, 'GET', '/bank/jars', { headers: { 'if-none-match': match } })).toEqual({
        status: 304,
        headers: got.headers,
        body: '',
      })
    expect((await ask(house, 'GET', '/bank/jars', { headers: { 'if-none-match': '"x"' } })).status).toBe(200)
    await annsJar(house)
    expect((await ask(house, 'GET', '/bank/jars', { headers: { 'if-none-match': etag } })).status).toBe(200)
  })

  test('what one tenant sees is in no cache that others share', async () => {
    const house = open()
    const headersOf = { headers: { 'x-tenant': 'acme' }, as: 'ann' }
    const got = await ask(house, 'GET', '/bank/jars', headersOf)
    expect(got.headers['cache-control']).toBe('private, no-cache')
  })

  test('another method is refused with those that there are', async () => {
    const house = open()
    const put = await ask(house, 'PUT', '/bank/jars')
    expect([put.status, put.headers['allow']]).toEqual([405, 'POST, GET, HEAD'])
    const hook = await ask(house, 'GET', '/bank/hooks/mint')
    expect([hook.status, hook.headers['allow']]).toEqual([405, 'POST'])
  })

  test('a body that is too large is 413, and none at all is an empty object', async () => {
    const house = open()
    const as = 'ann'
    const large = new Uint8Array(MAX_BODY_BYTES + 1)
    expect((await ask(house, 'POST', '/bank/jars', { as, body: large })).status).toBe(413)
    expect((await house.door({ ...request('POST', '/bank/jars', { as }), bodyTooLarge: true })).status).toBe(
      413,
    )
    expect((await ask(house, 'POST', '/bank/hooks/mint', { body: large })).status).toBe(413)
    expect((await ask(house, 'POST', '/bank/jars', { as })).status).toBe(201)
  })

  test('a query that a command does not know is refused', async () => {
    const house = open()
    const response = await ask(house, 'POST', '/bank/jars?dry=1', { as: 'ann' })
    expect(bodyOf(response)).toMatchObject({ status: 400, errors: [{ pointer: '/query/dry' }] })
  })

  test('pages list every jar once, whatever the limit', async () => {
    const house = open()
    for (let count = 0; count < 7; count += 1) await annsJar(house)
    for (const limit of [1, 2, 7, 10]) {
      const seen: Array<unknown> = []
      let cursor = ''
      do {
        const page = bodyOf(await ask(house, 'GET', `/bank/jars?limit=${limit}${cursor}`))
        seen.push(...(page['items'] as ReadonlyArray<unknown>))
        const { nextCursor } = page as { nextCursor?: string }
        cursor = nextCursor === undefined ? '' : `&cursor=${nextCursor}`
      } while (cursor !== '')
      expect(new Set(seen.map((one) => JSON.stringify(one))).size).toBe(7)
      expect(seen.length).toBe(7)
    }
    for (const cursor of ['_-8', 'AAAA', 'SkFSIzE', cursorOf('JAR#1', 'lids')]) {
      const refused = await ask(house, 'GET', `/bank/jars?cursor=${cursor}`)
      expect(bodyOf(refused)).toMatchObject({ status: 400, errors: [{ pointer: '/query/cursor' }] })
    }
  })

  test('the actor, the tenant and the conversation are on record', async () => {
    const house = open()
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    const named = { 'x-tenant': 'acme', 'x-correlation-id': 'talk-1', traceparent }
    await ask(house, 'POST', '/bank/jars', { as: 'ann', headers: named })
    expect(house.runtime.ports.log[0]).toMatchObject({
      stream: expect.stringMatching(/^acme:jar\//) as string,
      answers: [{ metadata: { actor: 'ann', tenant: 'acme', correlationId: 'talk-1', trace: traceparent } }],
    })
    const odd = { as: 'ann', headers: { 'x-correlation-id': 'a b' } }
    expect((await ask(house, 'POST', '/bank/jars', odd)).status).toBe(400)
  })
})

describe('a hook', () => {
  test('records what the provider says, once, and nothing of a message with a part that is refused', async () => {
    const house = open()
    const jarId = await annsJar(house)
    const told = (message: string) =>
      ask(house, 'POST', '/bank/hooks/mint', { body: new TextEncoder().encode(message) })
    const before = written(house)
    expect((await told('no jar')).status).toBe(400)
    expect((await told(`${jarId}=many`)).status).toBe(400)
    expect(written(house)).toBe(before)
    expect((await told(`${jarId}=4`)).status).toBe(200)
    expect((await told(`${jarId}=4`)).status).toBe(200)
    const jar = await ask(house, 'GET', `/bank/jars/${jarId}`, { as: 'ann' })
    expect(bodyOf(jar)).toEqual({ jarId, total: 4 })
  })
})

// Faults

const stream = 'jar/x' as StreamName
const commandIds: ReadonlyArray<CommandId> = []
const FAULTS: ReadonlyArray<readonly [Fault, number]> = [
  [{ _tag: 'Unavailable', what: 'the log', cause: new Error('secret') }, 503],
  [{ _tag: 'Unsettled', stream, commandIds }, 503],
  [{ _tag: 'Contended', stream, attempts: 3 }, 503],
  [{ _tag: 'TooLarge', stream, sizeBytes: 2, limitBytes: 1 }, 413],
  [{ _tag: 'MissingCommit', stream, number: 3 }, 500],
  [{ _tag: 'Undecodable', stream, commit: 3, errors: [{ pointer: '/secret', detail: 'secret' }] }, 500],
]

describe('a fault', () => {
  test.each(FAULTS)('$_tag is a problem that shows nothing of its cause', async (fault, status) => {
    const kernel = virtualKernel({ mode: 'immediate' })
    const { runtime } = bank(kernel)
    const ports: FrontDoorPorts = {
      routes,
      clock: kernel,
      freshId: () => freshId(0, () => 0),
      authenticate: async () => E.right({ userId: 'ann', roles: [] }),
      execute: () => async () => E.left(fault),
      recall: runtime.recall,
      reader: () => ({}) as never,
      progress: () => async () => E.right(undefined),
      hooks: {},
    }
    const response = await frontDoor(ports)(request('POST', '/bank/jars'))
    expect(response.status).toBe(status)
    expect(response.headers['retry-after']).toBe(status === 503 ? '1' : undefined)
    expect(response.body).not.toContain('secret')
  })
})
