import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import type { Plan, Request, Run } from '../../src/simulation/run.ts'
import { bySimplicity } from '../../src/simulation/shrink/scenario.ts'
import { candidates, type Shrinking, shrink } from '../../src/simulation/shrink/shrink.ts'
import { isOrder, keyOf, order, runShop } from './toy-shop.ts'

const KINDS = ['response lost', 'late by n ms', 'throttled', 'crash after'] as const

const anyRequests = fc
  .array(fc.record({ units: fc.integer({ min: 1, max: 50 }), afterMs: fc.nat(10_000) }), {
    minLength: 1,
    maxLength: 8,
  })
  .map((orders) => orders.map(({ units, afterMs }, at) => order(at + 1, units, afterMs)))

const anyDeviation = fc.oneof(
  fc.constantFrom('response lost', 'throttled', 'crash after'),
  fc.integer({ min: 1, max: 5000 }).map((ms) => `late by ${ms} ms`),
)

const anyPlan = (requests: ReadonlyArray<Request>): fc.Arbitrary<Plan> => {
  const keys = requests.flatMap((request) => [1, 2, 3].map((attempt) => keyOf(request, attempt)))
  return fc
    .array(fc.tuple(fc.constantFrom(...keys), anyDeviation), { maxLength: 12 })
    .map((deviations) => ({ seed: '7', deviations: new Map(deviations) }))
}

const anyScenario = anyRequests.chain((requests) => anyPlan(requests).map((plan) => ({ plan, requests })))

const shrinking = (failing: Run, more: Partial<Shrinking> = {}): Shrinking => ({
  run: runShop,
  failing,
  budget: { runs: 2000 },
  simpler: bySimplicity(...KINDS),
  accepts: isOrder,
  ...more,
})

const lossy = (...requests: ReadonlyArray<Request>): Plan => ({
  seed: '7',
  deviations: new Map(
    requests.flatMap((one) => [1, 2].map((attempt) => [keyOf(one, attempt), 'late by 80 ms'])),
  ),
})

const failing = await runShop(
  lossy(order(1, 40), order(2, 2), order(3, 9)),
  [1, 2, 3, 4].map((n) => order(n, 40)),
)

describe('whatever went wrong', () => {
  property.prop([anyScenario])(
    'the shrunk run breaks the same invariant, as it does again',
    async (scenario) => {
      const first = await runShop(scenario.plan, scenario.requests)
      if (first.violation === undefined) return
      const { run, complete } = await shrink(shrinking(first))
      expect(complete).toBe(true)
      expect(run.violation?.invariant).toBe(first.violation.invariant)
      expect(await runShop(run.plan, run.requests)).toEqual(run)
    },
  )
  property.prop([anyScenario])('it is the least: one order, at once, and what broke it', async (scenario) => {
    const first = await runShop(scenario.plan, scenario.requests)
    if (first.violation === undefined) return
    const { run } = await shrink(shrinking(first))
    const lost = first.violation.invariant === 'S3'
    expect(run.requests.map(({ command, afterMs }) => ({ command, afterMs }))).toEqual([
      { command: { _tag: 'PlaceOrder', units: lost ? 3 : 1 }, afterMs: 0 },
    ])
    expect([...run.plan.deviations.values()]).toEqual(
      lost ? ['response lost', 'response lost'] : ['crash after'],
    )
  })
  property.prop([anyScenario])('no deviation can be left out of it', async (scenario) => {
    const first = await runShop(scenario.plan, scenario.requests)
    if (first.violation === undefined) return
    const { run } = await shrink(shrinking(first))
    for (const key of run.plan.deviations.keys()) {
      const deviations = new Map([...run.plan.deviations].filter(([other]) => other !== key))
      const without = await runShop({ ...run.plan, deviations }, run.requests)
      expect(without.violation?.invariant).not.toBe(run.violation?.invariant)
    }
  })
  property.prop([anyScenario, fc.integer({ min: 0, max: 60 })])(
    'the budget is kept',
    async (scenario, runs) => {
      const first = await runShop(scenario.plan, scenario.requests)
      if (first.violation === undefined) return
      let ran = 0
      const run = (plan: Plan, requests: ReadonlyArray<Request>) => {
        ran += 1
        return runShop(plan, requests)
      }
      const shrunk = await shrink(shrinking(first, { run, budget: { runs } }))
      expect(shrunk.attempts).toBe(ran)
      expect(ran).toBeLessThanOrEqual(runs)
      expect(shrunk.run.violation?.invariant).toBe(first.violation.invariant)
    },
  )
  property.prop([anyScenario])('the same run shrinks in the same way', async (scenario) => {
    const first = await runShop(scenario.plan, scenario.requests)
    if (first.violation === undefined) return
    expect(await shrink(shrinking(first))).toEqual(await shrink(shrinking(first)))
  })
  property.prop([anyScenario])('a lazy candidate is never the scenario itself', (scenario) => {
    for (const candidate of candidates(scenario, { simpler: bySimplicity(...KINDS), accepts: isOrder }))
      expect(candidate).not.toEqual(scenario)
  })
})

