/** What this machine answers beside the service's own routes: health, the API's document, and tokens for trying. */
import { type HttpResponse, invalid, openApi, problemResponse, type Service, text } from '@everfold/core'
import { Quantities } from '@everfold/ecommerce'
import type { Answer } from './http-server.ts'
import type { Tokens } from './token.ts'

const json = (body: unknown): HttpResponse => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})

const Role = text('Role', { maxLength: 64, pattern: /^[a-z][a-z0-9-]*$/ })

export const doorway = (service: Service, door: Answer, { issue }: Tokens): Answer => {
  const document = json(openApi({ title: 'Everfold, local', version: '0.1.0' }, service.routes))
  return async (request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return door(request)
    const [path, search = ''] = request.url.split('?', 2)
    switch (path) {
      case '/health':
        return json({ status: 'ok' })
      case '/openapi.json':
        return document
      case '/dev/token':
        return token(issue, new URLSearchParams(search))
      default:
        return door(request)
    }
  }
}

const token = async (issue: Tokens['issue'], query: URLSearchParams): Promise<HttpResponse> => {
  const sub = query.get('sub')
  const roles = (query.get('roles') ?? '').split(',').filter((role) => role !== '')
  if (!Quantities.UserId.is(sub))
    return problemResponse(
      invalid([{ pointer: '/query/sub', detail: 'is not 1 to 128 visible ASCII characters' }]),
    )
  if (!roles.every((role) => Role.is(role)))
    return problemResponse(
      invalid([{ pointer: '/query/roles', detail: 'is not a list of lower-case words' }]),
    )
  return json({ token: await issue({ userId: sub, roles }) })
}
