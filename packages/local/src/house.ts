/**
 * The house: a shop on the memory runtime, a simulated Stripe next door, and a mailbox; on virtual or on real time, its
 * storage in memory or elsewhere.
 *
 * Stripe is spoken to by the official SDK: in process, so that it lives in the same time as everything else, or by
 * whatever client `connect` makes.
 */
import type { HttpRequest, HttpResponse, Service } from '@everfold/core'
import { Shop } from '@everfold/ecommerce'
import { stripePayments, stripeWebhooks } from '@everfold/gateway-stripe'
import {
  type DoorOptions,
  type ForeignPorts,
  type Kernel,
  memoryDoor,
  memoryRuntime,
  type Runtime,
  type RuntimeOptions,
} from '@everfold/runtime-memory'
import {
  createSimHttpClient,
  createStripeSim,
  type FaultScript,
  type Ledger,
  type StripeSim,
} from '@everfold/stripe-sim'
import { Stripe } from 'stripe'
import { type Mailbox, mailbox } from './mailbox.ts'

export interface House {
  readonly service: Service
  readonly runtime: Runtime
  readonly stripe: StripeSim
  readonly mailbox: Mailbox
  /** What Stripe has taken and given back. */
  ledger(this: void): Promise<Ledger>
  readonly door: (request: HttpRequest) => Promise<HttpResponse>
  /** Resolves when everything that was set off has been delivered, Stripe's webhooks included. */
  idle(this: void): Promise<void>
}

export interface HouseOptions extends Pick<RuntimeOptions, 'log' | 'execute' | 'groupLimit' | 'pollMs'> {
  readonly kernel: Kernel
  readonly authenticate: DoorOptions['authenticate']
  /** The storage, where it is not in memory. */
  readonly ports?: ForeignPorts
  /** Names the run of the simulated Stripe: the same seed makes the same ids. */
  readonly seed: string
  readonly terms?: Shop.Terms
  readonly stripeFaults?: FaultScript
  /** Where a bank sends the shopper back to; without it, Stripe.js would handle what the bank asks. */
  readonly returnUrl?: (orderId: string) => string
  /** How the SDK reaches the simulated Stripe, or another one; the one in process unless told. */
  readonly connect?: (sim: StripeSim) => Promise<Stripe>
  /** What another Stripe has taken and given back. */
  readonly ledger?: () => Promise<Ledger>
}

/** No secret at all: the simulated Stripe and its shop live on one machine, and in one process. */
export const WEBHOOK_SECRET = 'whsec_local'

export const house = async (options: HouseOptions): Promise<House> => {
  const { kernel, authenticate, seed, terms, stripeFaults, connect, ledger, returnUrl, ...runtimeOptions } =
    options
  const sim = createStripeSim({
    nowMs: kernel.nowMs,
    seed,
    webhookSecret: WEBHOOK_SECRET,
    ...(stripeFaults === undefined ? {} : { faults: stripeFaults }),
    onWebhook: async (rawBody, headers) => (await door(webhookRequest(rawBody, headers))).status,
  })
  const client = (await connect?.(sim)) ?? inProcess(kernel, sim)
  const service = Shop.service(terms)
  let box: Mailbox | undefined
  const runtime = memoryRuntime({
    ...runtimeOptions,
    service,
    kernel,
    gateways: ({ keys }) => {
      box = mailbox(keys)
      return [stripePayments(client, kernel, returnUrl === undefined ? {} : { returnUrl }), box.binding]
    },
  })
  if (box === undefined) throw new Error('the runtime made no gateways')
  const door = memoryDoor(runtime, {
    authenticate,
    hooks: { [Shop.STRIPE_HOOK]: stripeWebhooks({ secret: WEBHOOK_SECRET, stripe: client }) },
  })
  const idle = async () => {
    do await runtime.idle()
    while ((await sim.deliverWebhooks()) > 0)
  }
  const ledgerOf = ledger ?? (() => Promise.resolve(sim.ledger()))
  return { service, runtime, stripe: sim, mailbox: box, ledger: ledgerOf, door, idle }
}

const inProcess = (kernel: Kernel, sim: StripeSim): Stripe =>
  new Stripe('sk_test_local', {
    httpClient: createSimHttpClient(sim, { delay: kernel.sleep }),
    maxNetworkRetries: 0,
    telemetry: false,
  })

const webhookRequest = (
  rawBody: string | Uint8Array,
  headers: { readonly [name: string]: string | undefined },
): HttpRequest => ({
  method: 'POST',
  url: '/ecommerce/webhooks/stripe',
  headers,
  body: typeof rawBody === 'string' ? new TextEncoder().encode(rawBody) : rawBody,
})
