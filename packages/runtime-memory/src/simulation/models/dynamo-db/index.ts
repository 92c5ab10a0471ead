export type { AttributeValue, Item } from './attribute.ts'
export * from './dynamo-db.ts'
export type { DynamoDb } from './state.ts'
export {
  type LambdaRecord,
  recordsAfter,
  shards,
  streamArnOf,
} from './stream-read.ts'
export * from './streams.ts'
export type { TableDefinition } from './table-definition.ts'
