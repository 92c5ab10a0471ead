/** A courier who waits, calls and is refused, for two tenants, under all faults. */
import { E } from '@everfold/core'
import { callConsumer } from '@everfold/runtime-lambda/calls'
import { outboxRelay } from '@everfold/runtime-lambda/relay'
import { schedulerTimers } from '@everfold/runtime-lambda/timers'
import { holdingGlobals, simulation, soak, unreached } from '@everfold/runtime-memory/simulation'
import { expect, test, vi } from 'vitest'
import { courierRounds } from '../src/simulate/courier-rounds.ts'
import { type LambdaParts, lambdaSetUp } from '../src/simulate/on-lambda.ts'

vi.setConfig({ testTimeout: 60_000 })

const soaked = (simulated: ReturnType<typeof simulation>, seeds: number) =>
  holdingGlobals(() => soak(simulated, { seeds, twiceEvery: 10 }))

const deployed = await lambdaSetUp()

const simulatedOnLambda = (parts: Partial<LambdaParts> = {}) => {
  const { options, lambda } = courierRounds()
  return simulation({ ...options, deployment: deployed({ ...lambda, parts }) })
}

test('every parcel comes to its end, while a view is rebuilt', async () => {
  const simulated = simulation(courierRounds().options)
  const { failing, differing, coverage } = await soaked(simulated, 40)
  expect(failing?.violation).toBeUndefined()
  expect(differing).toEqual([])
  expect(unreached(coverage, simulated).marks).toEqual([])
})

test('so it does with runtime-lambda, by the AWS SDK', async () => {
  const simulated = simulatedOnLambda()
  const { failing, differing, coverage } = await soaked(simulated, 6)
  expect(failing?.violation).toBeUndefined()
  expect(differing).toEqual([])
  expect(unreached(coverage, simulated).marks).toEqual([])
  const asked = coverage.matrix().map(({ place }) => place)
  for (const place of ['scheduler.POST schedules', 'scheduler.DELETE schedules', 'lambda.calls'])
    expect(asked).toContain(place)
})

const nothing = () => () => Promise.resolve(E.right(undefined))

/** Every door is rung, and nobody learns whether it opened. */
const forgetful: typeof callConsumer = (options) =>
  callConsumer({
    ...options,
    gateways: options.gateways.map(({ gateway, call }) => ({
      gateway,
      call: (request) => async () => {
        const answered = await call(request)()
        return E.isLeft(answered) ? answered : E.right(undefined)
      },
    })),
  })

const bugs: ReadonlyArray<{
  readonly name: string
  readonly parts: Partial<LambdaParts>
  readonly breaks: string
}> = [
  {
    name: 'a timer that is never set',
    parts: { timers: (options) => ({ ...schedulerTimers(options), schedule: nothing }) },
    breaks: 'E5',
  },
  {
    name: 'a timer that is never canceled',
    parts: {
      outboxRelay: (options) => outboxRelay({ ...options, timers: { ...options.timers, cancel: nothing } }),
    },
    breaks: 'S5',
  },
  {
    name: 'a call that is done unmade',
    parts: { callConsumer: () => () => Promise.resolve({ batchItemFailures: [] }) },
    breaks: 'E1',
  },
  {
    name: 'a call whose answer is forgotten',
    parts: { callConsumer: forgetful },
    breaks: 'E1',
  },
]

test.each(bugs)('$name is found', async ({ parts, breaks }) => {
  const { failing } = await soaked(simulatedOnLambda(parts), 6)
  expect(failing?.violation?.invariant).toBe(breaks)
})
