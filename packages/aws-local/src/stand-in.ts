/**
 * A stand-in for a service of AWS that nobody emulates: AWS's side of its protocol over real HTTP, so that the official
 * client signs, serializes, retries and parses as it does for the service itself.
 */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { counter, type Fault, type FaultScript } from './fault-script.ts'
import type { LocalService } from './service-process.ts'

export interface StandInOptions {
  /** What goes wrong between the client and the service; nothing unless told. */
  readonly fault?: FaultScript
}

export interface StandIn extends LocalService {
  /** How many calls of an operation, such as `Decrypt`, have come so far, those that went wrong included. */
  calls(this: void, operation: string): number
}

/** An error as the service answers it: the name by which a client knows it, and its status in HTTP. */
export class AwsError extends Error {
  override readonly name: string
  readonly status: number
  constructor(name: string, message: string, status = 400) {
    super(message)
    this.name = name
    this.status = status
  }
}

/** One request, its operation not yet carried out. */
export interface StandInCall {
  readonly operation: string
  readonly apply: () => unknown
}

/** What a service makes of a request: JSON bodies only. */
export interface StandInRequest {
  readonly method: string
  readonly url: URL
  readonly target: string
  readonly input: Readonly<Record<string, unknown>>
}

interface StandInService {
  /** The name that requests to it are signed for. */
  readonly name: string
  /** Throttling is told by this status. */
  readonly throttledStatus: number
  /** Which operation a request means; throws an `AwsError` for one that the stand-in does not have. */
  readonly route: (request: StandInRequest) => StandInCall
}

/** Listens on the loopback interface, at a port that the system picks. */
export const startStandIn = async (service: StandInService, options: StandInOptions): Promise<StandIn> => {
  const calls = counter()
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => failed(response, error))
  })
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await textOf(request)
    const { operation, apply } = service.route(requestOf(request, body))
    const count = calls.next(operation)
    const fault = options.fault?.({ service: service.name, operation, count, body })
    const outcome = await applied(apply, service, fault)
    if (outcome === LOST) request.socket.destroy()
    else respond(response, 200, {}, outcome ?? {})
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    endpoint: `http://127.0.0.1:${port}`,
    calls: calls.of,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** What comes of a call whose answer does not arrive. */
const LOST = Symbol('lost')

const applied = async (
  apply: () => unknown,
  { throttledStatus }: StandInService,
  fault: Fault | undefined,
): Promise<unknown> => {
  switch (fault?._tag) {
    case undefined:
      return apply()
    case 'Throttled':
      throw new AwsError('ThrottlingException', 'Rate exceeded', throttledStatus)
    case 'Refused':
      throw new AwsError(fault.error, 'a planted fault')
    case 'RequestLost':
      return LOST
    case 'ResponseLost':
      await apply()
      return LOST
    case 'RequestLate':
      await fault.until
      return apply()
    case 'ResponseLate': {
      const outcome = await apply()
      await fault.until
      return outcome
    }
  }
}

/** The services whose operations are named in a header: the protocols AWS JSON 1.0 and 1.1. */
export const routeByTarget =
  (operations: Readonly<Record<string, (input: Readonly<Record<string, unknown>>) => unknown>>) =>
  ({ target, input }: StandInRequest): StandInCall => {
    const operation = target.replace(/^.*\./, '')
    const carryOut = operations[operation]
    if (carryOut === undefined) throw unknownOperation(operation)
    return { operation, apply: () => carryOut(input) }
  }

export const unknownOperation = (operation: string): AwsError =>
  new AwsError('UnknownOperationException', `this stand-in has no operation ${operation}`)

const requestOf = (request: IncomingMessage, body: string): StandInRequest => ({
  method: request.method ?? '',
  url: new URL(request.url ?? '/', 'http://127.0.0.1'),
  target: String(request.headers['x-amz-target'] ?? ''),
  input: body === '' ? {} : (JSON.parse(body) as Record<string, unknown>),
})

const textOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

/** The name in both of the places in which one protocol or the other looks for it. */
const failed = (response: ServerResponse, error: unknown) => {
  const { name, message, status } =
    error instanceof AwsError ? error : new AwsError('InternalFailure', String(error), 500)
  respond(response, status, { 'x-amzn-errortype': name }, { __type: name, message, Message: message })
}

const respond = (
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  output: unknown,
) => {
  response.writeHead(status, {
    'content-type': 'application/json',
    'x-amzn-requestid': randomUUID(),
    ...headers,
  })
  response.end(JSON.stringify(output))
}
