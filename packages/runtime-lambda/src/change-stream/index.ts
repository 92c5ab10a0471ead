/** The table's stream: as core's port, read by polling, and as the commits of an event that Lambda hands over. */
export * from './change-stream.ts'
export * from './stream-commits.ts'
export * from './stream-of-table.ts'
