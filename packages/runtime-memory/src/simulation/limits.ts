/**
 * Every limit of the simulated services, each with its source and the month in which it was read.
 *
 * Sizes are bytes and times milliseconds unless the name says otherwise.
 */

export const SQS = {
  /** One message with its attributes; also all messages of one batch together. Source: AWS SDK, SendMessageBatchCommand (2026-11). */
  messageBytes: 1024 * 1024,
  /** Entries of one batch, and messages of one receive. Source: AWS SDK, SendMessageBatchCommand (2026-11). */
  batchEntries: 10,
  /** Attributes of one message. Source: SQS Developer Guide, message metadata (2026-11). */
  attributes: 10,
  /** The characters of a group's, a deduplication's or an attempt's id. Source: AWS SDK, SendMessageRequest (2026-11). */
  tokenLength: 128,
  /** From a message's sending, whether it is deleted meanwhile or not. Source: AWS SDK, SendMessageRequest (2026-11). */
  deduplicationMs: 5 * 60_000,
  /** How long a receive may be repeated by its attempt's id. Source: SQS Developer Guide, ReceiveRequestAttemptId (2026-11). */
  attemptMs: 5 * 60_000,
  /** How long what was received is hidden, unless told. Source: AWS SDK, SetQueueAttributesRequest (2026-11). */
  visibilitySeconds: 30,
  /** How long it can be hidden. Source: AWS SDK, ChangeMessageVisibilityRequest (2026-11). */
  longestVisibilitySeconds: 12 * 3600,
  /** How long a message can be delayed. Source: AWS SDK, SendMessageRequest (2026-11). */
  delaySeconds: 900,
  /** How long a receive may wait. Source: AWS SDK, ReceiveMessageRequest (2026-11). */
  waitSeconds: 20,
  /** How long a message is kept, unless told. Source: AWS SDK, SetQueueAttributesRequest (2026-11). */
  retentionSeconds: 4 * 24 * 3600,
  /** The characters of a queue's name, `.fifo` included. Source: AWS SDK, CreateQueueRequest (2026-11). */
  nameLength: 80,
} as const

export const KINESIS = {
  /** Records of one PutRecords. Source: AWS SDK, PutRecordsCommand (2026-11). */
  putRecords: 500,
  /** One PutRecords, partition keys included. Source: AWS SDK, PutRecordsCommand (2026-11). */
  putBytes: 10 * 1024 * 1024,
  /** One record with its partition key, until UpdateMaxRecordSize. Source: Data Streams Developer Guide, large records (2026-11). */
  recordBytes: 1024 * 1024,
  /** The characters of a partition key. Source: AWS SDK, PutRecordsRequestEntry (2026-11). */
  partitionKeyCharacters: 256,
  /** What a shard takes in a second. Source: AWS SDK, PutRecordsCommand (2026-11). */
  recordsPerSecond: 1000,
  /** What a shard takes in a second on average. Source: Data Streams Developer Guide, large records (2026-11). */
  bytesPerSecond: 1024 * 1024,
  /** What a shard takes at once after it has had time to rest. Source: Data Streams Developer Guide, large records (2026-11). */
  burstBytes: 10 * 1024 * 1024,
  /** Records of one GetRecords. Source: AWS SDK, GetRecordsCommand (2026-11). */
  getRecords: 10_000,
  /** What one GetRecords answers, at most. Source: AWS SDK, GetRecordsCommand (2026-11). */
  getBytes: 10 * 1024 * 1024,
  /** How long an iterator may be used. Source: AWS SDK, GetShardIteratorCommand (2026-11). */
  iteratorMs: 5 * 60_000,
  /** How long records are kept unless told. Source: AWS SDK, CreateStreamCommand (2026-11). */
  retentionMs: 24 * 60 * 60_000,
  /** Shards of one page of ListShards. Source: AWS SDK, ListShardsInput (2026-11). */
  listShards: 1000,
} as const

export const EVENTBRIDGE = {
  /** Entries of one PutEvents. Source: EventBridge API reference, PutEvents (2026-11). */
  entries: 10,
  /** The entries of one PutEvents have to stay below it. Source: AWS SDK, PutEventsCommand (2026-11). */
  requestBytes: 1_000_000,
  /** The characters of an entry's type. Source: AWS SDK, PutEventsRequestEntry (2026-11). */
  typeCharacters: 128,
  /** What an entry's time counts. Source: EventBridge User Guide, "Calculating PutEvents event entry size" (2026-11). */
  timeBytes: 14,
  /** How long a target that does not take an event is tried, at most. Source: EventBridge User Guide, eb-rule-retry-policy (2026-11). */
  retryMs: 24 * 60 * 60_000,
  /** How often it is tried again, at most. Source: EventBridge User Guide, eb-rule-retry-policy (2026-11). */
  retries: 185,
  /**
   * The first wait before it is tried again, and the longest. AWS says only that they grow exponentially, with jitter;
   * with these, 185 repeats fill the 24 hours. Source: inferred from the two numbers above (2026-11).
   */
  firstRetryMs: 1000,
  longestRetryMs: 480_000,
  /** Events of one such span of event time are replayed in any order. Source: AWS SDK, StartReplayCommand (2026-11). */
  replayBucketMs: 60_000,
  /** Replays of an account and region that run at once. Source: EventBridge User Guide, quotas (2026-11). */
  replays: 10,
} as const

