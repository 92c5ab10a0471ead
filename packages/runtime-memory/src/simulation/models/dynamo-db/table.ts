/**
 * A table: its definition, and its items by partition key, each partition in the order of its sort key.
 *
 * A write makes a new table that shares every partition but its own with the old one.
 */

import { hash32 } from '../../../random.ts'
import { DYNAMODB } from '../../limits.ts'
import { type AttributeValue, attributeOf, compareValues, contentOf, type Item, typeOf } from './attribute.ts'
import { valueBytes } from './item-size.ts'
import { invalid } from './refusal.ts'
import type { Stream } from './stream.ts'

export type KeyType = 'S' | 'N' | 'B'

export interface KeyAttribute {
  readonly name: string
  readonly type: KeyType
}

export interface KeySchema {
  readonly partition: KeyAttribute
  readonly sort?: KeyAttribute
}

export interface Index extends KeySchema {
  readonly name: string
  readonly projection: 'ALL' | 'KEYS_ONLY' | 'INCLUDE'
  /** What it has beside the keys, where it includes some. */
  readonly included: ReadonlyArray<string>
}

type Partition = ReadonlyArray<Item>

/** By the text of the partition key. */
export type Items = ReadonlyMap<string, Partition>

export interface Table {
  readonly name: string
  readonly keys: KeySchema
  readonly indexes: ReadonlyArray<Index>
  readonly createdMs: number
  /** The attribute that holds the second after which an item may go. */
  readonly ttl?: string
  readonly isDeletionProtected: boolean
  readonly isRecoverable: boolean
  readonly billing: 'PAY_PER_REQUEST' | 'PROVISIONED'
  readonly tags: ReadonlyMap<string, string>
  readonly items: Items
  /** The items before each of the last writes, oldest first. */
  readonly past: ReadonlyArray<Items>
  readonly stream?: Stream
}

/** An item's place, in its own table. */
export interface Place {
  readonly partition: string
  readonly sort: AttributeValue | undefined
}

export const keyNames = ({ partition, sort }: KeySchema): ReadonlyArray<string> =>
  sort === undefined ? [partition.name] : [partition.name, sort.name]

/** One text for each value of a key. */
export const keyText = (value: AttributeValue): string => `${typeOf(value)}:${String(contentOf(value))}`

/** A partition's place among all: what a scan goes by, and what shards are cut by. */
export const partitionHash = (partition: string): number => hash32(partition)

/** The place of an item, whose keys are checked. */
export const placeOf = ({ keys }: Table, item: Item): Place => ({
  partition: keyText(keyValue(item, keys.partition, DYNAMODB.partitionKeyBytes)),
  sort: keys.sort === undefined ? undefined : keyValue(item, keys.sort, DYNAMODB.sortKeyBytes),
})

/** The place that a `Key` names, which has the attributes of the key and no others. */
export const placeOfKey = (table: Table, key: Item): Place => {
  if (Object.keys(key).length !== keyNames(table.keys).length)
    throw invalid('The provided key element does not match the schema')
  const names = keyNames(table.keys)
  if (names.some((name) => attributeOf(key, name) === undefined))
    throw invalid('The provided key element does not match the schema')
  return placeOf(table, key)
}

const keyValue = (item: Item, { name, type }: KeyAttribute, limitBytes: number): AttributeValue => {
  const value = attributeOf(item, name)
  if (value === undefined)
    throw invalid(`One or more parameter values were invalid: Missing the key ${name} in the item`)
  if (typeOf(value) !== type)
    throw invalid(
      `One or more parameter values were invalid: Type mismatch for key ${name} expected: ${type} actual: ${typeOf(value)}`,
    )
  if (contentOf(value) === '')
    throw invalid(
      `One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty value. Key: ${name}`,
    )
  if (valueBytes(value) > limitBytes)
    throw invalid(
      `One or more parameter values were invalid: Size of key ${name} has exceeded ${limitBytes} bytes`,
    )
  return value
}

export const itemAt = (items: Items, keys: KeySchema, place: Place): Item | undefined => {
  const partition = items.get(place.partition)
  if (partition === undefined) return undefined
  const at = positionIn(partition, keys, place.sort)
  const found = partition[at]
  return found !== undefined && isAt(found, keys, place.sort) ? found : undefined
}

/** The items with this one in its place, or with nothing there. */
export const withItem = (items: Items, keys: KeySchema, place: Place, item: Item | undefined): Items => {
  const partition = items.get(place.partition) ?? []
  const at = positionIn(partition, keys, place.sort)
  const there = partition[at]
  const replaces = there !== undefined && isAt(there, keys, place.sort) ? 1 : 0
  const changed = partition.toSpliced(at, replaces, ...(item === undefined ? [] : [item]))
  const result = new Map(items)
  if (changed.length === 0) result.delete(place.partition)
  else result.set(place.partition, changed)
  return result
}

/** Where the sort key is, or would be. */
const positionIn = (partition: Partition, keys: KeySchema, sort: AttributeValue | undefined): number => {
  if (keys.sort === undefined || sort === undefined) return 0
  let [low, high] = [0, partition.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (orderAt(partition[middle], keys.sort.name, sort) < 0) low = middle + 1
    else high = middle
  }
  return low
}

const isAt = (item: Item, keys: KeySchema, sort: AttributeValue | undefined): boolean =>
  keys.sort === undefined || sort === undefined || orderAt(item, keys.sort.name, sort) === 0

const orderAt = (item: Item | undefined, name: string, sort: AttributeValue): number =>
  compareValues(attributeOf(item, name) ?? sort, sort) ?? 0

/** The attributes of the key of an item. */
export const keyOf = (keys: KeySchema, item: Item): Item =>
  Object.fromEntries(
    keyNames(keys).flatMap((name) => {
      const value = attributeOf(item, name)
      return value === undefined ? [] : [[name, value]]
    }),
  )
