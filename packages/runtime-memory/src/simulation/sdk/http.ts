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

/** A request is read by whoever names it, by whoever knows what may become of it and by its service: parsed once. */
const parsed = new WeakMap<HttpRequest, { readonly body: unknown; readonly json: Json }>()

type Json = Readonly<Record<string, unknown>>

/** The JSON of a body; an empty object where there is none. Whoever is given it leaves it as it is. */
export const jsonOf = (request: HttpRequest): Json => {
  const { body } = request
  const known = parsed.get(request)
  if (known !== undefined && known.body === body) return known.json
  const text = body instanceof Uint8Array ? decoder.decode(body) : body
  const json = typeof text === 'string' && text !== '' ? (JSON.parse(text) as Json) : {}
  parsed.set(request, { body, json })
  return json
}

const decoder = new TextDecoder()
const encoder = new TextEncoder()

export const headerOf = ({ headers }: HttpRequest, name: string): string =>
  headers[name] ?? Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1] ?? ''

export const answerOf = (
  statusCode: number,
  content: unknown,
  headers: Readonly<Record<string, string>>,
): HttpAnswer => ({
  statusCode,
  headers,
  body: encoder.encode(JSON.stringify(content)),
})
