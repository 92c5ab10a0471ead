import { E } from '@everfold/core'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { decodePlan } from '../../src/simulation/report/plan-text.ts'
import { summary } from '../../src/simulation/report/summary.ts'
import { crash, HOSTILE, hostile, long, lostResponse } from './sample-runs.ts'

/** The word of a shell after `--plan`, as a POSIX shell reads it: quoted parts, and quotes that are escaped. */
const planOf = (text: string): string => {
  const word = /--plan ((?:'[^']*'|\\')+)$/m.exec(text)?.[1] ?? ''
  return word.replaceAll(/'([^']*)'|\\(')/g, '$1$2')
}

test('a failing run in a terminal', () => {
  expect(summary(lostResponse, { lastSteps: 3, width: 60 })).toBe(`\
S3 did not hold: a command id has one effect, and order/7 was picked by picking/7@1 and by picking/7@2
  at /srv/shop/test/shop.simulation.ts:41:7
  seed 42, after step 12, in 12 steps and 1.4 s of virtual time

1 deviation
  1. After 250 ms (step 8) the response of relay 1's send of order/7@1 at queue was lost, though it was done; \
it was asked for again after 1.25 s (step 9), and the answer was stored.

2 requests
  after 0 ms client 1: order/7 {"_tag":"PlaceOrder","sku":"…
  after 40 ms client 2: order/12 {"_tag":"PlaceOrder","sku"…

The last 3 steps up to it
  #10 1.3 s  warehouse 1 → store  append picking/7@1: stored
  #11 1.35 s  relay 2 → queue  send order/12@1: stored
  #12 1.4 s  warehouse 1 → store  append picking/7@2: stored

Replay
  pnpm simulate --plan '{"version":1,"seed":"42","deviations":{"relay 1: queue.send order/7@1 #1":"response lost"},\
"requests":[{"client":"client 1","id":"01KDVDNM010000000000000000","aggregate":"order","stream":"order/7",\
"command":{"_tag":"PlaceOrder","sku":"sku-1","units":2},"afterMs":0},{"client":"client 2",\
"id":"01KDVDNM020000000000000000","aggregate":"order","stream":"order/12",\
"command":{"_tag":"PlaceOrder","sku":"sku-1","units":2},"afterMs":40}]}'
`)
})

describe('whatever the run', () => {
  property.prop([fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(HOSTILE, "it's"))])(
    'nothing is printed that a terminal obeys, and the plan can be taken from it',
    (text) => {
      const run = hostile(text)
      const told = summary(run)
      expect(told.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cs}\u202e]/u)
      expect(decodePlan(planOf(told))).toEqual(E.right({ plan: run.plan, requests: run.requests }))
    },
  )
})

test('a run in which all held says so', () => {
  const { violation: _, ...fine } = crash
  expect(summary(fine)).toMatch(/^All held: seed 42, 5 steps and 29\.002 s of virtual time\.\n/)
})

test('a run by no deviation says so, and how to replay is the caller’s', () => {
  const run = { ...long(3), plan: { seed: '1', deviations: new Map() } }
  const told = summary(run, { replay: (plan) => `everfold simulate ${plan}` })
  expect(told).toContain('Nothing deviated from the benign.')
  expect(told).toContain("  everfold simulate '{")
})
