/** Node's HTTP server around a function from request to response. */
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { type HttpRequest, type HttpResponse, MAX_BODY_BYTES, problem, problemResponse } from '@everfold/core'

export type Answer = (request: HttpRequest) => Promise<HttpResponse>

export interface ServerLog {
  info(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface LocalServer {
  readonly port: number
  /** Stops listening, gives requests in flight half a second, then cuts them off. */
  close(this: void): Promise<void>
}

const GRACE_MS = 500

/** Port 0 is whichever is free. */
export const serve = async (answer: Answer, port: number, log: ServerLog): Promise<LocalServer> => {
  const desk = deskOf(answer, log, () => server.listening)
  const server: Server = createServer(desk.receive)
  server.on('checkContinue', (incoming: IncomingMessage, outgoing: ServerResponse) => {
    if (!announcesTooMuch(incoming)) outgoing.writeContinue()
    desk.receive(incoming, outgoing)
  })
  server.on('clientError', desk.refuse)
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

interface Desk {
  receive(this: void, incoming: IncomingMessage, outgoing: ServerResponse): void
  refuse(this: void, error: NodeJS.ErrnoException, socket: Duplex): void
}

/** Requests of one connection are answered one after the other: a later one may stand on an earlier one's effect. */
const deskOf = (answer: Answer, log: ServerLog, isOpen: () => boolean): Desk => {
  const turns = new WeakMap<Duplex, Promise<void>>()
  const answering = new WeakMap<Duplex, ServerResponse>()
  const take = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const { socket } = incoming
    await turns.get(socket)
    if (socket.destroyed) return
    answering.set(socket, outgoing)
    const respond = async (request: HttpRequest): Promise<HttpResponse> => {
      const response = await answer(request)
      // A connection that stays after its last answer would hold up the closing.
      outgoing.shouldKeepAlive &&= isOpen()
      return response
    }
    await handle(respond, log, incoming, outgoing)
    answering.delete(socket)
  }
  const receive: Desk['receive'] = (incoming, outgoing) => {
    turns.set(incoming.socket, take(incoming, outgoing))
  }
  const refuse: Desk['refuse'] = (error, socket) => {
    if (socket.writableEnded) return
    // Half a response is worth nothing, and another one in its middle is worse.
    if (error.code === 'ECONNRESET' || !socket.writable || answering.get(socket)?.headersSent === true)
      return void socket.destroy()
    socket.end(raw(unreadable(error.code)))
    setTimeout(() => socket.destroy(), GRACE_MS).unref()
  }
  return { receive, refuse }
}

/** What Node's parser did not take for HTTP. */
const unreadable = (code: string | undefined): HttpResponse => {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return problemResponse(problem(431, 'Header too large'))
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return problemResponse(problem(413, 'Too large'))
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return problemResponse(problem(408, 'Too slow'))
    default:
      return problemResponse(problem(400, 'Not HTTP'))
  }
}

const raw = ({ status, headers, body }: HttpResponse): string => {
  const all = { ...headers, connection: 'close', 'content-length': String(Buffer.byteLength(body)) }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`
}

const handle = async (
  answer: Answer,
  log: ServerLog,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> => {
  const started = performance.now()
  const { method = 'GET' } = incoming
  const url = originForm(incoming.url ?? '/')
  const path = url.split('?')[0]
  try {
    const { body, tooLarge } = await bodyOf(incoming)
    const headers = headersOf(incoming)
    const response = await answer({ method, url, headers, body, bodyTooLarge: tooLarge })
    const ms = Math.round((performance.now() - started) * 10) / 10
    log.info({ method, path, status: response.status, ms }, 'request')
    await (tooLarge ? cutOff(incoming, outgoing, response) : send(method, outgoing, response))
  } catch (error) {
    if (incoming.errored !== null) return log.info({ method, path }, 'request broken off')
    log.error({ method, path, error: String(error) }, 'request failed')
    if (outgoing.headersSent) outgoing.destroy()
    else send(method, outgoing, problemResponse(problem(500, 'Internal error')))
  }
}

/** A proxy's clients send whole addresses; servers must take them. Source: RFC 9112, section 3.2.2. */
const originForm = (url: string): string => {
  const path = url.replace(/^https?:\/\/[^/?]*/i, '')
  return path.startsWith('?') || path === '' ? `/${path}` : path
}

const headersOf = ({ headers }: IncomingMessage): HttpRequest['headers'] =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  )

const announcesTooMuch = ({ headers }: IncomingMessage): boolean =>
  Number(headers['content-length'] ?? 0) > MAX_BODY_BYTES

/** The body, or that it is too large, in which case the rest of it has not been read. */
const bodyOf = async (incoming: IncomingMessage): Promise<{ body: Buffer; tooLarge: boolean }> => {
  const nothing = { body: Buffer.alloc(0), tooLarge: true }
  if (announcesTooMuch(incoming)) return nothing
  const chunks: Array<Buffer> = []
  let bytes = 0
  for await (const chunk of incoming.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) return nothing
    chunks.push(chunk)
  }
  return { body: Buffer.concat(chunks), tooLarge: false }
}

const send = (method: string, outgoing: ServerResponse, { status, headers, body }: HttpResponse): void => {
  const withoutBody = method === 'HEAD' || status === 304
  outgoing.writeHead(
    status,
    withoutBody ? headers : { ...headers, 'content-length': Buffer.byteLength(body) },
  )
  outgoing.end(withoutBody ? undefined : body)
}

const LINGER_MS = 1000
const LINGER_BYTES = 16 * MAX_BODY_BYTES

/**
 * Answers while the body is still on its way, and ends the connection.
 *
 * Not at once: bytes that nobody has read reset the connection, and whoever is still sending would never see the
 * answer. Source: RFC 9112, section 9.6.
 */
const cutOff = async (
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  { status, headers, body }: HttpResponse,
): Promise<void> => {
  const length = { 'content-length': Buffer.byteLength(body) }
  outgoing.writeHead(status, { ...headers, ...length, connection: 'close' })
  outgoing.write(body)
  await new Promise<void>((resolve) => {
    const enough = setTimeout(resolve, LINGER_MS)
    let bytes = 0
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > LINGER_BYTES) resolve()
    })
    incoming.once('error', () => {})
    incoming.once('close', () => {
      clearTimeout(enough)
      resolve()
    })
  })
  outgoing.end()
}
