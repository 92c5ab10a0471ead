/** Shops with a bug in them, each of one idea: a wrapped decider, process or gateway in place of the shop's own. */
import {
  type AnyAggregate,
  type AnyProcess,
  E,
  type GatewayBinding,
  type Output,
  type Service,
} from '@everfold/core'
import { OrderFulfilment, Payment, Shop, Stock } from '@everfold/ecommerce'
import { stripePayments } from '@everfold/gateway-stripe'
import type { SimulationOptions } from '@everfold/runtime-memory/simulation'
import type { Stripe } from 'stripe'
import { hotSkuScenario } from '../src/simulate/shop/hot-sku.ts'
import { SAME_KEY } from '../src/simulate/shop/money-books.ts'
import { orderScenario } from '../src/simulate/shop/order.ts'
import { paymentScenario } from '../src/simulate/shop/payment.ts'

export interface PlantedBug {
  readonly name: string
  readonly options: () => SimulationOptions
  /** It is found at one of the seeds below this. */
  readonly budget: number
  /** The invariants that may tell of it, by their first words. */
  readonly breaks: RegExp
}

// Deciders

const withAggregate = (service: Service, aggregate: unknown): Service => {
  const other = aggregate as AnyAggregate
  return { ...service, aggregates: service.aggregates.map((one) => (one.name === other.name ? other : one)) }
}

const alone = (aggregate: unknown, gateways: Service['gateways'] = []): Service => ({
  name: 'alone',
  aggregates: [aggregate as AnyAggregate],
  projections: [],
  processes: [],
  gateways,
  routes: [],
})

const oversold: typeof Stock.aggregate = {
  ...Stock.aggregate,
  decide: (command, stock, context) =>
    Stock.aggregate.decide(
      command,
      command._tag === 'ReserveStock' ? { ...stock, received: stock.received + 1 } : stock,
      context,
    ),
}

const releasedForever: typeof Stock.aggregate = {
  ...Stock.aggregate,
  evolve: (stock, event) => {
    if (event._tag !== 'ReservationReleased') return Stock.aggregate.evolve(stock, event)
    return { ...stock, reserved: stock.reserved - event.units }
  },
}

const strangerToItself: typeof Stock.aggregate = {
  ...Stock.aggregate,
  decide: (command, stock, context) =>
    Stock.aggregate.decide(command, { ...stock, owned: Stock.initial.owned }, context),
}

const addedUp: typeof Payment.aggregate = {
  ...Payment.aggregate,
  evolve: (payment, event) => {
    const after = Payment.aggregate.evolve(payment, event)
    if (event._tag !== 'ProviderStatementRecorded') return after
    const captured = (payment.known.captured + (event.statement.captured ?? 0)) as typeof after.known.captured
    return { ...after, known: { ...after.known, captured } }
  },
}

const refundsBeforeCaptures: typeof Payment.aggregate = {
  ...Payment.aggregate,
  decide: (command, payment, context) => {
    const { known } = payment
    const asIf = command._tag === 'RequestRefund' ? { ...known, captured: known.authorized } : known
    return Payment.aggregate.decide(command, { ...payment, known: asIf }, context)
  },
}

// The process

type React = typeof OrderFulfilment.process.react

const withProcess = (react: React): Service => {
  const service = Shop.service()
  const process = { ...OrderFulfilment.process, react } as unknown as AnyProcess
  return {
    ...service,
    processes: service.processes.map((one) => (one.name === process.name ? process : one)),
  }
}

const own = OrderFulfilment.process.react

const tagOf = (output: Output): string =>
  output._tag === 'Ask' ? (output.command as { readonly _tag: string })._tag : output._tag

const without = (outputs: ReadonlyArray<Output>, ...tags: ReadonlyArray<string>): ReadonlyArray<Output> =>
  outputs.filter((output) => !tags.includes(tagOf(output)))

const atOnce = (output: Output): Output =>
  output._tag === 'Ask' && tagOf(output) === 'RequestPayment'
    ? { ...output, command: { ...(output.command as object), captureMethod: 'automatic' } }
    : output

/** Charges at once, and on a timeout takes back only what it knows of by then. */
const hasty: React = (before, after, heard) => {
  const outputs = own(before, after, heard).map(atOnce)
  const late = before.canceled ? ['RequestRefund', 'CancelPayment'] : []
  return without(outputs, ...late, ...(after.authorized ? [] : ['CancelPayment']))
}

// Gateways

type Resource = 'paymentIntents' | 'refunds'

