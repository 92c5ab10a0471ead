/**
 * What may turn a request away before any endpoint sees it: a bad key, a limit, a lock.
 *
 * Source: https://docs.stripe.com/api/authentication and https://docs.stripe.com/rate-limits
 */
import { type ApiError, turnedAway } from './api-error.ts'
import type { RequestFault } from './fault-script.ts'
import { keyInUse, MAX_KEY_LENGTH } from './idempotency.ts'
import type { SimRequest, Visit } from './visit.ts'

const secretOf = (authorization: string | undefined): string | undefined => {
  const [scheme = '', credentials = ''] = (authorization ?? '').split(' ')
  if (/^bearer$/i.test(scheme)) return credentials
  if (!/^basic$/i.test(scheme)) return undefined
  return Buffer.from(credentials, 'base64').toString('latin1').split(':')[0]
}

const authenticate = (apiKey: string | undefined, request: SimRequest): ApiError | undefined => {
  const secret = secretOf(request.headers['authorization'])
  if (secret === undefined || secret === '')
    return turnedAway(401, {
      type: 'invalid_request_error',
      message:
        'You did not provide an API key. You need to provide your API key in the Authorization header.',
    })
  const good = apiKey === undefined ? /^[rs]k_test_\w+$/.test(secret) : secret === apiKey
  if (good) return undefined
  return turnedAway(401, {
    type: 'invalid_request_error',
    message: `Invalid API Key provided: ${secret.slice(0, 8)}****`,
  })
}

const faultError = (fault: RequestFault, key: string | undefined): ApiError | undefined => {
  switch (fault._tag) {
    case 'RateLimit':
      return turnedAway(429, {
        type: 'invalid_request_error',
        code: 'rate_limit',
        message: 'Request rate limit exceeded.',
      })
    case 'LockTimeout':
      return turnedAway(429, {
        type: 'invalid_request_error',
        code: 'lock_timeout',
        message:
          'This object cannot be accessed right now because another API request is currently accessing it.',
      })
    case 'KeyInUse':
      return keyInUse(key ?? '')
    case 'DropBeforeApply':
    case 'DropResponse':
    case 'Delay':
    case 'ServerError':
      return undefined
  }
}

/** Why a request goes no further, if it does not. */
export const checkFront = (apiKey: string | undefined, visit: Visit): ApiError | undefined => {
  const stranger = authenticate(apiKey, visit.request)
  if (stranger !== undefined) return stranger
  for (const fault of visit.faults) {
    const error = faultError(fault, visit.key)
    if (error !== undefined) return error
  }
  if (visit.key === undefined || (visit.key !== '' && visit.key.length <= MAX_KEY_LENGTH)) return undefined
  return turnedAway(400, {
    type: 'invalid_request_error',
    message: `Idempotency keys are 1 to ${MAX_KEY_LENGTH} characters long.`,
  })
}
