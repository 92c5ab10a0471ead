/**
 * Stripe beside a simulated shop: in the run's own time, with its own faults, its webhooks sent to the shop's API, and
 * shoppers who do what their bank asks of them, or do not.
 */
import type { AnyAggregate, HookBinding, Json } from '@everfold/core'
import { E, streamName } from '@everfold/core'
import { stripeWebhooks } from '@everfold/gateway-stripe'
import type { SurroundingsPorts } from '@everfold/runtime-memory/simulation'
import { createSimHttpClient, createStripeSim, type StripeSim } from '@everfold/stripe-sim'
import { Stripe } from 'stripe'
import { chosenFaults, operationOf } from './stripe-faults.ts'

/** A request that changes something, as it reached Stripe. */
interface Told {
  readonly operation: string
  readonly key: string | undefined
}

export interface SimulatedStripe {
  readonly sim: StripeSim
  readonly client: Stripe
  /** What was asked of it by POST, repetitions included. */
  readonly asked: ReadonlyArray<Told>
}

export interface StripeOptions {
  /** Whether an event of this type may be lost for good. */
  readonly lossy: (type: string) => boolean
}

const SECRET = 'whsec_simulated'
const MINUTE_MS = 60_000

type Attempt = ReturnType<StripeSim['takeWebhooks']>[number]

export const simulatedStripe = (ports: SurroundingsPorts, { lossy }: StripeOptions): SimulatedStripe => {
  const { kernel } = ports
  const sim = createStripeSim({
    nowMs: kernel.nowMs,
    seed: 'simulated',
    webhookSecret: SECRET,
    faults: chosenFaults(ports, lossy),
  })
  const asked: Array<Told> = []
  const post = delivering(ports, sim, () => hook)
  const challenged = challenges(ports, sim, post)
  /** Whatever becomes of who asks, Stripe goes on. */
  const delay = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const dueMs = kernel.nowMs() + ms
      kernel.at(dueMs, 'stripe goes on', resolve)
      kernel.at(dueMs + 1, 'stripe has gone on', challenged)
    })
  const perform = kernel.port('stripe')
  const exchange: StripeSim['exchange'] = async (request, patience) => {
    const operation = operationOf(request.method, request.path)
    const key = request.headers['idempotency-key']
    await perform(operation, 'asked', () => undefined)
    if (request.method === 'POST') asked.push({ operation, key })
    const exchanged = await sim.exchange(request, { ...patience, delay })
    if (request.method === 'POST') kernel.at(kernel.nowMs(), 'stripe has news', challenged)
    await perform(operation, 'answered', () => undefined)
    return exchanged
  }
  const client = new Stripe('sk_test_simulated', {
    httpClient: createSimHttpClient({ ...sim, exchange }, { delay }),
    maxNetworkRetries: 0,
    telemetry: false,
  })
  const hook = stripeWebhooks({ secret: SECRET, stripe: client })
  return { sim, client, asked }
}

/** Sends the webhooks that are due, and comes back when others are. */
const delivering = (
  { kernel, send }: SurroundingsPorts,
  sim: StripeSim,
  hook: () => HookBinding,
): (() => void) => {
  const startMs = kernel.nowMs()
  let cancel: (() => void) | undefined
  const tell = async (attempt: Attempt): Promise<void> => {
    const body = new TextEncoder().encode(attempt.rawBody)
    const commands = await hook()({ body, headers: attempt.headers, nowMs: kernel.nowMs() })
    if (E.isLeft(commands)) {
      sim.retryWebhook(attempt)
      return again()
    }
    const first = attempt.attempt === 1 && attempt.deliveryId.endsWith('_0')
    const client = first ? 'stripe' : 'stripe again'
    for (const { aggregate, id, command, commandId } of commands.right)
      await send({
        client,
        id: commandId,
        aggregate: aggregate.name,
        stream: streamName(aggregate.name, id),
        command: wireOf(aggregate, command),
        afterMs: kernel.nowMs() - startMs,
      })
  }
  const deliver = (): void => {
    sim.advance()
    for (const attempt of sim.takeWebhooks()) void kernel.as('stripe', () => tell(attempt))
    again()
  }
  const again = (): void => {
    cancel?.()
    const dueMs = sim.nextDueMs()
    cancel = dueMs === undefined ? undefined : kernel.at(dueMs, 'stripe has something due', deliver)
  }
  return deliver
}

const wireOf = (aggregate: AnyAggregate, command: unknown): Json => aggregate.command.encode(command) as Json

/** After each request: whoever is asked for 3-D Secure by now decides what to do and when; then news are told. */
const challenges = ({ kernel, draw }: SurroundingsPorts, sim: StripeSim, news: () => void): (() => void) => {
  const known = new Set<string>()
  return () => {
    for (const { id, status, metadata } of sim.snapshot().paymentIntents) {
      if (status !== 'requires_action' || known.has(id)) continue
      known.add(id)
      const shopper = `the shopper of ${metadata['orderId']}`
      const outcome = outcomeOf(draw(`${shopper}: does`))
      if (outcome === undefined) continue
      const afterMs = Math.floor(draw(`${shopper}: when`) * 90 * MINUTE_MS)
      kernel.at(kernel.nowMs() + afterMs, `${shopper} acts`, () => {
        sim.advance()
        const now = sim.snapshot().paymentIntents.find((intent) => intent.id === id)
        if (now?.status !== 'requires_action') return
        sim.completeAuthentication(id, outcome)
        news()
      })
    }
    news()
  }
}

const outcomeOf = (drawn: number): 'succeed' | 'fail' | undefined => {
  if (drawn < 0.6) return 'succeed'
  return drawn < 0.8 ? 'fail' : undefined
}
