/** A service's front door behind an HTTP API that gives up, throttles, asks twice and loses answers. */
import { holdingGlobals, type SimulationOptions, simulation, soak } from '@everfold/runtime-memory/simulation'
import { expect, test, vi } from 'vitest'
import { bankAtCounter, requestOf } from '../src/simulate/bank-http.ts'
import type { RequestOf } from '../src/simulate/behind-http.ts'
import { onLambda } from '../src/simulate/on-lambda.ts'

vi.setConfig({ testTimeout: 60_000 })

const soaked = async (http: RequestOf, seeds: number) => {
  const options: SimulationOptions = { ...bankAtCounter, deployment: await onLambda({ http }) }
  return holdingGlobals(() => soak(simulation(options), { seeds, twiceEvery: 10 }))
}

test('a request that is repeated under its key takes effect once, and its client hears what is on record', async () => {
  const { failing, differing, coverage } = await soaked(requestOf, 20)
  expect(failing?.violation).toBeUndefined()
  expect(differing).toEqual([])
  const happened = coverage
    .matrix()
    .filter((cell) => cell.place === 'api gateway.POST' && cell.happened > 0)
    .map(({ kind }) => kind)
  expect(happened.toSorted()).toEqual(['429', '504 while the work goes on', 'answer lost', 'sent twice'])
})

test('a client that repeats its request at another address is found', async () => {
  let attempts = 0
  const straying: RequestOf = (request) => {
    attempts += 1
    return { ...requestOf(request), path: `/accounts/stray${attempts}/movements` }
  }
  const { failing } = await soaked(straying, 3)
  expect(failing?.violation?.invariant).toBe('S1')
})
