/** The connection between a client of the AWS SDK and its service, going wrong as a script says. */
import type { NodeHttpHandler } from '@smithy/node-http-handler'
import { type Call, counter, type FaultScript } from './fault-script.ts'

type Handle = NodeHttpHandler['handle']
type Request = Parameters<Handle>[0]
type Answer = Awaited<ReturnType<Handle>>

/** What every client of the SDK takes as its `requestHandler`, and has as `client.config.requestHandler`. */
export type RequestHandler = Pick<
  NodeHttpHandler,
  'handle' | 'destroy' | 'updateHttpClientConfig' | 'httpHandlerConfigs'
>

/**
 * The same connection with faults: between the SDK's retries, which stay as they are, and the service, which is asked
 * for real.
 *
 *     const client = new DynamoDBClient({
 *       ...localClient(endpoint),
 *       requestHandler: faulty(new NodeHttpHandler(), ({ operation, count }) =>
 *         operation === 'PutItem' && count === 1 ? { _tag: 'ResponseLost' } : undefined,
 *       ),
 *     })
 */
export const faulty = (handler: RequestHandler, script: FaultScript): RequestHandler => {
  const calls = counter()
  return {
    handle: async (request, options) => {
      const call = callOf(request, calls.next)
      const fault = script(call)
      switch (fault?._tag) {
        case undefined:
          return handler.handle(request, options)
        case 'Throttled':
          return throttled(call.service)
        case 'Refused':
          return refused(fault.error, fault.fields)
        case 'RequestLost':
          throw broken('before it was sent')
        case 'ResponseLost':
          await drained(await handler.handle(request, options))
          throw broken('after it was applied')
        case 'RequestLate':
          await fault.until
          return handler.handle(request, options)
        case 'ResponseLate': {
          const answer = await handler.handle(request, options)
          await fault.until
          return answer
        }
      }
    },
    destroy: () => handler.destroy(),
    updateHttpClientConfig: (key, value) => handler.updateHttpClientConfig(key, value),
    httpHandlerConfigs: () => handler.httpHandlerConfigs(),
  }
}

const callOf = ({ headers, method, path, body }: Request, next: (operation: string) => number): Call => {
  const [, target] = /\.(\w+)$/.exec(headers['x-amz-target'] ?? '') ?? []
  const [, service = ''] =
    /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\//.exec(headers['authorization'] ?? '') ?? []
  const operation = target ?? `${method} ${path}`
  return { service, operation, count: next(operation), body: textOf(body) }
}

const textOf = (body: unknown): string => {
  if (typeof body === 'string') return body
  return body instanceof Uint8Array ? new TextDecoder().decode(body) : ''
}

/** The code is the one of a connection that the other side ended, which the SDK takes to be worth a retry. */
const broken = (when: string): Error =>
  Object.assign(new Error(`the connection broke ${when} (a planted fault)`), { code: 'ECONNRESET' })

/** Reads the answer to its end, so that its connection is free again and the service is done with the call. */
const drained = async ({ response }: Answer): Promise<void> => {
  for await (const _ of response.body as AsyncIterable<unknown>);
}

/** S3 says it in XML, in its own word; every other service in JSON. */
const throttled = (service: string): Answer =>
  service === 's3'
    ? answer(503, { 'content-type': 'application/xml' }, SLOW_DOWN)
    : refused('ThrottlingException', { message: 'Rate exceeded' })

const SLOW_DOWN = '<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>'

const refused = (error: string, fields: object = {}): Answer =>
  answer(
    400,
    { 'content-type': 'application/json', 'x-amzn-errortype': error },
    JSON.stringify({ __type: error, ...fields }),
  )

const answer = (statusCode: number, headers: Record<string, string>, body: string): Answer => ({
  response: { statusCode, headers, body: new TextEncoder().encode(body) },
})