export const DYNAMODB = {
  /** One item, names and values. Source: AWS SDK, BatchWriteItem (2026-11). */
  itemBytes: 400 * 1024,
  /** A partition key. Source: AWS SDK, BatchWriteItem (2026-11). */
  partitionKeyBytes: 2048,
  /** A sort key. Source: AWS SDK, BatchWriteItem (2026-11). */
  sortKeyBytes: 1024,
  /** Levels of documents in each other. Source: DynamoDB Developer Guide, "Service quotas" (2026-11). */
  nestingLevels: 32,
  /** Significant digits of a number. Source: DynamoDB Developer Guide, "Supported data types" (2026-11). */
  numberDigits: 38,
  /** The largest number is 9.99…E+125. Source: DynamoDB Developer Guide, "Supported data types" (2026-11). */
  largestExponent: 125,
  /** The smallest number above zero is 1E-130. Source: DynamoDB Developer Guide, "Supported data types" (2026-11). */
  smallestExponent: -130,
  /** An expression. Source: DynamoDB Developer Guide, "Service quotas" (2026-11). */
  expressionBytes: 4096,
  /** What a query or a scan reads for one page, before its filter. Source: AWS SDK, QueryCommand (2026-11). */
  pageBytes: 1024 * 1024,
  /** Actions of one transaction. Source: AWS SDK, TransactWriteItemsCommand (2026-11). */
  transactionActions: 100,
  /** All items of one transaction. Source: AWS SDK, TransactWriteItemsCommand (2026-11). */
  transactionBytes: 4 * 1024 * 1024,
  /** How long a ClientRequestToken is known after its request. Source: AWS SDK, TransactWriteItemsInput (2026-11). */
  tokenMs: 10 * 60_000,
  /** The characters of a ClientRequestToken. Source: AWS SDK, TransactWriteItemsInput (2026-11). */
  tokenLength: 36,
  /** Requests of one BatchWriteItem. Source: AWS SDK, BatchWriteItem (2026-11). */
  batchWrites: 25,
  /** Keys of one BatchGetItem. Source: AWS SDK, BatchGetItem (2026-11). */
  batchReads: 100,
  /** What one BatchGetItem answers, or one BatchWriteItem writes. Source: AWS SDK, BatchGetItem (2026-11). */
  batchBytes: 16 * 1024 * 1024,
  /** One write unit. Source: DynamoDB Developer Guide, "Read/write capacity" (2026-11). */
  writeUnitBytes: 1024,
  /** One strongly consistent read unit. Source: DynamoDB Developer Guide, "Read/write capacity" (2026-11). */
  readUnitBytes: 4096,
  /**
   * How many writes a stale read may be behind here. The service states no bound ("usually one second or less").
   * Source: DynamoDB Developer Guide, "Read consistency" (2026-11).
   */
  staleWrites: 4,
} as const

export const DYNAMODB_STREAMS = {
  /** Records of one GetRecords. Source: AWS SDK, GetRecordsCommand (2026-11). */
  getRecords: 1000,
  /** The records of one GetRecords. Source: AWS SDK, GetRecordsCommand (2026-11). */
  getRecordsBytes: 1024 * 1024,
  /** How long records are kept, and then trimmed. Source: AWS SDK, GetRecordsCommand (2026-11). */
  retentionMs: 24 * 60 * 60_000,
  /** How long an iterator can be used. Source: AWS SDK, GetShardIteratorCommand (2026-11). */
  iteratorMs: 15 * 60_000,
  /** Shards of one DescribeStream. Source: AWS SDK, DescribeStreamInput (2026-11). */
  describedShards: 100,
  /** Streams of one ListStreams. Source: AWS SDK, ListStreamsInput (2026-11). */
  listedStreams: 100,
  /**
   * How long a record may be late here, and others of its shard ahead of it. Streams are "near real time"; the service
   * states no bound. Source: DynamoDB Developer Guide, "Change data capture for DynamoDB Streams" (2026-11).
   */
  lateMs: 1000,
} as const

