/** A bug that was put into a correct service on purpose, to show that the simulator finds it. */
import type { SimulationOptions } from '../../../src/simulation/simulation.ts'

export interface Mutant {
  /** Its place in the table of bugs, and what is wrong: `1b the place of a commit is its version`. */
  readonly name: string
  /** The bug in one sentence. */
  readonly bug: string
  /** The invariants that it breaks; any of them may be the first. */
  readonly breaks: ReadonlyArray<string>
  readonly options: SimulationOptions
  /** How many seeds it takes at most, from 0 on. */
  readonly budget: number
  readonly level: 'port' | 'sdk'
  /** What it breaks besides, and is found by when those it is found by first are not judged. */
  readonly behind?: { readonly unjudged: ReadonlyArray<string>; readonly breaks: ReadonlyArray<string> }
}

/** A bug that turns out to be none. */
export interface Equivalent extends Pick<Mutant, 'name' | 'bug' | 'options'> {
  /** Why nothing breaks. */
  readonly reason: string
}
