/** The event source mapping of a stream: its settings, its steps, and what a destination is told. */
export type { Discarded, InvocationOutcome } from './answering.ts'
export {
  checkpoint,
  pending,
  type StreamMapping,
  type StreamMappingState,
  type StreamMappingStep,
  streamMapping,
} from './event-source-mapping.ts'
export type { Invocation } from './handing-out.ts'
export { onFailure } from './on-failure.ts'
export type { ListedShard, StreamMappingSettings, StreamRecord } from './settings.ts'
export type { Passed } from './shard.ts'
