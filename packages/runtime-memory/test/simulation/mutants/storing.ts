/** Bugs of event stores: what the condition of an append is, and what becomes of its failure. */
import { type Commit, E, type EventStore } from '@everfold/core'
import type { Parts } from '../../../src/simulation/deployment/port-level.ts'
import { barWith } from './bar-simulation.ts'
import type { Mutant } from './mutant.ts'
import { plainStore } from './plain-store.ts'

const numberOfEvents = ({ answers }: Commit): number =>
  answers.reduce((count, { events }) => count + events.length, 0)

/** A commit without events has no version of its own. */
const placeOf = (commit: Commit): string =>
  numberOfEvents(commit) === 0 ? `number ${commit.number}` : `version ${commit.version}`

/** The functions' store with another `append`. */
export const appending = (
  append: (commit: Commit, store: EventStore) => ReturnType<EventStore['append']>,
): Pick<Parts, 'ports'> => ({
  ports: (ports) => ({
    ...ports,
    store: { ...ports.store, append: (commit) => append(commit, ports.store) },
  }),
})

export const storing: ReadonlyArray<Mutant> = [
  {
    name: '1 append without condition',
    bug: 'An append puts its commit whether or not its place is taken.',
    breaks: ['S1', 'S2'],
    options: barWith({ store: (kernel) => plainStore(kernel, { isTaken: () => false }) }),
    budget: 100,
    level: 'port',
  },
  {
    name: '1b the place of a commit is its version',
    bug: 'A commit is kept under the version after it, so appends of unequal size from one head both succeed.',
    breaks: ['S2'],
    options: barWith({
      store: (kernel) =>
        plainStore(kernel, {
          isTaken: (commit, history) => history.some((one) => placeOf(one) === placeOf(commit)),
        }),
    }),
    budget: 500,
    level: 'port',
  },
  {
    name: '7 a failed condition counts as success',
    bug: 'Where the condition of an append fails, the commit is taken to be stored.',
    breaks: ['S1'],
    options: barWith(
      appending((commit, store) => async () => {
        const appended = await store.append(commit)()
        return E.isLeft(appended) && appended.left._tag === 'Conflict' ? E.right(undefined) : appended
      }),
    ),
    budget: 100,
    level: 'port',
  },
]
