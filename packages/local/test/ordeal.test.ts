/** A replay on DynamoDB that is killed at random points; the benchmark kills it a hundred times. */
import { expect, test } from 'vitest'
import { ordeal } from '../src/crash/ordeal.ts'

test('a replay that is killed at any point is gone on with, and nothing is missing or twice', {
  timeout: 240_000,
}, async () => {
  // Early, in the middle and late, twice.
  const points = [0.2, 0.5, 0.8, 0.35, 0.65, 0.95]
  let next = 0
  const random = () => points[next++ % points.length] ?? 0
  const { kills, events, published } = await ordeal({ kills: 5, orders: 3, random })
  expect(kills).toBe(5)
  expect(published).toBe(events)
})
