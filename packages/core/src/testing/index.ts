export * from './given.ts'
