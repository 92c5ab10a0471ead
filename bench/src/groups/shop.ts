/**
 * `shop/*`: the shop's own aggregates, through the in-memory runtime on real time.
 *
 * - `shop/hot-sku/{sold,commits,p99-ms}`: 10,000 callers at once want one of 1,000 units of one SKU. How many get one,
 *   how many commits that takes, and how long all but one in a hundred wait from the call to the answer.
 * - `shop/reservations/{50,5000}`: a unit reserved and released again, where so many other reservations are live.
 * - `shop/order-history-ms`: the order of 10,000 events folded from what is stored, every event checked by its codec.
 */
import {
  advance,
  type CommandOf,
  E,
  emptyHead,
  envelope,
  execute,
  freshId,
  type Service,
  streamName,
} from '@everfold/core'
import { valid } from '@everfold/core/testing'
import { Order, Stock } from '@everfold/ecommerce'
import { memoryEventStore, memoryRuntime, realKernel } from '@everfold/runtime-memory'
import { type Group, type Report, rounded } from '../group.ts'
import { median, roundsFor } from '../measure.ts'

export const group: Group = {
  run: async (_, report) => {
    await hotSku(report)
    await reservations(report)
    await orderHistory(report)
  },
}

const service: Service = {
  name: 'bench',
  aggregates: [Stock.aggregate],
  projections: [],
  processes: [],
  gateways: [],
  routes: [],
}

/** One item of stock in a runtime of its own; `send` throws unless its command is answered, and tells the answer. */
const stockRoom = () => {
  const kernel = realKernel()
  const runtime = memoryRuntime({ service, kernel, gateways: () => [] })
  const stream = streamName(Stock.aggregate.name, 'hot')
  const send = async (command: StockCommand) => {
    const timeMs = kernel.nowMs()
    const member = envelope(command, { id: freshId(timeMs, kernel.random), timeMs })
    const answered = await runtime.execute(Stock.aggregate, stream, member)()
    if (E.isLeft(answered) || E.isLeft(answered.right)) throw new Error(JSON.stringify(answered))
    return answered.right.right.outcome
  }
  return { runtime, send }
}

type StockCommand = CommandOf<typeof Stock.aggregate>
type StockRoom = ReturnType<typeof stockRoom>

const stockCommand = valid(Stock.StockCommand)
const receive = (units: number) => stockCommand({ _tag: 'ReceiveStock', units })
const reserve = (id: string) =>
  stockCommand({
    _tag: 'ReserveStock',
    reservationId: id,
    orderId: `order-${id}`,
    lines: [1],
    expiresAtMs: 4_000_000_000_000,
  })
const release = (id: string) => stockCommand({ _tag: 'ReleaseReservation', reservationId: id })

const CALLERS = 10_000
const UNITS = 1_000

const hotSku = async (report: Report): Promise<void> => {
  const { runtime, send } = stockRoom()
  await send(receive(UNITS))
  const before = runtime.ports.log.length
  const wanted = Array.from({ length: CALLERS }, (_, caller) => reserve(String(caller)))
  const waits = await Promise.all(
    wanted.map(async (command) => {
      const calledAt = performance.now()
      const outcome = await send(command)
      return { sold: E.isRight(outcome), ms: performance.now() - calledAt }
    }),
  )
  const byLength = waits.map(({ ms }) => ms).toSorted((one, other) => one - other)
  const sold = waits.filter((wait) => wait.sold).length
  const commits = runtime.ports.log.length - before
  report.result({ name: 'shop/hot-sku/sold', value: sold, unit: 'units' })
  report.result({ name: 'shop/hot-sku/commits', value: commits, unit: 'commits' })
  report.result({
    name: 'shop/hot-sku/p99-ms',
    value: rounded(byLength[Math.ceil(CALLERS * 0.99) - 1] ?? Number.NaN),
    unit: 'ms',
  })
}

/** Pairs of commands in one round; between rounds the two stock rooms take turns. */
const PAIRS = 250
const LIVE = [50, 5_000]

const reservations = async (report: Report): Promise<void> => {
  const rooms = await Promise.all(LIVE.map(roomWith))
  let pair = 0
  const round = async (): Promise<ReadonlyArray<number>> => {
    const rates: Array<number> = []
    for (const { send } of rooms) {
      const before = process.cpuUsage()
      for (let n = 0; n < PAIRS; n += 1) {
        pair += 1
        await send(reserve(`pair-${pair}`))
        await send(release(`pair-${pair}`))
      }
      const { user, system } = process.cpuUsage(before)
      rates.push((2 * PAIRS * 1e6) / (user + system))
    }
    return rates
  }
  await roundsFor(round, 1_000, 1)
  const rounds = await roundsFor(round, 4_000, 5)
  for (const [room, live] of LIVE.entries())
    report.result({
      name: `shop/reservations/${live}`,
      value: rounded(median(rounds.map((rates) => rates[room] ?? Number.NaN))),
      unit: 'commands/cpu-s',
    })
}

const roomWith = async (live: number): Promise<StockRoom> => {
  const room = stockRoom()
  await room.send(receive(1_000_000))
  await Promise.all(Array.from({ length: live }, (_, n) => room.send(reserve(`live-${n}`))))
  return room
}

const EVENTS = 10_000

/** Held and confirmed by turns, because that is the one thing an order can go on doing. */
const orderHistory = async (report: Report): Promise<void> => {
  const kernel = realKernel()
  const store = memoryEventStore(kernel)
  const stream = streamName(Order.aggregate.name, 'long')
  const run = execute(Order.aggregate, { store, clock: kernel })
  for (let n = 0; n < EVENTS; n += 1) {
    const timeMs = kernel.nowMs()
    const command = n === 0 ? place : n % 2 === 0 ? confirm : hold
    const answered = await run(stream, [envelope(command, { id: freshId(timeMs, kernel.random), timeMs })])()
    if (E.isLeft(answered)) throw new Error(JSON.stringify(answered))
  }
  const fold = (): number => {
    const startedAt = performance.now()
    const head = advance(Order.aggregate, emptyHead(Order.aggregate, stream), store.log)
    if (E.isLeft(head) || head.right.version !== EVENTS) throw new Error('the history is not as it was made')
    return performance.now() - startedAt
  }
  const times = await roundsFor(async () => fold(), 500, 5)
  report.result({ name: 'shop/order-history-ms', value: rounded(median(times)), unit: 'ms' })
}

const orderCommand = valid(Order.OrderCommand)
const hold = orderCommand({ _tag: 'HoldOrder', reason: 'address' })
const confirm = orderCommand({ _tag: 'ConfirmOrder' })
const sealed = { _tag: 'Sealed', subject: 'ann', box: 'YQ' }
const place = orderCommand({
  _tag: 'PlaceOrder',
  orderId: 'long',
  purchase: {
    cartId: 'cart',
    userId: 'ann',
    currency: 'USD',
    lines: ['tea', 'jam', 'bread'].map((sku) => ({
      lineId: sku,
      sku,
      quantity: 2,
      unitPrice: 500,
      taxClass: 'standard',
      priceListVersion: 1,
      discount: 0,
    })),
    orderDiscount: 0,
    rounding: { level: 'line', rounding: 'half-up' },
    taxRates: { standard: 2000, reduced: 700, shipping: 2000 },
    email: sealed,
    address: sealed,
    paymentMethod: 'pm_card_visa',
  },
})
