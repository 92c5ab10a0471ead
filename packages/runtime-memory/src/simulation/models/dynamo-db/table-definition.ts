/** A table as it is asked for and as it is described. A table is ACTIVE as soon as it is made. */

import { itemBytes } from './item-size.ts'
import { invalid } from './refusal.ts'
import { newStream, type Stream, type StreamView, tableArn } from './stream.ts'
import {
  type Index,
  type Items,
  type KeyAttribute,
  type KeySchema,
  type KeyType,
  keyNames,
  type Table,
} from './table.ts'

interface KeyElement {
  readonly AttributeName?: string | undefined
  readonly KeyType?: string | undefined
}

interface IndexDefinition {
  readonly IndexName?: string | undefined
  readonly KeySchema?: ReadonlyArray<KeyElement> | undefined
  readonly Projection?:
    | {
        readonly ProjectionType?: string | undefined
        readonly NonKeyAttributes?: ReadonlyArray<string> | undefined
      }
    | undefined
}

/** The input of CreateTable, and what a simulation may say beside it. */
export interface TableDefinition {
  readonly TableName?: string | undefined
  readonly AttributeDefinitions?:
    | ReadonlyArray<{
        readonly AttributeName?: string | undefined
        readonly AttributeType?: string | undefined
      }>
    | undefined
  readonly KeySchema?: ReadonlyArray<KeyElement> | undefined
  readonly GlobalSecondaryIndexes?: ReadonlyArray<IndexDefinition> | undefined
  readonly StreamSpecification?: StreamSpecification | undefined
  readonly BillingMode?: string | undefined
  readonly DeletionProtectionEnabled?: boolean | undefined
  readonly Tags?: ReadonlyArray<Tag> | undefined
  /** In how many shards the stream begins; 2 unless told. */
  readonly streamShards?: number
  /** The attribute of its time to live, as UpdateTimeToLive would set it. */
  readonly ttl?: string
}

export interface StreamSpecification {
  readonly StreamEnabled?: boolean | undefined
  readonly StreamViewType?: string | undefined
}

export interface Tag {
  readonly Key?: string | undefined
  readonly Value?: string | undefined
}

const STREAM_SHARDS = 2

export const defined = (definition: TableDefinition, nowMs: number): Table => {
  const { TableName: name = '', KeySchema: keys = [] } = definition
  if (!/^[A-Za-z0-9_.-]{3,255}$/.test(name)) throw invalid(`Invalid table name: ${name}`)
  const types = new Map(
    definition.AttributeDefinitions?.map(({ AttributeName, AttributeType }) => [
      AttributeName ?? '',
      AttributeType,
    ]),
  )
  const indexes = (definition.GlobalSecondaryIndexes ?? []).map((index) => indexOf(index, types))
  const schema = schemaOf(keys, types)
  const used = new Set([schema, ...indexes].flatMap(keyNames))
  if (used.size !== types.size)
    throw invalid(
      'One or more parameter values were invalid: Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions',
    )
  const stream = streamOf(name, definition.StreamSpecification, nowMs, definition.streamShards)
  return {
    name,
    keys: schema,
    indexes,
    createdMs: nowMs,
    ...(definition.ttl === undefined ? {} : { ttl: definition.ttl }),
    isDeletionProtected: definition.DeletionProtectionEnabled === true,
    isRecoverable: false,
    billing: definition.BillingMode === 'PAY_PER_REQUEST' ? 'PAY_PER_REQUEST' : 'PROVISIONED',
    tags: new Map(definition.Tags?.map(({ Key = '', Value = '' }) => [Key, Value])),
    items: new Map(),
    past: [],
    ...(stream === undefined ? {} : { stream }),
  }
}

const VIEWS: ReadonlySet<string> = new Set(['NEW_IMAGE', 'OLD_IMAGE', 'NEW_AND_OLD_IMAGES', 'KEYS_ONLY'])

export const streamOf = (
  table: string,
  { StreamEnabled, StreamViewType }: StreamSpecification = {},
  nowMs: number,
  shards: number = STREAM_SHARDS,
): Stream | undefined => {
  if (StreamEnabled !== true) return undefined
  if (StreamViewType === undefined || !VIEWS.has(StreamViewType))
    throw invalid(
      'One or more parameter values were invalid: StreamViewType is required when stream is enabled',
    )
  return newStream(table, StreamViewType as StreamView, nowMs, shards)
}

