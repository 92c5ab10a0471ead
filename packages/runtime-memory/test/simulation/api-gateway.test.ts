import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import {
  type ApiGatewayStep,
  afterAttempt,
  apiGateway,
  httpApiEvent,
  usualClient,
} from '../../src/simulation/models/api-gateway/index.ts'
import type { InvocationOutcome } from '../../src/simulation/models/event-source-mapping/index.ts'
import { frozenDeep } from './frozen-deep.ts'

const returned = (value: unknown): InvocationOutcome => ({ _tag: 'Returned', value })
const anyAttempt = fc.record({
  deviation: fc.constantFrom('', '504 while the work goes on', '429', 'sent twice', 'answer lost'),
  takesMs: fc.constantFrom(0, 100, 29_999, 30_000, 60_000),
  atMs: fc.nat(50_000),
})

describe('whatever is asked and answered', () => {
  property.prop([fc.array(anyAttempt, { maxLength: 12, size: 'max' })])(
    'each request is answered once within the time, or its answer is lost',
    (attempts) => {
      const gateway = apiGateway()
      let state = gateway.initial
      const heard: Array<{ readonly request: string; readonly atMs: number }> = []
      const agenda = attempts.map(({ atMs, ...attempt }, at) => ({
        atMs,
        request: `r${at}`,
        call: '',
        ...attempt,
      }))
      for (let turn = 0; ; turn += 1) {
        if (turn > 1000) throw new Error('it does not come to rest')
        agenda.sort((one, other) => one.atMs - other.atMs)
        const due = agenda.shift()
        const lastMs = Math.min(...state.open.map(({ deadlineMs }) => deadlineMs))
        const out = due === undefined || lastMs <= due.atMs
        if (out && !Number.isFinite(lastMs)) break
        const nowMs = out ? lastMs : due.atMs
        if (out && due !== undefined) agenda.push(due)
        let step: ApiGatewayStep
        if (out) step = gateway.next(frozenDeep(state), nowMs)
        else if (due.call !== '')
          step = gateway.answered(frozenDeep(state), due.call, returned({ statusCode: 200 }), nowMs)
        else {
          const { deviation, request, takesMs } = due
          step = gateway.requested(
            frozenDeep(state),
            request,
            deviation === '' ? { nowMs } : { nowMs, deviation },
          )
          expect(step.calls).toHaveLength(deviation === '429' ? 0 : deviation === 'sent twice' ? 2 : 1)
          agenda.push(...step.calls.map(({ id }) => ({ ...due, call: id, atMs: nowMs + takesMs })))
        }
        state = step.state
        heard.push(...step.responses.map(({ request }) => ({ request, atMs: nowMs })))
        heard.push(...step.lost.map((request) => ({ request, atMs: nowMs })))
      }
      expect(heard.map(({ request }) => request).toSorted()).toEqual(
        attempts.map((_, at) => `r${at}`).toSorted(),
      )
      for (const { request, atMs } of heard)
        expect(atMs - (attempts[Number(request.slice(1))]?.atMs ?? 0)).toBeLessThanOrEqual(30_000)
    },
  )
})

const statuses = ({ responses }: ApiGatewayStep) => responses.map(({ response }) => response.statusCode)

