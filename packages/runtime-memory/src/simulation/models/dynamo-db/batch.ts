/** BatchGetItem and BatchWriteItem: many requests at once, none of them bound to another, some perhaps left undone. */
import { DYNAMODB } from '../../limits.ts'
import type { At, Stepped } from '../model.ts'
import type { Item } from './attribute.ts'
import { normalItem } from './attribute-check.ts'
import { consumedOfAll, readUnits, unitsOfWrites } from './capacity.ts'
import { ofStream, throttled } from './deviation.ts'
import { Bindings, type Placeholders } from './expression.ts'
import { itemBytes } from './item-size.ts'
import { itemsSeen } from './page.ts'
import { projectionOf } from './projection.ts'
import { invalid } from './refusal.ts'
import { type DynamoDb, tableOf, written } from './state.ts'
import { itemAt, keyText, type Place, placeOfKey, type Table } from './table.ts'
import { prepared } from './write-action.ts'

interface WriteRequest {
  readonly PutRequest?: { readonly Item: Item }
  readonly DeleteRequest?: { readonly Key: Item }
}

export interface BatchWriteInput {
  readonly RequestItems?: Readonly<Record<string, ReadonlyArray<WriteRequest>>>
  readonly ReturnConsumedCapacity?: string
}

export const writeBatch = (
  state: DynamoDb,
  input: BatchWriteInput,
  { nowMs, deviation }: At,
): Stepped<DynamoDb, object> => {
  const requests = entriesOf(input.RequestItems)
  demandCount(requests.length, DYNAMODB.batchWrites)
  const writes = requests.map(([TableName, { PutRequest, DeleteRequest }]) => {
    if ((PutRequest === undefined) === (DeleteRequest === undefined))
      throw invalid('Supplied AttributeValue has more than one datatypes set')
    return PutRequest === undefined
      ? prepared(state, 'Delete', { TableName, Key: DeleteRequest?.Key ?? {} })
      : prepared(state, 'Put', { TableName, Item: PutRequest.Item })
  })
  demandApart(writes)
  const sizeBytes = writes.reduce((sum, write) => sum + write.sizeBytes, 0)
  if (sizeBytes > DYNAMODB.batchBytes) throw invalid('The batch size has exceeded the maximum allowed size')
  if (deviation === 'throttled') throw throttled(requests[0]?.[0] ?? '', 'Write')
  const done = deviation === 'unprocessed' ? writes.slice(0, -1) : writes
  const changes = done.map(({ change }) => change())
  const units = unitsOfWrites(state, changes)
  return {
    state: written(state, changes, { nowMs, ...ofStream(deviation) }),
    answer: { UnprocessedItems: grouped(requests.slice(done.length)), ...consumedOfAll(input, units) },
  }
}

interface Keys extends Placeholders {
  readonly Keys?: ReadonlyArray<Item>
  readonly ConsistentRead?: boolean
  readonly ProjectionExpression?: string
}

export interface BatchGetInput {
  readonly RequestItems?: Readonly<Record<string, Keys>>
  readonly ReturnConsumedCapacity?: string
}

/** One key of a batch, with what was asked for it. */
interface Wanted {
  readonly table: Table
  readonly place: Place
  readonly key: Item
  readonly keys: Keys
  readonly project: (item: Item) => Item
}

export const readBatch = (state: DynamoDb, input: BatchGetInput, deviation: string | undefined): object => {
  const wanted = Object.entries(input.RequestItems ?? {}).flatMap(([name, keys]) =>
    wantedOf(state, name, keys),
  )
  demandCount(wanted.length, DYNAMODB.batchReads)
  demandApart(wanted)
  if (deviation === 'throttled') throw throttled(wanted[0]?.table.name ?? '', 'Read')
  const most = deviation === 'unprocessed' ? wanted.length - 1 : wanted.length
  const found = new Map<string, Array<Item>>()
  const units = new Map<string, Map<string, number>>()
  let [done, sizeBytes] = [0, 0]
  for (const { table, place, keys, project } of wanted.slice(0, most)) {
    const item = itemAt(itemsSeen(state, table, deviationFor(keys, deviation)), table.keys, place)
    const bytes = item === undefined ? 0 : itemBytes(item)
    if (sizeBytes + bytes > DYNAMODB.batchBytes) break
    done += 1
    sizeBytes += bytes
    const of = units.get(table.name) ?? new Map<string, number>()
    units.set(
      table.name,
      of.set('', (of.get('') ?? 0) + readUnits(bytes, keys.ConsistentRead === true ? 'strong' : 'eventual')),
    )
    const answers = found.get(table.name) ?? []
    found.set(table.name, answers)
    if (item !== undefined) answers.push(project(item))
  }
  return {
    Responses: Object.fromEntries(found),
    UnprocessedKeys: leftOf(wanted.slice(done)),
    ...consumedOfAll(input, units),
  }
}

/** What was asked for consistently is not stale. */
const deviationFor = ({ ConsistentRead }: Keys, deviation: string | undefined): string | undefined =>
  ConsistentRead === true && deviation?.startsWith('stale') === true ? undefined : deviation

const wantedOf = (state: DynamoDb, name: string, keys: Keys): ReadonlyArray<Wanted> => {
  const table = tableOf(state, name)
  const bindings = new Bindings(keys)
  const project = projectionOf(keys.ProjectionExpression, bindings)
  bindings.end()
  if (keys.Keys === undefined || keys.Keys.length === 0)
    throw invalid("1 validation error detected: Value at 'keys' failed to satisfy constraint")
  return keys.Keys.map((key) => {
    const normal = normalItem(key)
    return { table, place: placeOfKey(table, normal), key: normal, keys, project }
  })
}

const leftOf = (wanted: ReadonlyArray<Wanted>): object => {
  const left = new Map<string, Keys & { readonly Keys: ReadonlyArray<Item> }>()
  for (const { table, key, keys } of wanted)
    left.set(table.name, { ...keys, Keys: [...(left.get(table.name)?.Keys ?? []), key] })
  return Object.fromEntries(left)
}

const entriesOf = <A>(
  requests: Readonly<Record<string, ReadonlyArray<A>>> = {},
): ReadonlyArray<readonly [string, A]> =>
  Object.entries(requests).flatMap(([table, ofTable]) => ofTable.map((one) => [table, one] as const))

const grouped = <A>(
  requests: ReadonlyArray<readonly [string, A]>,
): Readonly<Record<string, ReadonlyArray<A>>> => {
  const groups = new Map<string, ReadonlyArray<A>>()
  for (const [table, one] of requests) groups.set(table, [...(groups.get(table) ?? []), one])
  return Object.fromEntries(groups)
}

const demandCount = (count: number, most: number): void => {
  if (count < 1 || count > most)
    throw invalid(
      count < 1
        ? "1 validation error detected: Value at 'requestItems' failed to satisfy constraint"
        : 'Too many items requested for the batch call',
    )
}

const demandApart = (places: ReadonlyArray<{ readonly table: Table; readonly place: Place }>): void => {
  const named = places.map(({ table, place }) =>
    JSON.stringify([table.name, place.partition, place.sort === undefined ? '' : keyText(place.sort)]),
  )
  if (new Set(named).size < named.length) throw invalid('Provided list of item keys contains duplicates')
}
