/**
 * The endpoints of the API that are simulated: what each takes, and what it does.
 *
 * Parameters are read and checked before anything is done; from there on an answer, good or bad, is one that the
 * idempotency layer keeps.
 *
 * Source: https://docs.stripe.com/api
 */
import type { Account, Turn } from './account.ts'
import { missing, ok, type Result } from './api-error.ts'
import { capture, captureParameters } from './capture.ts'
import { checkExpand, checkPage, expand, type Kind, pageOf, pageSchema } from './collection.ts'
import { attempt, confirm, confirmParameters } from './confirmation.ts'
import { closeDispute, disputeParameters, submitEvidence } from './dispute.ts'
import type { FormTree } from './form.ts'
import { createMeterEvent, meterEventParameters } from './meter-event.ts'
import { boolean, fields, filled, list, type Parameter, string } from './parameter.ts'
import { matches } from './pattern.ts'
import {
  cancel,
  cancelParameters,
  checkCreation,
  create,
  createParameters,
  update,
  updateParameters,
} from './payment-intent.ts'
import {
  checkRefund,
  createRefund,
  refundParameters,
  refundUpdateParameters,
  updateRefund,
} from './refund.ts'
import { checkUrl, createEndpoint, endpointObject, endpointParameters } from './webhook.ts'

export interface Route {
  readonly method: string
  /** `*` stands for an id. */
  readonly path: string
  readonly serve: (turn: Turn, id: string, form: FormTree) => Result<unknown>
}

interface Spec<P> {
  readonly at: string
  readonly kind: Kind
  readonly takes: Parameter<P>
  readonly check?: (params: P) => Result<unknown>
  readonly run: (turn: Turn, id: string, params: P) => Result<unknown>
}

const route = <P extends { readonly expand?: ReadonlyArray<string> | undefined }>(spec: Spec<P>): Route => {
  const [method = '', path = ''] = spec.at.split(' ')
  const listed = method === 'GET' && !path.endsWith('/*')
  return {
    method,
    path,
    serve: (turn, id, form) => {
      const params = spec.takes.read(form, '')
      if (!params.ok) return params
      const paths = params.value.expand ?? []
      const expandable = checkExpand(spec.kind, paths, listed)
      if (!expandable.ok) return expandable
      const checked = spec.check?.(params.value) ?? ok(null)
      if (!checked.ok) return checked
      const done = spec.run(turn, id, params.value)
      return done.ok ? ok(expand(turn.account, spec.kind, done.value, paths)) : done
    },
  }
}

const bare = fields({ expand: list(string()) })

const found =
  <A>(kind: Kind, store: (account: Account) => ReadonlyMap<string, A>) =>
  (turn: Turn, id: string): Result<A> => {
    const object = store(turn.account).get(id)
    return object === undefined ? missing(kind, id, 'id') : ok(object)
  }

const intentOf = found('payment_intent', (account) => account.intents)
const chargeOf = found('charge', (account) => account.charges)
const refundOf = found('refund', (account) => account.refunds)
const disputeOf = found('dispute', (account) => account.disputes)
const methodOf = found('payment_method', (account) => account.methods)
const eventOf = found('event', (account) => account.events)
const endpointOf = found('webhook_endpoint', (account) => account.endpoints)

const then = <A, B>(result: Result<A>, next: (value: A) => Result<B>): Result<B> =>
  result.ok ? next(result.value) : result

