/** Changes that look like bugs and are none: no simulator has to find them. */
import { E } from '@everfold/core'
import { barWith } from './bar-simulation.ts'
import type { Equivalent } from './mutant.ts'
import { plainApi, plainCommands, type Steps } from './plain-handler.ts'
import { plainStore } from './plain-store.ts'
import { appending } from './storing.ts'

/** What a replica shows that is a second behind. */
const lagging = (): Partial<Steps> => ({
  read: async ({ store, clock }, stream) => {
    const page = await store.readForward(stream, { after: 0, limit: 100 })()
    if (E.isLeft(page)) return page
    return E.right(page.right.commits.filter(({ timeMs }) => timeMs <= clock.nowMs() - 1000))
  },
})

export const equivalents: ReadonlyArray<Equivalent> = [
  {
    name: '17c a stale read, with the check at the append',
    bug: 'Decisions are made on what a replica shows a second later.',
    reason:
      'The place after a head that is too old is taken, so nothing is appended until the head is the newest.',
    options: barWith({
      store: plainStore,
      functions: { api: plainApi(lagging), commands: plainCommands(lagging) },
    }),
  },
  {
    name: '21b a cache that is never emptied',
    bug: 'A handler keeps heads that it should have dropped.',
    reason:
      'An append after a head that is too old conflicts, and the handler reads on; answers come from no such head.',
    options: barWith({ ports: (ports) => ({ ...ports, cache: { ...ports.cache, delete: () => {} } }) }),
  },
  {
    name: '23b the own write is reported to our handler as a conflict',
    bug: 'A store repeats an append whose response was lost, and tells of the conflict with itself.',
    reason: 'Our handler takes a conflict as news, reads on, and finds its own command id on record.',
    options: barWith(
      appending((commit, store) => async () => {
        const appended = await store.append(commit)()
        const isUnknown = E.isLeft(appended) && appended.left._tag === 'OutcomeUnknown'
        return isUnknown ? store.append(commit)() : appended
      }),
    ),
  },
]
