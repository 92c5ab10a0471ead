/**
 * `dynamodb/command/{1,10,100,1000,10000}/{requests,rcu,wcu}`: a command with a fresh id, with nothing in a cache. It fails
 * where one of ours is not 2 requests, or takes more than 1 read unit or 1.3 write units in the mean.
 */

import type { Bill } from '@everfold/aws-local'
import { type Report, rounded } from '../group.ts'
import type { OrderStore, StoreContender } from './contender.ts'
import type { Dynamo } from './dynamo.ts'
import { meanOf } from './mean.ts'

const STREAM_LENGTHS = [1, 10, 100, 1_000, 10_000]

/** Two dozen commands for each length: twice the commits between two snapshots of ours. */
const COMMANDS = 24

interface Plan {
  readonly streams: number
  readonly each: number
  readonly stride: number
}

/** A short stream answers one command, because it would not stay short; a long one answers many in turn. */
const planOf = (streamLength: number, stride: number): Plan => {
  if (streamLength < 100) return { streams: COMMANDS, each: 1, stride: 1 }
  return { streams: streamLength < 10_000 ? 2 : 1, each: COMMANDS, stride: streamLength < 1_000 ? 1 : stride }
}

export const commands = async (dynamo: Dynamo, contender: StoreContender, report: Report): Promise<void> => {
  const store = await contender.open(dynamo)
  for (const streamLength of STREAM_LENGTHS) {
    const bill = await meanBill(dynamo, contender, { store, streamLength })
    const say = (what: string, unit: string, value: number) =>
      report.result({
        name: `dynamodb/command/${streamLength}/${what}`,
        contender: contender.name,
        value: rounded(value),
        unit,
      })
    say('requests', 'requests', bill.requests)
    say('rcu', 'rcu', bill.readUnits)
    say('wcu', 'wcu', bill.writeUnits)
    if (bill.transactions > 0) say('transactions', 'transactions', bill.transactions)
  }
}

interface Streams {
  readonly store: OrderStore
  /** Each length has streams of its own. */
  readonly streamLength: number
}

/** The mean per command; throws where that breaks the contender's promise. */
export const meanBill = async (
  dynamo: Dynamo,
  contender: StoreContender,
  { store, streamLength }: Streams,
): Promise<Bill> => {
  const plan = planOf(streamLength, contender.stride)
  const bill = meanOf(await billsOf(dynamo, store, streamLength, plan))
  if (!isKept(bill, contender))
    throw new Error(
      `a command of ${contender.name} on ${streamLength} events takes ${JSON.stringify(bill)}, not ${JSON.stringify(contender.promise)}`,
    )
  return bill
}

const isKept = (bill: Bill, { promise }: StoreContender): boolean =>
  promise === undefined ||
  (bill.requests === promise.requests &&
    bill.readUnits <= promise.readUnits &&
    bill.writeUnits <= promise.writeUnits)

const billsOf = async (
  { meter }: Dynamo,
  store: OrderStore,
  streamLength: number,
  { streams, each, stride }: Plan,
): Promise<ReadonlyArray<Bill>> => {
  const bills: Array<Bill> = []
  for (let n = 0; n < streams; n += 1) {
    const stream = streamLength * COMMANDS + n
    await store.seed(stream, streamLength)
    for (let more = 0; more < each * stride; more += 1) {
      const bill = await meter.bill(() => store.command(stream, streamLength + more))
      if (more % stride === 0) bills.push(bill)
    }
    const { version } = await store.inspect(stream)
    if (version !== streamLength + each * stride)
      throw new Error(`a stream of ${streamLength + each * stride} events is at version ${version}`)
  }
  return bills
}
