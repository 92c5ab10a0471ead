/**
 * DynamoDB as a model: what every request makes of the tables, and what is answered.
 *
 * A request is one operation with its input, and an answer its output, both as they are in the service's JSON.
 */
import type { At, Model, Stepped } from '../model.ts'
import { type BatchGetInput, type BatchWriteInput, readBatch, writeBatch } from './batch.ts'
import { CONTROL, create } from './control.ts'
import { sweep } from './expiry.ts'
import { type GetInput, readItem } from './item-read.ts'
import { offersFor } from './offers.ts'
import { type PageInput, readPage } from './page.ts'
import { Refusal } from './refusal.ts'
import { type SingleWriteInput, writeOne } from './single-write.ts'
import { type DynamoDb, EMPTY, tableOf, withTable } from './state.ts'
import { splitShard } from './stream.ts'
import type { TableDefinition } from './table-definition.ts'
import { type TransactGetInput, type TransactWriteInput, transactGet, transactWrite } from './transaction.ts'

export interface DynamoDbRequest {
  /** As the service names it; or `Sweep`, which removes what has expired, and `Split`, which splits a shard. */
  readonly operation: string
  readonly input: unknown
  /** The state's `writes` when the request was sent, where that is known. */
  readonly sentAfter?: number
}

export type DynamoDbAnswer =
  | { readonly _tag: 'Answered'; readonly output: object }
  | {
      readonly _tag: 'Refused'
      readonly error: string
      readonly message: string
      readonly fields: Readonly<Record<string, unknown>>
    }

const reading = (state: DynamoDb, answer: object): Stepped<DynamoDb, object> => ({ state, answer })

const perform = (
  state: DynamoDb,
  { operation, input }: DynamoDbRequest,
  at: At,
): Stepped<DynamoDb, object> => {
  switch (operation) {
    case 'GetItem':
      return reading(state, readItem(state, input as GetInput, at.deviation))
    case 'Query':
    case 'Scan':
      return reading(state, readPage(state, operation, input as PageInput, at.deviation))
    case 'PutItem':
      return writeOne(state, 'Put', input as SingleWriteInput, at)
    case 'UpdateItem':
      return writeOne(state, 'Update', input as SingleWriteInput, at)
    case 'DeleteItem':
      return writeOne(state, 'Delete', input as SingleWriteInput, at)
    case 'BatchGetItem':
      return reading(state, readBatch(state, input as BatchGetInput, at.deviation))
    case 'BatchWriteItem':
      return writeBatch(state, input as BatchWriteInput, at)
    case 'TransactWriteItems':
      return transactWrite(state, input as TransactWriteInput, at)
    case 'TransactGetItems':
      return reading(state, transactGet(state, input as TransactGetInput, at.deviation))
    case 'Sweep':
      return reading(sweep(state, (input as Named).TableName, at.nowMs), {})
    case 'Split':
      return reading(split(state, input as Named, at.nowMs), {})
    default:
      return controlled(state, { operation, input }, at)
  }
}

const controlled = (state: DynamoDb, { operation, input }: DynamoDbRequest, at: At) => {
  const control = CONTROL.get(operation)
  if (control === undefined) throw new Refusal('UnknownOperationException', `Not simulated: ${operation}`)
  return control(state, input as never, at)
}

interface Named {
  readonly TableName: string
  /** The shard to split; the first that is open unless told. */
  readonly ShardId?: string
}

/** The named shard, or the first open one, is closed and goes on in two children. */
const split = (state: DynamoDb, { TableName, ShardId }: Named, nowMs: number): DynamoDb => {
  const table = tableOf(state, TableName)
  const { stream } = table
  const shard = stream?.shards.find(({ id, closed }) => closed === undefined && (ShardId ?? id) === id)
  return stream === undefined || shard === undefined
    ? state
    : withTable(state, { ...table, stream: splitShard(stream, shard.id, nowMs) })
}

/** No table, or these, made at a time that tells nothing. */
export const initial = (tables: ReadonlyArray<TableDefinition> = [], nowMs = 0): DynamoDb =>
  tables.reduce((state, table) => create(state, table, nowMs).state, EMPTY)

export const dynamoDb: Model<DynamoDb, DynamoDbRequest, DynamoDbAnswer> = {
  initial: EMPTY,
  offers: (state, { operation, input, sentAfter }) => offersFor(state, operation, input, sentAfter),
  step: (state, request, at) => {
    try {
      const { state: after, answer: output } = perform(state, request, at)
      return { state: after, answer: { _tag: 'Answered', output } }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      const { name, message, fields } = error
      return { state, answer: { _tag: 'Refused', error: name, message, fields } }
    }
  },
}
