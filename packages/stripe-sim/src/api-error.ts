/**
 * What Stripe answers when it does not do as asked, as a value.
 *
 * `saved` tells whether the endpoint had begun to execute: only then does the idempotency layer keep the answer
 * (a decline is kept, an invalid parameter is not).
 *
 * Source: https://docs.stripe.com/api/errors and https://docs.stripe.com/error-codes
 */

export interface ApiError {
  readonly status: number
  readonly saved: boolean
  readonly body: ErrorBody
}

export interface ErrorBody {
  readonly type: 'api_error' | 'card_error' | 'idempotency_error' | 'invalid_request_error'
  readonly message: string
  readonly code?: string
  readonly param?: string
  readonly decline_code?: string
  readonly charge?: string
  readonly payment_intent?: unknown
  readonly payment_method?: unknown
}

export type Result<A> =
  | { readonly ok: true; readonly value: A }
  | { readonly ok: false; readonly error: ApiError }

export const ok = <A>(value: A): Result<A> => ({ ok: true, value })

const fail = (error: ApiError): Result<never> => ({ ok: false, error })

/** The request never reached an endpoint: nothing is kept and it may be sent again with the same key. */
export const invalid = (message: string, code?: string, param?: string): Result<never> =>
  fail({
    status: 400,
    saved: false,
    body: {
      type: 'invalid_request_error',
      message,
      ...(code !== undefined && { code }),
      ...(param !== undefined && { param }),
    },
  })

/** The endpoint looked at the account and would not: the answer is kept for the key. */
export const refused = (message: string, code?: string, more: Partial<ErrorBody> = {}): Result<never> =>
  fail({
    status: 400,
    saved: true,
    body: { type: 'invalid_request_error', message, ...(code !== undefined && { code }), ...more },
  })

/** An object named in the path is 404; one named in a parameter is 400. */
export const missing = (kind: string, id: string, param: string): Result<never> =>
  fail({
    status: param === 'id' ? 404 : 400,
    saved: true,
    body: {
      type: 'invalid_request_error',
      code: 'resource_missing',
      message: `No such ${kind}: '${id}'`,
      param: param === 'id' && kind === 'payment_intent' ? 'intent' : param,
    },
  })

export const cardError = (body: Omit<ErrorBody, 'type'>): Result<never> =>
  fail({ status: 402, saved: true, body: { type: 'card_error', ...body } })

/** An answer of the machinery in front of the endpoints: authentication, limits, locks, outages. */
export const turnedAway = (status: number, body: ErrorBody, saved = false): ApiError => ({
  status,
  saved,
  body,
})
