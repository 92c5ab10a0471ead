/** All tables, and what DynamoDB remembers beside them. */
import { DYNAMODB } from '../../limits.ts'
import { invalid, Refusal } from './refusal.ts'
import { type Change, draftOf, recorded, type Stream, shardOf, splitShard } from './stream.ts'
import { type Items, itemAt, type Place, partitionHash, type Table, withItem } from './table.ts'

export interface DynamoDb {
  readonly tables: ReadonlyMap<string, Table>
  /** The transactions of the last minutes by their ClientRequestToken, oldest first. */
  readonly tokens: ReadonlyMap<string, { readonly fingerprint: string; readonly doneMs: number }>
  /** How many steps have written; a request may tell how many had when it was sent. */
  readonly writes: number
  /** The newest transaction, of which some reads may see a part. */
  readonly transaction?: { readonly write: number; readonly changes: ReadonlyArray<Written> }
}

/** A change with its place. */
export interface Written extends Change {
  readonly place: Place
}

export const EMPTY: DynamoDb = { tables: new Map(), tokens: new Map(), writes: 0 }

export const tableOf = ({ tables }: DynamoDb, name: unknown): Table => {
  const known = nameOf(name)
  const table = tables.get(known)
  if (table === undefined)
    throw new Refusal('ResourceNotFoundException', 'Cannot do operations on a non-existent table')
  return table
}

/** A table by its name or by its ARN. */
const nameOf = (name: unknown): string => {
  if (typeof name !== 'string' || name === '')
    throw invalid(
      "1 validation error detected: Value null at 'tableName' failed to satisfy constraint: Member must not be null",
    )
  return name.startsWith('arn:') ? name.slice(name.lastIndexOf('/') + 1) : name
}

export const withTable = (state: DynamoDb, table: Table): DynamoDb => ({
  ...state,
  tables: new Map(state.tables).set(table.name, table),
})

export interface WriteOptions {
  readonly nowMs: number
  /** Whether the first of the changes comes late into its stream. */
  readonly isOvertaken?: boolean
  /** Whether the shard of the first of the changes is split before. */
  readonly isSplitting?: boolean
  readonly isTransaction?: boolean
}

/** The state after these changes, of which no two are of one item. */
export const written = (
  state: DynamoDb,
  changes: ReadonlyArray<Written>,
  options: WriteOptions,
): DynamoDb => {
  const tables = new Map(state.tables)
  for (const name of new Set(changes.map(({ table }) => table))) {
    const table = tables.get(name)
    if (table !== undefined)
      tables.set(
        name,
        changed(
          table,
          changes.filter((one) => one.table === name),
          options,
        ),
      )
  }
  const writes = state.writes + 1
  const { transaction: _, ...rest } = state
  const kept = options.isTransaction === true ? { write: writes, changes } : state.transaction
  return { ...rest, tables, writes, ...(kept === undefined ? {} : { transaction: kept }) }
}

const changed = (table: Table, changes: ReadonlyArray<Written>, options: WriteOptions): Table => {
  const items = changes.reduce<Items>(
    (before, { place, after }) => withItem(before, table.keys, place, after),
    table.items,
  )
  const past = [...table.past, table.items].slice(-DYNAMODB.staleWrites)
  const { stream } = table
  return {
    ...table,
    items,
    past,
    ...(stream === undefined ? {} : { stream: streamed(stream, changes, options) }),
  }
}

/** Late is the first of several when it comes last, and a single one when others may still go before it. */
const streamed = (
  stream: Stream,
  changes: ReadonlyArray<Written>,
  { nowMs, isOvertaken = false, isSplitting = false }: WriteOptions,
): Stream => {
  if (!stream.isEnabled) return stream
  const [first, ...others] = changes
  const shard = first === undefined ? undefined : shardOf(stream, partitionHash(first.partition))
  const begun = isSplitting && shard !== undefined ? splitShard(stream, shard.id, nowMs) : stream
  const order = isOvertaken && first !== undefined ? [...others, first] : changes
  const isLate = isOvertaken && changes.length === 1
  return order.reduce((before, change) => {
    const draft = draftOf(before, change, nowMs)
    return draft === undefined
      ? before
      : recorded(before, partitionHash(change.partition), draft, { nowMs, isLate })
  }, begun)
}

/** The items as a read sees them that some of the newest transaction has not reached. */
export const itemsInHalf = (state: DynamoDb, table: Table, sees: 'first half' | 'second half'): Items => {
  const changes = state.transaction?.changes ?? []
  const middle = Math.ceil(changes.length / 2)
  const unseen = sees === 'first half' ? changes.slice(middle) : changes.slice(0, middle)
  return unseen.reduce(
    (items, { table: name, place, before, after }) =>
      name === table.name && itemAt(items, table.keys, place) === after
        ? withItem(items, table.keys, place, before)
        : items,
    table.items,
  )
}
