export * from './batch.ts'
export * from './follow.ts'
export * from './malformed-event.ts'
