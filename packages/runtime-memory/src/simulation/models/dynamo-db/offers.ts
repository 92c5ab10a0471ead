/**
 * What the service's documents allow to happen to a request other than the benign, as far as it makes a difference.
 *
 * Half of a transaction is seen by an eventually consistent read at any time. A consistent one sees it only while the
 * transaction is under way, so only where the request tells that it was sent before.
 */

import { normalItem } from './attribute-check.ts'
import type { BatchGetInput, BatchWriteInput } from './batch.ts'
import { HALVES, STALE } from './deviation.ts'
import type { GetInput } from './item-read.ts'
import { cut, filteredAhead, itemsSeen, type PageInput, type Reading, readingOf } from './page.ts'
import { Refusal } from './refusal.ts'
import { type DynamoDb, tableOf } from './state.ts'
import { itemAt, placeOfKey, type Table } from './table.ts'
import { isTokenKnown, type TransactWriteInput } from './transaction.ts'

/** How many steps had written when the request was sent; unknown where it does not tell. */
type SentAfter = number | undefined

export const offersFor = (
  state: DynamoDb,
  operation: string,
  input: unknown,
  sentAfter: SentAfter,
): ReadonlyArray<string> => {
  try {
    return offered(state, operation, input, sentAfter)
  } catch (error) {
    // What is refused anyway is refused at once.
    if (error instanceof Refusal) return []
    throw error
  }
}

const offered = (
  state: DynamoDb,
  operation: string,
  input: unknown,
  sentAfter: SentAfter,
): ReadonlyArray<string> => {
  switch (operation) {
    case 'GetItem':
      return [...staleOfItem(state, input as GetInput), 'throttled']
    case 'Query':
    case 'Scan':
      return [...ofPage(state, operation, input as PageInput, sentAfter), 'throttled']
    case 'BatchGetItem':
      return ofBatchGet(state, input as BatchGetInput, sentAfter)
    case 'BatchWriteItem':
      return ofBatchWrite(state, input as BatchWriteInput)
    case 'PutItem':
    case 'UpdateItem':
    case 'DeleteItem':
      return [...ofStreams(state, [(input as GetInput).TableName]), 'conflict', 'throttled']
    case 'TransactWriteItems':
      return ofTransaction(state, input as TransactWriteInput)
    case 'TransactGetItems':
      return ['conflict', 'throttled']
    default:
      return []
  }
}

const staleOfItem = (state: DynamoDb, input: GetInput): ReadonlyArray<string> => {
  if (input.ConsistentRead === true) return []
  const table = tableOf(state, input.TableName)
  const place = placeOfKey(table, normalItem(input.Key ?? {}))
  const now = itemAt(table.items, table.keys, place)
  return stale(table).filter((words) => itemAt(itemsSeen(state, table, words), table.keys, place) !== now)
}

const stale = (table: Table): ReadonlyArray<string> =>
  [...STALE].flatMap(([words, writes]) => (table.past.length >= writes ? [words] : []))

/** The halves that a read may see of the newest transaction. */
const halves = (
  { transaction }: DynamoDb,
  isConsistent: boolean,
  sentAfter: SentAfter,
): ReadonlyArray<string> => {
  if (transaction === undefined || transaction.changes.length < 2) return []
  const isUnderWay = sentAfter !== undefined && sentAfter < transaction.write
  return isConsistent && !isUnderWay ? [] : [...HALVES.keys()]
}

const ofPage = (
  state: DynamoDb,
  kind: 'Query' | 'Scan',
  input: PageInput,
  sentAfter: SentAfter,
): ReadonlyArray<string> => {
  const reading = readingOf(state, kind, input)
  const { table } = reading.lane
  const isConsistent = input.ConsistentRead === true
  const ahead = reading.ahead(table.items)
  const differing = [...(isConsistent ? [] : stale(table)), ...halves(state, isConsistent, sentAfter)].filter(
    (words) => !isSame(ahead, reading.ahead(itemsSeen(state, table, words))),
  )
  return [...differing, ...cuts(input, reading, ahead)]
}

const isSame = <A>(one: ReadonlyArray<A>, other: ReadonlyArray<A>): boolean =>
  one.length === other.length && one.every((value, at) => value === other[at])

const cuts = (
  input: PageInput,
  reading: Reading,
  ahead: ReturnType<Reading['ahead']>,
): ReadonlyArray<string> => {
  const whole = cut(ahead, reading.limit)
  if (whole.items.length < 2) return []
  const isEmptyPossible = input.FilterExpression !== undefined && filteredAhead(reading, whole) > 0
  return ['short page', ...(isEmptyPossible ? ['empty page'] : [])]
}

const ofBatchGet = (state: DynamoDb, input: BatchGetInput, sentAfter: SentAfter): ReadonlyArray<string> => {
  const asked = Object.entries(input.RequestItems ?? {})
  const keys = asked.reduce((sum, [, { Keys = [] }]) => sum + Keys.length, 0)
  const isConsistent = asked.every(([, { ConsistentRead }]) => ConsistentRead === true)
  const stales = asked.flatMap(([name, { ConsistentRead }]) =>
    ConsistentRead === true ? [] : stale(tableOf(state, name)),
  )
  return [
    ...new Set(stales),
    ...halves(state, isConsistent, sentAfter),
    ...(keys > 1 ? ['unprocessed'] : []),
    'throttled',
  ]
}

const ofBatchWrite = (state: DynamoDb, { RequestItems = {} }: BatchWriteInput): ReadonlyArray<string> => {
  const count = Object.values(RequestItems).reduce((sum, requests) => sum + requests.length, 0)
  return [...ofStreams(state, Object.keys(RequestItems)), ...(count > 1 ? ['unprocessed'] : []), 'throttled']
}

const ofTransaction = (state: DynamoDb, input: TransactWriteInput): ReadonlyArray<string> => {
  const tables = (input.TransactItems ?? []).flatMap((action) =>
    Object.values(action).map(({ TableName }) => TableName),
  )
  return [
    ...ofStreams(state, tables),
    'conflict',
    ...(isTokenKnown(state, input) ? ['in progress'] : []),
    'throttled',
  ]
}

/** What may become of the records of a write. Shards are not cut finer than shows anything. */
const ofStreams = (state: DynamoDb, tables: ReadonlyArray<string>): ReadonlyArray<string> => {
  const streams = tables
    .flatMap((name) => tableOf(state, name).stream ?? [])
    .filter(({ isEnabled }) => isEnabled)
  if (streams.length === 0) return []
  return streams.some(({ shards }) => shards.length >= MOST_SHARDS) ? ['overtaken'] : ['overtaken', 'split']
}

const MOST_SHARDS = 8
