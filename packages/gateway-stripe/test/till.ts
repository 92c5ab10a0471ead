/**
 * A shop's till for one payment: its history, the gateway bound to a simulated Stripe, and whoever delivers, as often as
 * a test likes. Everything is by virtual time.
 */
import {
  type Commit,
  deriveId,
  E,
  type Envelope,
  envelope,
  eventId,
  execute,
  fold,
  hearsEvent,
  type RecordedEvent,
  requestOf,
  resultId,
  streamName,
} from '@everfold/core'
import { plainPorts, valid } from '@everfold/core/testing'
import { Payment, Shop } from '@everfold/ecommerce'
import { type StripeOptions, stripePayments, stripeWebhooks } from '@everfold/gateway-stripe'
import {
  createSimHttpClient,
  createStripeSim,
  type FaultScript,
  type StripeSim,
  startSimServer,
  type WebhookAttempt,
} from '@everfold/stripe-sim'
import { Stripe } from 'stripe'

export const SECRET = 'whsec_till'
/** For a property on a busy machine: some seconds of work. */
export const PATIENCE_MS = 60_000
export const START_MS = 1_700_000_000_000
const PAYMENT_ID = 'o-1'
const STREAM = streamName(Payment.aggregate.name, PAYMENT_ID)

export interface Setup {
  readonly faults?: FaultScript
  readonly options?: StripeOptions
  /** The hook may ask Stripe for the payments of events without our mark. */
  readonly curious?: boolean
}

/** A delivery of an event that asks the gateway. */
export interface Call {
  readonly recorded: RecordedEvent<Payment.PaymentEvent>
  done: boolean
}

/** A request as the SDK sent it, and the event it was sent for. */
interface Sent {
  readonly eventId: string
  readonly endpoint: string
  readonly key: string | undefined
}

const command = valid(Payment.PaymentCommand)

export class Till {
  readonly sim: StripeSim
  readonly stripe: Stripe
  readonly events: Array<RecordedEvent<Payment.PaymentEvent>> = []
  readonly rejections: Array<Payment.PaymentRejection> = []
  readonly calls: Array<Call> = []
  readonly sent: Array<Sent> = []
  /** All commands as they came, repeats too. */
  readonly commands: Array<Envelope<Payment.PaymentCommand>> = []
  /** What webhooks said, in the order in which they came. */
  readonly heard: Array<Payment.PaymentCommand> = []
  readonly #clock: { nowMs: number }
  readonly #setup: Setup
  readonly #answered = new Set<string>()
  #commit = 0
  #calling = ''

