/** Making, describing and changing tables. */
import type { At, Stepped } from '../model.ts'
import { invalid, Refusal } from './refusal.ts'
import { type DynamoDb, tableOf, withTable } from './state.ts'
import { tableArn } from './stream.ts'
import type { Table } from './table.ts'
import {
  defined,
  described,
  type StreamSpecification,
  streamOf,
  type TableDefinition,
  type Tag,
} from './table-definition.ts'

type Answered = Stepped<DynamoDb, object>

interface Named {
  readonly TableName?: string
  readonly ResourceArn?: string
}

/** The region's control plane, by operation. */
export const CONTROL: ReadonlyMap<string, (state: DynamoDb, input: never, at: At) => Answered> = new Map<
  string,
  (state: DynamoDb, input: never, at: At) => Answered
>([
  ['CreateTable', (state, input: TableDefinition, { nowMs }) => create(state, input, nowMs)],
  ['DeleteTable', (state, input: Named) => remove(state, input)],
  [
    'DescribeTable',
    (state, { TableName }: Named) => ({ state, answer: { Table: described(tableOf(state, TableName)) } }),
  ],
  ['ListTables', (state) => ({ state, answer: { TableNames: [...state.tables.keys()].toSorted() } })],
  ['UpdateTable', (state, input: UpdateTable, { nowMs }) => update(state, input, nowMs)],
  ['UpdateTimeToLive', (state, input: UpdateTtl) => updateTtl(state, input)],
  [
    'DescribeTimeToLive',
    (state, input: Named) => ({ state, answer: ttlOf(tableOf(state, input.TableName)) }),
  ],
  ['UpdateContinuousBackups', (state, input: UpdateBackups) => updateBackups(state, input)],
  [
    'DescribeContinuousBackups',
    (state, { TableName }: Named) => ({ state, answer: backupsOf(tableOf(state, TableName)) }),
  ],
  ['TagResource', (state, input: Tagging) => tag(state, input)],
  ['UntagResource', (state, input: Tagging) => tag(state, input)],
  [
    'ListTagsOfResource',
    (state, { ResourceArn }: Named) => ({ state, answer: tagsOf(tableOf(state, ResourceArn)) }),
  ],
])

export const create = (state: DynamoDb, definition: TableDefinition, nowMs: number): Answered => {
  const table = defined(definition, nowMs)
  if (state.tables.has(table.name))
    throw new Refusal('ResourceInUseException', `Table already exists: ${table.name}`)
  return { state: withTable(state, table), answer: { TableDescription: described(table) } }
}

const remove = (state: DynamoDb, { TableName }: Named): Answered => {
  const table = tableOf(state, TableName)
  if (table.isDeletionProtected)
    throw invalid(
      `Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.`,
    )
  const tables = new Map(state.tables)
  tables.delete(table.name)
  return { state: { ...state, tables }, answer: { TableDescription: described(table, 'DELETING') } }
}

interface UpdateTable extends Named {
  readonly StreamSpecification?: StreamSpecification
  readonly DeletionProtectionEnabled?: boolean
}

const update = (state: DynamoDb, input: UpdateTable, nowMs: number): Answered => {
  const table = tableOf(state, input.TableName)
  const { StreamSpecification: wanted, DeletionProtectionEnabled: isDeletionProtected } = input
  const changed: Table = {
    ...table,
    ...(wanted === undefined ? {} : streamChange(table, wanted, nowMs)),
    ...(isDeletionProtected === undefined ? {} : { isDeletionProtected }),
  }
  return { state: withTable(state, changed), answer: { TableDescription: described(changed) } }
}

/** Switched off, it can still be read; switched on again, it is another one. */
const streamChange = (table: Table, wanted: StreamSpecification, nowMs: number): Pick<Table, 'stream'> => {
  const isEnabled = table.stream?.isEnabled === true
  if (isEnabled === (wanted.StreamEnabled === true))
    throw invalid(
      isEnabled ? 'Table already has an enabled stream' : 'Table does not have a stream to disable',
    )
  const made = streamOf(table.name, wanted, nowMs)
  if (made !== undefined) return { stream: made }
  return table.stream === undefined ? {} : { stream: { ...table.stream, isEnabled: false } }
}

interface UpdateTtl extends Named {
  readonly TimeToLiveSpecification?: { readonly AttributeName?: string; readonly Enabled?: boolean }
}

const updateTtl = (state: DynamoDb, input: UpdateTtl): Answered => {
  const table = tableOf(state, input.TableName)
  const { AttributeName: name = '', Enabled: isEnabled = false } = input.TimeToLiveSpecification ?? {}
  if (isEnabled === (table.ttl !== undefined))
    throw invalid(isEnabled ? 'TimeToLive is already enabled' : 'TimeToLive is already disabled')
  const { ttl: _, ...without } = table
  const changed = isEnabled ? { ...without, ttl: name } : without
  const answer = { TimeToLiveSpecification: { AttributeName: name, Enabled: isEnabled } }
  return { state: withTable(state, changed), answer }
}

const ttlOf = ({ ttl }: Table): object => ({
  TimeToLiveDescription:
    ttl === undefined
      ? { TimeToLiveStatus: 'DISABLED' }
      : { TimeToLiveStatus: 'ENABLED', AttributeName: ttl },
})

interface UpdateBackups extends Named {
  readonly PointInTimeRecoverySpecification?: { readonly PointInTimeRecoveryEnabled?: boolean }
}

const updateBackups = (state: DynamoDb, input: UpdateBackups): Answered => {
  const isRecoverable = input.PointInTimeRecoverySpecification?.PointInTimeRecoveryEnabled === true
  const table = { ...tableOf(state, input.TableName), isRecoverable }
  return { state: withTable(state, table), answer: backupsOf(table) }
}

const backupsOf = ({ isRecoverable }: Table): object => ({
  ContinuousBackupsDescription: {
    ContinuousBackupsStatus: 'ENABLED',
    PointInTimeRecoveryDescription: { PointInTimeRecoveryStatus: isRecoverable ? 'ENABLED' : 'DISABLED' },
  },
})

interface Tagging extends Named {
  readonly Tags?: ReadonlyArray<Tag>
  readonly TagKeys?: ReadonlyArray<string>
}

const tag = (state: DynamoDb, { ResourceArn, Tags = [], TagKeys = [] }: Tagging): Answered => {
  const table = tableOf(state, ResourceArn)
  const tags = new Map(table.tags)
  for (const { Key = '', Value = '' } of Tags) tags.set(Key, Value)
  for (const key of TagKeys) tags.delete(key)
  return { state: withTable(state, { ...table, tags }), answer: {} }
}

const tagsOf = (table: Table): object => ({
  Tags: [...table.tags].map(([Key, Value]) => ({ Key, Value })),
  ResourceArn: tableArn(table.name),
})
