/** Bugs of rebuilds: what they make of events of an older schema. */
import {
  type CommandId,
  type Commit,
  deriveId,
  fingerprint,
  type OldEvent,
  type Projection,
  rebuild,
  streamName,
} from '@everfold/core'
import type { Parts } from '../../../src/simulation/deployment/port-level.ts'
import type { SimulationOptions } from '../../../src/simulation/simulation.ts'
import { barOf, drinksOf, type TabAggregate, tab } from '../../bar.ts'
import { barWith } from './bar-simulation.ts'
import type { Mutant } from './mutant.ts'
import { plainStore } from './plain-store.ts'

/** The bar once called a drink a beverage. */
const renamed = ({ beverage, ...event }: OldEvent): OldEvent => ({ ...event, drink: beverage })
const upcastBy = (upcaster: (old: OldEvent) => OldEvent): TabAggregate => ({
  ...tab,
  upcasters: { Ordered: [upcaster] },
})

/** An hour before the first of January 2026. */
const LAST_YEAR_MS = 1_767_225_600_000 - 3_600_000

const id: CommandId = deriveId(LAST_YEAR_MS, 'an order of last year')

const lastYear: Commit = {
  stream: streamName('tab', 'regulars'),
  number: 1,
  version: 1,
  timeMs: LAST_YEAR_MS,
  latestIdMs: LAST_YEAR_MS,
  answers: [
    {
      id,
      fingerprint: fingerprint('an order of last year'),
      timeMs: LAST_YEAR_MS,
      metadata: { correlationId: id },
      events: [{ _tag: 'Ordered', beverage: 'mead' }],
    },
  ],
}

const JOB_MS = 1000

/** A bar with a past, whose view is rebuilt while it is open, by a reader of the old events. */
export const rebuiltBarWith = (upcaster: (old: OldEvent) => OldEvent = renamed): SimulationOptions => {
  const aggregate = upcastBy(renamed)
  const generations: ReadonlyArray<Projection> = [drinksOf(aggregate, '2'), drinksOf(aggregate, '1')]
  const rebuilt = drinksOf(upcastBy(upcaster), '2')
  const parts: Partial<Parts> = {
    store: (kernel) => plainStore(kernel, { history: [lastYear] }),
    jobs: [
      {
        name: 'rebuild',
        afterMs: JOB_MS,
        run: ({ store, views, clock }) =>
          rebuild(rebuilt, { store, views, clock }, { segments: 2, listed: generations })(),
      },
    ],
  }
  return barWith(parts, { aggregate, service: barOf(aggregate, { projections: generations }) })
}

export const rebuilding: ReadonlyArray<Mutant> = [
  {
    name: '25 a rebuild does not upcast',
    bug: 'A rebuild reads old events as if they were new ones, and puts a default in place of what it does not find.',
    breaks: ['S6', 'E7'],
    options: rebuiltBarWith(({ beverage: _unread, ...event }) => ({ ...event, drink: 'a drink' })),
    budget: 100,
    level: 'port',
    behind: { unjudged: ['S6', 'S7'], breaks: ['E7'] },
  },
]
