/** Lambda: functions in sandboxes, and the queue of asynchronous invocations. */
export {
  type AsyncInvocation,
  type AsyncInvocations,
  type AsyncSettings,
  asyncInvocations,
  type GivenUp,
} from './async-invocations.ts'
export { onFailure, scheduledPayload } from './events.ts'
export {
  clockMs,
  deployed,
  ended,
  type FunctionSettings,
  type HowEnded,
  type Invoked,
  initial,
  invoke,
  invokeOffers,
  type LambdaState,
  type Sandbox,
} from './sandboxes.ts'
