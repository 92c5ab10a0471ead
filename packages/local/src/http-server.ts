/** Node's HTTP server around a function from request to response. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type HttpRequest, type HttpResponse, MAX_BODY_BYTES } from '@everfold/core'

export type Answer = (request: HttpRequest) => Promise<HttpResponse>

export interface ServerLog {
  info(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface LocalServer {
  readonly port: number
  /** Stops listening, lets requests in flight end for a second, then cuts them off. */
  close(this: void): Promise<void>
}

const GRACE_MS = 1000

export const serve = async (answer: Answer, port: number, log: ServerLog): Promise<LocalServer> => {
  const server = createServer((incoming, outgoing) => void handle(answer, log, incoming, outgoing))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return { port: (server.address() as AddressInfo).port, close: () => close(server) }
}

const close = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), GRACE_MS)
    server.close(() => {
      clearTimeout(cut)
      resolve()
    })
    server.closeIdleConnections()
  })

const handle = async (
  answer: Answer,
  log: ServerLog,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> => {
  const started = performance.now()
  const { method = 'GET', url = '/' } = incoming
  try {
    const { body, tooLarge } = await bodyOf(incoming)
    const headers = Object.fromEntries(
      Object.entries(incoming.headers).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join(', ') : value,
      ]),
    )
    const response = await answer({ method, url, headers, body, bodyTooLarge: tooLarge })
    send(outgoing, method, tooLarge, response)
    const ms = Math.round((performance.now() - started) * 10) / 10
    log.info({ method, path: url.split('?')[0], status: response.status, ms }, 'request')
  } catch (error) {
    log.error({ method, path: url.split('?')[0], error: String(error) }, 'request failed')
    if (!outgoing.headersSent) send(outgoing, method, true, broken)
    else outgoing.destroy()
  }
}

const broken: HttpResponse = {
  status: 500,
  headers: { 'content-type': 'application/problem+json' },
  body: JSON.stringify({ type: 'about:blank', title: 'Internal error', status: 500 }),
}

/** The body, or that it is too large, in which case the rest of it is not read. */
const bodyOf = async (incoming: IncomingMessage): Promise<{ body: Buffer; tooLarge: boolean }> => {
  const chunks: Array<Buffer> = []
  let bytes = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) return { body: Buffer.alloc(0), tooLarge: true }
    chunks.push(chunk)
  }
  return { body: Buffer.concat(chunks), tooLarge: false }
}

const send = (
  outgoing: ServerResponse,
  method: string,
  cut: boolean,
  { status, headers, body }: HttpResponse,
): void => {
  // An unread body cannot be followed by another request on the same connection.
  if (cut) outgoing.setHeader('connection', 'close')
  outgoing.writeHead(status, headers)
  outgoing.end(method === 'HEAD' || status === 304 ? undefined : body)
}
