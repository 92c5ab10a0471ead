/**
 * `dynamodb/warm/{requests,rcu,wcu}`: a command with a fresh id where the stream's head is in the cache, the mean of 24
 * in a row. `dynamodb/late-repeat/{requests,rcu}`: the hundredth command of a stream of 10,000 sent again, whose id is
 * far behind what the stream's snapshot remembers, so that the log is read back to its answer.
 */
import { E, type EventStore, execute, type HeadCache, headCache } from '@everfold/core'
import { answered, arrive, orders, requestFor, requestOf } from '../everfold-order.ts'
import { type Report, rounded } from '../group.ts'
import { nextOf, orderNameOf, pastOf } from './contender.ts'
import type { Dynamo } from './dynamo.ts'
import { commitsOf, eventsOn, kernel, putCommits, right } from './everfold.ts'
import { meanOf } from './mean.ts'

const STREAM = 1
const STREAM_LENGTH = 10_000
const COMMANDS = 24
const REPEATED = 100

export const knownStream = async (dynamo: Dynamo, report: Report): Promise<void> => {
  const { table, store } = await eventsOn(dynamo, 'known-stream')
  await putCommits(dynamo, table, await commitsOf(STREAM, STREAM_LENGTH))
  await lateRepeat(dynamo, store, report)
  await warm(dynamo, store, report)
}

const run = (store: EventStore, request: unknown, cache?: HeadCache) => {
  const { stream, member } = arrive(request, kernel.nowMs())
  const ports = cache === undefined ? { store, clock: kernel } : { store, clock: kernel, cache }
  return execute(orders, ports)(stream, [member])()
}

const lateRepeat = async ({ meter }: Dynamo, store: EventStore, report: Report): Promise<void> => {
  const event = pastOf(STREAM, STREAM_LENGTH)[REPEATED]
  if (event === undefined) throw new Error('there is no such command')
  const request = { ...requestOf(STREAM, REPEATED, event), orderId: orderNameOf(STREAM) }
  const { requests, readUnits, writeUnits } = await meter.bill(async () => {
    const [repeat] = right(await run(store, request))
    if (repeat === undefined || E.isLeft(repeat) || !repeat.right.replayed)
      throw new Error(`the repeated command got another answer: ${JSON.stringify(repeat)}`)
  })
  if (writeUnits > 0) throw new Error('the repeated command has written')
  report.result({ name: 'dynamodb/late-repeat/requests', value: requests, unit: 'requests' })
  report.result({ name: 'dynamodb/late-repeat/rcu', value: rounded(readUnits), unit: 'rcu' })
}

const warm = async ({ meter }: Dynamo, store: EventStore, report: Report): Promise<void> => {
  const cache = headCache(1)
  const command = async (more: number) =>
    answered(await run(store, requestFor(nextOf(STREAM, STREAM_LENGTH + more)), cache))
  await command(0)
  const bills = []
  for (let more = 1; more <= COMMANDS; more += 1) bills.push(await meter.bill(() => command(more)))
  const { requests, readUnits, writeUnits } = meanOf(bills)
  if (requests !== 1) throw new Error(`a command whose head is known takes ${requests} requests, not one`)
  report.result({ name: 'dynamodb/warm/requests', value: rounded(requests), unit: 'requests' })
  report.result({ name: 'dynamodb/warm/rcu', value: rounded(readUnits), unit: 'rcu' })
  report.result({ name: 'dynamodb/warm/wcu', value: rounded(writeUnits), unit: 'wcu' })
}
