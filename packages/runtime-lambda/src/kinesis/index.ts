/** Kinesis: the producer, the consumer behind a Lambda function, and a reader for local runs. */
export type { BatchResponse } from '../consumers/batch-response.ts'
export { aggregate, deaggregate } from './aggregate.ts'
export * from './consumer.ts'
export * from './producer.ts'
export type { Placed, PutFailure } from './put-answer.ts'
export * from './reader.ts'
export type * from './stream-record.ts'
export type { UserRecord } from './user-record.ts'
