/**
 * Delta debugging: which items of a list a failure needs.
 *
 * Runs of neighbours are left out, from half of the list down to single items, until nothing more can go. Law: what is
 * answered fails, and is 1-minimal, which is to say that without any one of its items it does not.
 *
 * Source: Andreas Zeller and Ralf Hildebrandt, "Simplifying and Isolating Failure-Inducing Input" (2002), in the form
 * that tests complements alone: Renáta Hodován and Ákos Kiss, "Practical Improvements to the Minimizing Delta
 * Debugging Algorithm" (2016).
 */

/** The items that still fail; given that `items` do. Asks at most n² + 4n + 1 times for n items. */
export const minimal = <Item>(
  items: ReadonlyArray<Item>,
  stillFails: (items: ReadonlyArray<Item>) => Promise<boolean>,
): Promise<ReadonlyArray<Item>> =>
  reduced(items, async (candidate) => ((await stillFails(candidate)) ? candidate : undefined))

/**
 * As `minimal`, where trying a candidate can tell that fewer of its items matter than it has: `attempt` answers those
 * that are left of it if it failed, and undefined if it did not.
 */
export const reduced = async <Item>(
  items: ReadonlyArray<Item>,
  attempt: (candidate: ReadonlyArray<Item>) => Promise<ReadonlyArray<Item> | undefined>,
): Promise<ReadonlyArray<Item>> => {
  let current = items
  if (current.length === 0) return current
  // Many failures need none of the items at all.
  const none = await attempt([])
  if (none !== undefined) return []
  const sweep = async (size: number): Promise<boolean> => {
    const before = current.length
    for (let from = 0; from < current.length; ) {
      const candidate = current.toSpliced(from, size)
      const left = candidate.length === 0 ? undefined : await attempt(candidate)
      if (left === undefined || left.length >= current.length) from += size
      else current = left
    }
    return current.length < before
  }
  for (let size = half(current.length); size > 1; size = half(Math.min(size, current.length)))
    await sweep(size)
  while (await sweep(1));
  return current
}

/** The lists that `items` become by leaving runs of neighbours out, the shortest first; what `reduced` would try. */
export function* shorter<Item>(items: ReadonlyArray<Item>): Generator<ReadonlyArray<Item>> {
  if (items.length === 0) return
  yield []
  for (let size = items.length; size > 1; ) {
    size = half(size)
    for (let from = 0; from < items.length; from += size) yield items.toSpliced(from, size)
  }
}

const half = (size: number): number => Math.ceil(size / 2)
