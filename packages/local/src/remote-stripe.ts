/**
 * A simulated Stripe that outlives the shop: a process of its own that serves it, and a client that speaks to it.
 *
 * It has no clock of its own: each request tells it the time of the shop that makes it.
 */
import { createStripeSim, type Ledger, type SimServer, startSimServer } from '@everfold/stripe-sim'
import { Stripe } from 'stripe'

/** Says what time it is where the request comes from, in milliseconds since 1970. */
const NOW_HEADER = 'everfold-now-ms'

/** Where the account's money is told, which Stripe itself does not do. */
const LEDGER = '/ledger'

const json = (body: unknown) => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})

/** What a Stripe that is served has taken and given back. */
export const remoteLedger = async (url: string): Promise<Ledger> =>
  (await (await fetch(`${url}${LEDGER}`)).json()) as Ledger

export interface RemoteStripe extends SimServer {
  ledger(this: void): Ledger
}

/** Serves a simulated Stripe whose time is the latest that a request told. */
export const serveStripe = async (seed: string): Promise<RemoteStripe> => {
  let nowMs = 0
  const sim = createStripeSim({ nowMs: () => nowMs, seed, webhookSecret: 'whsec_remote' })
  const told: typeof sim.exchange = async (request, patience) => {
    if (request.path === LEDGER) return { _tag: 'Answered', response: json(sim.ledger()) }
    nowMs = Math.max(nowMs, Number(request.headers[NOW_HEADER] ?? 0))
    return sim.exchange(request, patience)
  }
  const server = await startSimServer({ ...sim, exchange: told })
  return { ...server, ledger: sim.ledger }
}

/** The time of those who call, and a way for their calls to take part in it. */
export interface CallersTime {
  nowMs(this: void): number
  outside<A>(this: void, work: () => Promise<A>): Promise<A>
}

export const remoteStripe = (url: string, time: CallersTime): Stripe => {
  const { hostname, port } = new URL(url)
  return new Stripe('sk_test_local', {
    host: hostname,
    port,
    protocol: 'http',
    httpClient: new RemoteHttpClient(time),
    maxNetworkRetries: 0,
    telemetry: false,
  })
}

type Request = Parameters<InstanceType<typeof Stripe.HttpClient>['makeRequest']>

class RemoteHttpClient extends Stripe.HttpClient {
  readonly #sockets = Stripe.createNodeHttpClient()
  readonly #time: CallersTime

  constructor(time: CallersTime) {
    super()
    this.#time = time
  }

  override getClientName(): string {
    return 'everfold-local'
  }

  override makeRequest(
    ...request: Request
  ): ReturnType<InstanceType<typeof Stripe.HttpClient>['makeRequest']> {
    const [host, port, path, method, headers, ...rest] = request
    const told = { ...headers, [NOW_HEADER]: String(this.#time.nowMs()) }
    return this.#time.outside(() => this.#sockets.makeRequest(host, port, path, method, told, ...rest))
  }
}
