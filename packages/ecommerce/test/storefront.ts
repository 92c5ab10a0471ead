/**
 * The whole shop behind its front door, in memory and in virtual time, beside a payment provider that does at once
 * what it is asked. Every response is held to the OpenAPI document.
 */
import {
  bind,
  type Caller,
  E,
  type GatewayBinding,
  type HttpRequest,
  type HttpResponse,
  openApi,
  problem,
  type Route,
  type Service,
} from '@everfold/core'
import { valid } from '@everfold/core/testing'
import { Payment, Shop } from '@everfold/ecommerce'
import {
  type MemoryRuntime,
  memoryDoor,
  memoryRuntime,
  type VirtualKernel,
  virtualKernel,
} from '@everfold/runtime-memory'
import { Ajv2020 } from 'ajv/dist/2020.js'

export const document = openApi({ title: 'A shop', version: '1.0.0' }, Shop.service().routes)

const ajv = new Ajv2020({ strict: false, allErrors: true })
ajv.addSchema(document, 'api')

const step = (key: string): string => encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))

/** Throws where a response is not what the document says of it. */
const conform = (
  routes: ReadonlyArray<Route>,
  { method, url }: HttpRequest,
  response: HttpResponse,
): void => {
  const path = url.split('?')[0] ?? ''
  const asked = method === 'HEAD' ? 'GET' : method
  const route = routes.find((one) => one.method === asked && fits(one.path, path))
  const { status, headers, body } = response
  if (method === 'HEAD' || status === 304) {
    if (body !== '') throw new Error(`${method} ${url} ${status} has a body`)
    return
  }
  const schema =
    route === undefined
      ? 'api#/components/schemas/Problem'
      : [
          'api#/paths',
          route.path,
          asked.toLowerCase(),
          'responses',
          status,
          'content',
          headers['content-type'],
          'schema',
        ]
          .map((key, at) => (at === 0 ? key : step(String(key))))
          .join('/')
  const validate = ajv.getSchema(schema)
  if (validate === undefined) throw new Error(`${method} ${url} ${status} is not documented: ${body}`)
  if (validate(JSON.parse(body)) !== true)
    throw new Error(`${method} ${url} ${status}: ${ajv.errorsText(validate.errors)} in ${body}`)
}

const fits = (template: string, path: string): boolean =>
  new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]*')}$`).test(path)

/** Authorizes and captures what it is asked; `pm_action` needs the shopper's bank, `pm_declined` is refused. */
const provider: GatewayBinding = bind(Shop.payments, ({ recorded, state }) => async () => {
  const { event, timeMs } = recorded
  if (state.request === undefined) return E.right(undefined)
  const { paymentMethod, amount, attempt } = state.request
  const said = (more: object) =>
    E.right(
      valid(Payment.PaymentCommand)({
        _tag: 'RecordProviderEvent',
        statement: {
          providerPaymentId: `pi_${recorded.stream.replaceAll('/', '_')}`,
          currency: amount.currency,
          createdAtMs: timeMs,
          sequence: attempt,
          ...more,
        },
      }),
    )
  switch (event._tag) {
    case 'PaymentRequested':
      if (paymentMethod === 'pm_declined')
        return said({ status: 'requires_payment_method', declineCode: 'card_declined' })
      return paymentMethod === 'pm_action'
        ? said({ status: 'requires_action', nextAction: { redirectUrl: 'https://bank.example' } })
        : said({ status: 'requires_capture', authorized: amount.amount })
    case 'CaptureRequested':
      return said({ status: 'succeeded', authorized: amount.amount, captured: event.amount.amount })
    case 'CancelRequested':
      return said({ status: 'canceled' })
    case 'RefundRequested':
      return said({
        refunds: [{ refundId: event.refundId, amount: event.amount.amount, status: 'succeeded' }],
      })
    default:
      return E.right(undefined)
  }
})

const postman: GatewayBinding = bind(
  Shop.mails,
  ({ recorded: { event }, key }) =>
    async () =>
      E.right(
        event._tag === 'EmailRequested'
          ? ({ _tag: 'RecordSent', providerMessageId: key } as never)
          : undefined,
      ),
)

