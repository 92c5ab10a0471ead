/**
 * TransactWriteItems and TransactGetItems: all of it or nothing, in one place of the order of all writes.
 *
 * A repeat within ten minutes under the same ClientRequestToken is a success that writes nothing.
 */
import { DYNAMODB } from '../../limits.ts'
import type { At, Stepped } from '../model.ts'
import type { Item } from './attribute.ts'
import { normalItem } from './attribute-check.ts'
import { consumedOfAll, readUnits, type Units, unitsOfWrites } from './capacity.ts'
import { CONFLICT, canceled, canceledBy, inProgress, ofStream, type Reason, THROTTLED } from './deviation.ts'
import { Bindings, type Placeholders } from './expression.ts'
import { itemBytes } from './item-size.ts'
import { projectionOf } from './projection.ts'
import { invalid, Refusal } from './refusal.ts'
import { type DynamoDb, tableOf, written } from './state.ts'
import { itemAt, keyText, type Place, placeOfKey, type Table } from './table.ts'
import { type Prepared, prepared, type WriteInput, type WriteKind } from './write-action.ts'

export interface TransactWriteInput {
  readonly TransactItems?: ReadonlyArray<{ readonly [Kind in WriteKind]?: WriteInput }>
  readonly ClientRequestToken?: string
  readonly ReturnConsumedCapacity?: string
}

interface Action {
  readonly kind: WriteKind
  readonly input: WriteInput
  readonly write: Prepared
}

export const transactWrite = (
  state: DynamoDb,
  input: TransactWriteInput,
  { nowMs, deviation }: At,
): Stepped<DynamoDb, object> => {
  const known = knownTokens(state, nowMs)
  const token = input.ClientRequestToken
  if (token !== undefined && (token.length < 1 || token.length > DYNAMODB.tokenLength))
    throw invalid("1 validation error detected: Value at 'clientRequestToken' failed to satisfy constraint")
  const actions = actionsOf(state, input)
  const before = token === undefined ? undefined : known.get(token)
  const fingerprint = JSON.stringify(input.TransactItems)
  if (before !== undefined && before.fingerprint !== fingerprint) throw otherParameters()
  if (deviation === 'in progress') throw inProgress()
  if (deviation === 'conflict') throw canceledBy(actions.length, 0, CONFLICT)
  if (deviation === 'throttled') throw canceledBy(actions.length, 0, THROTTLED)
  if (before !== undefined) return { state, answer: repeated(input, actions) }
  const changes = changesOf(actions)
  const writes = changes.filter((_, at) => actions[at]?.kind !== 'ConditionCheck')
  const after = written(state, writes, { nowMs, ...ofStream(deviation), isTransaction: true })
  const tokens = token === undefined ? known : new Map(known).set(token, { fingerprint, doneMs: nowMs })
  const units = unitsOfWrites(state, changes, true)
  return { state: { ...after, tokens }, answer: consumedOfAll(input, units) }
}

const otherParameters = (): Refusal =>
  new Refusal(
    'IdempotentParameterMismatchException',
    'Provided ClientRequestToken matches a previous request with different parameters',
  )

/** What lies in the past is forgotten, oldest first. */
const knownTokens = ({ tokens }: DynamoDb, nowMs: number): DynamoDb['tokens'] => {
  const [oldest] = tokens.values()
  if (oldest === undefined || oldest.doneMs + DYNAMODB.tokenMs > nowMs) return tokens
  return new Map([...tokens].filter(([, { doneMs }]) => doneMs + DYNAMODB.tokenMs > nowMs))
}

/** Whether a transaction of this token was done, so that a repeat may meet it still in progress. */
export const isTokenKnown = (state: DynamoDb, input: TransactWriteInput): boolean =>
  input.ClientRequestToken !== undefined && state.tokens.has(input.ClientRequestToken)

const repeated = (input: TransactWriteInput, actions: ReadonlyArray<Action>): object => {
  const units = new Map<string, Map<string, number>>()
  for (const { write } of actions) addRead(units, write.table.name, write.before)
  return consumedOfAll(input, units)
}

