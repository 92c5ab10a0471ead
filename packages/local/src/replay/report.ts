/** What a replay came to, counted from the log, the simulated Stripe and the mailbox, and held against the file. */
import { E } from '@everfold/core'
import { Order, Stock } from '@everfold/ecommerce'
import { readerOf } from '@everfold/runtime-memory'
import type { House } from '../house.ts'
import { logOf } from '../log.ts'
import { expectedFreight, expectedRevenue, skuOf, supply } from './plan.ts'
import type { Sales } from './run.ts'

export interface Report {
  readonly orders: number
  readonly lines: number
  readonly byStatus: { readonly [status: string]: number }
  /** Without freight. */
  readonly revenueCents: number
  readonly freightCents: number
  readonly capturedCents: number
  readonly refundedCents: number
  /** Units by which the stock's books differ from the file's, over all SKUs. */
  readonly stockLedgerDifference: number
  readonly mails: number
  readonly events: number
  readonly commandsPerSecond: number
}

export const report = async (house: House, { products, sales }: Sales, elapsedS: number): Promise<Report> => {
  const read = readerOf(house.runtime)
  const byStatus: Record<string, number> = {}
  let [orders, lines, revenueCents, freightCents] = [0, 0, 0, 0]
  for (const { orderId } of sales) {
    const found = await read.state(Order.aggregate, `order-${orderId}`)
    if (E.isLeft(found) || found.right.state._tag !== 'Order') continue
    const order = found.right.state
    orders += 1
    lines += order.lines.length
    revenueCents += order.totals.net
    freightCents += order.totals.shipping
    byStatus[order.status] = (byStatus[order.status] ?? 0) + 1
  }
  const { captured = 0, refunded = 0 } = (await house.ledger()).totals['usd'] ?? {}
  const { events, commands } = await counted(house)
  return {
    orders,
    lines,
    byStatus,
    revenueCents,
    freightCents,
    capturedCents: captured,
    refundedCents: refunded,
    stockLedgerDifference: await stockDifference(read, { products, sales }),
    mails: house.mailbox.mails.size,
    events,
    commandsPerSecond: Math.round(commands / elapsedS),
  }
}

/** Everything that is on record: events, and commands that were answered. */
export const counted = async ({
  runtime,
}: House): Promise<{ readonly events: number; readonly commands: number }> => {
  let [events, commands] = [0, 0]
  for await (const { answers } of logOf(runtime.ports.store)) {
    commands += answers.length
    for (const answer of answers) events += answer.events.length
  }
  return { events, commands }
}

/** Paid orders hold their units as allocations until they are shipped; what is left is free to sell. */
const stockDifference = async (
  read: ReturnType<typeof readerOf>,
  { products, sales }: Sales,
): Promise<number> => {
  const { left, sold } = supply(products, sales)
  let difference = 0
  for (const { product_id: id } of products) {
    const found = await read.state(Stock.aggregate, Stock.streamId({ sku: skuOf(id) }))
    if (E.isLeft(found)) return Number.NaN
    const { state } = found.right
    difference += Math.abs(Stock.available(state) - (left.get(id) ?? 0))
    difference += Math.abs(state.allocated - (sold.get(id) ?? 0)) + state.reserved
  }
  return difference
}

/** What does not agree with the file; nothing, as a rule. */
export const faults = (found: Report, { sales }: Sales): ReadonlyArray<string> => {
  const revenue = expectedRevenue(sales)
  const freight = expectedFreight(sales)
  const expected = {
    orders: sales.length,
    lines: sales.reduce((sum, { lines }) => sum + lines.length, 0),
    revenueCents: revenue,
    freightCents: freight,
    capturedCents: revenue + freight,
    refundedCents: 0,
    stockLedgerDifference: 0,
    mails: sales.length,
  }
  const differing = Object.entries(expected).filter(
    ([name, value]) => found[name as keyof typeof expected] !== value,
  )
  return [
    ...differing.map(([name, value]) => `${name} is ${found[name as keyof typeof expected]}, not ${value}`),
    ...((found.byStatus['confirmed'] ?? 0) === sales.length ? [] : ['not every order is confirmed']),
  ]
}

const cents = (amount: number): string =>
  `${(amount / 100).toLocaleString('en-US', { minimumFractionDigits: 2 })} USD`
const whole = (count: number): string => count.toLocaleString('en-US')

/** The report as a person reads it. */
export const table = (found: Report): string => {
  const rows: ReadonlyArray<readonly [string, string]> = [
    ['orders', whole(found.orders)],
    ['lines', whole(found.lines)],
    ...Object.entries(found.byStatus).map(([status, count]) => [`  ${status}`, whole(count)] as const),
    ['revenue without freight', cents(found.revenueCents)],
    ['freight', cents(found.freightCents)],
    ['captured at Stripe', cents(found.capturedCents)],
    ['refunded at Stripe', cents(found.refundedCents)],
    ['stock ledger difference', whole(found.stockLedgerDifference)],
    ['mails', whole(found.mails)],
    ['events', whole(found.events)],
    ['commands per second', whole(found.commandsPerSecond)],
  ]
  const wide = Math.max(...rows.map(([, value]) => value.length))
  return rows.map(([name, value]) => `${name.padEnd(26)}${value.padStart(wide)}`).join('\n')
}
