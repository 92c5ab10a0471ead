/**
 * Every limit of AWS that the code relies on, each with its source and the month in which it was read.
 *
 * Sizes are bytes unless the name says otherwise.
 */

export const DYNAMODB = {
  /** One item, names and values. Source: AWS SDK, BatchWriteItem (2026-11). */
  itemBytes: 400 * 1024,
  /** One write unit. Source: DynamoDB Developer Guide, read/write capacity (2026-11). */
  writeUnitBytes: 1024,
  /** One strongly consistent read unit. Source: DynamoDB Developer Guide, read/write capacity (2026-11). */
  readUnitBytes: 4096,
  /** Actions of one transaction. Source: AWS SDK, TransactWriteItemsCommand (2026-11). */
  transactionActions: 100,
  /** All items of one transaction. Source: AWS SDK, TransactWriteItemsCommand (2026-11). */
  transactionBytes: 4 * 1024 * 1024,
  /** Requests of one BatchWriteItem. Source: AWS SDK, BatchWriteItem (2026-11). */
  batchWrites: 25,
  /** A partition key. Source: AWS SDK, BatchWriteItem (2026-11). */
  partitionKeyBytes: 2048,
  /** A sort key. Source: AWS SDK, BatchWriteItem (2026-11). */
  sortKeyBytes: 1024,
} as const
