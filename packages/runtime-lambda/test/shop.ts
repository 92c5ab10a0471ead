/** A few orders, made by the whole shop in memory and in virtual time, and put on DynamoDB commit by commit. */
import { bind, type Commit, E, type EventStore, type GatewayBinding, problem } from '@everfold/core'
import { valid } from '@everfold/core/testing'
import { Payment, Shop } from '@everfold/ecommerce'
import { type DoorOptions, memoryDoor, memoryRuntime, virtualKernel } from '@everfold/runtime-memory'

/** Authorizes and captures whatever it is asked. */
const provider: GatewayBinding = bind(
  Shop.payments,
  ({ recorded: { event, stream, timeMs }, state }) =>
    async () => {
      if (state.request === undefined) return E.right(undefined)
      const { amount, attempt } = state.request
      const statement = {
        providerPaymentId: `pi_${stream.replaceAll('/', '_')}`,
        currency: amount.currency,
        createdAtMs: timeMs,
        sequence: attempt,
        authorized: amount.amount,
      }
      const said = (more: object) =>
        E.right(
          valid(Payment.PaymentCommand)({
            _tag: 'RecordProviderEvent',
            statement: { ...statement, ...more },
          }),
        )
      if (event._tag === 'PaymentRequested') return said({ status: 'requires_capture' })
      return event._tag === 'CaptureRequested'
        ? said({ status: 'succeeded', captured: event.amount.amount })
        : E.right(undefined)
    },
)

const nobody: GatewayBinding = bind(Shop.mails, () => async () => E.right(undefined))

/** Whoever names himself is believed; `root` is an administrator. */
const authenticate: DoorOptions['authenticate'] = async ({ authorization: userId }) =>
  E.right(userId === undefined ? undefined : { userId, roles: userId === 'root' ? ['admin'] : [] })

const START_MS = Date.UTC(2026, 10, 1)

export interface Shopping {
  readonly log: ReadonlyArray<Commit>
  /** Ann's. */
  readonly orderId: string
}

const address = { name: 'Ann', line1: '1 Main St', city: 'Springfield', postalCode: '12345', country: 'US' }

/** Ann buys tea, of which there is enough; Bob buys jam, of which there is none. Every request has a key of the caller's own. */
export const shopping = async (): Promise<Shopping> => {
  const kernel = virtualKernel({ mode: 'immediate', seed: 'cli', startMs: START_MS })
  const runtime = memoryRuntime({ service: Shop.service(), kernel, gateways: () => [provider, nobody] })
  const hooks = { [Shop.STRIPE_HOOK]: () => E.left(problem(400, 'Not signed')) }
  const door = memoryDoor(runtime, { authenticate, hooks })
  let position: string | undefined
  const post = async (authorization: string, path: string, sent: object, key = `key-${path}`) => {
    const waiting = position === undefined ? {} : { 'everfold-position': position }
    const response = await door({
      method: 'POST',
      url: `/ecommerce${path}`,
      headers: { authorization, 'idempotency-key': key, ...waiting },
      body: new TextEncoder().encode(JSON.stringify(sent)),
    })
    if (response.status >= 400) throw new Error(`${path} ${response.status}: ${response.body}`)
    position = response.headers['everfold-position']
    return JSON.parse(response.body) as Record<string, string>
  }
  for (const sku of ['tea', 'jam']) {
    await post(
      'root',
      '/products',
      { productId: `p-${sku}`, name: sku, category: 'food', variants: [{ sku }] },
      sku,
    )
    await post('root', '/prices', { sku, price: { amount: 500, currency: 'USD' } }, sku)
  }
  for (let receipt = 1; receipt <= 30; receipt += 1) {
    await post('root', '/stock/tea/receipts', { units: receipt }, `receipt-${receipt}`)
    await kernel.settle(START_MS + receipt * 3_600_000)
  }
  const buy = async (shopper: string, sku: string) => {
    const { cartId = '' } = await post(shopper, '/carts', {})
    await post(shopper, `/carts/${cartId}/lines`, { sku, quantity: 2 })
    const buying = { email: 'ann@example.org', paymentMethod: 'pm_card_visa', address }
    return post(shopper, `/carts/${cartId}/checkout`, buying)
  }
  const { orderId = '' } = await buy('ann', 'tea')
  await buy('bob', 'jam')
  await runtime.idle()
  runtime.stop()
  if (runtime.deadLetters.length > 0) throw new Error(JSON.stringify(runtime.deadLetters))
  return { log: runtime.ports.log, orderId }
}

export const keep = async (log: ReadonlyArray<Commit>, store: EventStore): Promise<void> => {
  for (const commit of log) {
    const stored = await store.append(commit)()
    if (E.isLeft(stored)) throw new Error(JSON.stringify(stored.left))
  }
}
