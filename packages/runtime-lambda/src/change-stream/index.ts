export * from './change-stream.ts'
export * from './stream-commits.ts'
export * from './stream-of-table.ts'
