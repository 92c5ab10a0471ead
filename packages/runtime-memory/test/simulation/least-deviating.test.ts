import { fc, test as property } from '@fast-check/vitest'
import { expect } from 'vitest'
import type { Run } from '../../src/simulation/run.ts'
import { leastDeviating } from '../../src/simulation/shrink/least-deviating.ts'

/** A run of the seed in which so many things deviate, and which breaks this if anything. */
const runOf = (seed: number, size: number, invariant: string | undefined): Run => ({
  plan: {
    seed: String(seed),
    deviations: new Map(Array.from({ length: size }, (_, at) => [`key ${at}`, 'lost'])),
  },
  requests: [],
  steps: [],
  operations: 0,
  hash: '',
  startMs: 0,
  ...(invariant === undefined ? {} : { violation: { invariant, message: '', step: 0 } }),
})

property.prop([
  fc.array(fc.record({ size: fc.nat({ max: 9 }), invariant: fc.constantFrom('S3', 'E1', undefined) }), {
    minLength: 41,
    maxLength: 41,
  }),
  fc.integer({ min: 1, max: 9 }),
  fc.nat({ max: 50 }),
])(
  'shrinking begins with the same failure where the least deviates, as long as it may look',
  async (others, size, looks) => {
    const runs = [
      runOf(0, size, 'S3'),
      ...others.map((other, at) => runOf(at + 1, other.size, other.invariant)),
    ]
    let looked = 0
    const begin = await leastDeviating(
      { run: async (seed) => runs[Number(seed)] as Run },
      runs[0] as Run,
      () => {
        looked += 1
        return looked <= looks
      },
    )
    expect(begin.violation?.invariant).toBe('S3')
    const seen = runs
      .slice(0, 1 + Math.min(looks, 40))
      .filter(({ violation }) => violation?.invariant === 'S3')
    const least = Math.min(...seen.map(({ plan }) => plan.deviations.size))
    if (begin.plan.deviations.size > 2) expect(begin.plan.deviations.size).toBe(least)
  },
)
