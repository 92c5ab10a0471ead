/** The fewest operations that show an anomaly. */
import type { Anomaly, Append, History, Write } from './operation.ts'
import { NOBODY } from './place.ts'

/** Some operations of a history by themselves. */
export type Alone = (operations: ReadonlyArray<number>) => History

/**
 * Operations as a history of their own, in which whatever else they read may have been appended at any time: so that no
 * read is odd merely for the operations that were left out. Those appends come after the operations.
 */
export const alone = (history: History): Alone => {
  let found: ReadonlyMap<string, Write> | undefined
  return (operations) => {
    const kept = operations.flatMap((index) => history[index] ?? [])
    const known = new Set(kept.flatMap((one) => (one.kind === 'append' ? one.writes.map(keyOf) : [])))
    const read = kept.flatMap((one) =>
      one.kind === 'append' ? [] : one.values.map((placed) => keyOf({ stream: one.stream, ...placed })),
    )
    found ??= writesOf(history)
    const missing = new Set(read.filter((key) => !known.has(key)))
    return [...kept, ...[...missing].flatMap((key) => supposed(found?.get(key)))]
  }
}

const writesOf = (history: History): ReadonlyMap<string, Write> =>
  new Map(
    history.flatMap((one) =>
      one.kind === 'append' ? one.writes.map((write) => [keyOf(write), write] as const) : [],
    ),
  )

const keyOf = ({ stream, number, value }: Write): string => `${number} ${stream} ${value}`

const supposed = (write: Write | undefined): ReadonlyArray<Append> =>
  write === undefined
    ? []
    : [
        {
          kind: 'append',
          process: 'others',
          invokedAt: Number.NEGATIVE_INFINITY,
          outcome: 'indeterminate',
          writes: [write],
        },
      ]

/** The longest cycle that is tried without each of its operations in turn. */
const SMALL = 64

/** Leaves out whatever its kind does not need, because orders are transitive and the chains that were found are long. */
export const smallest = (
  cycle: Anomaly,
  among: (operations: ReadonlyArray<number>) => ReadonlyArray<Anomaly>,
): Anomaly => {
  if (cycle.operations.length > SMALL) return cycle
  let least = cycle
  for (const operation of cycle.operations) {
    const fewer = least.operations.filter((other) => other !== operation)
    const found = among(fewer).find(
      ({ kind, operations }) => kind === cycle.kind && !operations.includes(NOBODY),
    )
    if (found !== undefined) least = found
  }
  return least
}
