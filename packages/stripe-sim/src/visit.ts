/**
 * A request on its way through the simulator, and what is answered to it.
 *
 * Source: https://docs.stripe.com/api/request_ids and https://docs.stripe.com/api/errors
 */
import { Stripe } from 'stripe'
import type { ApiError, ErrorBody } from './api-error.ts'
import type { RequestFault } from './fault-script.ts'

/** A request as HTTP has it; header names in lower case. */
export interface SimRequest {
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
  /** The API's base address as the caller sees it, for the pages a shopper is sent to. */
  readonly origin: string
}

export interface SimResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A request on its way through. */
export interface Visit {
  readonly request: SimRequest
  readonly id: string
  readonly path: string
  readonly query: string
  readonly key: string | undefined
  readonly fingerprint: string
  readonly faults: ReadonlyArray<RequestFault>
}

export const respond = (visit: Visit, status: number, more: Partial<SimResponse> = {}): SimResponse => ({
  status,
  body: more.body ?? '',
  headers: {
    'content-type': 'application/json',
    'request-id': visit.id,
    'stripe-version': visit.request.headers['stripe-version'] ?? Stripe.API_VERSION,
    ...(visit.key !== undefined && { 'idempotency-key': visit.key }),
    ...more.headers,
  },
})

export const errorResponse = (visit: Visit, error: ApiError): SimResponse => {
  const body: ErrorBody & { readonly doc_url?: string } =
    error.body.code === undefined
      ? error.body
      : {
          ...error.body,
          doc_url: `https://stripe.com/docs/error-codes/${error.body.code.replaceAll('_', '-')}`,
        }
  return respond(visit, error.status, {
    body: JSON.stringify({ error: { ...body, request_log_url: null } }, null, 2),
    headers: { 'stripe-should-retry': String(error.status === 409 || (error.status >= 500 && !error.saved)) },
  })
}
