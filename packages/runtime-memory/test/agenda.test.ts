import { fc, test as property } from '@fast-check/vitest'
import { expect } from 'vitest'
import { agenda } from '../src/agenda.ts'

property.prop([fc.array(fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constant('take' as const)))])(
  'the lowest rank comes first, and the oldest among equals',
  (script) => {
    const heap = agenda<number>()
    const model: Array<{ rank: number; turn: number }> = []
    for (const [turn, act] of script.entries())
      if (act === 'take') {
        model.sort((one, other) => one.rank - other.rank || one.turn - other.turn)
        expect(heap.take()).toBe(model.shift()?.turn)
      } else {
        heap.add(act, turn)
        model.push({ rank: act, turn })
      }
    expect(heap.size()).toBe(model.length)
  },
)
