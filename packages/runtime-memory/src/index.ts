export type { Life, LifeOptions } from './actors.ts'
export * from './change-stream.ts'
export type { DeadLetter } from './dead-letters.ts'
export * from './door.ts'
export { type Choose, type Effect, type Failing, keyOf, type Perform, type Point } from './effect.ts'
export * from './event-store.ts'
export {
  type Happened,
  type Kernel,
  type VirtualKernel,
  type VirtualOptions,
  virtualKernel,
} from './kernel.ts'
export * from './key-ring.ts'
export * from './ports.ts'
export * from './queue.ts'
export * from './real-clock.ts'
export * from './runtime.ts'
export * from './timer-service.ts'
export * from './view-store.ts'
