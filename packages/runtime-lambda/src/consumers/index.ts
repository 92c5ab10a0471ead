/** Lambda handlers behind the table's stream, and `follow`, which does the same on this machine. */
export * from './batch.ts'
export type * from './batch-response.ts'
export * from './follow.ts'
export * from './malformed-event.ts'
