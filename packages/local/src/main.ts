/** `pnpm start [--store memory|dynamodb]`: the shop on this machine, on real time, in memory or on DynamoDB Local. */
import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { Shop } from '@everfold/ecommerce'
import { realKernel } from '@everfold/runtime-memory'
import { type SimServer, startSimServer } from '@everfold/stripe-sim'
import { pino } from 'pino'
import { Stripe } from 'stripe'
import { seed } from './catalogue-seed.ts'
import { doorway } from './doorway.ts'
import { type House, house } from './house.ts'
import { serve } from './http-server.ts'
import { tokens } from './token.ts'
import { welcome } from './welcome.ts'

const DEFAULT_PORT = 4000
const WEBHOOKS_EVERY_MS = 1000

const USAGE = `pnpm start [--store memory|dynamodb]

Serves the shop on port ${DEFAULT_PORT}, or on what PORT says; it keeps nothing beyond
its end.

  --store <store>  where commits and views are kept: memory, unless told, or
                   dynamodb, which is Amazon's DynamoDB Local, started for it;
                   needs Java 17`

/** It was asked for something that there is not. */
class Misuse extends Error {
  constructor(message: string) {
    super(`${message}\n\n${USAGE}`)
  }
}

const storeOf = (args: ReadonlyArray<string>): 'memory' | 'dynamodb' | 'help' => {
  const { store = 'memory', help = false } = parsed(args)
  if (help) return 'help'
  if (store === 'memory' || store === 'dynamodb') return store
  throw new Misuse(`--store is memory or dynamodb, not ${store}.`)
}

const parsed = (args: ReadonlyArray<string>) => {
  const options = { store: { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const
  try {
    return parseArgs({ args: [...args], options }).values
  } catch (error) {
    throw new Misuse((error as Error).message)
  }
}

const portOf = (given: string | undefined): number => {
  if (given === undefined || given === '') return DEFAULT_PORT
  if (/^\d{1,5}$/.test(given) && Number(given) <= 65_535) return Number(given)
  throw new Misuse(`PORT is no port from 0 to 65535: ${given}`)
}

/** Loaded only where it is asked for, because the SDK takes its time. */
const startCloud = async () => {
  const { openCloud, startServices } = await import('./cloud.ts')
  const { services, stop } = await startServices()
  return { ports: await openCloud(services), at: services.dynamoDb, stop }
}

/** Opens the shop and answers how to close it. */
const open = async (wanted: number, store: 'memory' | 'dynamodb'): Promise<() => Promise<void>> => {
  const log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime })
  const kernel = realKernel()
  const issued = tokens(randomBytes(32), kernel.nowMs)
  const cloud = store === 'dynamodb' ? await startCloud() : undefined
  let stripeServer: SimServer | undefined
  let port = wanted
  const shop: House = await house({
    kernel,
    authenticate: issued.authenticate,
    seed: 'local',
    ...(cloud === undefined ? {} : { ports: cloud.ports }),
    returnUrl: (orderId) => `http://127.0.0.1:${port}/ecommerce/orders/${orderId}`,
    log: ({ level, message, ...fields }) => log[level](fields, String(message)),
    connect: async (sim) => {
      stripeServer = await startSimServer(sim)
      return new Stripe('sk_test_local', {
        ...stripeServer.stripeConfig,
        maxNetworkRetries: 0,
        telemetry: false,
      })
    },
  })
  await seed(shop.runtime, Shop.defaultTerms)
  // What is on the shelves can be seen as soon as the shop is open.
  await shop.idle()
  const server = await serve(doorway(shop.service, shop.door, issued), wanted, log)
  port = server.port
  const webhooks = setInterval(() => void shop.stripe.deliverWebhooks(), WEBHOOKS_EVERY_MS)
  log.info({ port }, 'open')
  console.log(welcome(port, stripeServer?.url ?? '', cloud?.at))
  return async () => {
    clearInterval(webhooks)
    await server.close()
    shop.runtime.stop()
    await stripeServer?.close()
    kernel.close()
    await cloud?.stop()
    log.info('closed')
  }
}

/** Ends on the first signal, also while the shop is still opening; the next ones change nothing. */
const main = async (port: number, store: 'memory' | 'dynamodb'): Promise<void> => {
  let close: (() => Promise<void>) | undefined
  let closing = false
  const end = (): void => {
    if (closing) return
    closing = true
    void Promise.resolve(close?.()).then(() => process.exit(0), fail)
  }
  process.on('SIGINT', end)
  process.on('SIGTERM', end)
  close = await open(port, store)
}

const fail = (error: unknown): never => {
  const { code, message, port } = error as NodeJS.ErrnoException & { readonly port?: number }
  const taken = `Port ${port} is taken. Choose another, or let the system choose: PORT=0 pnpm start`
  console.error(code === 'EADDRINUSE' ? taken : message)
  process.exit(error instanceof Misuse ? 2 : 1)
}

try {
  const store = storeOf(process.argv.slice(2))
  if (store === 'help') console.log(USAGE)
  else await main(portOf(process.env['PORT']), store)
} catch (error) {
  fail(error)
}
