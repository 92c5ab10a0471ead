/** The seeded bugs of runtime-lambda on simulated AWS: what the simulator has to find at the level of the SDK. */
import type { Equivalent, Mutant } from '../../../../runtime-memory/test/simulation/mutants/mutant.ts'
import { consuming } from './consuming.ts'
import { handling, harmlessHandling } from './handling.ts'
import { harmless as harmlessViews, projecting } from './projecting.ts'
import { publishing } from './publishing.ts'
import { harmless as harmlessStores, storing } from './storing.ts'

export const mutants: ReadonlyArray<Mutant> = [
  ...storing,
  ...handling,
  ...publishing,
  ...consuming,
  ...projecting,
]

/** Bugs that are none: nobody has to find them. */
export const equivalents: ReadonlyArray<Equivalent> = [
  ...harmlessStores,
  ...harmlessHandling,
  ...harmlessViews,
]
