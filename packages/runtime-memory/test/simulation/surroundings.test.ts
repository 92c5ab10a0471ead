import { bind, deriveId, type GatewayBinding, streamName } from '@everfold/core'
import {
  eventuallyOverall,
  type SimulationOptions,
  type Surroundings,
  type SurroundingsPorts,
  simulation,
} from '@everfold/runtime-memory/simulation'
import { describe, expect, test } from 'vitest'
import { barOf, keeperOf, served, tab } from '../bar.ts'

/** A barkeeper with books of his own. */
const keeper = (ports: SurroundingsPorts, serve: () => Promise<void>): Surroundings & { poured: number } => {
  const books = { poured: 0 }
  const binding: GatewayBinding = bind(keeperOf(tab), ({ recorded: { event } }) => async () => {
    await serve()
    books.poured += 1
    return served(event._tag === 'Ordered' ? event.drink : '')
  })
  return Object.assign(books, { gateways: () => [binding], ports })
}

const barIn = (surroundings: SimulationOptions['surroundings']): SimulationOptions => ({
  service: barOf(tab),
  workload: () =>
    ['ale', 'tea'].map((drink) => ({ aggregate: tab, id: 't', command: { _tag: 'Order', drink } })),
  ...(surroundings === undefined ? {} : { surroundings }),
})

describe('what a service lives among', () => {
  test('is made anew for each run, and judged with the service', async () => {
    const made: Array<{ poured: number }> = []
    const simulated = simulation(
      barIn((ports) => {
        const around = keeper(ports, () => Promise.resolve())
        made.push(around)
        const poured = eventuallyOverall('nothing is poured', () => around.poured === 0)
        return { ...around, invariants: [poured] }
      }),
    )
    const runs = [await simulated.run('0'), await simulated.run('0')]
    expect(runs.map(({ violation }) => violation?.invariant)).toEqual([
      'nothing is poured',
      'nothing is poured',
    ])
    expect(made.map(({ poured }) => poured > 0)).toEqual([true, true])
    expect(runs[0]?.hash).toBe(runs[1]?.hash)
  })

  test('may wait by the clock, and may reach for globals, which are those of the run', async () => {
    const skews: Array<number> = []
    const simulated = simulation(
      barIn((ports) =>
        keeper(ports, async () => {
          await ports.kernel.sleep(250)
          await new Promise((resolve) => setTimeout(resolve, 250))
          skews.push(Math.abs(Date.now() - ports.kernel.nowMs()))
        }),
      ),
    )
    const { violation } = await simulated.replay({ seed: '0', deviations: new Map() })
    expect(violation).toBeUndefined()
    expect(skews.length).toBeGreaterThan(0)
    expect(Math.max(...skews)).toBe(0)
  })

  test('sends commands of its own', async () => {
    const stream = streamName(tab.name, 'of-the-house')
    const simulated = simulation(
      barIn((ports) => {
        const id = deriveId(ports.kernel.nowMs(), 'house')
        const command = { _tag: 'Order', drink: 'ale' }
        ports.kernel.at(ports.kernel.nowMs() + 500, 'the house orders', () => {
          void ports.send({ client: 'house', id, aggregate: tab.name, stream, command, afterMs: 500 })
        })
        const around = keeper(ports, () => Promise.resolve())
        const ordered = eventuallyOverall('the house has its ale', ({ log }) =>
          log.some((commit) => commit.stream === stream && commit.answers.some((answer) => answer.id === id)),
        )
        return { ...around, invariants: [ordered] }
      }),
    )
    for (let seed = 0; seed < 20; seed += 1)
      expect((await simulated.run(String(seed))).violation).toBeUndefined()
  })
})
