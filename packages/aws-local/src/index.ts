export * from './dynamo-db.ts'
export * from './local-client.ts'
export * from './service-process.ts'
