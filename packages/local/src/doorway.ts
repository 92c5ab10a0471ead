/** What this machine answers beside the service's own routes: health, the API's document, and tokens for trying. */
import {
  decode,
  E,
  type HttpResponse,
  type InputFault,
  invalid,
  openApi,
  problemResponse,
  record,
  type Service,
  text,
} from '@everfold/core'
import { Quantities } from '@everfold/ecommerce'
import type { Answer } from './http-server.ts'
import type { Tokens } from './token.ts'

const json = (body: unknown): HttpResponse => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})

export const doorway = (service: Service, door: Answer, { issue }: Tokens): Answer => {
  const document = json(openApi({ title: 'Everfold, local', version: '0.1.0' }, service.routes))
  return async (request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return door(request)
    const [path = '', ...search] = request.url.split('?')
    switch (path) {
      case '/health':
        return json({ status: 'ok' })
      case '/openapi.json':
        return document
      case '/dev/token':
        return token(issue, new URLSearchParams(search.join('?')))
      default:
        return door(request)
    }
  }
}

const TokenQuery = record(
  'TokenQuery',
  { sub: Quantities.UserId },
  { roles: text('Roles', { minLength: 0, pattern: /^([a-z][a-z0-9-]*(,[a-z][a-z0-9-]*)*)?$/ }) },
)

const token = async (issue: Tokens['issue'], query: URLSearchParams): Promise<HttpResponse> => {
  const names = [...query.keys()]
  const twice = names.find((name, at) => names.indexOf(name) !== at)
  if (twice !== undefined) return refused([{ pointer: `/${twice}`, detail: 'is given twice' }])
  const decoded = decode(TokenQuery, Object.fromEntries(query))
  if (E.isLeft(decoded)) return refused(decoded.left.errors)
  const { sub, roles = '' } = decoded.right
  return json({ token: await issue({ userId: sub, roles: roles.split(',').filter((role) => role !== '') }) })
}

const refused = (errors: ReadonlyArray<InputFault>): HttpResponse =>
  problemResponse(invalid(errors.map(({ pointer, detail }) => ({ pointer: `/query${pointer}`, detail }))))