export const EVENT_SOURCE_MAPPING = {
  /** Records of one batch, unless told. Source: Lambda Developer Guide, parameters for DynamoDB (2026-11). */
  batchSize: 100,
  /** The records of one batch. Source: Lambda Developer Guide, quotas, invocation payload (2026-11). */
  payloadBytes: 6 * 1024 * 1024,
  /** How long a stream keeps a record, unless told. Source: DynamoDB Developer Guide, DynamoDB Streams; Kinesis Developer Guide, retention (2026-11). */
  retentionMs: 24 * 60 * 60_000,
  /** What a tumbling window has come to; a larger one ends early. Source: Lambda Developer Guide, stateful DynamoDB processing (2026-11). */
  windowStateBytes: 1024 * 1024,
  /** The pause after a first failure; it doubles. Only that it grows is documented. Source: Lambda Developer Guide, error handling; the number is inferred (2026-11). */
  firstBackoffMs: 1000,
  /** The longest pause. Source: as above; the number is inferred (2026-11). */
  longestBackoffMs: 60_000,
} as const

export const QUEUE_MAPPING = {
  /** Messages of one batch, unless told. Source: Lambda Developer Guide, parameters for SQS (2026-11). */
  batchSize: 10,
  /** Messages of one receive. Source: AWS SDK, ReceiveMessageRequest (2026-11). */
  receive: 10,
  /** Batches at once before Lambda scales out. Source: Lambda Developer Guide, scaling for SQS event source mappings (2026-11). */
  initialConcurrency: 5,
  /** The messages of one batch. Source: Lambda Developer Guide, quotas, invocation payload (2026-11). */
  payloadBytes: 6 * 1024 * 1024,
} as const

export const LAMBDA = {
  /** Invocations of an account at once. Source: Lambda Developer Guide, quotas (2026-11). */
  concurrency: 1000,
  /** An invocation, unless told. Source: AWS SDK, CreateFunctionRequest (2026-11). */
  timeoutMs: 3000,
  /** How long a frozen sandbox is kept. No time is documented. Source: Lambda Developer Guide, execution environment; the number is inferred (2026-11). */
  idleMs: 15 * 60_000,
  /** How long a deploy leaves old code in use. No time is documented; the number is inferred (2026-11). */
  overlapMs: 60_000,
  /** How wrong a sandbox's clock may be here. No bound is documented; the number is chosen (2026-11). */
  clockSkewMs: 5000,
  /** How long a sandbox that is to jump back has the right time. The number is chosen (2026-11). */
  clockJumpsAfterMs: 1000,
} as const

export const ASYNC_LAMBDA = {
  /** Runs after a function error, unless told. Source: Lambda Developer Guide, asynchronous error handling (2026-11). */
  retryAttempts: 2,
  /** How long an event may wait, unless told. Source: Lambda Developer Guide, asynchronous error handling (2026-11). */
  eventAgeMs: 6 * 60 * 60_000,
  /** After the first function error. Source: Lambda Developer Guide, asynchronous error handling (2026-11). */
  firstRetryMs: 60_000,
  /** After the second. Source: Lambda Developer Guide, asynchronous error handling (2026-11). */
  secondRetryMs: 120_000,
  /** After the first throttle; it doubles. Source: Lambda Developer Guide, asynchronous error handling (2026-11). */
  firstBackoffMs: 1000,
  /** After the later ones. Source: Lambda Developer Guide, asynchronous error handling (2026-11). */
  longestBackoffMs: 5 * 60_000,
} as const

export const API_GATEWAY = {
  /** The integration of an HTTP API. Source: API Gateway Developer Guide, quotas for HTTP APIs (2026-11). */
  httpTimeoutMs: 30_000,
  /** The integration of a REST API, unless raised. Source: API Gateway Developer Guide, quotas for REST APIs (2026-11). */
  restTimeoutMs: 29_000,
} as const

export const SCHEDULER = {
  /** The characters of a schedule's and a group's name. Source: EventBridge Scheduler API reference, CreateSchedule (2026-11). */
  nameLength: 64,
  /** What a schedule hands to its target. Source: AWS SDK, scheduler Target (2026-11). */
  inputBytes: 256 * 1024,
  /** How long after its time a target may be invoked. Source: EventBridge Scheduler User Guide, "Schedule types" (2026-11). */
  precisionMs: 60_000,
  /** How often a failed invocation is tried again, at most and unless told. Source: EventBridge Scheduler API reference, RetryPolicy (2026-11). */
  retryAttempts: 185,
  /** How long it is tried, at least. Source: EventBridge Scheduler API reference, RetryPolicy (2026-11). */
  shortestAgeSeconds: 60,
  /** How long it is tried, at most and unless told. Source: EventBridge Scheduler API reference, RetryPolicy (2026-11). */
  longestAgeSeconds: 24 * 3600,
  /** A flexible window. Source: EventBridge Scheduler API reference, FlexibleTimeWindow (2026-11). */
  windowMinutes: 1440,
  /** Schedules of one list. Source: EventBridge Scheduler API reference, ListSchedules (2026-11). */
  listed: 100,
} as const
