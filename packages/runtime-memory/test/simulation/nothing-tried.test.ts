/** A green run means something: where nothing was tried, that is no success. */
import { describe, expect, test } from 'vitest'
import {
  always,
  type Corpus,
  holds,
  type SimulationOptions,
  simulation,
  soak,
  sometimes,
} from '../../src/simulation/index.ts'
import { kiosk, kioskWith } from './kiosk.ts'

const tea = (more: Partial<SimulationOptions> = {}) => simulation({ ...kioskWith(), ...more })

const corpus: Corpus = { failures: () => Promise.resolve([]), keep: () => Promise.resolve('nowhere') }

describe('a workload that sends nothing', () => {
  const invariants = [always('never', kiosk, () => false)]
  const idle = tea({ workload: () => [], invariants })
  test('is told, whatever the invariants', async () => {
    await expect(holds(idle, { seeds: 3 })).rejects.toThrow('nothing was sent in any of 3 runs')
    await expect(soak(idle, { seeds: 2, corpus })).rejects.toThrow('nothing was sent in any of 2 runs')
  })
  test('is told where new code is deployed as well, which does nothing by itself', async () => {
    const { service } = kioskWith()
    const deployed = tea({ workload: () => [], deploys: [{ afterMs: 10, service }] })
    await expect(soak(deployed, { seeds: 2 })).rejects.toThrow('nothing was sent')
  })
  test('may send nothing in some runs, and nothing is said where no run was made', async () => {
    let runs = 0
    const { workload } = kioskWith()
    const seldom = tea({ workload: (random) => (runs++ === 1 ? workload(random) : []) })
    await expect(soak(seldom, { seeds: 3 })).resolves.toMatchObject({ runs: 3 })
    await expect(soak(idle, { seeds: 3, more: () => false })).resolves.toMatchObject({ runs: 0 })
  })
})

describe('a number of seeds', () => {
  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('that is %d tries nothing', async (seeds) => {
    const told = `the number of seeds is ${seeds}, and has to be a whole number from 1 on`
    await expect(soak(tea(), { seeds })).rejects.toThrow(told)
    await expect(holds(tea(), { seeds })).rejects.toThrow(told)
  })
  test('is 0 where past failures alone are run', async () => {
    await expect(soak(tea(), { seeds: 0, corpus })).resolves.toMatchObject({ runs: 0 })
    await expect(soak(tea(), { seeds: -1, corpus })).rejects.toThrow('a whole number from 0 on')
  })
  test('begins at a whole number', async () => {
    await expect(holds(tea(), { from: Number.NaN })).rejects.toThrow('the first seed is NaN')
  })
})

describe('what should happen in some runs', () => {
  const flying = sometimes('a kiosk flies', kiosk, () => false)
  const selling = sometimes('a kiosk sells', kiosk, ({ sold }) => sold > 0)
  test('and does in none is told', async () => {
    const simulated = tea({ invariants: [flying, selling], marks: ['a marked moment'] })
    await expect(holds(simulated, { seeds: 20 })).rejects.toThrow(
      /^all held in 20 runs, .+\nIn no run it came about that a marked moment\.\nIn no run it came about that a kiosk flies\.$/,
    )
  })
  test('and does is not, nor where it is not judged, nor where past failures alone are run', async () => {
    await expect(holds(tea({ invariants: [selling] }), { seeds: 20 })).resolves.toBeDefined()
    const unjudged = tea({ invariants: [flying], unjudged: ['a kiosk flies'] })
    await expect(holds(unjudged, { seeds: 5 })).resolves.toBeDefined()
    await expect(holds(tea({ invariants: [flying] }), { seeds: 0, corpus })).resolves.toBeDefined()
  })
})
