/** An OpenAPI 3.1 document of a service's routes, from the very codecs that judge the requests. */
import { type Codec, RecordType } from './codec.ts'
import type { Access, CommandRoute, QueryRoute, Route } from './route.ts'
import { type JsonSchema, jsonSchema } from './schema.ts'

export interface ApiInfo {
  readonly title: string
  readonly version: string
  readonly description?: string
}

/** Source: the OpenAPI Specification 3.1.1. */
export const openApi = (info: ApiInfo, routes: ReadonlyArray<Route>): JsonSchema => {
  const paths = new Map<string, Record<string, unknown>>()
  for (const route of routes) {
    const item = paths.get(route.path) ?? {}
    paths.set(route.path, { ...item, [route.method.toLowerCase()]: operation(route) })
  }
  return {
    openapi: '3.1.1',
    info,
    paths: Object.fromEntries(paths),
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      schemas: { Problem: problemSchema },
    },
  }
}

const operation = (route: Route): JsonSchema => {
  const tag = route.path.split('/')[2] ?? 'service'
  const common = { summary: route.summary, operationId: operationId(route), tags: [tag] }
  if (route.kind === 'hook')
    return {
      ...common,
      security: [],
      requestBody: { required: true, content: { 'application/json': { schema: {} } } },
      responses: { 200: { description: 'Received.' }, ...problems(400, 413, 422, 503) },
    }
  return {
    ...common,
    ...security(route.access),
    parameters: [...parameters('path', route.params), ...moreParameters(route)],
    ...(route.kind === 'command' ? requestBody(route.body) : {}),
    responses: responses(route),
  }
}

const operationId = ({ method, path }: Route): string =>
  [method.toLowerCase(), ...path.split('/').slice(2)]
    .map((part) => part.replace(/[{}]/g, '').replace(/[^A-Za-z0-9]/g, ''))
    .map((part, at) => (at === 0 ? part : part.charAt(0).toUpperCase() + part.slice(1)))
    .join('')

const security = (access: Access): JsonSchema =>
  access === 'public' ? { security: [] } : { security: [{ bearer: [] }] }

const parameters = (where: 'path' | 'query', codec: Codec<unknown>): ReadonlyArray<JsonSchema> => {
  if (!(codec instanceof RecordType)) return []
  const one = (required: boolean) => (entry: [string, unknown]) => ({
    name: entry[0],
    in: where,
    required,
    schema: jsonSchema(entry[1] as Codec<unknown>),
  })
  return [...Object.entries(codec.required).map(one(true)), ...Object.entries(codec.optional).map(one(false))]
}

const header = (name: string, description: string, schema: JsonSchema = { type: 'string' }): JsonSchema => ({
  name,
  in: 'header',
  required: false,
  description,
  schema,
})

const KEY = { type: 'string', minLength: 1, maxLength: 255, pattern: '^[\\x21-\\x7e]+$' }

const moreParameters = (route: AnyEndpoint): ReadonlyArray<JsonSchema> => [
  ...(route.kind === 'command'
    ? [header('Idempotency-Key', 'The same key is the same command: the same answer, no second effect.', KEY)]
    : parameters('query', route.query)),
  ...(route.reads === undefined
    ? []
    : [header('Everfold-Position', 'A position that a write answered with: this request sees that write.')]),
]

type AnyEndpoint = CommandRoute<unknown, unknown, unknown, unknown> | QueryRoute<unknown, unknown>

/** No body at all stands for an empty object. */
const requestBody = (codec: Codec<unknown>): JsonSchema => ({
  requestBody: {
    required: !codec.is({}),
    content: { 'application/json': { schema: jsonSchema(codec) } },
  },
})

const responses = (route: AnyEndpoint): JsonSchema => {
  const { status, body } = route.replies
  return {
    [status]: {
      description: 'Success.',
      headers: replyHeaders(route),
      content: { 'application/json': { schema: body === undefined ? {} : jsonSchema(body) } },
    },
    ...(route.kind === 'query' && route.cache !== undefined
      ? { 304: { description: 'Still as in the answer with this ETag.' } }
      : {}),
    ...problems(
      400,
      404,
      ...(route.access === 'public' ? [] : [401, 403]),
      ...(route.kind === 'command' ? [409, 413, 422] : []),
      503,
    ),
  }
}

const replyHeader = (description: string): JsonSchema => ({ description, schema: { type: 'string' } })

const replyHeaders = (route: AnyEndpoint): JsonSchema => {
  if (route.kind === 'command')
    return {
      'Everfold-Position': replyHeader('Where the answer is on record: pass it to a read that must see it.'),
      'Idempotent-Replayed': replyHeader('`true` where the answer was on record already.'),
    }
  return route.cache === undefined ? {} : { ETag: replyHeader('Pass it in If-None-Match.') }
}

const DESCRIPTIONS: { readonly [status: number]: string } = {
  400: 'Invalid input, each fault with its path.',
  401: 'No valid bearer token.',
  403: 'Not for this caller.',
  404: 'No such resource.',
  409: 'Refused by the domain, with the rejection as data.',
  413: 'Too large.',
  422: 'The Idempotency-Key came with another payload, or is too old.',
  503: 'Try again, with the same Idempotency-Key.',
}

const problems = (...statuses: ReadonlyArray<number>): JsonSchema =>
  Object.fromEntries(
    statuses.map((status) => [
      status,
      {
        description: DESCRIPTIONS[status],
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  )

const problemSchema: JsonSchema = {
  type: 'object',
  description: 'RFC 9457.',
  required: ['type', 'title', 'status'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['pointer', 'detail'],
        properties: { pointer: { type: 'string' }, detail: { type: 'string' } },
      },
    },
    rejection: { type: 'object', required: ['_tag'], properties: { _tag: { type: 'string' } } },
  },
}
