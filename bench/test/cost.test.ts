import { readFile } from 'node:fs/promises'
import {
  type Line,
  type Measured,
  measuredIn,
  ourShop,
  pageOf,
  plainShop,
  plainShopOf2024,
  relevant,
  total,
} from '@everfold/bench'
import { describe, expect, test } from 'vitest'

const committed = await readFile(new URL('../../docs/cost.md', import.meta.url), 'utf8')
const measured = measuredIn(committed)

const changed = (one: Measured, value: number): Measured => ({ ...one, value })

const set = (
  name: string,
  value: number,
  contender?: string,
  figures: ReadonlyArray<Measured> = measured,
): ReadonlyArray<Measured> => {
  const isIt = (one: Measured) => one.name === `dynamodb/${name}` && one.contender === contender
  expect(figures.some(isIt)).toBe(true)
  return figures.map((one) => (isIt(one) ? changed(one, value) : one))
}

const cents = (lines: ReadonlyArray<Line>): Record<string, number> =>
  Object.fromEntries(lines.map(({ what, dollars }) => [what, Math.round(dollars * 100) / 100]))

describe('docs/cost.md', () => {
  test('is what is made of the figures in it', () => {
    expect(committed).toBe(pageOf(measured))
  })
  test('takes of a run only what it counts with', () => {
    expect(relevant([{ name: 'dynamodb/other', value: 1, unit: 'x' }, ...measured])).toEqual(measured)
    expect(() => relevant(measured.slice(1))).toThrow('was not measured')
  })
  test.each([
    { rcu: 1, wcu: 1, dollars: '$0.75' },
    { rcu: 4, wcu: 1.3, dollars: '$1.31' },
    { rcu: 0.5, wcu: 16, dollars: '$10.06' },
  ])('a million commands of $rcu read and $wcu write units cost $dollars', ({ rcu, wcu, dollars }) => {
    const figures = set('command/100/rcu', rcu, 'castore', set('command/100/wcu', wcu, 'castore'))
    const lines = pageOf(figures).split('\n')
    const row = lines.find((line) => line.startsWith('| 100 '))
    expect(row?.split('|').map((cell) => cell.trim())[5]).toBe(dollars)
  })
})

describe('the shop', () => {
  test('comes to $76 as a plain design at the prices of 2024', () => {
    expect(Math.round(total(plainShopOf2024()))).toBe(76)
  })
  test('of a plain design is added up from its parts', () => {
    expect(cents(plainShop())).toEqual({
      'API Gateway: requests': 17.5,
      'Lambda: requests': 1,
      'Lambda: their time': 13.33,
      'DynamoDB: reads of rows': 12.5,
      'DynamoDB: writes of rows': 6.25,
      'DynamoDB: rows stored': 2.5,
      'EventBridge: events': 1,
    })
  })
  test('of ours pays for what a command was measured to take', () => {
    const cheaper = cents(ourShop(set('command/1000/wcu', 1, 'everfold')))
    expect(cheaper['DynamoDB: commands, writing']).toBe(6.25)
    const dearer = cents(ourShop(set('projector/wcu', 4)))
    expect(dearer['DynamoDB: views, writing']).toBe(25)
    expect(dearer['EventBridge: all events']).toBe(10)
    expect(dearer['DynamoDB: writes of rows']).toBeUndefined()
  })
  test('of ours pays for 100 bytes more than each item that it stores weighs', () => {
    const stored = cents(ourShop(set('late-repeat/rcu', 725)))
    // A commit of 300 bytes, 120 million of them; 24 million streams of 80.
    expect(stored['DynamoDB: the log of a year stored']).toBe(12)
    expect(stored['DynamoDB: how far its view has come stored']).toBe(1.08)
  })
})
