/**
 * `dynamodb/large-state/{requests,rcu,wcu,cycle,snapshot-bytes}`: the shop's own stock item with 5,000 live
 * reservations, on which one is made and the oldest released by turns, so that there stay as many.
 *
 * A snapshot of such a state waits until the commits since the last one outweigh it. `wcu` is the mean over all
 * commands of one cycle, from one snapshot to the next; `requests` and `rcu` are those of commands with nothing in a
 * cache, the mean of some that stand all over the same cycle. The others there find their head in a cache, which writes
 * the same and takes less of the benchmark's time.
 */

import type { Bill } from '@everfold/aws-local'
import {
  type CommandOf,
  type Commit,
  E,
  type EventStore,
  envelope,
  execute,
  freshId,
  type HeadCache,
  headCache,
  streamName,
} from '@everfold/core'
import { valid } from '@everfold/core/testing'
import { Stock } from '@everfold/ecommerce'
import { memoryEventStore } from '@everfold/runtime-memory'
import { type Report, rounded } from '../group.ts'
import type { Dynamo } from './dynamo.ts'
import { eventsOn, kernel, putCommits, right } from './everfold.ts'
import { meanOf } from './mean.ts'

const LIVE = 5_000
/** One in so many commands of the cycle is sent with nothing in the cache. */
const COLD_EVERY = 29

const stream = streamName(Stock.aggregate.name, 'large')
const command = valid(Stock.StockCommand)
type StockCommand = CommandOf<typeof Stock.aggregate>

let made = 0

/** Each a millisecond after the last, as ids of a busy item are: those of one millisecond are told apart by the log. */
const id = () => {
  made += 1
  return freshId(kernel.nowMs() + made, kernel.random)
}

const reserve = (reservationId: string): StockCommand =>
  command({
    _tag: 'ReserveStock',
    reservationId,
    orderId: id(),
    lines: [1],
    expiresAtMs: kernel.nowMs() + 900_000,
  })

const release = (reservationId: string): StockCommand =>
  command({ _tag: 'ReleaseReservation', reservationId })

/** What is asked of the item, in its order: stock, then 5,000 reservations, then releases and reservations by turns. */
function* story(): Generator<StockCommand> {
  const live: Array<string> = []
  const reserveNext = () => {
    live.push(id())
    return reserve(live.at(-1) ?? '')
  }
  yield command({ _tag: 'ReceiveStock', units: 1_000_000 })
  while (live.length < LIVE) yield reserveNext()
  for (;;) {
    yield release(live.shift() ?? '')
    yield reserveNext()
  }
}

const send = async (store: EventStore, next: StockCommand, cache?: HeadCache): Promise<void> => {
  const member = envelope(next, { id: id(), timeMs: kernel.nowMs() })
  const ports = cache === undefined ? { store, clock: kernel } : { store, clock: kernel, cache }
  const [settled] = right(await execute(Stock.aggregate, ports)(stream, [member])())
  if (settled === undefined || E.isLeft(settled) || E.isLeft(settled.right.outcome))
    throw new Error(JSON.stringify(settled))
}

export const largeState = async (dynamo: Dynamo, report: Report): Promise<void> => {
  const commands = story()
  const { table, store } = await eventsOn(dynamo, 'large-state')
  await putCommits(dynamo, table, await past(commands))
  const { warm, cold, snapshotBytes } = await cycle(dynamo, store, commands)
  const say = (what: string, unit: string, value: number) =>
    report.result({ name: `dynamodb/large-state/${what}`, value: rounded(value), unit })
  const { requests, readUnits } = meanOf(cold)
  say('requests', 'requests', requests)
  say('rcu', 'rcu', readUnits)
  say('wcu', 'wcu', meanOf([...warm, ...cold]).writeUnits)
  say('cycle', 'commits', warm.length + cold.length)
  say('snapshot-bytes', 'bytes', snapshotBytes)
}

/** Until all reservations live and a snapshot was embedded; made in memory. */
const past = async (commands: Iterator<StockCommand>): Promise<ReadonlyArray<Commit>> => {
  const store = memoryEventStore(kernel)
  const cache = headCache(1)
  while (store.log.length <= LIVE || store.log.at(-1)?.snapshot === undefined)
    await send(store, commands.next().value as StockCommand, cache)
  return store.log
}

interface Cycle {
  readonly warm: ReadonlyArray<Bill>
  readonly cold: ReadonlyArray<Bill>
  /** The size of the snapshot as JSON. */
  readonly snapshotBytes: number
}

const cycle = async (
  { meter }: Dynamo,
  store: EventStore,
  commands: Iterator<StockCommand>,
): Promise<Cycle> => {
  const cache = headCache(1)
  const warm: Array<Bill> = []
  const cold: Array<Bill> = []
  for (let nth = 0; ; nth += 1) {
    const isCold = nth % COLD_EVERY === 0
    const next = commands.next().value as StockCommand
    if (isCold) cache.delete(stream)
    const bill = await meter.bill(() => send(store, next, cache))
    ;(isCold ? cold : warm).push(bill)
    const head = cache.get(stream)
    if (head?.tail.length === 0) return { warm, cold, snapshotBytes: head.snapshotBytes }
  }
}
