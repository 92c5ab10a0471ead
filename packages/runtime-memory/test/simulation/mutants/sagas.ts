/** Bugs of sagas: what they take for failed. */
import type { Mutant } from './mutant.ts'
import { ALL_OR_NOTHING, givingUp, shopWith } from './shop.ts'

export const sagas: ReadonlyArray<Mutant> = [
  {
    name: '19 a saga compensates what later succeeds',
    bug: 'A checkout that has waited too long gives the goods back, and the money comes all the same.',
    breaks: [ALL_OR_NOTHING],
    options: shopWith(givingUp),
    budget: 200,
    level: 'port',
  },
]
