/**
 * The simulator as an HTTP client of the official SDK: no sockets, no timers, only promises.
 *
 * A lost connection is reported as ETIMEDOUT: the SDK answers ECONNRESET and EPIPE with a retry of its own after
 * half a second of real time, even with `maxNetworkRetries: 0`, and virtual time knows no real seconds.
 *
 * Source: stripe-node's README, «Configuring an HTTP client», and its `HttpClient`.
 */
import { Stripe } from 'stripe'
import type { Delay } from './exchange.ts'
import type { StripeSim } from './simulator.ts'
import type { SimResponse } from './visit.ts'

class SimHttpResponse extends Stripe.HttpClientResponse {
  readonly #response: SimResponse

  constructor(response: SimResponse) {
    super(response.status, { ...response.headers })
    this.#response = response
  }

  override getRawResponse(): SimResponse & { readonly statusCode: number } {
    return { ...this.#response, statusCode: this.#response.status }
  }

  override toStream(streamCompleteCallback: () => void): string {
    streamCompleteCallback()
    return this.#response.body
  }

  override async toJSON(): Promise<unknown> {
    return JSON.parse(this.#response.body)
  }
}

class SimHttpClient extends Stripe.HttpClient {
  readonly #sim: StripeSim
  readonly #delay: Delay | undefined

  constructor(sim: StripeSim, delay: Delay | undefined) {
    super()
    this.#sim = sim
    this.#delay = delay
  }

  override getClientName(): string {
    return 'stripe-sim'
  }

  // The eight parameters are the SDK's.
  override async makeRequest(
    host: string,
    port: string,
    path: string,
    method: string,
    headers: Readonly<Record<string, string | number | ReadonlyArray<string>>>,
    body: string,
    protocol: string,
    timeoutMs: number,
  ): Promise<SimHttpResponse> {
    const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)] as const)
    const request = {
      method,
      path,
      headers: Object.fromEntries(lower),
      body,
      origin: `${protocol}://${host}${port === '443' || port === '80' || port === '' ? '' : `:${port}`}`,
    }
    const patience = { timeoutMs, ...(this.#delay !== undefined && { delay: this.#delay }) }
    const exchange = await this.#sim.exchange(request, patience)
    void this.#sim.deliverWebhooks()
    if (exchange._tag === 'Dropped') throw Stripe.HttpClient.makeTimeoutError()
    return new SimHttpResponse(exchange.response)
  }
}

/** `new Stripe(key, { httpClient: createSimHttpClient(sim, { delay }), maxNetworkRetries: 0 })`. */
export const createSimHttpClient = (
  sim: StripeSim,
  { delay }: { readonly delay?: Delay } = {},
): Stripe.HttpClient => new SimHttpClient(sim, delay)