const intents: ReadonlyArray<Route> = [
  route({
    at: 'POST /v1/payment_intents',
    kind: 'payment_intent',
    takes: createParameters,
    check: checkCreation,
    run: (turn, _, params) =>
      then(create(turn, params), (intent) =>
        params.confirm === true
          ? attempt(turn, intent, { ...params, payment_method: undefined, capture_method: undefined })
          : ok(intent),
      ),
  }),
  route({
    at: 'GET /v1/payment_intents',
    kind: 'payment_intent',
    takes: fields(pageSchema),
    check: checkPage,
    run: ({ account }, _, page) =>
      pageOf([...account.intents.values()], page, { kind: 'payment_intent', url: '/v1/payment_intents' }),
  }),
  route({
    at: 'GET /v1/payment_intents/*',
    kind: 'payment_intent',
    takes: fields({ client_secret: string(), expand: list(string()) }),
    run: intentOf,
  }),
  route({
    at: 'POST /v1/payment_intents/*',
    kind: 'payment_intent',
    takes: updateParameters,
    run: (turn, id, params) => then(intentOf(turn, id), (intent) => update(turn, intent, params)),
  }),
  route({
    at: 'POST /v1/payment_intents/*/confirm',
    kind: 'payment_intent',
    takes: confirmParameters,
    run: (turn, id, params) => then(intentOf(turn, id), (intent) => confirm(turn, intent, params)),
  }),
  route({
    at: 'POST /v1/payment_intents/*/capture',
    kind: 'payment_intent',
    takes: captureParameters,
    run: (turn, id, params) => then(intentOf(turn, id), (intent) => capture(turn, intent, params)),
  }),
  route({
    at: 'POST /v1/payment_intents/*/cancel',
    kind: 'payment_intent',
    takes: cancelParameters,
    run: (turn, id, params) => then(intentOf(turn, id), (intent) => cancel(turn, intent, params)),
  }),
]

const byPayment = { ...pageSchema, charge: filled(), payment_intent: filled() } as const

const named = (
  item: { readonly payment_intent: string | null; readonly charge?: string | null },
  params: { readonly payment_intent?: string | undefined; readonly charge?: string | undefined },
): boolean =>
  (params.payment_intent === undefined || item.payment_intent === params.payment_intent) &&
  (params.charge === undefined || item.charge === params.charge)

const money: ReadonlyArray<Route> = [
  route({
    at: 'GET /v1/charges',
    kind: 'charge',
    takes: fields({ ...pageSchema, payment_intent: filled() }),
    check: checkPage,
    run: ({ account }, _, params) => {
      const charges = [...account.charges.values()].filter((charge) =>
        named({ payment_intent: charge.payment_intent }, { payment_intent: params.payment_intent }),
      )
      return pageOf(charges, params, { kind: 'charge', url: '/v1/charges' })
    },
  }),
  route({ at: 'GET /v1/charges/*', kind: 'charge', takes: bare, run: chargeOf }),
  route({
    at: 'POST /v1/refunds',
    kind: 'refund',
    takes: refundParameters,
    check: checkRefund,
    run: (turn, _, params) => createRefund(turn, params),
  }),
  route({
    at: 'GET /v1/refunds',
    kind: 'refund',
    takes: fields(byPayment),
    check: checkPage,
    run: ({ account }, _, params) => {
      const refunds = [...account.refunds.values()].filter((refund) => named(refund, params))
      return pageOf(refunds, params, { kind: 'refund', url: '/v1/refunds' })
    },
  }),
  route({ at: 'GET /v1/refunds/*', kind: 'refund', takes: bare, run: refundOf }),
  route({
    at: 'POST /v1/refunds/*',
    kind: 'refund',
    takes: refundUpdateParameters,
    run: (turn, id, params) =>
      then(refundOf(turn, id), (refund) => ok(updateRefund(turn, refund, params.metadata))),
  }),
  route({
    at: 'GET /v1/disputes',
    kind: 'dispute',
    takes: fields(byPayment),
    check: checkPage,
    run: ({ account }, _, params) => {
      const disputes = [...account.disputes.values()].filter((dispute) => named(dispute, params))
      return pageOf(disputes, params, { kind: 'dispute', url: '/v1/disputes' })
    },
  }),
  route({ at: 'GET /v1/disputes/*', kind: 'dispute', takes: bare, run: disputeOf }),
  route({
    at: 'POST /v1/disputes/*',
    kind: 'dispute',
    takes: disputeParameters,
    run: (turn, id, params) =>
      then(disputeOf(turn, id), (dispute) =>
        submitEvidence(turn, dispute, {
          text: params.evidence?.uncategorized_text,
          submit: params.submit ?? true,
        }),
      ),
  }),
  route({
    at: 'POST /v1/disputes/*/close',
    kind: 'dispute',
    takes: bare,
    run: (turn, id) => then(disputeOf(turn, id), (dispute) => closeDispute(turn, dispute, 'lost')),
  }),
  route({
    at: 'GET /v1/payment_methods/*',
    kind: 'payment_method',
    takes: bare,
    run: (turn, id) => then(methodOf(turn, id), (method) => ok(method.object)),
  }),
]

