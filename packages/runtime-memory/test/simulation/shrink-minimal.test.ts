import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { minimal, reduced, shorter } from '../../src/simulation/shrink/minimal.ts'

const upTo = (size: number) => Array.from({ length: size }, (_, at) => at)

/** Fails if all items of one of the causes are there: more items never heal. */
const anyCauses = (size: number) =>
  fc.array(fc.uniqueArray(fc.nat(size - 1), { maxLength: 4 }), { minLength: 1, maxLength: 4 })

const anyMonotone = fc.integer({ min: 1, max: 40 }).chain((size) =>
  fc.record({ items: fc.constant(upTo(size)), causes: anyCauses(size) }).map(({ items, causes }) => ({
    items,
    fails: (kept: ReadonlyArray<number>) => causes.some((cause) => cause.every((one) => kept.includes(one))),
  })),
)

/** Fails for any lists whatever, by a function of chance, and for the whole one. */
const anyFitful = fc
  .record({ size: fc.integer({ min: 0, max: 24 }), judge: fc.func(fc.boolean()) })
  .map(({ size, judge }) => ({
    items: upTo(size),
    fails: (kept: ReadonlyArray<number>) => kept.length === size || judge(kept),
  }))

const anyFailure = fc.oneof(anyMonotone, anyFitful)

const counted = (fails: (kept: ReadonlyArray<number>) => boolean) => {
  const calls: Array<ReadonlyArray<number>> = []
  const stillFails = (kept: ReadonlyArray<number>) => {
    calls.push(kept)
    return Promise.resolve(fails(kept))
  }
  return { calls, stillFails }
}

describe('whatever fails', () => {
  property.prop([anyFailure])('what is answered fails, and is 1-minimal', async ({ items, fails }) => {
    const kept = await minimal(items, counted(fails).stillFails)
    expect(fails(kept)).toBe(true)
    for (const at of kept.keys()) expect(fails(kept.toSpliced(at, 1))).toBe(false)
  })
  property.prop([anyFailure])('the items keep their order', async ({ items, fails }) => {
    const kept = await minimal(items, counted(fails).stillFails)
    expect(kept).toEqual(items.filter((item) => kept.includes(item)))
  })
  property.prop([anyFailure])('it is asked a bounded number of times', async ({ items, fails }) => {
    const { calls, stillFails } = counted(fails)
    await minimal(items, stillFails)
    expect(calls.length).toBeLessThanOrEqual(items.length ** 2 + 4 * items.length + 1)
    expect(calls.every((kept) => kept.length < items.length)).toBe(true)
  })
  property.prop([anyMonotone, fc.func(fc.boolean())])(
    'it goes on with what is left where more was lost than was left out',
    async ({ items, fails }, loses) => {
      const kept = await reduced(items, (candidate) => {
        if (!fails(candidate)) return Promise.resolve(undefined)
        const fewer = candidate.filter((item) => !loses(item))
        return Promise.resolve(fails(fewer) ? fewer : candidate)
      })
      expect(fails(kept)).toBe(true)
      for (const at of kept.keys()) expect(fails(kept.toSpliced(at, 1))).toBe(false)
    },
  )
  property.prop([fc.integer({ min: 2, max: 200 }), fc.nat()])(
    'one cause among n is found in about 2 log n questions',
    async (size, chance) => {
      const { calls, stillFails } = counted((kept) => kept.includes(chance % size))
      expect(await minimal(upTo(size), stillFails)).toEqual([chance % size])
      expect(calls.length).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(size)) + 3)
    },
  )
})

test('what fails by itself needs nothing, and one question', async () => {
  const { calls, stillFails } = counted(() => true)
  expect(await minimal(upTo(100), stillFails)).toEqual([])
  expect(calls).toHaveLength(1)
})

test('shorter lists come shortest first', () => {
  expect([...shorter([1, 2, 3])]).toEqual([[], [3], [1, 2], [2, 3], [1, 3], [1, 2]])
})
