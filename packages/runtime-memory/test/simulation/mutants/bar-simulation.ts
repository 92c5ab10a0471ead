/** The bar of these tests under its guests, in simulations whose parts can be exchanged. */
import { bind, type Commit, type StreamName, streamParts } from '@everfold/core'
import type { Parts } from '../../../src/simulation/deployment/port-level.ts'
import { alwaysOverall } from '../../../src/simulation/invariant.ts'
import type { Sending, Workload } from '../../../src/simulation/requests.ts'
import type { SimulationOptions } from '../../../src/simulation/simulation.ts'
import { barOf, keeperOf, served, type TabAggregate, type TabEvent, tab } from '../../bar.ts'

/** Four orders on two tabs by two guests, some of them rounds on the house; now and then a tab is closed. */
const evening: Workload = (random) => Array.from({ length: 4 }, (_, at) => order(random, at))

/** Six orders on one tab at about the same time. */
export const rush: Workload = (random) =>
  Array.from({ length: 6 }, (_, at) => ({
    ...order(random, at),
    id: 't0',
    afterMs: Math.floor(random() * 200),
  }))

/** The same as `evening`, and no drink is ordered twice. */
const distinctly: Workload = (random) => evening(random).map(numbered)

const numbered = (sending: Sending, at: number): Sending => {
  const command = sending.command as { readonly _tag: string; readonly drink?: string }
  return command._tag === 'Order'
    ? { ...sending, command: { ...command, drink: `${command.drink} ${at}` } }
    : sending
}

const order = (random: () => number, at: number): Sending => {
  const drink = random() < 0.3 ? 'round:tea' : 'ale'
  return {
    aggregate: tab,
    id: `t${Math.floor(random() * 2)}`,
    command: random() < 0.85 ? { _tag: 'Order', drink } : { _tag: 'Close' },
    client: `client ${(at % 2) + 1}`,
    afterMs: Math.floor(random() * 2000),
  }
}

/** The name of what holds where no two orders are the same. */
export const ORDERED_ONCE = 'each drink is ordered once'

const orderedOnce = alwaysOverall(ORDERED_ONCE, ({ log }) => {
  const seen = new Set<string>()
  for (const place of log.flatMap(drinks)) {
    if (seen.has(place)) return `${place} was ordered twice`
    seen.add(place)
  }
  return true
})

const drinks = ({ stream, answers }: Commit): ReadonlyArray<string> =>
  streamParts(stream).category === 'tab'
    ? answers.flatMap(({ events }) =>
        events.filter(({ _tag }) => _tag === 'Ordered').map((event) => placeOf(stream, event)),
      )
    : []

const placeOf = (stream: StreamName, event: Commit['answers'][number]['events'][number]): string =>
  `${stream} ${String(event['drink'])}`

export const barWith = (
  parts: Partial<Parts>,
  more: Partial<SimulationOptions> & { readonly aggregate?: TabAggregate } = {},
): SimulationOptions => {
  const { aggregate = tab, ...options } = more
  return {
    service: barOf(aggregate),
    workload: evening,
    gateways: () => [
      bind(
        keeperOf(aggregate),
        ({ recorded }) =>
          async () =>
            servedOf(recorded.event),
      ),
    ],
    parts,
    ...options,
  }
}

const servedOf = (event: TabEvent) => served(event._tag === 'Ordered' ? event.drink : '')

/** Where no two orders are the same, so that one that takes effect twice shows, whatever its ids. */
export const distinctBarWith = (parts: Partial<Parts>): SimulationOptions =>
  barWith(parts, { workload: distinctly, invariants: [orderedOnce] })
