import { emptyHead, headCache, type StreamName, streamName } from '@everfold/core'
import { fc, test as property } from '@fast-check/vitest'
import { expect } from 'vitest'

const streamOf = (name: string): StreamName => streamName('jar', name)
const anyUse = fc.record({
  name: fc.constantFrom('a', 'b', 'c', 'd'),
  use: fc.constantFrom('set', 'set', 'delete'),
})

property.prop([fc.array(anyUse), fc.integer({ min: 1, max: 3 })])(
  'keeps the heads that were set last, as many as it may',
  (uses, limit) => {
    const cache = headCache(limit)
    let youngest: ReadonlyArray<string> = []
    for (const [at, { name, use }] of uses.entries()) {
      const others = youngest.filter((other) => other !== name)
      youngest = use === 'set' ? [name, ...others].slice(0, limit) : others
      if (use === 'set')
        cache.set(streamOf(name), { ...emptyHead({ initial: at }, streamOf(name)), number: at })
      else cache.delete(streamOf(name))
      for (const each of ['a', 'b', 'c', 'd']) {
        const last = uses.slice(0, at + 1).findLastIndex((one) => one.name === each)
        expect(cache.get(streamOf(each))?.number).toBe(youngest.includes(each) ? last : undefined)
      }
    }
  },
)
