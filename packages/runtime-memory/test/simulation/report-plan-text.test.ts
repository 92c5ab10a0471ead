import { E, type InvalidInput } from '@everfold/core'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import {
  decodeFailure,
  encodeFailure,
  type Failure,
  failureOf,
  fileOf,
} from '../../src/simulation/report/corpus.ts'
import { decodePlan, encodePlan } from '../../src/simulation/report/plan-text.ts'
import { wordsOfFaults } from '../../src/simulation/report/reading.ts'
import { HOSTILE, lostResponse } from './sample-runs.ts'
import { order } from './toy-shop.ts'

const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(HOSTILE, '__proto__', '', '1'))
const anyPlan = fc.record({
  seed: anyText,
  deviations: fc.array(fc.tuple(anyText, anyText)).map((entries) => new Map(entries)),
})
const anyCommand = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)))
const anyRequests = fc.array(
  fc
    .record({ at: fc.integer({ min: 1, max: 9 }), client: anyText, command: anyCommand })
    .map(({ at, client, command }) => Object.assign({}, order(at, 1), { client, command })),
)

const faults = (decoded: E.Either<InvalidInput, unknown>) =>
  E.isLeft(decoded) ? wordsOfFaults(decoded.left) : ''

describe('a plan as a line', () => {
  property.prop([anyPlan, fc.option(anyRequests, { nil: undefined })])(
    'is the same when it is read',
    (plan, requests) => {
      const line = encodePlan(plan, requests)
      expect(decodePlan(line)).toEqual(E.right(requests === undefined ? { plan } : { plan, requests }))
      expect(line).not.toMatch(/[\p{Cc}\u2028\u2029\u202e]/u)
    },
  )
  test('reads as it was once written', () => {
    const line = '{"version":1,"seed":"7","deviations":{"relay 1: queue.send order/7@3 #1":"response lost"}}'
    const plan = { seed: '7', deviations: new Map([['relay 1: queue.send order/7@3 #1', 'response lost']]) }
    expect(decodePlan(line)).toEqual(E.right({ plan }))
    expect(encodePlan(plan)).toBe(line)
  })
  test.each([
    ['', /^the input is not JSON/],
    ['7', /^the input is not an object$/],
    ['{}', /^\/version is required; \/seed is required; \/deviations is required$/],
    ['{"version":2,"seed":"7","deviations":{}}', /^\/version is not 1, the version that can be read$/],
    ['{"version":1,"seed":7,"deviations":[]}', /^\/seed is not text; \/deviations is not an object$/],
    ['{"version":1,"seed":"7","deviations":{"a/b~":1}}', /^\/deviations\/a~1b~0 is not text$/],
    ['{"version":1,"seed":"7","deviations":{},"faults":[]}', /^\/faults is not a known field$/],
    ['{"version":1,"seed":"7","deviations":{},"requests":{}}', /^\/requests is not a list$/],
    [
      '{"version":1,"seed":"7","deviations":{},"requests":[{"client":"c","id":"x","aggregate":"a","stream":"a","command":1,"afterMs":-1}]}',
      /^\/requests\/0\/id is not a CommandId; \/requests\/0\/stream is not a StreamName; \/requests\/0\/afterMs is not a number/,
    ],
    ['{"version":1,"seed":"7","deviations":{},"requests":[{}]}', /\/requests\/0\/client is required/],
  ])('%j is refused, saying where', (line, message) => {
    expect(faults(decodePlan(line))).toMatch(message)
  })
  property.prop([fc.oneof(fc.string(), fc.json())])('rubbish is refused, and nothing throws', (rubbish) => {
    expect(E.isLeft(decodePlan(rubbish))).toBe(true)
    expect(E.isLeft(decodeFailure(rubbish))).toBe(true)
  })
})

describe('a failure of the corpus', () => {
  property.prop([anyText, anyPlan, anyRequests, anyText])(
    'is the same when it is read',
    (name, plan, requests, invariant) => {
      const failure: Failure = { name, plan, requests, invariant }
      expect(decodeFailure(encodeFailure(failure))).toEqual(E.right(failure))
    },
  )
  property.prop([anyText])('has a file of a harmless name', (name) => {
    expect(fileOf({ ...failureOf('', lostResponse), name })).toMatch(/^[a-z0-9-]{1,80}\.json$/)
  })
  test('is made of a run that failed, and of no other', () => {
    const { plan, requests } = lostResponse
    expect(failureOf('picked twice', lostResponse)).toEqual({
      name: 'picked twice',
      plan,
      requests,
      invariant: 'S3',
    })
    const { violation: _, ...fine } = lostResponse
    expect(() => failureOf('picked twice', fine)).toThrow('only a run with a violation')
  })
  test('tells where it cannot be read', () => {
    const text = encodeFailure(failureOf('picked twice', lostResponse)).replace('"seed": "42"', '"seed": 42')
    expect(faults(decodeFailure(text))).toBe('/plan/seed is not text')
  })
})