describe('a gateway', () => {
  const gateway = apiGateway()
  const asked = gateway.requested(gateway.initial, 'r', { nowMs: 0 })

  test('answers 504 when its patience ends, and does not hear the function any more', () => {
    expect(asked).toMatchObject({ calls: [{ id: 'call 1', request: 'r' }], wakeMs: 30_000 })
    expect(gateway.next(asked.state, 29_999).responses).toEqual([])
    expect(gateway.answered(asked.state, 'call 1', returned({ statusCode: 200 }), 30_000).responses).toEqual(
      [],
    )
    const late = gateway.next(asked.state, 30_000)
    expect(statuses(late)).toEqual([504])
    expect(gateway.answered(late.state, 'call 1', returned({ statusCode: 200 }), 40_000).responses).toEqual(
      [],
    )
  })
  test('may say 504 though the function has answered long ago', () => {
    const deaf = gateway.requested(gateway.initial, 'r', {
      nowMs: 0,
      deviation: '504 while the work goes on',
    })
    const { state, responses } = gateway.answered(deaf.state, 'call 1', returned({ statusCode: 200 }), 10)
    expect(responses).toEqual([])
    expect(statuses(gateway.next(state, 30_000))).toEqual([504])
  })
  test('answers of two calls for a request that of the first to end', () => {
    const twice = gateway.requested(gateway.initial, 'r', { nowMs: 0, deviation: 'sent twice' })
    const first = gateway.answered(twice.state, 'call 2', returned({ statusCode: 201 }), 10)
    expect(statuses(first)).toEqual([201])
    expect(gateway.answered(first.state, 'call 1', returned({ statusCode: 200 }), 20).responses).toEqual([])
  })
  test.each([
    ['http', { _tag: 'Failed' }, 500],
    ['http', { _tag: 'Throttled' }, 503],
    ['http', returned({ statusCode: 'x' }), 500],
    ['http', returned({ anything: 'else' }), 200],
    ['http', returned('text'), 200],
    ['http', returned({ statusCode: '404', headers: { 'X-One': 1 }, body: '' }), 404],
    ['http', returned({ statusCode: 200, body: { not: 'text' } }), 500],
    ['http', returned(undefined), 500],
    ['rest', { _tag: 'Failed' }, 502],
    ['rest', { _tag: 'Throttled' }, 500],
    ['rest', returned({ anything: 'else' }), 502],
    ['rest', returned({ statusCode: 200 }), 200],
  ] as ReadonlyArray<readonly ['http' | 'rest', InvocationOutcome, number]>)(
    'of kind %s makes of %j a %i',
    (kind, outcome, expected) => {
      const other = apiGateway({ kind })
      const { state } = other.requested(other.initial, 'r', { nowMs: 0 })
      expect(statuses(other.answered(state, 'call 1', outcome, 10))).toEqual([expected])
    },
  )
  test('decodes a body, and writes the names of headers small', () => {
    const answer = { statusCode: 200, headers: { ETag: 'x' }, body: 'aGk=', isBase64Encoded: true }
    expect(gateway.answered(asked.state, 'call 1', returned(answer), 10).responses).toEqual([
      {
        request: 'r',
        response: {
          statusCode: 200,
          headers: { 'content-type': 'text/plain;charset=UTF-8', etag: 'x' },
          body: 'hi',
        },
      },
    ])
  })
})

const saying = (statusCode: number) => ({ statusCode, headers: {}, body: '' })

describe('a client', () => {
  test.each([429, 500, 503, 504, undefined])('sends again after %s, up to five times', (status) => {
    const answer = status === undefined ? undefined : saying(status)
    const decisions = [1, 2, 3, 4, 5].map((attempt) => afterAttempt(usualClient, attempt, answer))
    expect(decisions).toEqual([
      ...[200, 400, 800, 1600].map((afterMs) => ({ _tag: 'Again', afterMs })),
      { _tag: 'GaveUp' },
    ])
  })
  test.each([200, 201, 400, 409, 422])('takes %i for an answer', (status) => {
    expect(afterAttempt(usualClient, 1, saying(status))).toEqual({
      _tag: 'Done',
      response: saying(status),
    })
  })
})

test('an event has the shape of format 2.0', () => {
  const request = {
    method: 'POST',
    path: '/orders/7',
    query: 'a=1&a=2&b=x%20y',
    headers: { 'Idempotency-Key': 'k', Cookie: 'one=1; two=2', 'User-Agent': 'test' },
    body: '{}',
  }
  const context = {
    requestId: 'id',
    nowMs: 1_583_348_638_390,
    routeKey: 'POST /orders/{id}',
    pathParameters: { id: '7' },
  }
  expect(httpApiEvent(request, context)).toEqual({
    version: '2.0',
    routeKey: 'POST /orders/{id}',
    rawPath: '/orders/7',
    rawQueryString: 'a=1&a=2&b=x%20y',
    cookies: ['one=1', 'two=2'],
    headers: {
      host: 'simulated.execute-api.us-east-1.amazonaws.com',
      'idempotency-key': 'k',
      'user-agent': 'test',
    },
    queryStringParameters: { a: '1,2', b: 'x y' },
    pathParameters: { id: '7' },
    requestContext: {
      accountId: '000000000000',
      apiId: 'simulated',
      domainName: 'simulated.execute-api.us-east-1.amazonaws.com',
      domainPrefix: 'simulated',
      http: {
        method: 'POST',
        path: '/orders/7',
        protocol: 'HTTP/1.1',
        sourceIp: '192.0.2.1',
        userAgent: 'test',
      },
      requestId: 'id',
      routeKey: 'POST /orders/{id}',
      stage: '$default',
      time: '04/Mar/2020:19:03:58 +0000',
      timeEpoch: 1_583_348_638_390,
    },
    body: '{}',
    isBase64Encoded: false,
  })
})
