import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { coverage } from '../../src/simulation/chooser.ts'
import {
  alwaysOverall,
  simulation,
  soak,
  sometimes,
  sometimesOverall,
  unreached,
  wordsOfUnreached,
} from '../../src/simulation/index.ts'
import { kiosk, kioskWith } from './kiosk.ts'

const SOLD_OUT = 'a kiosk is sold out'

describe('what should happen in some runs', () => {
  const tea = simulation({
    ...kioskWith(),
    invariants: [
      sometimes(SOLD_OUT, kiosk, ({ filled, sold }) => filled > 0 && filled === sold),
      sometimesOverall('two kiosks sell', ({ states }) => states(kiosk).size === 2),
      sometimes('a kiosk flies', kiosk, () => false),
      alwaysOverall('all is well', ({ mark, log }) => {
        if (log.length > 3) mark('much is on record')
      }),
    ],
    marks: ['much is on record', 'somebody pays'],
  })
  test('is told where it happened in none, and breaks nothing', async () => {
    const soaked = await soak(tea, { seeds: 60 })
    expect(soaked.failing).toBeUndefined()
    const { marks } = unreached(soaked.coverage, { marks: tea.marks })
    expect(marks).toEqual(['somebody pays', 'a kiosk flies'])
    expect(wordsOfUnreached({ marks, faults: [] })).toContain('In no run it came about that a kiosk flies.')
  })
  test('can be marked by a gateway', async () => {
    const seen = coverage()
    const options = kioskWith()
    const marking = simulation({
      ...options,
      gateways: (ports) => {
        ports.mark('the till is opened')
        return options.gateways?.(ports) ?? []
      },
    })
    await marking.run('0', { coverage: seen })
    expect([...seen.marks.keys()]).toEqual(['the till is opened'])
  })
})

const KINDS = ['a', 'b', 'c']

property.prop([
  fc.array(fc.record({ place: fc.constantFrom('x', 'y'), happens: fc.option(fc.constantFrom(...KINDS)) })),
  fc.integer({ min: 1, max: 20 }),
])('a fault is unreached iff it was possible often enough and never happened', (points, atLeast) => {
  const seen = coverage()
  for (const { place, happens } of points)
    seen.met({ port: 'p', operation: place }, KINDS, happens ?? undefined)
  const expected = ['x', 'y'].flatMap((place) => {
    const here = points.filter((point) => point.place === place)
    return KINDS.filter(
      (kind) => here.length >= atLeast && here.every(({ happens }) => happens !== kind),
    ).map((kind) => `${kind} p.${place}`)
  })
  const { faults } = unreached(seen, { atLeast })
  expect(faults.map(({ kind, place }) => `${kind} ${place}`).toSorted()).toEqual(expected.toSorted())
})

test('over some hundred seeds every fault of the ports happens wherever it can', async () => {
  const soaked = await soak(simulation(kioskWith()), { seeds: 300 })
  expect(wordsOfUnreached(unreached(soaked.coverage))).toEqual([])
})
