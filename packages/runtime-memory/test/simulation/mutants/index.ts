/** The seeded bugs: what the simulator has to find, and what nobody has to. */
import { handling } from './handling.ts'
import type { Mutant } from './mutant.ts'
import { projecting } from './projecting.ts'
import { publishing } from './publishing.ts'
import { rebuilding } from './rebuilding.ts'
import { sagas } from './sagas.ts'
import { storing } from './storing.ts'
import { telling } from './telling.ts'

export const mutants: ReadonlyArray<Mutant> = [
  ...storing,
  ...handling,
  ...publishing,
  ...projecting,
  ...rebuilding,
  ...sagas,
  ...telling,
]

export { equivalents } from './equivalents.ts'
