/** `pnpm replay <products.csv> <orders.csv> [options]`: real sales through the shop, in virtual time. */
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { E } from '@everfold/core'
import { Shop } from '@everfold/ecommerce'
import { virtualKernel } from '@everfold/runtime-memory'
import { SingleBar } from 'cli-progress'
import { house } from '../house.ts'
import type { CsvFault } from './csv.ts'
import { counted, faults, report, table } from './report.ts'
import { openingMs, Refused, type Replay, run, type Sales } from './run.ts'
import { readProducts, readSales } from './sales.ts'
import { inMemory, type Storage, Unreadable, Unstartable } from './storage.ts'

const USAGE = `pnpm replay <products.csv> <orders.csv> [--json] [--again]
            [--store memory|dynamodb] [--services <file>]

Takes the catalogue and every order through cart, checkout, reservation,
payment and capture, at the orders' own dates.

  --json             one JSON object instead of a table
  --again            runs everything a second time on the same store, and
                     reports how many events that added
  --store <store>    memory, unless told, or dynamodb: Amazon's DynamoDB Local,
                     started for it; needs Java 17
  --services <file>  with --store dynamodb: services that outlive the replay,
                     so that one that was killed goes on; JSON:
                     { "dynamoDb": url,
                       "kms": { "endpoint": url, "keyId": id } }
                     and if wanted
                     { "prefix": of the tables, "stripe": url,
                       "bus": { "endpoint": url, "checkpoint": file } }`

/** The command was not given what it needs; what it prints says so, and nothing was replayed. */
class Unusable extends Error {}

const argumentsOf = (args: ReadonlyArray<string>) => {
  const { values, positionals } = parsed(args)
  const [products, orders, ...more] = positionals
  if (values.help === true) return undefined
  if (products === undefined || orders === undefined || more.length > 0)
    throw new Unusable(`Two files are needed.\n\n${USAGE}`)
  const { store = 'memory', services, json = false, again = false } = values
  if (store !== 'memory' && store !== 'dynamodb')
    throw new Unusable(`--store is memory or dynamodb, not ${store}.\n\n${USAGE}`)
  if (services !== undefined && store !== 'dynamodb')
    throw new Unusable(`--services is for --store dynamodb.\n\n${USAGE}`)
  return { products, orders, json, again, store, services }
}

const parsed = (args: ReadonlyArray<string>) => {
  const flag = { type: 'boolean' } as const
  const word = { type: 'string' } as const
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: flag, again: flag, store: word, services: word, help: { ...flag, short: 'h' } },
    })
  } catch (error) {
    throw new Unusable(`${(error as Error).message}\n\n${USAGE}`)
  }
}

const orThrow = <A>(read: E.Either<CsvFault, A>): A => {
  if (E.isRight(read)) return read.right
  const { file, line, column, detail } = read.left
  throw new Unusable(`${file}:${line}:${column}: ${detail}`)
}

const content = async (file: string): Promise<Uint8Array> => {
  try {
    return await readFile(file)
  } catch (error) {
    throw new Unusable(`${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`)
  }
}

const salesOf = async (productsFile: string, ordersFile: string): Promise<Sales> => {
  const products = orThrow(readProducts(productsFile, await content(productsFile)))
  return { products, sales: orThrow(readSales(ordersFile, await content(ordersFile), products)) }
}

/** Runs all sales behind a progress bar, and answers how long that took in seconds of this machine. */
const timed = async (replay: Replay, sales: Sales, title: string): Promise<number> => {
  const bar = new SingleBar({
    format: `${title} {bar} {value}/{total} orders, {eta_formatted} left`,
    barsize: 20,
    stream: process.stderr,
    // Where nobody watches, a line from time to time.
    noTTYOutput: true,
    // The bar's own way to go takes the signal and lets the process live.
    gracefulExit: false,
  })
  const leave = (signal: NodeJS.Signals): void => {
    bar.stop()
    process.kill(process.pid, signal)
  }
  for (const signal of SIGNALS) process.once(signal, leave)
  const started = performance.now()
  bar.start(sales.sales.length, 0)
  try {
    await run(replay, sales, () => bar.increment())
  } finally {
    bar.stop()
    for (const signal of SIGNALS) process.off(signal, leave)
  }
  return (performance.now() - started) / 1000
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

const main = async (): Promise<void> => {
  const asked = argumentsOf(process.argv.slice(2))
  if (asked === undefined) return console.log(USAGE)
  const sales = await salesOf(asked.products, asked.orders)
  const storage = asked.store === 'memory' ? inMemory : await dynamoStorage(asked.services)
  const startMs = Math.max(openingMs(sales.sales), storage.reachedMs)
  const kernel = virtualKernel({ mode: 'immediate', startMs, seed: 'replay' })
  try {
    const shop = await house({
      kernel,
      seed: 'replay',
      authenticate: () => Promise.resolve(E.right(undefined)),
      ...storage.house(kernel),
    })
    await replayed({ house: shop, kernel, terms: Shop.defaultTerms }, sales, { ...asked, storage })
  } finally {
    await storage.close()
  }
}

/** Loaded only where it is asked for, because the SDK takes its time. */
const dynamoStorage = async (services: string | undefined): Promise<Storage> => {
  const { onDynamoDb } = await import('./dynamo-storage.ts')
  return onDynamoDb(services)
}

const replayed = async (
  replay: Replay,
  sales: Sales,
  asked: { readonly json: boolean; readonly again: boolean; readonly storage: Storage },
): Promise<void> => {
  const shop = replay.house
  const elapsedS = await timed(replay, sales, 'replaying')
  const before = (await counted(shop)).events
  const again = asked.again ? { elapsedS: await timed(replay, sales, 'once more') } : undefined
  const found = await report(shop, sales, elapsedS)
  const newEvents = again === undefined ? {} : { newEvents: (await counted(shop)).events - before }
  await asked.storage.published()
  const wrong = [
    ...faults(found, sales),
    ...((newEvents.newEvents ?? 0) === 0 ? [] : [`the second run added ${newEvents.newEvents} events`]),
    ...shop.runtime.deadLetters.map(({ what, reason }) => `dead letter ${what}: ${JSON.stringify(reason)}`),
  ]
  console.log(asked.json ? JSON.stringify({ ...found, ...newEvents }) : table(found))
  if (!asked.json && newEvents.newEvents !== undefined) console.log(`newEvents: ${newEvents.newEvents}`)
  for (const fault of wrong) console.error(fault)
  if (wrong.length > 0) process.exitCode = 1
}

try {
  await main()
} catch (error) {
  const unusable = error instanceof Unusable || error instanceof Unreadable
  if (!unusable && !(error instanceof Refused) && !(error instanceof Unstartable)) throw error
  console.error(error.message)
  process.exitCode = unusable ? 2 : 1
}
