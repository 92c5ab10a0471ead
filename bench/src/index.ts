/** What the tests of the benchmark itself need; the benchmark is run through `main.ts`. */
export { Orders } from './contenders/floor.ts'
export { contenders } from './contenders/index.ts'
export { type Line, type Measured, ourShop, plainShop, plainShopOf2024, total } from './cost/costs.ts'
export { measuredIn, pageOf, relevant } from './cost/page.ts'
export { provenEffects } from './dynamodb/contended.ts'
export { compare } from './measure.ts'
export { type AddItem, commandOf, evolve, historyOf, initial, type Order } from './order-domain.ts'
