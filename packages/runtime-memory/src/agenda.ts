/** What is to happen, lowest rank first and oldest first among equals: a binary heap. */
export interface Agenda<Item> {
  add(this: void, rank: number, item: Item): void
  /** The next item without taking it. */
  peek(this: void): { readonly rank: number; readonly item: Item } | undefined
  take(this: void): Item | undefined
  size(this: void): number
}

interface Entry<Item> {
  readonly rank: number
  readonly turn: number
  readonly item: Item
}

export const agenda = <Item>(): Agenda<Item> => {
  const heap: Array<Entry<Item>> = []
  let turn = 0
  return {
    add: (rank, item) => {
      turn += 1
      heap.push({ rank, turn, item })
      rise(heap)
    },
    peek: () => heap[0],
    take: () => {
      const first = heap[0]
      const last = heap.pop()
      if (first === undefined || last === undefined) return undefined
      if (heap.length > 0) sink(heap, last)
      return first.item
    },
    size: () => heap.length,
  }
}

const before = (one: Entry<unknown>, other: Entry<unknown>): boolean =>
  one.rank < other.rank || (one.rank === other.rank && one.turn < other.turn)

/** Moves the last entry up to its place. */
const rise = <Item>(heap: Array<Entry<Item>>): void => {
  let at = heap.length - 1
  for (;;) {
    const parent = (at - 1) >> 1
    const [entry, above] = [heap[at], heap[parent]]
    if (entry === undefined || above === undefined || !before(entry, above)) break
    heap[at] = above
    heap[parent] = entry
    at = parent
  }
}

/** Puts an entry at the top and moves it down to its place. */
const sink = <Item>(heap: Array<Entry<Item>>, entry: Entry<Item>): void => {
  let at = 0
  for (;;) {
    const left = 2 * at + 1
    const [one, other] = [heap[left], heap[left + 1]]
    if (one === undefined) break
    const child = other !== undefined && before(other, one) ? left + 1 : left
    const below = heap[child]
    if (below === undefined || !before(below, entry)) break
    heap[at] = below
    at = child
  }
  heap[at] = entry
}
