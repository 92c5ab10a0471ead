/** What things cost: measured requests and capacity, times prices. */
import { dollarsFor, type Priced } from './prices.ts'

/** A result of the benchmark, as it prints it. */
export interface Measured {
  readonly name: string
  readonly contender?: string
  readonly value: number
  readonly unit: string
}

/** Throws where there is no such result: a page with a hole is not written. */
export const figure = (measured: ReadonlyArray<Measured>, name: string, contender?: string): number => {
  const found = measured.find((one) => one.name === `dynamodb/${name}` && one.contender === contender)
  if (found === undefined) throw new Error(`dynamodb/${name} of ${contender ?? 'ours'} was not measured`)
  return found.value
}

export const capacityDollars = (readUnits: number, writeUnits: number): number =>
  dollarsFor('read', readUnits) + dollarsFor('write', writeUnits)

/** One line of a bill: so many units of something. */
export interface Line {
  readonly what: string
  readonly dollars: number
}

const line = (what: string, priced: Priced, units: number): Line => ({
  what,
  dollars: dollarsFor(priced, units),
})

export const total = (lines: ReadonlyArray<Line>): number =>
  lines.reduce((sum, { dollars }) => sum + dollars, 0)

/** The shop in a month. */
export const SHOP = {
  requests: 5_000_000,
  reads: 100_000_000,
  writes: 10_000_000,
  /** Of a request: a gigabyte for 200 ms. */
  requestGbSeconds: 0.2,
  storedGb: 10,
  plainEvents: 1_000_000,
  /** Records that Lambda hands to the relay or the projector at once, and for how long that takes a gigabyte. */
  batch: 100,
  batchGbSeconds: 0.5,
  monthsOfLog: 12,
  /** The benchmark's own. */
  commitsPerStream: 5,
  /** An item that says how far a view has come with a stream: its keys, mostly. */
  progressBytes: 80,
} as const

/** A plain design: rows that are overwritten, without history, outbox or idempotency. */
export const plainShop = (): ReadonlyArray<Line> => [
  line('API Gateway: requests', 'api', SHOP.requests),
  line('Lambda: requests', 'invocation', SHOP.requests),
  line('Lambda: their time', 'compute', SHOP.requests * SHOP.requestGbSeconds),
  line('DynamoDB: reads of rows', 'read', SHOP.reads),
  line('DynamoDB: writes of rows', 'write', SHOP.writes),
  line('DynamoDB: rows stored', 'storage', SHOP.storedGb),
  line('EventBridge: events', 'event', SHOP.plainEvents),
]

/** What was different when the plain design came to $76: DynamoDB at twice the price, and Lambda on x86. */
export const plainShopOf2024 = (): ReadonlyArray<Line> =>
  plainShop().map(({ what, dollars }) => {
    if (what.includes('reads of') || what.includes('writes of')) return { what, dollars: dollars * 2 }
    return what.includes('time') ? { what, dollars: dollars * 1.25 } : { what, dollars }
  })

/** Ours, where each write of the plain design is a command of its own with one event, which one view row shows. */
export const ourShop = (measured: ReadonlyArray<Measured>): ReadonlyArray<Line> => {
  const commands = SHOP.writes
  const own = (what: string) => figure(measured, `command/1000/${what}`, 'everfold')
  const batches = (2 * commands) / SHOP.batch
  const commits = commands * SHOP.monthsOfLog
  const streams = commits / SHOP.commitsPerStream
  return [
    ...plainShop().filter(({ what }) => !what.includes('writes of') && !what.includes('EventBridge')),
    line('DynamoDB: commands, reading', 'read', commands * own('rcu')),
    line('DynamoDB: commands, writing', 'write', commands * own('wcu')),
    line('DynamoDB: views, reading', 'read', commands * figure(measured, 'projector/rcu')),
    line('DynamoDB: views, writing', 'write', commands * figure(measured, 'projector/wcu')),
    line('Lambda: relay and projector, requests', 'invocation', batches),
    line('Lambda: relay and projector, their time', 'compute', batches * SHOP.batchGbSeconds),
    line('EventBridge: all events', 'event', commands),
    line('DynamoDB: the log of a year stored', 'storage', storedGb(commits, commitBytes(measured))),
    line('DynamoDB: how far its view has come stored', 'storage', storedGb(streams, SHOP.progressBytes)),
  ]
}

/**
 * What DynamoDB adds to every item that it stores, and charges for: 100 bytes.
 *
 * Source: Amazon DynamoDB Developer Guide, "DynamoDB item sizes and formats".
 */
export const ITEM_OVERHEAD_BYTES = 100

const storedGb = (items: number, bytes: number): number => (items * (bytes + ITEM_OVERHEAD_BYTES)) / 1e9

/** How many commits the benchmark's late repeat reads back. */
const READ_BACK = 9_900

/** Of a commit in the log, its share of snapshots included, as a read of many is charged for it. */
export const commitBytes = (measured: ReadonlyArray<Measured>): number =>
  (figure(measured, 'late-repeat/rcu') / READ_BACK) * READ_UNIT_BYTES

export const READ_UNIT_BYTES = 4096
