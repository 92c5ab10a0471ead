/**
 * Query and Scan: one page of what a lane holds.
 *
 * A page ends at its limit, or at a megabyte, of what was read: the filter comes after. So a page can be empty and have
 * others behind it.
 */
import { DYNAMODB } from '../../limits.ts'
import { attributeOf, type Item, isEqual } from './attribute.ts'
import { normalItem } from './attribute-check.ts'
import { consumed, readUnits } from './capacity.ts'
import { filterOf, pathsIn } from './condition.ts'
import { checkOf } from './condition-check.ts'
import { HALVES, STALE, throttled } from './deviation.ts'
import { Bindings, type Placeholders } from './expression.ts'
import { itemBytes } from './item-size.ts'
import { boundKeyCondition } from './key-condition.ts'
import {
  demandStart,
  type Lane,
  laneOf,
  partitionOf,
  placeOrder,
  placingNames,
  scanOrder,
  schemaOf,
  segmentOf,
} from './lane.ts'
import { projectionOf } from './projection.ts'
import { invalid } from './refusal.ts'
import { type DynamoDb, itemsInHalf, tableOf } from './state.ts'
import { type Items, keyNames, type Table } from './table.ts'

export interface PageInput extends Placeholders {
  readonly TableName: string
  readonly IndexName?: string
  readonly KeyConditionExpression?: string
  readonly FilterExpression?: string
  readonly ProjectionExpression?: string
  readonly Select?: string
  readonly Limit?: number
  readonly ExclusiveStartKey?: Item
  readonly ScanIndexForward?: boolean
  readonly ConsistentRead?: boolean
  readonly Segment?: number
  readonly TotalSegments?: number
  readonly ReturnConsumedCapacity?: string
}

/** A request that is in order, for any state of the items. */
export interface Reading {
  readonly lane: Lane
  /** What lies before it from the start on, in the order in which it is read. */
  readonly ahead: (items: Items) => ReadonlyArray<Item>
  readonly passes: (item: Item) => boolean
  readonly project: (item: Item) => Item
  readonly limit: number
}

export const readingOf = (state: DynamoDb, kind: 'Query' | 'Scan', input: PageInput): Reading => {
  for (const name of ['KeyConditions', 'QueryFilter', 'ScanFilter', 'ConditionalOperator', 'AttributesToGet'])
    if (Object.hasOwn(input, name)) throw invalid(`Not simulated: the legacy parameter ${name}`)
  const lane = laneOf(tableOf(state, input.TableName), input.IndexName)
  const { ConsistentRead: consistent, Limit: limit = Number.POSITIVE_INFINITY } = input
  if (consistent === true && lane.index !== undefined)
    throw invalid('Consistent reads are not supported on global secondary indexes')
  if (limit < 1)
    throw invalid(
      "1 validation error detected: Value at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1",
    )
  demandSelect(input)
  const bindings = new Bindings(input)
  const ahead = kind === 'Query' ? queried(lane, input, bindings) : scanned(lane, input)
  const filter = input.FilterExpression
  const check = filter === undefined ? undefined : checkOf(filterOf(filter), bindings)
  if (kind === 'Query' && filter !== undefined) demandNoKeys(lane, filter, bindings)
  const project = projectionOf(input.ProjectionExpression, bindings)
  bindings.end()
  return { lane, ahead, limit, project, passes: (item) => check === undefined || check(item) }
}

const demandSelect = ({ Select, ProjectionExpression, IndexName }: PageInput): void => {
  if (Select === undefined) return
  if (!['ALL_ATTRIBUTES', 'ALL_PROJECTED_ATTRIBUTES', 'SPECIFIC_ATTRIBUTES', 'COUNT'].includes(Select))
    throw invalid(`1 validation error detected: Value '${Select}' at 'select' failed to satisfy constraint`)
  if (ProjectionExpression !== undefined && Select !== 'SPECIFIC_ATTRIBUTES')
    throw invalid('Cannot specify the ProjectionExpression when choosing to get ' + Select)
  if (Select === 'ALL_PROJECTED_ATTRIBUTES' && IndexName === undefined)
    throw invalid('ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName')
}

/** The key of a query is its condition's business. */
const demandNoKeys = (lane: Lane, filter: string, bindings: Bindings): void => {
  const names = keyNames(schemaOf(lane))
  const ofKey = pathsIn(filterOf(filter)).find((path) => names.includes(String(bindings.path(path)[0])))
  if (ofKey !== undefined)
    throw invalid(
      `Filter Expression can only contain non-primary key attributes: Primary key attribute: ${String(bindings.path(ofKey)[0])}`,
    )
}

