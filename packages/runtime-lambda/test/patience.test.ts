import { describe, expect, test } from 'vitest'
import { isTransient } from '../src/patience.ts'

const broken = (fields: object): Error => Object.assign(new Error('planted'), fields)

describe('the same call may go through later', () => {
  test.each([
    'ECONNRESET',
    'EPIPE',
    'ETIMEDOUT',
    'ENOTFOUND',
    'EAI_AGAIN',
    'ERR_HTTP2_STREAM_ERROR',
    'ERR_HTTP2_SESSION_ERROR',
    'ERR_HTTP2_GOAWAY_SESSION',
    'ERR_SOCKET_CONNECTION_TIMEOUT',
    'ERR_STREAM_PREMATURE_CLOSE',
  ])('where the connection broke: %s', (code) => {
    expect(isTransient(broken({ code }))).toBe(true)
  })

  test.each([
    ['ThrottlingException', 400],
    ['TransactionConflictException', 400],
    ['ConditionalRequestConflict', 409],
    ['AnythingElse', 503],
  ])('where the service says so: %s with status %i', (name, httpStatusCode) => {
    expect(isTransient(broken({ name, $metadata: { httpStatusCode } }))).toBe(true)
  })
})

describe('the same call never goes through', () => {
  test.each([
    { code: 'ERR_INVALID_ARG_TYPE' },
    { name: 'ValidationException', $metadata: { httpStatusCode: 400 } },
    { name: 'PreconditionFailed', $metadata: { httpStatusCode: 412 } },
    {},
  ])('after %j', (fields) => {
    expect(isTransient(broken(fields))).toBe(false)
  })
})
