import { openApi } from '@everfold/core'
import { Validator } from '@seriousme/openapi-schema-validator'
import { expect, test } from 'vitest'
import { routes } from './jars.ts'

const document = openApi({ title: 'A bank', version: '1.0.0' }, routes)

test('the document is valid OpenAPI 3.1', async () => {
  const validator = new Validator()
  expect(await validator.validate(structuredClone(document))).toEqual({ valid: true })
  expect(validator.version).toBe('3.1')
})

const operations = Object.entries(
  document['paths'] as Record<string, Record<string, { operationId: string; responses: object }>>,
).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
)

test('every route is in it, under a name of its own', () => {
  expect(operations.map(({ path, method }) => `${method.toUpperCase()} ${path}`).toSorted()).toEqual(
    routes.map(({ path, method }) => `${method} ${path}`).toSorted(),
  )
  expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(routes.length)
})

test('says who may, what comes in and what goes out, from the codecs', () => {
  const jars = (document['paths'] as Record<string, unknown>)['/bank/jars/{jarId}/coins']
  expect(jars).toMatchObject({
    post: {
      security: [{ bearer: [] }],
      parameters: [
        { name: 'jarId', in: 'path', required: true, schema: { type: 'string', maxLength: 64 } },
        { name: 'Idempotency-Key', in: 'header', required: false },
      ],
      requestBody: {
        required: true,
        content: {
          'application/json': { schema: { required: ['coins'], additionalProperties: false } },
        },
      },
      responses: {
        201: { content: { 'application/json': { schema: { required: ['jarId', 'total'] } } } },
        409: { content: { 'application/problem+json': {} } },
      },
    },
  })
})

test('a body that may be left out is not required', () => {
  const open = operations.find(({ path, method }) => path === '/bank/jars' && method === 'post')
  expect(open?.operation).toMatchObject({ requestBody: { required: false } })
})
