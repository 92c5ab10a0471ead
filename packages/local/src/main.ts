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
const open = async (port: number): Promise<() => Promise<void>> => {
  const log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime })
  const kernel = realKernel()
  const issued = tokens(randomBytes(32), kernel.nowMs)
  let stripeServer: SimServer | undefined
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
  const server = await serve(doorway(shop.service, shop.door, issued), port, log)
  const webhooks = setInterval(() => void shop.stripe.deliverWebhooks(), WEBHOOKS_EVERY_MS)
  log.info({ port: server.port }, 'open')
  console.log(welcome(server.port, stripeServer?.url ?? ''))
  return async () => {
    clearInterval(webhooks)
    await server.close()
    shop.runtime.stop()
    await stripeServer?.close()
    kernel.close()
    log.info('closed')
  }
}

const main = async (): Promise<void> => {
  const port = portOf(process.env['PORT'])
  if (port === undefined) throw new Error(`PORT is no port from 0 to 65535: ${process.env['PORT']}`)
  const close = await open(port)
  let closing = false
  const end = (): void => {
    if (closing) return
    closing = true
    void close().then(() => process.exit(0))
  }
  process.on('SIGINT', end)
  process.on('SIGTERM', end)
}

try {
  await main()
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException
  console.error(code === 'EADDRINUSE' ? `The port is taken; choose another: PORT=4001 pnpm start` : message)
  process.exit(1)
}
