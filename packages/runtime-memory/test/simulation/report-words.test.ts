import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { elapsed } from '../../src/simulation/report/elapsed.ts'
import { placeOf } from '../../src/simulation/report/place.ts'
import { words } from '../../src/simulation/report/words.ts'
import type { Run } from '../../src/simulation/run.ts'
import { crash, long, lostResponse } from './sample-runs.ts'
import { keyOf, order, runShop } from './toy-shop.ts'

describe('a deviation in words', () => {
  test('tells what was lost, when, and that it was asked for again', () => {
    expect(words(lostResponse)).toEqual([
      "After 250 ms (step 8) the response of relay 1's send of order/7@1 at queue was lost, though it was done; " +
        'it was asked for again after 1.25 s (step 9), and the answer was stored.',
    ])
  })
  test('tells who crashed, and that nobody asked again', () => {
    expect(words(crash)).toEqual([
      'After 1 ms (step 2) orders-api 1 crashed after its append of order/7@1 at store was done; ' +
        'it was not asked for again.',
    ])
  })
  test('tells of a next attempt that deviated too', async () => {
    const one = order(1, 2, 0)
    const deviations = new Map([1, 2].map((attempt) => [keyOf(one, attempt), 'stale by 2']))
    const [first, last] = words(await runShop({ seed: '7', deviations }, [one]))
    expect(first).toContain(
      'deviated: stale by 2; it was asked for again after 1 ms (step 2), which deviated too',
    )
    expect(last).toContain('and the answer was stored.')
  })
  test('tells of one that no step tells of', () => {
    const run: Run = {
      ...crash,
      plan: { seed: '1', deviations: new Map([['somewhere #1', 'response lost']]) },
      steps: [],
    }
    expect(words(run)).toEqual(['somewhere #1: response lost; no step tells when.'])
  })
  property.prop([fc.integer({ min: 1, max: 400 })])('there is one sentence for each', (length) => {
    const run = long(length)
    expect(words(run)).toHaveLength(run.plan.deviations.size)
  })
})

test.each([
  [0, '0 ms'],
  [999, '999 ms'],
  [1250, '1.25 s'],
  [60_000, '1 min'],
  [200_500, '3 min 20 s'],
  [7_500_000, '2 h 5 min'],
  [176_400_000, '2 d 1 h'],
  [-40, '-40 ms'],
])('%i ms is %s', (ms, inWords) => {
  expect(elapsed(ms)).toBe(inWords)
})

describe('the place in a stack', () => {
  const own = new URL('../../src/simulation/oracle/judge.ts', import.meta.url).href
  test.each([
    ['a function of the user', '    at check (/srv/shop/a.ts:3:7)', '/srv/shop/a.ts'],
    ['an asynchronous one', '    at async check (file:///srv/shop/a%20b.ts:3:7)', '/srv/shop/a b.ts'],
    ['no function', '    at async file:///srv/shop/a.ts:3:7', '/srv/shop/a.ts'],
    [
      'a method with a name of its own',
      '    at Shop.check [as judge] (/srv/shop/a.ts:3:7)',
      '/srv/shop/a.ts',
    ],
    ['Windows', '    at check (C:\\shop\\a.ts:3:7)', 'C:/shop/a.ts'],
  ])('is read of %s', (_, frame, file) => {
    expect(placeOf(`Error: no\n${frame}`)).toEqual({ file, line: 3, column: 7 })
  })
  test('is not ours, not of Node, and of no package where any is of none', () => {
    const stack = [
      'Error: node_modules/@everfold (see /a/b.ts:1:2)',
      `    at judge (${own}:1:1)`,
      '    at judge (/srv/shop/node_modules/@everfold/core/dist/fold.js:1:1)',
      '    at node:internal/process/task_queues:104:5',
      '    at new Promise (<anonymous>)',
      '    at expect (/srv/shop/node_modules/vitest/dist/index.js:2:2)',
      '    at check (/srv/shop/test/shop.test.ts:3:7)',
    ]
    expect(placeOf(stack.join('\n'))).toEqual({ file: '/srv/shop/test/shop.test.ts', line: 3, column: 7 })
    expect(placeOf(stack.slice(0, -1).join('\n'))?.file).toBe('/srv/shop/node_modules/vitest/dist/index.js')
    expect(placeOf(stack.slice(0, -2).join('\n'))).toBeUndefined()
  })
  test('is this very one for an error thrown here', () => {
    expect(placeOf(new Error('here').stack ?? '')?.file).toBe(import.meta.filename)
  })
  property.prop([fc.string()])('is never a reason to throw', (stack) => {
    expect(() => placeOf(`    at ${stack}\n    at x (file://%${stack}:1:1)`)).not.toThrow()
  })
})
