/**
 * What a request takes.
 *
 * Source: DynamoDB Developer Guide, "Read and write operations", "Provisioned capacity for global secondary indexes"
 * (2026-11).
 */
import { DYNAMODB } from '../../limits.ts'
import { type Item, isEqualItem } from './attribute.ts'
import { type Image, imageIn } from './index-image.ts'
import { itemBytes } from './item-size.ts'
import type { DynamoDb, Written } from './state.ts'

/** Units by table, and within by index; the table's own are under ''. */
export type Units = ReadonlyMap<string, ReadonlyMap<string, number>>

export const readUnits = (bytes: number, consistency: 'eventual' | 'strong' | 'transaction'): number => {
  const units = Math.max(1, Math.ceil(bytes / DYNAMODB.readUnitBytes))
  if (consistency === 'strong') return units
  return consistency === 'eventual' ? units / 2 : units * 2
}

const writeUnits = (bytes: number): number => Math.max(1, Math.ceil(bytes / DYNAMODB.writeUnitBytes))

/** The units of writes, each at the larger of the item before and after it; a transaction takes twice as many. */
export const unitsOfWrites = (
  state: DynamoDb,
  changes: ReadonlyArray<Written>,
  isTransaction = false,
): Units => {
  const units = new Map<string, Map<string, number>>()
  for (const { table, before, after } of changes) {
    const of = units.get(table) ?? new Map<string, number>()
    units.set(table, of)
    const own = writeUnits(Math.max(bytesOf(before), bytesOf(after)))
    const factor = isTransaction ? 2 : 1
    of.set('', (of.get('') ?? 0) + own * factor)
    const { indexes = [], keys } = state.tables.get(table) ?? {}
    for (const index of indexes) {
      const imageOf = (item: Item | undefined) =>
        item === undefined || keys === undefined ? undefined : imageIn(index, keys, item)
      const more = unitsOfIndex(imageOf(before), imageOf(after)) * factor
      if (more > 0) of.set(index.name, (of.get(index.name) ?? 0) + more)
    }
  }
  return units
}

const bytesOf = (item: Item | undefined): number => (item === undefined ? 0 : itemBytes(item))

/** An update inside of an index is one write, and what moves in it is deleted and put again. */
const unitsOfIndex = (old: Image | undefined, now: Image | undefined): number => {
  if (old !== undefined && now !== undefined && old.key === now.key)
    return isEqualItem(old.item, now.item)
      ? 0
      : writeUnits(Math.max(itemBytes(old.item), itemBytes(now.item)))
  return [old, now].reduce((sum, one) => sum + (one === undefined ? 0 : writeUnits(itemBytes(one.item))), 0)
}

interface Asked {
  readonly ReturnConsumedCapacity?: string
}

const shown = (asked: Asked, table: string, units: ReadonlyMap<string, number>): object => {
  const CapacityUnits = [...units.values()].reduce((sum, one) => sum + one, 0)
  if (asked.ReturnConsumedCapacity !== 'INDEXES') return { TableName: table, CapacityUnits }
  const indexes = [...units].filter(([name]) => name !== '')
  return {
    TableName: table,
    CapacityUnits,
    Table: { CapacityUnits: units.get('') ?? 0 },
    ...(indexes.length === 0
      ? {}
      : {
          GlobalSecondaryIndexes: Object.fromEntries(
            indexes.map(([name, of]) => [name, { CapacityUnits: of }]),
          ),
        }),
  }
}

const isAsked = ({ ReturnConsumedCapacity: asked = 'NONE' }: Asked): boolean => asked !== 'NONE'

/** `ConsumedCapacity` of a request of one table, if it was asked for. */
export const consumed = (asked: Asked, units: Units): object => {
  const [only] = units
  return isAsked(asked) && only !== undefined ? { ConsumedCapacity: shown(asked, ...only) } : {}
}

/** `ConsumedCapacity` of a request of several tables, if it was asked for. */
export const consumedOfAll = (asked: Asked, units: Units): object =>
  isAsked(asked) ? { ConsumedCapacity: [...units].map(([table, of]) => shown(asked, table, of)) } : {}
