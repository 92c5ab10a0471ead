/** `pnpm start`: the shop on this machine, in memory, on real time. */
import { randomBytes } from 'node:crypto'
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

const portOf = (given: string | undefined): number | undefined => {
  if (given === undefined || given === '') return DEFAULT_PORT
  return /^\d{1,5}$/.test(given) && Number(given) <= 65_535 ? Number(given) : undefined
}

/** Opens the shop and answers how to close it. */
const open = async (wanted: number): Promise<() => Promise<void>> => {
  const log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime })
  const kernel = realKernel()
  const issued = tokens(randomBytes(32), kernel.nowMs)
  let stripeServer: SimServer | undefined
  let port = wanted
  const shop: House = await house({
    kernel,
    authenticate: issued.authenticate,
    seed: 'local',
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
  const server = await serve(doorway(shop.service, shop.door, issued), wanted, log)
  port = server.port
  const webhooks = setInterval(() => void shop.stripe.deliverWebhooks(), WEBHOOKS_EVERY_MS)
  log.info({ port }, 'open')
  console.log(welcome(port, stripeServer?.url ?? ''))
  return async () => {
    clearInterval(webhooks)
    await server.close()
    shop.runtime.stop()
    await stripeServer?.close()
    kernel.close()
    log.info('closed')
  }
}

/** Ends on the first signal, also while the shop is still opening; the next ones change nothing. */
const main = async (port: number): Promise<void> => {
  let close: (() => Promise<void>) | undefined
  let closing = false
  const end = (): void => {
    if (closing) return
    closing = true
    void Promise.resolve(close?.()).then(() => process.exit(0), fail(port))
  }
  process.on('SIGINT', end)
  process.on('SIGTERM', end)
  close = await open(port)
}

const fail =
  (port: number | undefined) =>
  (error: unknown): never => {
    const { code, message } = error as NodeJS.ErrnoException
    const taken = `Port ${port} is taken. Choose another, or let the system choose: PORT=0 pnpm start`
    console.error(code === 'EADDRINUSE' ? taken : message)
    process.exit(1)
  }

const port = portOf(process.env['PORT'])
if (port === undefined) fail(port)(new Error(`PORT is no port from 0 to 65535: ${process.env['PORT']}`))
else await main(port).catch(fail(port))
