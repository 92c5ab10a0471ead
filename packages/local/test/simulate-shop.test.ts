/**
 * The shop's three scenarios under the simulator: a sample of what `pnpm simulate` runs, and proof that the invariants
 * would tell, by shops with a bug in them.
 */
import { coverage, holdingGlobals, type Run, simulation } from '@everfold/runtime-memory/simulation'
import { describe, expect, test } from 'vitest'
import { hotSkuScenario } from '../src/simulate/shop/hot-sku.ts'
import { orderScenario } from '../src/simulate/shop/order.ts'
import { paymentScenario } from '../src/simulate/shop/payment.ts'
import { type PlantedBug, planted } from './planted-bugs.ts'

const TIMEOUT_MS = 60_000

const SCENARIOS = [
  { name: 'order', options: orderScenario, seeds: 20, doubles: 3 },
  { name: 'hot SKU', options: hotSkuScenario, seeds: 80, doubles: 10 },
  { name: 'payment', options: paymentScenario, seeds: 40, doubles: 8 },
]

describe.each(SCENARIOS)('$name', ({ options, seeds, doubles }) => {
  test(
    'holds what it promises, whatever AWS and Stripe do',
    () =>
      holdingGlobals(async () => {
        const simulated = simulation(options())
        for (let seed = 0; seed < seeds; seed += 1) {
          const { violation } = await simulated.run(String(seed))
          expect({ seed, violation }).toEqual({ seed, violation: undefined })
        }
      }),
    TIMEOUT_MS,
  )

  test(
    'goes the same way again from the same seed, and from the plan of what deviated',
    () =>
      holdingGlobals(async () => {
        const simulated = simulation(options())
        for (let seed = 0; seed < doubles; seed += 1) {
          const first = await simulated.run(String(seed))
          expect((await simulated.run(String(seed))).hash).toBe(first.hash)
          expect((await simulated.replay(first.plan)).hash).toBe(first.hash)
        }
      }),
    TIMEOUT_MS,
  )
})

test(
  "faults of AWS and of Stripe's own come about",
  () =>
    holdingGlobals(async () => {
      const simulated = simulation(paymentScenario())
      const seen = coverage()
      for (let seed = 0; seed < 40; seed += 1) await simulated.run(String(seed), { coverage: seen })
      const happened = (at: (place: string) => boolean) =>
        new Set(
          seen.matrix().flatMap(({ place, kind, happened: times }) => (times > 0 && at(place) ? [kind] : [])),
        )
      const ofStripe = happened((place) => place.startsWith('stripe.'))
      expect([...ofStripe]).toEqual(
        expect.arrayContaining([
          'connection broken after',
          'done 2 min late',
          '500 after, kept',
          'told twice',
        ]),
      )
      const ofAws = happened((place) => !place.startsWith('stripe.'))
      expect([...ofAws]).toEqual(
        expect.arrayContaining(['crash after', 'response lost', 'request lost', 'cold']),
      )
    }),
  TIMEOUT_MS,
)

const search = async ({ options, budget }: PlantedBug): Promise<Run | undefined> => {
  const simulated = simulation(options())
  for (let seed = 0; seed < budget; seed += 1) {
    const run = await simulated.run(String(seed))
    if (run.violation !== undefined) return run
  }
  return undefined
}

describe('a shop in which', () => {
  test.each(planted)(
    '$name is found out',
    (bug) =>
      holdingGlobals(async () => {
        const found = await search(bug)
        expect(found?.violation?.invariant).toMatch(bug.breaks)
      }),
    TIMEOUT_MS,
  )
})
