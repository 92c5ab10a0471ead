/** What the tests stand on: a simulator, its clock, and the official SDK speaking to it either way. */
import {
  createSimHttpClient,
  createStripeSim,
  type Delay,
  type FaultScript,
  type Faults,
  type OnWebhook,
  type StripeSim,
  startSimServer,
} from '@everfold/stripe-sim'
import { Stripe } from 'stripe'

export const SECRET = 'whsec_bench'
export const START_MS = 1_700_000_000_000

interface Setup {
  readonly faults?: FaultScript | Faults
  readonly seed?: string | number
  readonly delay?: Delay
  readonly onWebhook?: OnWebhook
}

export interface Bench {
  readonly sim: StripeSim
  readonly stripe: Stripe
  readonly nowMs: () => number
  readonly pass: (ms: number) => void
  readonly url: string
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

export interface Transport {
  readonly name: string
  /** How many cases a property gets. */
  readonly runs: number
  readonly open: (setup?: Setup) => Promise<Bench>
}

const CONFIG = { maxNetworkRetries: 0, telemetry: false } as const

const simAndClock = (setup: Setup) => {
  let nowMs = START_MS
  const { faults, seed = 'bench', onWebhook } = setup
  const sim = createStripeSim({
    nowMs: () => nowMs,
    seed,
    webhookSecret: SECRET,
    ...(faults !== undefined && { faults }),
    ...(onWebhook !== undefined && { onWebhook }),
  })
  const pass = (ms: number): void => {
    nowMs += ms
  }
  return { sim, pass, nowMs: () => nowMs }
}

export const inProcess: Transport = {
  name: 'in process',
  runs: 100,
  open: async (setup = {}) => {
    const clocked = simAndClock(setup)
    const options = setup.delay === undefined ? {} : { delay: setup.delay }
    const httpClient = createSimHttpClient(clocked.sim, options)
    const stripe = new Stripe('sk_test_bench', { ...CONFIG, httpClient })
    return { ...clocked, stripe, url: '', [Symbol.asyncDispose]: () => Promise.resolve() }
  },
}

export const overHttp: Transport = {
  name: 'over HTTP',
  runs: 8,
  open: async (setup = {}) => {
    const clocked = simAndClock(setup)
    const delay = setup.delay === undefined ? {} : { delay: setup.delay }
    const server = await startSimServer(clocked.sim, { lost: 'truncated', ...delay })
    const stripe = new Stripe('sk_test_bench', { ...CONFIG, ...server.stripeConfig })
    return { ...clocked, stripe, url: server.url, [Symbol.asyncDispose]: server.close }
  },
}

export const transports = [inProcess, overHttp] as const

/** The error of a call that must fail; the SDK's own type, so that its fields can be looked at. */
export const errorOf = async (call: Promise<unknown>): Promise<Stripe.errors.StripeError> => {
  const outcome = await call.then(
    () => undefined,
    (cause: unknown) => cause,
  )
  if (outcome instanceof Stripe.errors.StripeError) return outcome
  throw new Error('the call did not fail as one of the SDK does', { cause: outcome })
}

/** A card payment in one step, of ten dollars unless told otherwise. */
export const payment = (
  more: Partial<Stripe.PaymentIntentCreateParams> = {},
): Stripe.PaymentIntentCreateParams => ({
  amount: 1_000,
  currency: 'usd',
  payment_method: 'pm_card_visa',
  allowed_payment_method_types: ['card'],
  confirm: true,
  ...more,
})