/** The client with another idempotency key for each attempt of an operation. */
const rekeyed = (stripe: Stripe, resource: Resource, operation: string): Stripe => {
  let attempts = 0
  const methods = stripe[resource] as unknown as Record<string, (...args: Array<unknown>) => unknown>
  const spoiled = {
    [operation]: (...args: Array<unknown>) => {
      const options = args.at(-1) as Stripe.RequestOptions
      attempts += 1
      const key = { ...options, idempotencyKey: `${options.idempotencyKey}-${attempts}` }
      return methods[operation]?.(...args.slice(0, -1), key)
    },
  }
  const of = new Proxy(methods, {
    get: (target, name) => {
      const found = spoiled[String(name)] ?? target[String(name)]
      return typeof found === 'function' ? found.bind(target) : found
    },
  })
  return new Proxy(stripe, { get: (target, name) => (name === resource ? of : Reflect.get(target, name)) })
}

const withKeys =
  (resource: Resource, operation: string): typeof stripePayments =>
  (stripe, clock, options) =>
    stripePayments(rekeyed(stripe, resource, operation), clock, options)

const answering =
  (change: (command: Payment.PaymentCommand) => Payment.PaymentCommand | undefined): typeof stripePayments =>
  (stripe, clock, options): GatewayBinding => {
    const { gateway, call } = stripePayments(stripe, clock, options)
    return {
      gateway,
      call: (request) => async () => {
        const result = await call(request)()
        if (E.isLeft(result) || result.right === undefined) return result
        return E.right(change(result.right as Payment.PaymentCommand))
      },
    }
  }

/** Where nobody knows what became of a request, says nothing, so that nobody asks again. */
const silenceIsForgotten = answering((command) =>
  command._tag === 'RecordOutcomeUnknown' ? undefined : command,
)

export const planted: ReadonlyArray<PlantedBug> = [
  {
    name: 'a payment has a new idempotency key at each attempt',
    options: () => orderScenario({ payments: withKeys('paymentIntents', 'create') }),
    budget: 50,
    breaks: /^P4 /,
  },
  {
    name: 'a payment is charged twice, whatever its keys are',
    options: () => ({
      ...orderScenario({ payments: withKeys('paymentIntents', 'create') }),
      unjudged: [SAME_KEY],
    }),
    budget: 100,
    breaks: /^P3 /,
  },
  {
    name: 'a capture has a new idempotency key at each attempt',
    options: () => paymentScenario({ payments: withKeys('paymentIntents', 'capture') }),
    budget: 200,
    breaks: /^P4 /,
  },
  {
    name: 'a refund has a new idempotency key at each attempt',
    options: () => paymentScenario({ payments: withKeys('refunds', 'create') }),
    budget: 200,
    breaks: /^P[24] /,
  },
  {
    name: 'what the provider is silent about is never asked again',
    options: () => orderScenario({ payments: silenceIsForgotten }),
    budget: 500,
    breaks: /./,
  },
  {
    name: 'what is reserved is not released when an order is canceled',
    options: () =>
      orderScenario({ service: withProcess((...of) => without(own(...of), 'ReleaseReservation')) }),
    budget: 50,
    breaks: /^K2 /,
  },
  {
    name: 'a saga compensates on a timeout though the step succeeds later',
    options: () => orderScenario({ service: withProcess(hasty) }),
    budget: 300,
    breaks: /^P3 /,
  },
  {
    name: 'a canceled order gives no money back',
    options: () => orderScenario({ service: withProcess((...of) => without(own(...of), 'RequestRefund')) }),
    budget: 50,
    breaks: /^P3 /,
  },
  {
    name: 'an item is oversold by one',
    options: () => hotSkuScenario({ service: alone(oversold) }),
    budget: 20,
    breaks: /^K2 /,
  },
  {
    name: 'an item is oversold by one, in the whole shop',
    options: () => orderScenario({ service: withAggregate(Shop.service(), oversold) }),
    budget: 50,
    breaks: /^K2 /,
  },
  {
    name: 'a reservation that was released stays live',
    options: () => hotSkuScenario({ service: alone(releasedForever) }),
    budget: 100,
    breaks: /^(K4|S11|the state) /,
  },
  {
    name: "a shopper's own reservation stands in his way",
    options: () => hotSkuScenario({ service: alone(strangerToItself) }),
    budget: 200,
    breaks: /^K5 /,
  },
  {
    name: 'what a webhook says was captured is added up',
    options: () => paymentScenario({ service: alone(addedUp, [Shop.payments]) }),
    budget: 50,
    breaks: /^P2 /,
  },
  {
    name: 'a refund is taken before the capture',
    options: () => paymentScenario({ service: alone(refundsBeforeCaptures, [Shop.payments]) }),
    budget: 50,
    breaks: /^P2 /,
  },
]
