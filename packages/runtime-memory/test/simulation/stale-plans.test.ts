/** A plan is of the code that it was made with: where its deviations do not come about any more, that is told. */
import { describe, expect, test } from 'vitest'
import {
  type Corpus,
  encodePlan,
  holds,
  replayPlan,
  simulation,
  soak,
  summary,
} from '../../src/simulation/index.ts'
import type { Plan, Run } from '../../src/simulation/run.ts'
import { kioskWith } from './kiosk.ts'

const tea = simulation(kioskWith())
const seeded = await tea.run('3')
const [met] = [...seeded.plan.deviations]
if (met === undefined) throw new Error('nothing deviates with this seed')

const planned = (...deviations: ReadonlyArray<readonly [string, string]>): Plan => ({
  seed: '3',
  deviations: new Map([met, ...deviations]),
})
const renamed = ['relay of old(kiosk/north@1): commands.send 1 #1', 'response lost'] as const
const unheard = [met[0], 'a storm'] as const

describe('a deviation that did not come about', () => {
  test.each([
    ['at a point that is no more', renamed, 2],
    ['of a kind that is no more', unheard, 1],
  ])('%s is told', async (_, [key, deviation], all) => {
    const plan = planned([key, deviation])
    const run = await replayPlan(tea, encodePlan(plan))
    expect(run.unmet).toEqual(new Map([[key, deviation]]))
    expect(summary(run)).toContain(
      `1 of ${all === 1 ? '1 deviation' : '2 deviations'} did not come about: this is no more the run that was planned.\n  ${key}: ${deviation}\n`,
    )
  })
  test('is told of none where all came about, and where chance decided', async () => {
    expect((await tea.replay(planned())).unmet).toBeUndefined()
    expect(seeded.unmet).toBeUndefined()
    expect(summary(seeded)).not.toContain('did not come about')
  })
})

const failure = (name: string, plan: Plan) => ({ name, plan, requests: seeded.requests, invariant: 'S3' })

test('past failures whose deviations do not come about are told apart from those that are mended', async () => {
  const corpus: Corpus = {
    failures: () => Promise.resolve([failure('mended', planned()), failure('stale', planned(renamed))]),
    keep: (run: Run) => Promise.resolve(run.hash),
  }
  expect(await soak(tea, { seeds: 0, corpus })).toMatchObject({ mended: ['mended'], stale: ['stale'] })
  expect(await holds(tea, { seeds: 0, corpus })).toMatchObject({ mended: ['mended'], stale: ['stale'] })
})
