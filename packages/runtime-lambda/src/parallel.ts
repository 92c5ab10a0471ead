/** Work on many things, a few of them at a time. */

/** Each item is begun in its order, and at most `width` are under way; a work that answers false begins no more. */
export const inParallel = async <Item>(
  items: Iterable<Item>,
  width: number,
  work: (item: Item) => Promise<boolean | void>,
): Promise<void> => {
  const rest = items[Symbol.iterator]()
  let open = true
  const hand = async () => {
    while (open) {
      const next = rest.next()
      if (next.done === true) return
      if ((await work(next.value)) === false) open = false
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, width) }, hand))
}
