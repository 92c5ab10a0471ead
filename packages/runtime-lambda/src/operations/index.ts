/** What an operator does, as functions over ports: the command `everfold` prints what they answer. */
export type { Configuration } from './configuration.ts'
export {
  type DeadLetterQueue,
  type DeadLetterQueueOptions,
  type DeadMessage,
  deadLetterQueue,
} from './dead-letter-queue.ts'
export * from './dead-letters.ts'
export * from './republish.ts'
export * from './show-stream.ts'
export { type NoAggregate, type NoCommit, type StateAt, stateAt } from './state-at.ts'
export * from './why-answered.ts'
