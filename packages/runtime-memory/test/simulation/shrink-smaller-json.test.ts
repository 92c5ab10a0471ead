import type { Json } from '@everfold/core'
import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { smaller } from '../../src/simulation/shrink/smaller-json.ts'

const anyJson = fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as Json)

/** Larger numbers come to an end too, but not while somebody waits. */
const small = (value: Json): Json =>
  JSON.parse(JSON.stringify(value), (_, part: Json) => (typeof part === 'number' ? part % 20 : part)) as Json

/** Follows the proposals, taking one by chance each time, until there is none. */
const descend = (value: Json, chance: ReadonlyArray<number>): number => {
  let current = value
  for (let steps = 0; ; steps += 1) {
    const proposals = [...smaller(current)]
    if (proposals.length === 0) return steps
    current = proposals[(chance[steps % chance.length] ?? 0) % proposals.length] ?? null
  }
}

describe('whatever the value', () => {
  property.prop([anyJson])('none is proposed in place of itself', (value) => {
    for (const less of smaller(value)) expect(less).not.toEqual(value)
  })
  property.prop([anyJson, fc.array(fc.nat(), { minLength: 1, maxLength: 5 })])(
    'proposals come to an end',
    (value, chance) => {
      expect(descend(small(value), chance)).toBeLessThan(10_000)
    },
  )
  property.prop([fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), fc.maxSafeNat()])(
    'the least whole number that will do is found in few steps',
    (value, chance) => {
      const least = chance % (value + 1)
      let [current, asked] = [value as Json, 0]
      for (let next: Json | undefined = current; next !== undefined; ) {
        next = [...smaller(current)].find((less) => {
          asked += 1
          return Number(less) >= least
        })
        current = next ?? current
      }
      expect(current).toBe(least)
      expect(asked).toBeLessThan(4000)
    },
  )
})

test.each<[Json, ReadonlyArray<Json>]>([
  [null, []],
  [false, []],
  [true, [false]],
  [0, []],
  [1, [0]],
  [8, [0, 1, 4, 6, 7]],
  [-3, [0, 1, 3, -2]],
  [2.5, [0, 1, 2]],
  ['ab', ['', 'b', 'a']],
  ['\u{1F600}', ['', 'A']],
  ['b\u00e9', ['', '\u00e9', 'b', 'bA']],
  ['\u00e9\n', ['', '\n', '\u00e9', 'AA', 'A\n', '\u00e9A']],
  [[2], [[], [0], [1]]],
  [
    { _tag: 'Add', note: 'a', units: 2 },
    [
      { _tag: 'Add' },
      { _tag: 'Add', units: 2 },
      { _tag: 'Add', note: 'a' },
      { _tag: 'Add', note: '', units: 2 },
      { _tag: 'Add', note: 'a', units: 0 },
      { _tag: 'Add', note: 'a', units: 1 },
    ],
  ],
])('in place of %j', (value, proposals) => {
  expect([...smaller(value)]).toEqual(proposals)
})
