import { fc, test as property } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { commandsOf, type RunsOptions, SimulatedRun, simulatedRuns } from '../../src/simulation/arbitrary.ts'
import { coverage } from '../../src/simulation/chooser.ts'
import { always, type Parts, type SimulationOptions, simulation } from '../../src/simulation/index.ts'
import { NotHeld } from '../../src/simulation/report/not-held.ts'
import { kiosk, kioskWith } from './kiosk.ts'

const tea = (more: Partial<SimulationOptions> = {}) => simulation({ ...kioskWith(), ...more })
const sending = commandsOf(kiosk, ['north', 'south'])

property.prop([simulatedRuns(tea(), { sending })], { numRuns: 40 })(
  'whatever is asked of it, the kiosk keeps what it promises',
  (run) => run.holds(),
)

property.prop([simulatedRuns(tea())], { numRuns: 20 })(
  'a run is what its plan replays to',
  async (simulated) => {
    const { plan, requests, hash } = await simulated.run()
    expect((await tea().replay(plan, requests)).hash).toBe(hash)
  },
)

property.prop([fc.array(sending, { minLength: 1 })])('commands are such as a client sends', (sendings) => {
  const requests = tea().requestsFrom(sendings)
  expect(requests.map(({ aggregate }) => aggregate)).toEqual(sendings.map(() => 'kiosk'))
  expect(new Set(requests.map(({ client }) => client)).size).toBe(requests.length)
})

property.prop([fc.array(commandsOf(kiosk, ['north'], { clients: 2, withinMs: 9 }), { minLength: 9 })])(
  'few clients send many commands, within the time',
  (sendings) => {
    for (const { client, afterMs } of tea().requestsFrom(sendings)) {
      expect(['client 1', 'client 2']).toContain(client)
      expect(afterMs).toBeLessThanOrEqual(9)
    }
  },
)

const failing = async (options: SimulationOptions, runs: RunsOptions = {}, numRuns = 300) => {
  const checked = await fc.check(
    fc.asyncProperty(simulatedRuns(simulation(options), runs), (run) => run.holds()),
    { numRuns, seed: 7 },
  )
  const [run] = checked.counterexample ?? []
  if (run === undefined) throw new Error('nothing failed')
  return { ...checked, run }
}

/** Loses what it was asked to send where the queue gave no answer. */
const forgetting: Partial<Parts> = {
  ports: (ports) => ({
    ...ports,
    to: {
      ...ports.to,
      commands: {
        ...ports.to.commands,
        send: (messages) => async () => {
          await ports.to.commands.send(messages)()
          return { _tag: 'Right', right: undefined } as never
        },
      },
    },
  }),
}

describe('what does not hold', () => {
  test('shrinks to few faults and few requests, of the same invariant', async () => {
    const { run, errorInstance, numShrinks } = await failing(
      { ...kioskWith(), parts: forgetting },
      { sending },
    )
    expect(numShrinks).toBeGreaterThan(0)
    expect(run.plan.deviations.size).toBeLessThanOrEqual(4)
    expect(run.requests.length).toBeLessThanOrEqual(2)
    expect(errorInstance).toBeInstanceOf(NotHeld)
    const { violation } = await run.run()
    expect((errorInstance as NotHeld).run.violation).toEqual(violation)
  })
  test('needs no fault where it fails without', async () => {
    const invariants = [always('no kiosk sells ten cups', kiosk, ({ sold }) => sold < 10)]
    const { run } = await failing({ ...kioskWith(), invariants }, { sending })
    expect(run.plan.deviations.size).toBe(0)
    expect(run.requests.length).toBeLessThanOrEqual(4)
  })
  test('is printed as the plan that replays it', async () => {
    const options = { ...kioskWith(), parts: forgetting }
    const { run } = await failing(options)
    expect(fc.stringify(run)).toMatch(/^\{"version":1,"seed":"\d+","deviations":\{".+ lost"\}/)
  })
  test('that breaks another invariant is no simpler form of it', async () => {
    const invariants = [
      always('no kiosk sells ten cups', kiosk, ({ sold }) => sold < 10),
      always('no kiosk sells one cup', kiosk, ({ sold }) => sold !== 1),
    ]
    const { run, errorInstance } = await failing({ ...kioskWith(), invariants }, { sending })
    const named = (errorInstance as NotHeld).run.violation?.invariant
    expect((await run.run()).violation?.invariant).toBe(named)
  })
  test('of what never ran nothing is known to be simpler', () => {
    const [run] = fc.sample(simulatedRuns(tea()), 1)
    expect(run).toBeInstanceOf(SimulatedRun)
    expect([...(run as SimulatedRun).simpler()]).toEqual([])
    expect(fc.stringify(run)).toMatch(/^a simulated run of the seed \d+$/)
  })
})

test('what was reached in all runs can be noted', async () => {
  const seen = coverage()
  const runs = simulatedRuns(tea(), { notes: { coverage: seen } })
  await fc.assert(
    fc.asyncProperty(runs, (run) => run.holds()),
    { numRuns: 5 },
  )
  expect(seen.matrix().length).toBeGreaterThan(10)
})