describe('a run that fails', () => {
  test('by no deviation is shrunk to none first', async () => {
    const tried: Array<number> = []
    const run = async (plan: Plan, requests: ReadonlyArray<Request>) => {
      tried.push(plan.deviations.size)
      const ran = await runShop(plan, requests)
      return { ...ran, violation: { invariant: 'S2', message: 'always', step: 1 } }
    }
    const { run: shrunk } = await shrink(shrinking(await run(failing.plan, failing.requests), { run }))
    expect(tried[1]).toBe(0)
    expect(shrunk.requests).toEqual([])
  })
  test('keeps its commands where nobody says which are valid', async () => {
    const { run, simpler, budget } = shrinking(failing)
    const shrunk = await shrink({ run, failing, budget, ...(simpler && { simpler }) })
    expect(shrunk.run.requests.map(({ command }) => command)).toEqual([order(1, 40).command])
  })
  test('is answered as it is when its time is over', async () => {
    let nowMs = 0
    const time = { ms: 5, nowMs: () => (nowMs += 1) }
    const shrunk = await shrink(shrinking(failing, { budget: { runs: 1000, time } }))
    expect(shrunk.complete).toBe(false)
    expect(shrunk.attempts).toBeLessThan(5)
  })
  test('in another way does not count', async () => {
    const crashing = {
      seed: '7',
      deviations: new Map([...lossy(order(1, 9)).deviations, [keyOf(order(2, 1), 1), 'crash after']]),
    }
    const first = await runShop(crashing, [order(1, 9), order(2, 1)])
    const { run } = await shrink(shrinking(first))
    expect(run.violation?.invariant).toBe('S3')
    expect(run.requests).toHaveLength(1)
  })
  test('is needed', async () => {
    const fine = await runShop({ seed: '7', deviations: new Map() }, [])
    await expect(shrink(shrinking(fine))).rejects.toThrow('only a run with a violation can be shrunk')
  })
})

describe('by simplicity', () => {
  const simpler = bySimplicity(...KINDS)
  test('a kind gives way to those before it, and a number to smaller ones', () => {
    expect(simpler('throttled', '')).toEqual(['response lost', 'late by 1 ms'])
    expect(simpler('late by 8 ms', '')).toEqual([
      'response lost',
      'late by 1 ms',
      'late by 4 ms',
      'late by 6 ms',
      'late by 7 ms',
    ])
  })
  test('words that are listed as they are keep their numbers', () => {
    expect(bySimplicity('lands 50 ms late', 'lands 30 s late')('lands 30 s late', '')).toEqual([
      'lands 50 ms late',
    ])
  })
  test('a kind that is not listed, or the first, keeps its words', () => {
    expect(simpler('stale by 2', '')).toEqual([])
    expect(simpler('response lost', '')).toEqual([])
  })
})
