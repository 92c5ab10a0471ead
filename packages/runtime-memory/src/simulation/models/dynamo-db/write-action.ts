/**
 * One write of one item, alone or in a transaction: its place and its condition are checked, and what it would make of
 * the item is told.
 */
import { DYNAMODB } from '../../limits.ts'
import { attributeOf, contentOf, type Item, typeOf } from './attribute.ts'
import { normalItem } from './attribute-check.ts'
import { conditionOf } from './condition.ts'
import { checkOf } from './condition-check.ts'
import { projected } from './document-path.ts'
import { Bindings, type Placeholders } from './expression.ts'
import { itemBytes } from './item-size.ts'
import { invalid } from './refusal.ts'
import { type DynamoDb, tableOf, type Written } from './state.ts'
import { itemAt, keyNames, keyOf, type Place, placeOf, placeOfKey, type Table } from './table.ts'
import { updateOf } from './update.ts'
import { boundUpdate, type Update } from './update-change.ts'

export type WriteKind = 'Put' | 'Update' | 'Delete' | 'ConditionCheck'

export interface WriteInput extends Placeholders {
  readonly TableName: string
  readonly Item?: Item
  readonly Key?: Item
  readonly ConditionExpression?: string
  readonly UpdateExpression?: string
  readonly ReturnValuesOnConditionCheckFailure?: 'ALL_OLD' | 'NONE'
}

/** A write whose request is in order: nothing but the item can refuse it now. */
export interface Prepared {
  readonly table: Table
  readonly place: Place
  readonly before: Item | undefined
  readonly meets: boolean
  /** What it would make of the item; refuses what the item does not allow. */
  readonly change: () => Written
  /** What of an item an update touches. */
  readonly touched: (item: Item) => Item
  /** What it counts of a transaction's size. */
  readonly sizeBytes: number
}

export const prepared = (state: DynamoDb, kind: WriteKind, input: WriteInput): Prepared => {
  demandModern(input)
  const table = tableOf(state, input.TableName)
  const bindings = new Bindings(input)
  const check =
    input.ConditionExpression === undefined
      ? undefined
      : checkOf(conditionOf(input.ConditionExpression), bindings)
  if (kind === 'ConditionCheck' && check === undefined)
    throw invalid('The ConditionCheck has no condition expression')
  const update =
    kind === 'Update' && input.UpdateExpression !== undefined
      ? boundUpdate(updateOf(input.UpdateExpression), bindings)
      : undefined
  bindings.end()
  const item = kind === 'Put' ? normalItem(input.Item ?? {}) : undefined
  const key = normalItem((kind === 'Put' ? item : input.Key) ?? {})
  const place = item === undefined ? placeOfKey(table, key) : placeOf(table, item)
  if (item !== undefined) demandStorable(table, item, 'Item size has exceeded the maximum allowed size')
  const before = itemAt(table.items, table.keys, place)
  const written = (after: Item | undefined): Written => ({
    table: table.name,
    partition: place.partition,
    key: keyOf(table.keys, key),
    place,
    before,
    after,
  })
  return {
    table,
    place,
    before,
    meets: check === undefined || check(before),
    change: () => written(after(table, kind, { item, key, before, update })),
    touched: (whole) => projected(whole, update?.paths ?? []),
    sizeBytes: item === undefined ? itemBytes(key) : itemBytes(item),
  }
}

/** What the service still takes for old clients is not in the model, and says so. */
const demandModern = (input: object): void => {
  for (const name of ['Expected', 'ConditionalOperator', 'AttributeUpdates', 'AttributesToGet'])
    if (Object.hasOwn(input, name)) throw invalid(`Not simulated: the legacy parameter ${name}`)
}

interface Wanted {
  readonly item: Item | undefined
  readonly key: Item
  readonly before: Item | undefined
  readonly update: Update | undefined
}

const after = (table: Table, kind: WriteKind, { item, key, before, update }: Wanted): Item | undefined => {
  switch (kind) {
    case 'Put':
      return item
    case 'Delete':
      return undefined
    case 'ConditionCheck':
      return before
    case 'Update': {
      if (update !== undefined) demandKeyKept(table, update)
      const changed = update === undefined ? (before ?? key) : update.change(before ?? key)
      demandStorable(table, changed, 'Item size to update has exceeded the maximum allowed size')
      return changed
    }
  }
}

/** Told only once the condition is met, as DynamoDB Local does. */
const demandKeyKept = ({ keys }: Table, { paths }: Update): void => {
  const ofKey = keyNames(keys).find((name) => paths.some(([step]) => step === name))
  if (ofKey !== undefined)
    throw invalid(
      `One or more parameter values were invalid: Cannot update attribute ${ofKey}. This attribute is part of the key`,
    )
}

/** The size of an item, and the types of what the indexes go by. */
const demandStorable = ({ indexes }: Table, item: Item, tooLarge: string): void => {
  if (itemBytes(item) > DYNAMODB.itemBytes) throw invalid(tooLarge)
  for (const { name: index, partition, sort } of indexes)
    for (const { name, type } of sort === undefined ? [partition] : [partition, sort]) {
      const value = attributeOf(item, name)
      if (value !== undefined && typeOf(value) !== type)
        throw invalid(
          `One or more parameter values were invalid: Type mismatch for Index Key ${name} Expected: ${type} Actual: ${typeOf(value)} IndexName: ${index}`,
        )
      if (value !== undefined && contentOf(value) === '')
        throw invalid(
          `One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty string value. IndexName: ${index}, IndexKey: ${name}`,
        )
    }
}
