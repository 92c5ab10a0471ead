/** Each bug that was planted into runtime-lambda is found on simulated AWS, and without a bug nothing is. */
import { holdingGlobals, simulation } from '@everfold/runtime-memory/simulation'
import { describe, expect, test } from 'vitest'
import { firstOf } from '../../../runtime-memory/test/simulation/mutants/find.ts'
import { barOnLambda } from './mutants-sdk/bar-on-lambda.ts'
import { equivalents, mutants } from './mutants-sdk/index.ts'
import { longStreams } from './mutants-sdk/storing.ts'

/** Far more than any takes. */
const timeout = 120_000

describe('each seeded bug', { timeout }, () => {
  test.each(mutants)('is found within its budget: $name', ({ options, budget, breaks }) =>
    holdingGlobals(async () => {
      const shown = await firstOf(simulation(options), budget)
      expect(breaks).toContain(shown?.invariant)
    }),
  )
  test.each(mutants.filter(({ behind }) => behind !== undefined))(
    'is found by what it breaks besides: $name',
    ({ options, behind, budget }) =>
      holdingGlobals(async () => {
        const shown = await firstOf(simulation({ ...options, unjudged: behind?.unjudged ?? [] }), budget)
        expect(behind?.breaks).toContain(shown?.invariant)
      }),
  )
})

/** A look at each; more of them run by hand. */
const SEEDS = 3

describe('without a bug', { timeout }, () => {
  test.each([
    { name: 'the bar', options: barOnLambda({}) },
    { name: 'a bar of long streams', options: longStreams({}) },
    ...equivalents,
  ])('nothing breaks: $name', ({ options }) =>
    holdingGlobals(async () => {
      expect((await firstOf(simulation(options), SEEDS))?.found.violation).toBeUndefined()
    }),
  )

  test('each seed gives the same run twice, and its plan gives it again', () =>
    holdingGlobals(async () => {
      const { run, replay } = simulation(barOnLambda({}))
      for (let seed = 0; seed < SEEDS; seed += 1) {
        const first = await run(String(seed))
        expect((await run(String(seed))).hash).toBe(first.hash)
        expect((await replay(first.plan, first.requests)).hash).toBe(first.hash)
      }
    }))
})

test('no two seeded bugs have one name', () => {
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length)
})