type Types = ReadonlyMap<string, string | undefined>

const schemaOf = (elements: ReadonlyArray<KeyElement>, types: Types): KeySchema => {
  const [partition, sort] = [elements[0], elements[1]]
  if (
    partition?.KeyType !== 'HASH' ||
    (sort !== undefined && sort.KeyType !== 'RANGE') ||
    elements.length > 2
  )
    throw invalid('Invalid KeySchema: The first KeySchemaElement is not a HASH key type')
  const first = attributeOf(partition, types)
  return sort === undefined ? { partition: first } : { partition: first, sort: attributeOf(sort, types) }
}

const attributeOf = ({ AttributeName: name = '' }: KeyElement, types: Types): KeyAttribute => {
  const type = types.get(name)
  if (type !== 'S' && type !== 'N' && type !== 'B')
    throw invalid(
      `One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions: ${name}`,
    )
  return { name, type: type satisfies KeyType }
}

const PROJECTIONS: ReadonlySet<string> = new Set(['ALL', 'KEYS_ONLY', 'INCLUDE'])

const indexOf = (
  { IndexName = '', KeySchema = [], Projection = {} }: IndexDefinition,
  types: Types,
): Index => {
  const { ProjectionType: projection = '', NonKeyAttributes: included = [] } = Projection
  if (!PROJECTIONS.has(projection)) throw invalid(`Unknown ProjectionType: ${projection}`)
  return {
    ...schemaOf(KeySchema, types),
    name: IndexName,
    projection: projection as Index['projection'],
    included,
  }
}

const elementsOf = ({ partition, sort }: KeySchema): ReadonlyArray<KeyElement> => [
  { AttributeName: partition.name, KeyType: 'HASH' },
  ...(sort === undefined ? [] : [{ AttributeName: sort.name, KeyType: 'RANGE' }]),
]

const sizeOf = (items: Items): number =>
  [...items.values()].flat().reduce((sum, item) => sum + itemBytes(item), 0)

const countOf = (items: Items): number =>
  [...items.values()].reduce((sum, partition) => sum + partition.length, 0)

/** As DescribeTable answers it. */
export const described = (table: Table, status = 'ACTIVE'): object => {
  const { name, keys, indexes, items, stream } = table
  const schemas = [keys, ...indexes]
  const attributes = new Map(
    schemas.flatMap(({ partition, sort }) =>
      [partition, ...(sort === undefined ? [] : [sort])].map((one) => [one.name, one.type] as const),
    ),
  )
  return {
    TableName: name,
    TableArn: tableArn(name),
    TableStatus: status,
    CreationDateTime: table.createdMs / 1000,
    KeySchema: elementsOf(keys),
    AttributeDefinitions: [...attributes].map(([AttributeName, AttributeType]) => ({
      AttributeName,
      AttributeType,
    })),
    ItemCount: countOf(items),
    TableSizeBytes: sizeOf(items),
    ...(table.billing === 'PAY_PER_REQUEST' ? { BillingModeSummary: { BillingMode: table.billing } } : {}),
    ...(indexes.length === 0
      ? {}
      : { GlobalSecondaryIndexes: indexes.map((index) => describedIndex(name, index)) }),
    ...(stream?.isEnabled === true
      ? { StreamSpecification: { StreamEnabled: true, StreamViewType: stream.view } }
      : {}),
    ...(stream === undefined ? {} : { LatestStreamArn: stream.arn, LatestStreamLabel: stream.label }),
    DeletionProtectionEnabled: table.isDeletionProtected,
  }
}

const describedIndex = (table: string, index: Index): object => ({
  IndexName: index.name,
  IndexArn: `${tableArn(table)}/index/${index.name}`,
  IndexStatus: 'ACTIVE',
  KeySchema: elementsOf(index),
  Projection: {
    ProjectionType: index.projection,
    ...(index.projection === 'INCLUDE' ? { NonKeyAttributes: index.included } : {}),
  },
})
