/** HTTP between a client of the AWS SDK and a simulated service, by its structure: nothing of the SDK is needed here. */

export interface HttpRequest {
  readonly method: string
  readonly path: string
  readonly query?: Readonly<Record<string, string | ReadonlyArray<string> | null>>
  readonly headers: Readonly<Record<string, string>>
  readonly body?: unknown
}

export interface HttpAnswer {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** The JSON of a body; an empty object where there is none. */
export const jsonOf = ({ body }: HttpRequest): Readonly<Record<string, unknown>> => {
  const text = body instanceof Uint8Array ? new TextDecoder().decode(body) : body
  return typeof text === 'string' && text !== ''
    ? (JSON.parse(text) as Readonly<Record<string, unknown>>)
    : {}
}

export const headerOf = ({ headers }: HttpRequest, name: string): string =>
  Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1] ?? ''

export const answerOf = (
  statusCode: number,
  content: unknown,
  headers: Readonly<Record<string, string>>,
): HttpAnswer => ({
  statusCode,
  headers,
  body: new TextEncoder().encode(JSON.stringify(content)),
})
