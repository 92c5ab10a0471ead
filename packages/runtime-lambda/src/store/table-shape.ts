/** What the tables have to have, and how one that is there differs from that. */
import type { CreateTableCommandInput, KeySchemaElement, TableDescription } from '@aws-sdk/client-dynamodb'

type Key = readonly [name: string, type: 'S' | 'N']
type Keys = readonly [partition: Key, sort?: Key]

/** What a table has to have. */
export interface TableShape {
  readonly keys: Keys
  readonly indexes: { readonly [name: string]: Keys }
  readonly stream: boolean
  /** Whether what was deleted from it can be brought back. */
  readonly recoverable: boolean
  /** The attribute that holds the second after which an item may go. */
  readonly ttl?: string
}

/** A commit: its stream and its number. Only markers have a time to live. */
export const EVENTS_TABLE: TableShape = {
  keys: [
    ['pk', 'S'],
    ['sk', 'N'],
  ],
  indexes: {},
  stream: true,
  recoverable: true,
  ttl: 'ttl',
}

/** A row of a view, or a progress. An item without `ipk` is not in the index. */
export const VIEWS_TABLE: TableShape = {
  keys: [
    ['pk', 'S'],
    ['sk', 'S'],
  ],
  indexes: {
    inverted: [
      ['ipk', 'S'],
      ['pk', 'S'],
    ],
  },
  stream: false,
  recoverable: true,
}

/** The key of a subject, by the hash of its name. What is destroyed here must be nowhere else. */
export const KEYS_TABLE: TableShape = {
  keys: [['pk', 'S']],
  indexes: {},
  stream: false,
  recoverable: false,
}

/** What makes a table of this shape. */
export const definition = (table: string, shape: TableShape, guarded: boolean): CreateTableCommandInput => {
  const indexes = Object.entries(shape.indexes)
  const attributes = new Map([shape.keys, ...indexes.map(([, keys]) => keys)].flatMap(present))
  return {
    TableName: table,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [...attributes].map(([name, type]) => ({
      AttributeName: name,
      AttributeType: type,
    })),
    KeySchema: schemaOf(shape.keys),
    ...(indexes.length === 0
      ? {}
      : {
          GlobalSecondaryIndexes: indexes.map(([name, keys]) => ({
            IndexName: name,
            KeySchema: schemaOf(keys),
            // An update of a row that stays in the index then costs the index nothing: see view-query.ts.
            Projection: { ProjectionType: 'KEYS_ONLY' as const },
          })),
        }),
    ...(shape.stream ? { StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' } } : {}),
    DeletionProtectionEnabled: guarded,
  }
}

const present = ([partition, sort]: Keys): ReadonlyArray<Key> =>
  sort === undefined ? [partition] : [partition, sort]

const schemaOf = (keys: Keys): Array<KeySchemaElement> =>
  present(keys).map(([name], at) => ({ AttributeName: name, KeyType: at === 0 ? 'HASH' : 'RANGE' }))

/** What of the shape a table has not, in words; `guarded` where it has to be protected from deletion. */
export const differencesOf = (
  shape: TableShape,
  found: TableDescription,
  guarded: boolean,
): ReadonlyArray<string> => {
  const types = new Map(found.AttributeDefinitions?.map((one) => [one.AttributeName, one.AttributeType]))
  const shown = (schema: ReadonlyArray<KeySchemaElement> = []) =>
    schema.map(({ AttributeName: name }) => `${name} ${types.get(name)}`).join(', ')
  const differences: Array<string> = []
  const compare = (what: string, keys: Keys, schema: ReadonlyArray<KeySchemaElement> | undefined) => {
    const wanted = present(keys)
      .map((key) => key.join(' '))
      .join(', ')
    const is = shown(schema)
    if (is !== wanted) differences.push(`${what} is ${is}; needed is ${wanted}`)
  }
  compare('the key', shape.keys, found.KeySchema)
  for (const [name, keys] of Object.entries(shape.indexes)) {
    const index = found.GlobalSecondaryIndexes?.find(({ IndexName }) => IndexName === name)
    if (index === undefined) differences.push(`there is no index ${name}`)
    else compare(`the key of the index ${name}`, keys, index.KeySchema)
  }
  const { StreamEnabled: streams = false, StreamViewType: view = '' } = found.StreamSpecification ?? {}
  if (shape.stream && !(streams && view.startsWith('NEW_')))
    differences.push(
      streams ? `the stream shows ${view}; needed is NEW_IMAGE` : 'there is no stream of new images',
    )
  if (!shape.recoverable && streams)
    differences.push('it has a stream, which keeps what is destroyed for a day')
  if (guarded && found.DeletionProtectionEnabled !== true)
    differences.push('it is not protected from deletion')
  return differences
}

export const ttlDifference = (needed: string, found: string | undefined): string =>
  found === undefined
    ? `there is no time to live; needed is one on ${needed}`
    : `the time to live is on ${found}; needed is ${needed}`
