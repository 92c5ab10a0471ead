/** Old and new code side by side, as after every deploy, under all faults. */
import { holdingGlobals, type SimulationOptions, simulation, soak } from '@everfold/runtime-memory/simulation'
import { expect, test, vi } from 'vitest'
import { deploying, deployingForgetful } from '../src/simulate/deploy.ts'
import { onLambda } from '../src/simulate/on-lambda.ts'

vi.setConfig({ testTimeout: 60_000 })

const soaked = (options: SimulationOptions, seeds: number) =>
  holdingGlobals(() => soak(simulation(options), { seeds, twiceEvery: 20 }))

test('new code reads what old code wrote, and what old code cannot read waits for new code', async () => {
  const { failing, differing, coverage } = await soaked(deploying, 300)
  expect(failing?.violation).toBeUndefined()
  expect(differing).toEqual([])
  const old = coverage.matrix().filter(({ kind, happened }) => kind === 'old version' && happened > 0)
  expect(old.map(({ place }) => place)).toEqual(
    expect.arrayContaining(['lambda.api', 'lambda.relay', 'lambda.projector balances', 'lambda.commands']),
  )
})

test('so does runtime-lambda, by the AWS SDK', async () => {
  const { failing } = await soaked({ ...deploying, deployment: await onLambda() }, 15)
  expect(failing?.violation).toBeUndefined()
})

test('new code without an upcaster is found', async () => {
  const { failing } = await soaked(deployingForgetful, 50)
  expect(failing?.violation?.message).toMatch(/what is stored decodes/)
})
