/** The producer and the consumer of Kinesis, unchanged, over a stream that is simulated with all that it may do. */
import { holdingGlobals, soak } from '@everfold/runtime-memory/simulation'
import { describe, expect, test, vi } from 'vitest'
import { type DeliveryOptions, delivery } from './kinesis-delivery.ts'

vi.setConfig({ testTimeout: 60_000 })

/** Enough that every fault of a put comes about, and a shard is split again before it is read. */
const SEEDS = 12

const soaked = async (options: DeliveryOptions, seeds = SEEDS) => {
  const simulated = await delivery(options)
  return holdingGlobals(() => soak(simulated, { seeds, twiceEvery: 10 }))
}

describe('what is put into a stream', () => {
  test.each<[string, DeliveryOptions]>([
    ['strictly', { producer: { order: 'strict' }, ordered: true }],
    ['strictly, in aggregates', { producer: { order: 'strict', aggregate: 40 }, ordered: true }],
    [
      'strictly, by several at a time',
      { producer: { order: 'strict' }, ordered: true, parallelizationFactor: 4 },
    ],
    ['coarsely', { producer: {}, ordered: false }],
    ['coarsely, in aggregates', { producer: { aggregate: true }, ordered: false }],
  ])('%s is taken whole, whatever goes wrong', async (_how, options) => {
    const { failing, differing } = await soaked(options)
    expect(failing?.violation).toBeUndefined()
    expect(differing).toEqual([])
  })

  test('meets splits of its shards and every other fault of a put', async () => {
    const { coverage: met } = await soaked({ producer: { order: 'strict' }, ordered: true })
    const happened = met.matrix().filter((cell) => cell.happened > 0)
    const kinds = happened.flatMap(({ kind, place }) => (place === 'kinesis.PutRecord' ? [kind] : []))
    expect(kinds).toEqual(
      expect.arrayContaining(['resharded', 'duplicate', 'record 1 failed', 'response lost']),
    )
  })
})
