export * as Stock from './stock.ts'
