/** GetItem. */
import { attributeOf, type Item } from './attribute.ts'
import { normalItem } from './attribute-check.ts'
import { consumed, readUnits } from './capacity.ts'
import { throttled } from './deviation.ts'
import { Bindings, type Placeholders } from './expression.ts'
import { itemBytes } from './item-size.ts'
import { itemsSeen } from './page.ts'
import { projectionOf } from './projection.ts'
import { invalid } from './refusal.ts'
import { type DynamoDb, tableOf } from './state.ts'
import { itemAt, placeOfKey } from './table.ts'

export interface GetInput extends Placeholders {
  readonly TableName: string
  readonly Key?: Item
  readonly ConsistentRead?: boolean
  readonly ProjectionExpression?: string
  readonly ReturnConsumedCapacity?: string
}

export const readItem = (state: DynamoDb, input: GetInput, deviation: string | undefined): object => {
  if (attributeOf(input as unknown as Item, 'AttributesToGet') !== undefined)
    throw invalid('Not simulated: the legacy parameter AttributesToGet')
  const table = tableOf(state, input.TableName)
  const bindings = new Bindings(input)
  const project = projectionOf(input.ProjectionExpression, bindings)
  bindings.end()
  const place = placeOfKey(table, normalItem(input.Key ?? {}))
  if (deviation === 'throttled') throw throttled(table.name, 'Read')
  const item = itemAt(itemsSeen(state, table, deviation), table.keys, place)
  const units = readUnits(
    item === undefined ? 0 : itemBytes(item),
    input.ConsistentRead === true ? 'strong' : 'eventual',
  )
  return {
    ...(item === undefined ? {} : { Item: project(item) }),
    ...consumed(input, new Map([[table.name, new Map([['', units]])]])),
  }
}
