/**
 * What many runs have not tried: a fault that never came about where it could have, or something that should happen in
 * some runs and has in none. A green run proves nothing about either.
 */
import type { Cell, Coverage } from './chooser.ts'

/** What the runs are meant to reach. */
export interface Expected {
  /** The marks that have to be reached: those of a simulation are its `marks`. */
  readonly marks?: ReadonlyArray<string>
  /** Which kinds of fault at which places count; all unless told. */
  readonly kinds?: (cell: Cell) => boolean
  /** How often a fault must have been possible for its absence to count; 10,000 times unless told. */
  readonly atLeast?: number
}

/** What they have not reached. */
export interface Unreached {
  /** The faults that never happened, by kind and place. */
  readonly faults: ReadonlyArray<Cell>
  readonly marks: ReadonlyArray<string>
}

/**
 * What of the expected was not reached by the runs that this coverage was noted in. Marks count only where they are given:
 * those of a simulation are its `marks`.
 */
export const unreached = (
  coverage: Pick<Coverage, 'matrix' | 'marks'>,
  { marks = [], kinds = () => true, atLeast = 10_000 }: Expected = {},
): Unreached => ({
  faults: coverage.matrix().filter((cell) => cell.happened === 0 && cell.possible >= atLeast && kinds(cell)),
  marks: marks.filter((name) => !coverage.marks.has(name)),
})

/** One sentence for each; nothing where all was reached. */
export const wordsOfUnreached = ({ faults, marks }: Unreached): ReadonlyArray<string> => [
  ...marks.map((name) => `In no run it came about that ${name}.`),
  ...faults.map(
    ({ kind, place, possible }) =>
      `"${kind}" never happened at ${place}, where it was possible ${possible} times.`,
  ),
]