/** Whoever names himself is believed; `root` is an administrator. */
const authenticate = async ({
  authorization,
}: HttpRequest['headers']): Promise<E.Either<ReturnType<typeof problem>, Caller | undefined>> => {
  if (authorization === undefined) return E.right(undefined)
  if (authorization === 'forged') return E.left(problem(401, 'Unauthorized'))
  return E.right({ userId: authorization, roles: authorization === 'root' ? ['admin'] : [] })
}

interface Asking {
  readonly as?: string
  readonly body?: unknown
  readonly key?: string
  readonly position?: string
  readonly headers?: HttpRequest['headers']
}

interface Answer {
  readonly status: number
  readonly headers: HttpResponse['headers']
  /** As it was sent. */
  readonly text: string
  // A test says what it expects of it, field by field.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: any
  readonly position: string
}

export interface Storefront {
  readonly kernel: VirtualKernel
  readonly runtime: MemoryRuntime
  ask(this: void, method: string, url: string, asking?: Asking): Promise<Answer>
  /** All that was ever put on record, as text, so that a later change is seen. */
  written(this: void): string
}

const encoded = (body: unknown): Uint8Array => {
  if (body instanceof Uint8Array) return body
  return body === undefined ? new Uint8Array() : new TextEncoder().encode(JSON.stringify(body))
}

export const storefront = (
  kernel: VirtualKernel = virtualKernel({ mode: 'immediate' }),
  service: Service = Shop.service(),
): Storefront => {
  const runtime = memoryRuntime({ service, kernel, gateways: () => [provider, postman] })
  const hooks = { [Shop.STRIPE_HOOK]: () => E.left(problem(400, 'Not signed')) }
  const door = memoryDoor(runtime, { authenticate, hooks })
  const ask: Storefront['ask'] = async (method, url, { as, body, key, position, headers } = {}) => {
    const request: HttpRequest = {
      method,
      url,
      headers: {
        ...headers,
        ...(as === undefined ? {} : { authorization: as }),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
        ...(position === undefined ? {} : { 'everfold-position': position }),
      },
      body: encoded(body),
    }
    const response = await door(request)
    conform(service.routes, request, response)
    return {
      status: response.status,
      headers: response.headers,
      text: response.body,
      json: response.body === '' ? undefined : JSON.parse(response.body),
      position: response.headers['everfold-position'] ?? '',
    }
  }
  return { kernel, runtime, ask, written: () => JSON.stringify(runtime.ports.log) }
}

export const SHOP = '/ecommerce'

export const usd = (amount: number) => ({ amount, currency: 'USD' })

/** One product of one variant with a price and stock; the position of each write is waited for. */
export const sell = async (
  { ask }: Storefront,
  sku: string,
  { amount = 500, units = 10, category = 'tea' } = {},
): Promise<void> => {
  const product = { productId: `p-${sku}`, name: sku, category, variants: [{ sku }] }
  await ask('POST', `${SHOP}/products`, { as: 'root', body: product })
  await ask('POST', `${SHOP}/prices`, { as: 'root', body: { sku, price: usd(amount) } })
  if (units > 0) await ask('POST', `${SHOP}/stock/${sku}/receipts`, { as: 'root', body: { units } })
}

export const cartOf = async (
  { ask }: Storefront,
  as: string,
  lines: { readonly [sku: string]: number } = {},
) => {
  const { json } = await ask('POST', `${SHOP}/carts`, { as })
  const cartId = String(json.cartId)
  for (const [sku, quantity] of Object.entries(lines))
    await ask('POST', `${SHOP}/carts/${cartId}/lines`, { as, body: { sku, quantity } })
  return cartId
}

export const purchase = {
  email: 'ann@example.org',
  paymentMethod: 'pm_card_visa',
  address: { name: 'Ann', line1: '1 Main St', city: 'Springfield', postalCode: '12345', country: 'US' },
}

export const orderOf = async (
  shop: Storefront,
  as: string,
  lines: { readonly [sku: string]: number },
  more = {},
) => {
  const cartId = await cartOf(shop, as, lines)
  const out = await shop.ask('POST', `${SHOP}/carts/${cartId}/checkout`, {
    as,
    body: { ...purchase, ...more },
  })
  return { orderId: String(out.json.orderId), cartId, position: out.position }
}