  constructor(
    sim: StripeSim,
    stripe: Stripe,
    at: { readonly clock: { nowMs: number }; readonly setup: Setup },
  ) {
    this.sim = sim
    this.stripe = stripe
    this.#clock = at.clock
    this.#setup = at.setup
    stripe.on('request', ({ method, path, idempotency_key }: Stripe.RequestEvent) => {
      const endpoint = `${method} ${path.replace(/\?.*/, '').replace(/pi_\w+/, '*')}`
      this.sent.push({ eventId: this.#calling, endpoint, key: idempotency_key })
    })
  }

  get nowMs(): number {
    return this.#clock.nowMs
  }
  pass(ms: number): void {
    this.#clock.nowMs += ms
  }
  get state(): Payment.Payment {
    return fold(
      Payment.decider,
      this.events.map(({ event }) => event),
    )
  }
  said(): ReadonlyArray<Payment.PaymentEvent['_tag']> {
    return this.events.map(({ event }) => event._tag)
  }

  /** A command of somebody's, decided once per id. */
  execute(
    wish: object,
    id = deriveId(this.nowMs, 'wish', String(this.#answered.size)),
    cause?: string,
  ): void {
    const asked = envelope(command(wish), { id, timeMs: this.nowMs })
    this.commands.push(asked)
    if (this.#answered.has(id)) return
    this.#answered.add(id)
    const decision = Payment.decide(asked.command, this.state)
    if (E.isLeft(decision)) {
      this.rejections.push(decision.left)
      return
    }
    this.#commit += 1
    for (const [index, event] of decision.right.entries()) {
      const recorded: RecordedEvent<Payment.PaymentEvent> = {
        id: eventId(STREAM, this.#commit, index),
        stream: STREAM,
        commit: this.#commit,
        version: this.events.length + 1,
        timeMs: this.nowMs,
        commandId: id,
        schema: 1,
        metadata: { correlationId: id, ...(cause !== undefined && { causationId: cause }) },
        event,
      }
      this.events.push(recorded)
      if (hearsEvent(this.binding.gateway, Payment.aggregate.name, event._tag))
        this.calls.push({ recorded, done: false })
    }
  }

  get binding() {
    const clock = {
      nowMs: () => this.nowMs,
      sleep: (ms: number) => Promise.resolve(this.pass(ms)),
      random: () => 0.5,
    }
    return stripePayments(this.stripe, clock, this.#setup.options)
  }

  /** All that a store holds of it: its commits, with a snapshot in each. */
  async stored(): Promise<ReadonlyArray<Commit>> {
    const ports = plainPorts()
    const handle = execute(Payment.aggregate, ports, { snapshotEvery: 1 })
    for (const asked of this.commands) {
      const settled = await handle(STREAM, [asked])()
      if (E.isLeft(settled)) throw new Error(settled.left._tag)
      for (const answer of settled.right) if (E.isLeft(answer)) throw new Error(answer.left._tag)
    }
    return ports.store.commits()
  }

  /** Delivers a call, for the first time or again; a fault leaves it to be delivered again. */
  async deliver(call: Call): Promise<Payment.PaymentCommand | undefined> {
    const { recorded } = call
    this.#calling = recorded.id
    const asked = requestOf(Shop.payments, { recorded, state: this.state }, this.nowMs)
    const result = await this.binding.call(asked)()
    this.#calling = ''
    if (E.isLeft(result)) return undefined
    call.done = true
    const home = result.right as Payment.PaymentCommand | undefined
    if (home !== undefined) this.execute(home, resultId(Shop.payments.name, recorded), recorded.id)
    return home
  }

  /** The oldest first, as a queue in order does, until all are done or nothing helps. */
  async drain(patience = 30): Promise<void> {
    for (let tries = 0; tries < patience; tries += 1) {
      const next = this.calls.find(({ done }) => !done)
      if (next === undefined) return
      await this.deliver(next)
      if (!next.done) this.pass(60_000)
    }
  }

  async hear({ rawBody, headers }: Pick<WebhookAttempt, 'rawBody' | 'headers'>): Promise<number> {
    const hook = stripeWebhooks({
      secret: SECRET,
      ...(this.#setup.curious === true && { stripe: this.stripe }),
    })
    const body = new TextEncoder().encode(rawBody)
    const heard = await hook({ body, headers, nowMs: this.nowMs })
    if (E.isLeft(heard)) return heard.left.status
    for (const { command: wish, commandId } of heard.right) {
      this.heard.push(command(wish))
      this.execute(wish as object, commandId)
    }
    return 200
  }

  /** Everything that is asked is delivered, and all that Stripe says is heard. */
  async rest(): Promise<void> {
    for (let rounds = 0; rounds < 10; rounds += 1) {
      await this.drain()
      this.pass(61_000)
      const webhooks = this.sim.takeWebhooks()
      for (const webhook of webhooks) await this.hear(webhook)
      if (webhooks.length === 0 && this.calls.every(({ done }) => done)) return
    }
  }
}

interface Transport {
  readonly name: string
  /** How many cases a property gets. */
  readonly runs: number
  readonly use: <A>(setup: Setup, work: (till: Till) => Promise<A>) => Promise<A>
}

const CONFIG = { maxNetworkRetries: 0, telemetry: false } as const

const simOf = (setup: Setup, clock: { nowMs: number }): StripeSim =>
  createStripeSim({
    nowMs: () => clock.nowMs,
    seed: 'till',
    webhookSecret: SECRET,
    ...(setup.faults !== undefined && { faults: setup.faults }),
  })

const inProcess: Transport = {
  name: 'in process',
  runs: 200,
  use: (setup, work) => {
    const clock = { nowMs: START_MS }
    const sim = simOf(setup, clock)
    const stripe = new Stripe('sk_test_till', { ...CONFIG, httpClient: createSimHttpClient(sim) })
    return work(new Till(sim, stripe, { clock, setup }))
  },
}

const overHttp: Transport = {
  name: 'over HTTP',
  runs: 10,
  use: async (setup, work) => {
    const clock = { nowMs: START_MS }
    const sim = simOf(setup, clock)
    const server = await startSimServer(sim, { lost: 'truncated' })
    try {
      const stripe = new Stripe('sk_test_till', { ...CONFIG, ...server.stripeConfig })
      return await work(new Till(sim, stripe, { clock, setup }))
    } finally {
      await server.close()
    }
  },
}

export const transports = [inProcess, overHttp] as const