const events: ReadonlyArray<Route> = [
  route({
    at: 'POST /v1/billing/meter_events',
    kind: 'meter_event',
    takes: meterEventParameters,
    run: (turn, _, params) => createMeterEvent(turn, params),
  }),
  route({
    at: 'GET /v1/events',
    kind: 'event',
    takes: fields({ ...pageSchema, delivery_success: boolean, type: string(), types: list(filled()) }),
    check: checkPage,
    run: ({ account }, _, params) => {
      const { type, types } = params
      const wanted = [...account.events.values()].filter(
        (event) =>
          (types === undefined || types.includes(event.type)) &&
          matches(type, event.type) &&
          (params.delivery_success === undefined ||
            (event.pending_webhooks === 0) === params.delivery_success),
      )
      return pageOf(wanted, params, { kind: 'event', url: '/v1/events' })
    },
  }),
  route({ at: 'GET /v1/events/*', kind: 'event', takes: bare, run: eventOf }),
  route({
    at: 'POST /v1/webhook_endpoints',
    kind: 'webhook_endpoint',
    takes: endpointParameters,
    check: (params) => checkUrl(params.url),
    run: (turn, _, params) => ok(endpointObject(createEndpoint(turn, params), true)),
  }),
  route({
    at: 'GET /v1/webhook_endpoints',
    kind: 'webhook_endpoint',
    takes: fields(pageSchema),
    check: checkPage,
    run: ({ account }, _, page) => {
      const told = [...account.endpoints.values()].filter((endpoint) => endpoint.url !== null)
      const objects = told.map((endpoint) => endpointObject(endpoint, false))
      return pageOf(objects, page, { kind: 'webhook_endpoint', url: '/v1/webhook_endpoints' })
    },
  }),
  route({
    at: 'GET /v1/webhook_endpoints/*',
    kind: 'webhook_endpoint',
    takes: bare,
    run: (turn, id) => then(endpointOf(turn, id), (endpoint) => ok(endpointObject(endpoint, false))),
  }),
  route({
    at: 'DELETE /v1/webhook_endpoints/*',
    kind: 'webhook_endpoint',
    takes: bare,
    run: (turn, id) =>
      then(endpointOf(turn, id), (endpoint) => {
        turn.account.endpoints.delete(endpoint.id)
        return ok({ id, object: 'webhook_endpoint', deleted: true })
      }),
  }),
]

const ROUTES: ReadonlyArray<Route> = [...intents, ...money, ...events]

const idIn = (pattern: string, path: string): string | undefined => {
  const names = path.split('/')
  const places = pattern.split('/')
  const fits =
    names.length === places.length &&
    places.every((place, at) => (place === '*' ? names[at] !== '' : place === names[at]))
  return fits ? (names[3] ?? '') : undefined
}

/** The route for a path without its query, and the id in it. */
export const routeFor = (
  method: string,
  path: string,
): { readonly found: Route; readonly id: string } | undefined => {
  for (const each of ROUTES) {
    const id = each.method === method ? idIn(each.path, path) : undefined
    if (id !== undefined) return { found: each, id }
  }
  return undefined
}
