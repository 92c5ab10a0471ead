export * from './batch.ts'
export type * from './batch-response.ts'
export * from './follow.ts'
export * from './malformed-event.ts'
