/** What never comes to rest takes many steps to see, and is shrunk like all else. */
import { E, unavailable } from '@everfold/core'
import { describe, expect, test } from 'vitest'
import {
  holds,
  NotHeld,
  type Plan,
  type Request,
  type Run,
  type Running,
  type Simulation,
  shrinkRun,
  simulation,
} from '../../src/simulation/index.ts'
import { kioskWith } from './kiosk.ts'

/** The till never answers, so that each sale is tried for ever. */
const closed = simulation(kioskWith({ call: async () => E.left(unavailable('the till')) }))

const restless = async (): Promise<Run> => {
  for (let seed = 0; ; seed += 1) {
    const run = await closed.run(String(seed))
    if (run.violation?.invariant === 'E6' && run.plan.deviations.size > 20) return run
  }
}

/** The simulation, and how many steps its replays took. */
const counting = (simulated: Simulation) => {
  const counted = { steps: 0 }
  const replay = async (plan: Plan, requests?: ReadonlyArray<Request>, running?: Running): Promise<Run> => {
    const run = await simulated.replay(plan, requests, running)
    counted.steps += run.operations
    return run
  }
  return { counted, simulated: { ...simulated, replay } }
}

describe('a run that never comes to rest', () => {
  test('is shrunk to what it needs, in few full runs, and told as its plan replays it', async () => {
    const failing = await restless()
    const { counted, simulated } = counting(closed)
    const { run, complete } = await shrinkRun(simulated, failing, { runs: 2000 })
    expect(complete).toBe(true)
    expect(run.plan.deviations.size).toBe(0)
    expect(run.requests).toHaveLength(2)
    expect(counted.steps).toBeLessThan(5 * failing.operations)
    expect((await closed.replay(run.plan, run.requests)).violation).toEqual(run.violation)
  })
  test('is not mistaken for one that only takes longer than others', async () => {
    const failing = await restless()
    // Looks restless to whoever does not wait long, unless all is as it was.
    const replay = async (plan: Plan, requests: ReadonlyArray<Request> = [], running: Running = {}) => {
      const same = requests.length === failing.requests.length
      const { mostSteps = failing.operations } = running
      return same || mostSteps < 6000
        ? { ...failing, steps: [], operations: mostSteps, plan, requests }
        : quiet
    }
    const { violation: _, ...rest } = { ...failing, steps: [] }
    const quiet: Run = { ...rest, operations: 5999, plan: { ...failing.plan, deviations: new Map() } }
    const { run } = await shrinkRun({ ...closed, replay }, failing, { runs: 2000 })
    expect(run.violation?.invariant).toBe('E6')
    expect(run.requests).toHaveLength(failing.requests.length)
  })
})

describe('a report', () => {
  const failing = simulation({
    ...kioskWith({ call: async () => E.left(unavailable('the till')) }),
    mostSteps: 3000,
  })
  const told = (shrinkMs: number) =>
    holds(failing, { shrinkMs }).then(
      () => '',
      (error: NotHeld) => error.message,
    )
  test('says where shrinking was cut short, and else nothing of it', async () => {
    expect(await told(0)).toMatch(
      /^ {2}shrinking stopped after 0\.\d s and \d+ runs?, so less than this may do$/m,
    )
    expect(await told(60_000)).not.toContain('shrinking stopped')
  })
})
