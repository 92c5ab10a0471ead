/** Stock on simulated AWS: a property over a service, as a user writes it, and what it tells where it does not hold. */
import { always, NotHeld, simulation } from '@everfold/runtime-memory/simulation'
import { commandsOf, simulatedRuns } from '@everfold/runtime-memory/simulation/arbitrary'
import { fc, test as property } from '@fast-check/vitest'
import { expect, test } from 'vitest'
import { Stock } from '../src/index.ts'

const { aggregate } = Stock
const parts = { projections: [], processes: [], gateways: [], routes: [] }
const service = { name: 'stock', aggregates: [aggregate], ...parts }
const promises = always('no more is promised than can be', aggregate, (item) => Stock.promisable(item) >= 0)
const stock = simulation({ service, workload: () => [], invariants: [promises] })
const sending = commandsOf(aggregate, ['mug', 'cup'])

property.prop([simulatedRuns(stock, { sending })])('no unit is promised twice, whatever AWS does', (run) =>
  run.holds(),
)

test('what does not hold is told with its line, and how it came about', async () => {
  const mistaken = always('nothing ever comes in', aggregate, ({ received }) => received === 0)
  const wrong = simulation({ service, workload: () => [], invariants: [mistaken] })
  const { errorInstance, counterexample } = await fc.check(
    fc.asyncProperty(simulatedRuns(wrong, { sending }), (run) => run.holds()),
  )
  expect(errorInstance).toBeInstanceOf(NotHeld)
  const { message } = errorInstance as NotHeld
  expect(message).toContain('nothing ever comes in did not hold: ')
  expect(message).toContain(`at ${import.meta.filename}:`)
  const [run] = counterexample ?? []
  expect(run?.plan.deviations.size).toBe(0)
  expect(run?.requests.map(({ command }) => command)).toEqual([{ _tag: 'ReceiveStock', units: 1 }])
})
