/** What a global secondary index has of an item; an item without the attributes of its key is not in it. */
import { attributeOf, contentOf, type Item, typeOf } from './attribute.ts'
import { type Index, type KeySchema, keyNames, keyOf } from './table.ts'

/** Whether an item has the whole key, each part of its type. */
export const isIn = ({ partition, sort }: KeySchema, item: Item): boolean =>
  [partition, ...(sort === undefined ? [] : [sort])].every(({ name, type }) => {
    const value = attributeOf(item, name)
    return value !== undefined && typeOf(value) === type && contentOf(value) !== ''
  })

/** Images never change, so that one for each index will do. */
const imaged = new WeakMap<Index, WeakMap<Item, Item>>()

/** The item with what is in the index, `tableKeys` included. */
export const projectedTo = (index: Index, tableKeys: KeySchema, item: Item): Item => {
  if (index.projection === 'ALL') return item
  const known = imaged.get(index) ?? new WeakMap<Item, Item>()
  imaged.set(index, known)
  const before = known.get(item)
  if (before !== undefined) return before
  const names = new Set([...keyNames(tableKeys), ...keyNames(index), ...index.included])
  const image = Object.fromEntries(Object.entries(item).filter(([name]) => names.has(name)))
  known.set(item, image)
  return image
}

export interface Image {
  /** One text for one place in the index. */
  readonly key: string
  readonly item: Item
}

export const imageIn = (index: Index, tableKeys: KeySchema, item: Item): Image | undefined =>
  isIn(index, item)
    ? { key: JSON.stringify(keyOf(index, item)), item: projectedTo(index, tableKeys, item) }
    : undefined
