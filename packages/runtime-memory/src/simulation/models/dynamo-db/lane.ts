/**
 * What a query or a scan goes through: the items of a table or of an index, in an order that places every key.
 *
 * A scan goes by the hash of the partition key; its segments cut the hashes into equal parts.
 */
import { type AttributeValue, attributeOf, compareValues, type Item, isEqual } from './attribute.ts'
import { isIn, projectedTo } from './index-image.ts'
import { invalid } from './refusal.ts'
import {
  type Index,
  type Items,
  type KeySchema,
  keyNames,
  keyText,
  partitionHash,
  type Table,
} from './table.ts'

export interface Lane {
  readonly table: Table
  readonly index?: Index
}

export interface Segment {
  readonly segment: number
  readonly segments: number
}

export const laneOf = (table: Table, index: string | undefined): Lane => {
  if (index === undefined) return { table }
  const found = table.indexes.find(({ name }) => name === index)
  if (found === undefined) throw invalid(`The table does not have the specified index: ${index}`)
  return { table, index: found }
}

export const schemaOf = ({ table, index }: Lane): KeySchema => index ?? table.keys

/** The names of all attributes that place an item in the lane. */
export const placingNames = (lane: Lane): ReadonlyArray<string> => [
  ...new Set([...keyNames(schemaOf(lane)), ...keyNames(lane.table.keys)]),
]

/** The items of one partition of the lane, in its order. */
export const partitionOf = (lane: Lane, items: Items, partition: AttributeValue): ReadonlyArray<Item> => {
  const { table, index } = lane
  if (index === undefined) return items.get(keyText(partition)) ?? []
  const name = index.partition.name
  return [...items.values()]
    .flat()
    .filter((item) => isIn(index, item) && isEqual(attributeOf(item, name), partition))
    .map((item) => projectedTo(index, table.keys, item))
    .toSorted((one, other) => placeOrder(lane, one, other))
}

/** The items of one segment of the whole lane, in its order. */
export const segmentOf = (lane: Lane, items: Items, { segment, segments }: Segment): ReadonlyArray<Item> => {
  const { table, index } = lane
  const all = [...items.values()].flat()
  const there = index === undefined ? all : all.filter((item) => isIn(index, item))
  return there
    .filter((item) => Math.floor((hashIn(lane, item) / 2 ** 32) * segments) === segment)
    .map((item) => (index === undefined ? item : projectedTo(index, table.keys, item)))
    .toSorted((one, other) => scanOrder(lane, one, other))
}

const hashIn = (lane: Lane, item: Item): number => {
  const partition = attributeOf(item, schemaOf(lane).partition.name)
  return partition === undefined ? 0 : partitionHash(keyText(partition))
}

export const scanOrder = (lane: Lane, one: Item, other: Item): number =>
  hashIn(lane, one) - hashIn(lane, other) ||
  byAttribute(schemaOf(lane).partition.name, one, other) ||
  placeOrder(lane, one, other)

/** The order within a partition: by its sort key, and in an index by the table's own key where that is equal. */
export const placeOrder = (lane: Lane, one: Item, other: Item): number => {
  const { sort } = schemaOf(lane)
  const first = sort === undefined ? 0 : byAttribute(sort.name, one, other)
  if (first !== 0 || lane.index === undefined) return first
  for (const name of keyNames(lane.table.keys)) {
    const order = byAttribute(name, one, other)
    if (order !== 0) return order
  }
  return 0
}

const byAttribute = (name: string, one: Item, other: Item): number => {
  const [left, right] = [attributeOf(one, name), attributeOf(other, name)]
  return left === undefined || right === undefined ? 0 : (compareValues(left, right) ?? 0)
}

/** A start that is none of the lane's keys, or has other attributes, is refused. */
export const demandStart = (lane: Lane, start: Item): void => {
  const names = placingNames(lane)
  const { table, index } = lane
  const isWhole =
    Object.keys(start).length === names.length &&
    isIn(table.keys, start) &&
    (index === undefined || isIn(index, start))
  if (!isWhole) throw invalid('The provided starting key is invalid')
}
