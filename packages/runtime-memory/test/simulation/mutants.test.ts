import { describe, expect, test } from 'vitest'
import { simulation } from '../../src/simulation/simulation.ts'
import { barWith } from './mutants/bar-simulation.ts'
import { findMutants, firstOf } from './mutants/find.ts'
import { equivalents, mutants } from './mutants/index.ts'
import { plainApi, plainCommands } from './mutants/plain-handler.ts'
import { plainProjector } from './mutants/plain-projector.ts'
import { plainStore } from './mutants/plain-store.ts'
import { rebuiltBarWith } from './mutants/rebuilding.ts'
import { shopWith } from './mutants/shop.ts'

const byName = mutants.map((mutant) => ({ ...mutant, mutant }))

/** Far more than any takes. */
const timeout = 120_000

describe('each seeded bug', { timeout }, () => {
  test.each(byName)('is found within its budget, and shrunk: $name', async ({ mutant }) => {
    for await (const { found, invariant, deviations, deviationsBefore, requests } of findMutants(
      () => 0,
      [mutant],
    )) {
      expect(found).toBe(true)
      expect(mutant.breaks).toContain(invariant)
      expect(deviations?.size).toBeLessThanOrEqual(Math.min(MOST_LEFT, deviationsBefore ?? 0))
      expect(requests).toBeLessThanOrEqual(MOST_REQUESTS)
    }
  })
  test.each(byName.filter(({ behind }) => behind !== undefined))(
    'is found by what it breaks besides: $name',
    async ({ options, behind, budget }) => {
      const shown = await firstOf(simulation({ ...options, unjudged: behind?.unjudged ?? [] }), budget)
      expect(behind?.breaks).toContain(shown?.invariant)
    },
  )
})

/** What a person can take in at a glance. */
const MOST_LEFT = 5
const MOST_REQUESTS = 4

const plainBar = barWith({
  store: plainStore,
  functions: { api: plainApi(), commands: plainCommands(), projector: plainProjector() },
})

describe('without a bug', { timeout }, () => {
  test.each([
    { name: 'the bar', options: barWith({}) },
    { name: 'the bar of plain parts', options: plainBar },
    { name: 'the bar whose view is rebuilt', options: rebuiltBarWith() },
    { name: 'the shop with a saga', options: shopWith() },
  ])('$name is right, and each seed gives the same run twice', async ({ options }) => {
    const { run, replay } = simulation(options)
    for (let seed = 0; seed < 20; seed += 1) {
      const first = await run(String(seed))
      expect(first.violation).toBeUndefined()
      expect((await replay(first.plan, first.requests)).hash).toBe(first.hash)
    }
  })
})

test.each(equivalents)('a bug that is none breaks nothing: $name', { timeout }, async ({ options }) => {
  expect(await firstOf(simulation(options), 50)).toBeUndefined()
})

test('no two seeded bugs have one name', () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length)
})
