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
  /** Keys of one BatchGetItem. Source: AWS SDK, BatchGetItem (2026-11). */
  batchReads: 100,
  /** A partition key. Source: AWS SDK, BatchWriteItem (2026-11). */
  partitionKeyBytes: 2048,
  /** A sort key. Source: AWS SDK, BatchWriteItem (2026-11). */
  sortKeyBytes: 1024,
} as const

export const DYNAMODB_STREAMS = {
  /** Records of one GetRecords. Source: AWS SDK, GetRecordsCommand (2026-11). */
  getRecords: 1000,
  /** How long records are kept, at least. Source: AWS SDK, GetRecordsCommand (2026-11). */
  retentionMs: 24 * 60 * 60_000,
} as const

export const EVENTBRIDGE = {
  /** Entries of one PutEvents. Source: EventBridge API reference, PutEvents (2026-11). */
  entries: 10,
  /**
   * The entries of one PutEvents have to stay below it. It is said to be 1 MB; no reading of that is smaller, and what
   * EventBridge puts around an entry still fits into the mebibyte of a queue behind it.
   * Source: AWS SDK, PutEventsCommand (2026-11).
   */
  requestBytes: 1_000_000,
  /** The characters of an entry's type, counted here in UTF-16 units. Source: AWS SDK, PutEventsRequestEntry (2026-11). */
  typeLength: 128,
  /** What an entry's time counts. Source: EventBridge User Guide, "Calculating PutEvents event entry size" (2026-11). */
  timeBytes: 14,
} as const

export const KINESIS = {
  /** Records of one PutRecords. Source: AWS SDK, PutRecordsCommand (2026-11). */
  putRecords: 500,
  /** One PutRecords, partition keys included. Source: AWS SDK, PutRecordsCommand (2026-11). */
  putBytes: 10 * 1024 * 1024,
  /** One record with its partition key, until UpdateMaxRecordSize. Source: Data Streams Developer Guide, large records (2026-11). */
  recordBytes: 1024 * 1024,
  /** One record with its partition key, at most. Source: AWS SDK, UpdateMaxRecordSizeCommand (2026-11). */
  largestRecordBytes: 10 * 1024 * 1024,
  /** A partition key; counted here in UTF-16 units, of which it never has fewer than characters. Source: AWS SDK, PutRecordsRequestEntry (2026-11). */
  partitionKeyCharacters: 256,
  /** What the Kinesis Producer Library aggregates into one record. Source: amazon-kinesis-producer, AggregationMaxSize (2026-11). */
  aggregateBytes: 51_200,
  /** Records of one GetRecords. Source: AWS SDK, GetRecordsCommand (2026-11). */
  getRecords: 10_000,
} as const

export const SQS = {
  /** One message; also all messages of one batch together. Source: AWS SDK, SendMessageBatchCommand (2026-11). */
  messageBytes: 1024 * 1024,
  /** Entries of one batch, and messages of one receive. Source: AWS SDK, SendMessageBatchCommand (2026-11). */
  batchEntries: 10,
  /** The characters of a group or a deduplication id. Source: AWS SDK, SendMessageBatchRequestEntry (2026-11). */
  tokenLength: 128,
  /** How long a receive may wait. Source: AWS SDK, ReceiveMessageRequest (2026-11). */
  waitSeconds: 20,
  /** How long a message is kept, at most. Source: AWS SDK, SetQueueAttributesCommand (2026-11). */
  retentionMs: 14 * 24 * 60 * 60_000,
} as const

export const SCHEDULER = {
  /** The characters of a schedule's name. Source: EventBridge Scheduler API reference, CreateSchedule (2026-11). */
  nameLength: 64,
  /** What a schedule hands to its target. Source: AWS SDK, scheduler Target (2026-11). */
  inputBytes: 256 * 1024,
  /** How long a target that does not take it is tried, at most. Source: EventBridge Scheduler API reference, RetryPolicy (2026-11). */
  retryMs: 24 * 60 * 60_000,
} as const
