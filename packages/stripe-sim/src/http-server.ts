/**
 * The simulator on a socket: a thin shell that reads requests, breaks connections and posts webhooks.
 *
 * Listens on 127.0.0.1 only. This is the one file with sockets and, when no other delay is given, real timers.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Post } from './delivery.ts'
import type { Delay, Exchange } from './exchange.ts'
import { MAX_BODY_BYTES } from './form.ts'
import type { StripeSim } from './simulator.ts'
import type { SimRequest } from './visit.ts'

/** A receiver that takes longer has not taken the webhook. */
const RECEIVER_TIMEOUT_MS = 10_000

export interface SimServerOptions {
  /** 0, the default, lets the system pick. */
  readonly port?: number
  /** How the script's delays are waited out; by real timers if left out. */
  readonly delay?: Delay
  /**
   * How a lost answer looks: the connection is reset before a byte of it, or, `truncated`, in the middle of it. The
   * SDK retries a reset once by itself, half a second later; a truncated answer it reports at once.
   */
  readonly lost?: 'reset' | 'truncated'
}

export interface SimServer {
  readonly url: string
  readonly port: number
  /** For `new Stripe(key, { ...server.stripeConfig })`. */
  readonly stripeConfig: { readonly host: '127.0.0.1'; readonly port: number; readonly protocol: 'http' }
  /** Posts what has become due since the last request, which posts by itself. */
  readonly deliverWebhooks: () => Promise<number>
  readonly close: () => Promise<void>
}

/** Undefined when the body is too long or is not UTF-8. */
const readBody = async (message: IncomingMessage): Promise<string | undefined> => {
  const chunks: Array<Buffer> = []
  let length = 0
  for await (const chunk of message) {
    const bytes = chunk as Buffer
    length += bytes.length
    if (length <= MAX_BODY_BYTES) chunks.push(bytes)
  }
  if (length > MAX_BODY_BYTES) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch {
    return undefined
  }
}

const headersOf = (message: IncomingMessage): SimRequest['headers'] =>
  Object.fromEntries(
    Object.entries(message.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : value,
    ]),
  )

const refuse = (response: ServerResponse): void => {
  const message = 'Invalid request: the body is too large or is not UTF-8.'
  response.writeHead(400, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ error: { type: 'invalid_request_error', message } }))
}

const answer = (response: ServerResponse, exchange: Exchange, lost: 'reset' | 'truncated'): void => {
  if (exchange._tag === 'Answered') {
    response.writeHead(exchange.response.status, { ...exchange.response.headers })
    response.end(exchange.response.body)
    return
  }
  if (lost === 'reset') {
    response.socket?.destroy()
    return
  }
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
  response.write('{', () => response.socket?.destroy())
}

const post: Post = async (url, rawBody, headers) => {
  const response = await fetch(url, {
    method: 'POST',
    body: rawBody,
    headers,
    redirect: 'manual',
    signal: AbortSignal.timeout(RECEIVER_TIMEOUT_MS),
  })
  await response.body?.cancel()
  return response.status
}

const handler =
  (sim: StripeSim, options: SimServerOptions) =>
  async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readBody(message)
    if (body === undefined) {
      refuse(response)
      return
    }
    const request: SimRequest = {
      method: message.method ?? 'GET',
      path: message.url ?? '/',
      headers: headersOf(message),
      body,
      origin: `http://${message.headers.host ?? '127.0.0.1'}`,
    }
    const delay: Delay = options.delay ?? ((ms) => sleep(ms))
    const exchange = await sim.exchange(request, { delay })
    answer(response, exchange, options.lost ?? 'reset')
    await sim.deliverWebhooks(post)
  }

const listening = (server: Server, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })

export const startSimServer = async (sim: StripeSim, options: SimServerOptions = {}): Promise<SimServer> => {
  const handle = handler(sim, options)
  const server = createServer((message, response) => {
    // A connection that breaks while it is read has nobody left to tell.
    handle(message, response).catch(() => response.socket?.destroy())
  })
  const port = await listening(server, options.port ?? 0)
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    stripeConfig: { host: '127.0.0.1', port, protocol: 'http' },
    deliverWebhooks: () => sim.deliverWebhooks(post),
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)))
        server.closeAllConnections()
      }),
  }
}
