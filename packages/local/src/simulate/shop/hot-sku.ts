/** Many buyers of one item of which there is too little. */
import type { Service } from '@everfold/core'
import { valid } from '@everfold/core/testing'
import { Stock } from '@everfold/ecommerce'
import {
  always,
  eventuallyOverall,
  type Sending,
  type SimulationOptions,
  sometimes,
  type Workload,
} from '@everfold/runtime-memory/simulation'
import { sometimesRecorded, sometimesRefused } from '../happening.ts'
import { held, type StockBook, stockBooks } from './stock-books.ts'

const service: Service = {
  name: 'stock',
  aggregates: [Stock.aggregate],
  projections: [],
  processes: [],
  gateways: [],
  routes: [],
}

export interface HotSkuParts {
  /** The shop's own, unless told. */
  readonly service: Service
}

export const hotSkuScenario = (parts: Partial<HotSkuParts> = {}): SimulationOptions => ({
  service: parts.service ?? service,
  workload,
  surroundings: () => {
    const books = stockBooks()
    return {
      invariants: [
        ...books.invariants,
        eventuallyOverall('the state of the stock is what its events add up to', (overview) => {
          const kept = books.read(overview)
          for (const [stream, stock] of overview.states(Stock.aggregate)) {
            const book = kept.get(SKU)
            if (book !== undefined && sums(stock) !== sumsOf(book))
              return `${stream} says ${sums(stock)}, and its events ${sumsOf(book)}`
          }
          return true
        }),
      ],
    }
  },
  invariants: [
    always(
      'K2 available = onHand - reserved - allocated >= -backorderLimit, by the stock itself',
      Stock.aggregate,
      (stock) => Stock.promisable(stock) >= 0 || `${Stock.available(stock)} available`,
    ),
    sometimes('everything is promised', Stock.aggregate, (stock) => Stock.available(stock) === 0),
    sometimes('more is promised than is there', Stock.aggregate, (stock) => Stock.available(stock) < 0),
    sometimesRefused('there is too little for somebody', Stock.aggregate, 'InsufficientStock'),
    sometimesRecorded('a reservation expires', Stock.aggregate, 'ReservationExpired'),
    sometimesRecorded('a reservation is released', Stock.aggregate, 'ReservationReleased'),
    sometimesRecorded('units are shipped', Stock.aggregate, 'StockShipped'),
  ],
})

const SKU = 'tea'

const sums = (stock: Stock.StockItem): string =>
  `${Stock.onHand(stock)} on hand, ${stock.reserved} reserved, ${stock.allocated} allocated`

const sumsOf = ({ onHand, reserved, allocated }: StockBook): string =>
  `${onHand} on hand, ${held(reserved)} reserved, ${held(allocated)} allocated`

const MINUTE_MS = 60_000
const START_MS = 1_767_225_600_000

/** Six to fourteen buyers within two seconds; some reserve twice, and most go on with what they have. */
const workload: Workload = (random) => {
  const sendings: Array<Sending> = []
  const send = (client: string, afterMs: number, command: object) =>
    void sendings.push({
      aggregate: Stock.aggregate,
      id: SKU,
      client,
      command: valid(Stock.StockCommand)(command),
      afterMs: Math.floor(afterMs),
    })
  const upTo = (most: number) => 1 + Math.floor(random() * most)
  send('supplier', 0, { _tag: 'ReceiveStock', units: upTo(6) })
  if (random() < 0.2) send('supplier', random() * 2000, { _tag: 'SetBackorderPolicy', limit: upTo(3) })
  const buyers = 5 + upTo(9)
  for (let at = 1; at <= buyers; at += 1)
    for (const [afterMs, command] of buyerOf(random, at)) send(`buyer ${at}`, afterMs, command)
  if (random() < 0.3)
    send('clerk', random() * 5 * MINUTE_MS, { _tag: 'AdjustStock', delta: -upTo(2), reason: 'counted' })
  if (random() < 0.3) send('supplier', random() * MINUTE_MS, { _tag: 'ReceiveStock', units: upTo(3) })
  return sendings
}

const buyerOf = (random: () => number, at: number): ReadonlyArray<readonly [number, object]> => {
  const steps: Array<readonly [number, object]> = []
  const shopper = random() < 0.3 ? `shopper${at}` : undefined
  const orderId = `order${at}`
  const named = (number: number) => `${shopper ?? orderId}~${number}`
  const beginsMs = 100 + random() * 2000
  const times = random() < 0.3 ? 2 : 1
  for (let number = 1; number <= times; number += 1)
    steps.push([
      beginsMs + (number - 1) * random() * 1000,
      {
        _tag: 'ReserveStock',
        reservationId: named(number),
        orderId,
        lines: Array.from({ length: random() < 0.3 ? 2 : 1 }, () => 1 + Math.floor(random() * 2)),
        expiresAtMs: START_MS + 10 * MINUTE_MS,
        ...(shopper === undefined ? {} : { shopper }),
      },
    ])
  const reservationId = named(times)
  const laterMs = beginsMs + 1000 + random() * MINUTE_MS
  const what = random()
  if (what < 0.35) {
    steps.push([laterMs, { _tag: 'AllocateStock', reservationId, orderId }])
    const next = random()
    if (next < 0.5) steps.push([laterMs + 5000, { _tag: 'ShipStock', reservationId, units: 1 }])
    else if (next < 0.8)
      steps.push([laterMs + 5000, { _tag: 'DeallocateStock', reservationId, reason: 'regret' }])
  }
  if (what > 0.25 && what < 0.6) steps.push([laterMs, { _tag: 'ReleaseReservation', reservationId }])
  if (what > 0.5) steps.push([10 * MINUTE_MS + 1000, { _tag: 'ExpireReservation', reservationId }])
  return steps
}