const addRead = (units: Map<string, Map<string, number>>, table: string, item: Item | undefined): void => {
  const of = units.get(table) ?? new Map<string, number>()
  const more = readUnits(item === undefined ? 0 : itemBytes(item), 'transaction')
  units.set(table, of.set('', (of.get('') ?? 0) + more))
}

const actionsOf = (state: DynamoDb, { TransactItems = [] }: TransactWriteInput): ReadonlyArray<Action> => {
  demandCount(TransactItems.length)
  const actions = TransactItems.map((item): Action => {
    const [entry, ...more] = Object.entries(item)
    if (entry === undefined || more.length > 0)
      throw invalid('TransactItems can only contain one of Check, Put, Update or Delete')
    const [kind, input] = entry as [WriteKind, WriteInput]
    return { kind, input, write: prepared(state, kind, input) }
  })
  demandApart(actions.map(({ write }) => write))
  const sizeBytes = actions.reduce((sum, { write }) => sum + write.sizeBytes, 0)
  if (sizeBytes > DYNAMODB.transactionBytes)
    throw invalid('Transaction request size exceeds the maximum allowed size')
  return actions
}

const demandCount = (actions: number): void => {
  if (actions < 1 || actions > DYNAMODB.transactionActions)
    throw invalid(
      `1 validation error detected: Value at 'transactItems' failed to satisfy constraint: Member must have length less than or equal to ${DYNAMODB.transactionActions}`,
    )
}

const demandApart = (places: ReadonlyArray<{ readonly table: Table; readonly place: Place }>): void => {
  const named = places.map(({ table, place }) =>
    JSON.stringify([table.name, place.partition, place.sort === undefined ? '' : keyText(place.sort)]),
  )
  if (new Set(named).size < named.length)
    throw invalid('Transaction request cannot include multiple operations on one item')
}

/** The changes in the order of the actions, or the cancellation by all that fail. */
const changesOf = (actions: ReadonlyArray<Action>) => {
  const outcomes = actions.map(({ input, write }) => {
    if (!write.meets) return failed(input, write)
    try {
      return write.change()
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return { Code: 'ValidationError', Message: error.message }
    }
  })
  const changes = outcomes.flatMap((outcome) => ('Code' in outcome ? [] : [outcome]))
  if (changes.length === actions.length) return changes
  throw canceled(outcomes.map((outcome) => ('Code' in outcome ? outcome : { Code: 'None' })))
}

const failed = (
  { ReturnValuesOnConditionCheckFailure: returns }: WriteInput,
  { before }: Prepared,
): Reason => ({
  Code: 'ConditionalCheckFailed',
  Message: 'The conditional request failed',
  ...(returns === 'ALL_OLD' && before !== undefined ? { Item: before } : {}),
})

interface TransactGet extends Placeholders {
  readonly TableName: string
  readonly Key: Item
  readonly ProjectionExpression?: string
}

export interface TransactGetInput {
  readonly TransactItems?: ReadonlyArray<{ readonly Get?: TransactGet }>
  readonly ReturnConsumedCapacity?: string
}

export const transactGet = (
  state: DynamoDb,
  input: TransactGetInput,
  deviation: string | undefined,
): object => {
  const { TransactItems = [] } = input
  demandCount(TransactItems.length)
  const units = new Map<string, Map<string, number>>()
  const places = TransactItems.map(({ Get }) => {
    if (Get === undefined) throw invalid('TransactItems can only contain Get')
    const table = tableOf(state, Get.TableName)
    const bindings = new Bindings(Get)
    const project = projectionOf(Get.ProjectionExpression, bindings)
    bindings.end()
    return { table, place: placeOfKey(table, normalItem(Get.Key)), project }
  })
  demandApart(places)
  if (deviation === 'conflict') throw canceledBy(places.length, 0, CONFLICT)
  if (deviation === 'throttled') throw canceledBy(places.length, 0, THROTTLED)
  const Responses = places.map(({ table, place, project }) => {
    const found = itemAt(table.items, table.keys, place)
    addRead(units, table.name, found)
    return found === undefined ? {} : { Item: project(found) }
  })
  return { Responses, ...consumedOfAll(input, units satisfies Units) }
}