const startOf = (lane: Lane, { ExclusiveStartKey: start }: PageInput): Item | undefined => {
  if (start === undefined) return undefined
  const normal = normalItem(start)
  demandStart(lane, normal)
  return normal
}

const queried = (lane: Lane, input: PageInput, bindings: Bindings): Reading['ahead'] => {
  const schema = schemaOf(lane)
  const { partition, isWithin } = boundKeyCondition(input.KeyConditionExpression, schema, bindings)
  const start = startOf(lane, input)
  if (start !== undefined && !isEqual(attributeOf(start, schema.partition.name), partition))
    throw invalid('The provided starting key is outside query boundaries based on provided conditions')
  if (start !== undefined && !isWithin(start))
    throw invalid('The provided starting key does not match the range key predicate')
  const direction = input.ScanIndexForward === false ? -1 : 1
  return (items) => {
    const within = partitionOf(lane, items, partition).filter(
      (item) => isWithin(item) && (start === undefined || placeOrder(lane, item, start) * direction > 0),
    )
    return direction === 1 ? within : within.toReversed()
  }
}

const scanned = (lane: Lane, input: PageInput): Reading['ahead'] => {
  const { Segment: segment, TotalSegments: segments } = input
  if ((segment === undefined) !== (segments === undefined))
    throw invalid(
      'The TotalSegments parameter is required but was not present in the request when Segment parameter is present',
    )
  const part = { segment: segment ?? 0, segments: segments ?? 1 }
  if (part.segment < 0 || part.segment >= part.segments)
    throw invalid('The Segment parameter is zero-based and must be less than parameter TotalSegments')
  const start = startOf(lane, input)
  return (items) =>
    segmentOf(lane, items, part).filter((item) => start === undefined || scanOrder(lane, item, start) > 0)
}

/** The items that the read sees, for what deviates about it. */
export const itemsSeen = (state: DynamoDb, table: Table, deviation: string | undefined): Items => {
  const stale = STALE.get(deviation ?? '')
  if (stale !== undefined) return table.past.at(-stale) ?? table.past[0] ?? table.items
  const half = HALVES.get(deviation ?? '')
  return half === undefined ? table.items : itemsInHalf(state, table, half)
}

export interface Read {
  /** What was read, before the filter. */
  readonly items: ReadonlyArray<Item>
  readonly sizeBytes: number
  readonly isCut: boolean
}

/** Of what lies ahead as much as fits into one page. */
export const cut = (ahead: ReadonlyArray<Item>, limit: number): Read => {
  const items: Array<Item> = []
  let sizeBytes = 0
  for (const item of ahead) {
    items.push(item)
    sizeBytes += itemBytes(item)
    if (items.length >= limit || sizeBytes >= DYNAMODB.pageBytes) return { items, sizeBytes, isCut: true }
  }
  return { items, sizeBytes, isCut: false }
}

/** How many leading items of a page a filter leaves out, which may be an empty page of its own. */
export const filteredAhead = ({ passes }: Reading, { items }: Read): number => {
  const first = items.findIndex(passes)
  return first < 0 ? items.length : first
}

export const readPage = (
  state: DynamoDb,
  kind: 'Query' | 'Scan',
  input: PageInput,
  deviation: string | undefined,
): object => {
  const reading = readingOf(state, kind, input)
  const { lane, passes, project } = reading
  if (deviation === 'throttled') throw throttled(lane.table.name, 'Read')
  const ahead = reading.ahead(itemsSeen(state, lane.table, deviation))
  const whole = cut(ahead, reading.limit)
  const read =
    deviation === 'short page'
      ? cut(ahead, 1)
      : deviation === 'empty page'
        ? cut(ahead, Math.max(1, filteredAhead(reading, whole)))
        : whole
  const found = read.items.filter(passes)
  const last = read.isCut ? read.items.at(-1) : undefined
  const names = placingNames(lane)
  const units = readUnits(read.sizeBytes, input.ConsistentRead === true ? 'strong' : 'eventual')
  return {
    ...(input.Select === 'COUNT' ? {} : { Items: found.map(project) }),
    Count: found.length,
    ScannedCount: read.items.length,
    ...(last === undefined
      ? {}
      : {
          LastEvaluatedKey: Object.fromEntries(Object.entries(last).filter(([name]) => names.includes(name))),
        }),
    ...consumed(input, new Map([[lane.table.name, new Map([[lane.index?.name ?? '', units]])]])),
  }
}
