/**
 * A simulated Stripe that outlives this process, spoken to by the official SDK.
 *
 * It has no clock of its own: each request tells it the time of the shop that makes it.
 */
import { Stripe } from 'stripe'

/** Says what time it is where the request comes from, in milliseconds since 1970. */
export const NOW_HEADER = 'everfold-now-ms'

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
