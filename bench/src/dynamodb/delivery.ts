/**
 * `dynamodb/relay` and `dynamodb/projector`: how many commits a second go from the table's stream to a bus, and into a
 * view. Each beside what DynamoDB Local gives at all here, by the plainest code that there is: `/bound`, and as a ratio
 * to it.
 *
 * `projector/{requests,rcu,wcu}` and `scan/{requests,rcu}` are those for each commit: what a view costs, and what reading
 * the whole log for its rebuild does.
 *
 * A thousand orders in turn have five commits each, so that a page of the stream has one of each order, as in a shop.
 */
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
} from '@aws-sdk/client-dynamodb-streams'
import { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import { PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb'
import type { Bill } from '@everfold/aws-local'
import { localClient, startEventBridge } from '@everfold/aws-local'
import {
  type Commit,
  execute,
  from,
  generationOf,
  type Projection,
  streamName,
  type ViewStore,
} from '@everfold/core'
import { dynamoChangeStream, streamOfTable } from '@everfold/runtime-lambda/change-stream'
import { followOnce, memoryCheckpoint, type WorkBatch } from '@everfold/runtime-lambda/consumers'
import { projector } from '@everfold/runtime-lambda/projector'
import { relay } from '@everfold/runtime-lambda/relay'
import { systemClock as clock } from '@everfold/runtime-lambda/system-clock'
import { createTables, type TableNames } from '@everfold/runtime-lambda/tables'
import { dynamoViewStore } from '@everfold/runtime-lambda/view-store'
import { warmViews } from '@everfold/runtime-lambda/warm-views'
import { memoryEventStore } from '@everfold/runtime-memory'
import { answered, arrive, orders, requestOf } from '../everfold-order.ts'
import { type Report, rounded } from '../group.ts'
import { evolve, initial } from '../order-domain.ts'
import { orderNameOf, pastOf } from './contender.ts'
import type { Dynamo } from './dynamo.ts'
import { kernel, putCommits, right, storeOf } from './everfold.ts'
import { inParallel } from './in-parallel.ts'

const ORDERS = 1_000
const COMMITS_EACH = 5
const COMMITS = ORDERS * COMMITS_EACH
/** What the projector does at once by default. */
const AT_ONCE = 32

export const delivery = async (dynamo: Dynamo, report: Report): Promise<void> => {
  const names = { events: 'delivery', views: 'delivery-views' }
  right(await createTables({ client: dynamo.client, names, clock, guarded: false })())
  await putCommits(dynamo, names.events, await history())
  const client = new DynamoDBStreamsClient(localClient(dynamo.endpoint))
  const stream = right(await streamOfTable({ client, table: names.events, clock })())
  const say = (name: string, value: number, unit: string) =>
    report.result({ name: `dynamodb/${name}`, value: rounded(value), unit })
  const source = { client, stream }
  const beside = (name: string, perSecond: number, bound: number, unit: string) => {
    say(name, perSecond, 'commits/s')
    say(`${name}/bound`, bound, unit)
    report.result({ name: `dynamodb/${name}`, against: 'bound', ratio: rounded(perSecond / bound) })
  }
  const relayed = await relaying(source)
  beside('relay', relayed, await rate(COMMITS, () => plainRecords(source)), 'records/s')
  const projecting = await projected(dynamo, names, source)
  say('projector/requests', projecting.bill.requests / COMMITS, 'requests')
  say('projector/rcu', projecting.bill.readUnits / COMMITS, 'rcu')
  say('projector/wcu', projecting.bill.writeUnits / COMMITS, 'wcu')
  const bound = await rate(COMMITS, () => plainWrites(dynamo, names))
  beside('projector', projecting.perSecond, bound, 'commits/s')
  const { requests, readUnits } = await dynamo.meter.bill(() => scanned(dynamo, names))
  say('scan/requests', requests / COMMITS, 'requests')
  say('scan/rcu', readUnits / COMMITS, 'rcu')
  client.destroy()
}

const rate = async (things: number, work: () => Promise<unknown>): Promise<number> => {
  const startedAt = performance.now()
  await work()
  return (things * 1_000) / (performance.now() - startedAt)
}

/** The first commit of each order, then the second of each, and so on. */
const history = async (): Promise<ReadonlyArray<Commit>> => {
  const store = memoryEventStore(kernel)
  const run = execute(orders, { store, clock: kernel })
  for (let position = 0; position < COMMITS_EACH; position += 1)
    for (let order = 0; order < ORDERS; order += 1) {
      const event = pastOf(order, COMMITS_EACH)[position]
      if (event === undefined) throw new Error('a history is as long as it is asked for')
      const request = { ...requestOf(order, position, event), orderId: orderNameOf(order) }
      const { stream, member } = arrive(request, kernel.nowMs())
      answered(await run(stream, [member])())
    }
  return store.log
}

interface Source {
  readonly client: DynamoDBStreamsClient
  readonly stream: string
}

/** From the oldest record to the last. */
const followed = async ({ client, stream }: Source, work: WorkBatch): Promise<void> => {
  const changes = dynamoChangeStream({ client, stream, clock })
  const following = followOnce({ changes, work, checkpoints: memoryCheckpoint() })
  for (let commits = 0; commits < COMMITS; ) commits += right(await following())
}

const relaying = async (source: Source): Promise<number> => {
  const bus = await startEventBridge()
  const client = new EventBridgeClient(localClient(bus.endpoint))
  try {
    const work = relay({ client, bus: 'bench', source: 'everfold.bench', clock })
    const perSecond = await rate(COMMITS, () => followed(source, work))
    const ids = new Set(bus.published.map(({ event }) => (event.detail as { readonly id: string }).id))
    if (ids.size !== COMMITS || bus.published.length !== COMMITS)
      throw new Error(`of ${COMMITS} events ${ids.size} were published, ${bus.published.length} times`)
    return perSecond
  } finally {
    client.destroy()
    await bus.stop()
  }
}

/** Reads all records, and does nothing with them. */
const plainRecords = async ({ client, stream }: Source): Promise<void> => {
  const { StreamDescription: description } = await client.send(
    new DescribeStreamCommand({ StreamArn: stream }),
  )
  let records = 0
  for (const { ShardId } of description?.Shards ?? []) {
    const start = { StreamArn: stream, ShardId, ShardIteratorType: 'TRIM_HORIZON' as const }
    let iterator = (await client.send(new GetShardIteratorCommand(start))).ShardIterator
    while (iterator !== undefined && records < COMMITS) {
      const page = await client.send(new GetRecordsCommand({ ShardIterator: iterator, Limit: 1_000 }))
      records += page.Records?.length ?? 0
      iterator = page.NextShardIterator
    }
  }
  if (records !== COMMITS) throw new Error(`the stream has ${records} records`)
}

/** One row of each order: what was put on it. */
const totals: Projection = {
  name: 'totals',
  generation: '1',
  sources: [
    from(orders, ({ event, stream }) => [
      {
        pk: stream,
        sk: 'TOTAL',
        change: (value) => Number(value ?? 0) + (event._tag === 'ItemAdded' ? event.quantity : 0),
      },
    ]),
  ],
}

const projected = async (
  dynamo: Dynamo,
  names: TableNames,
  source: Source,
): Promise<{ readonly perSecond: number; readonly bill: Bill }> => {
  const views = dynamoViewStore({ client: dynamo.documents, table: names.views, clock })
  const store = storeOf(dynamo, names.events, clock)
  const work = projector({ projections: [totals], views: warmViews(views), store, clock })
  let perSecond = 0
  const bill = await dynamo.meter.bill(async () => {
    perSecond = await rate(COMMITS, () => followed(source, work))
  })
  await checkTotals(views)
  return { perSecond, bill }
}

const checkTotals = (views: ViewStore): Promise<void> =>
  inParallel(AT_ONCE, Array.from({ length: ORDERS }).keys(), async (order) => {
    const expected = pastOf(order, COMMITS_EACH).reduce(evolve, initial).units
    const key = { pk: streamName(orders.name, orderNameOf(order)), sk: 'TOTAL' }
    const row = right(await views.get(generationOf(totals), key)())
    if (row?.value !== expected)
      throw new Error(`the view has ${JSON.stringify(row?.value)} for an order of ${expected} units`)
  })

/** All commits, as a rebuild reads them. */
const scanned = async (dynamo: Dynamo, { events }: TableNames): Promise<void> => {
  const store = storeOf(dynamo, events, clock)
  let commits = 0
  let cursor: string | undefined
  do {
    const part = { segment: 0, segments: 1, ...(cursor === undefined ? {} : { cursor }) }
    const page = right(await store.scan(part)())
    commits += page.commits.length
    cursor = page.cursor
  } while (cursor !== undefined)
  if (commits !== COMMITS) throw new Error(`a scan of ${COMMITS} commits gave ${commits}`)
}

/**
 * The two writes that a view needs for a commit, and no more: the row, on condition of what it was before, then how far
 * its stream has come. As many commits at once as the projector takes in.
 */
const plainWrites = async ({ documents }: Dynamo, { views: TableName }: TableNames): Promise<void> => {
  for (let round = 0; round < COMMITS_EACH; round += 1)
    await inParallel(AT_ONCE, Array.from({ length: ORDERS }).keys(), async (order) => {
      const pk = `bound#${orderNameOf(order)}`
      const row = { pk, sk: 'TOTAL', ipk: 'TOTAL', value: 8, round }
      const condition =
        round === 0
          ? { ConditionExpression: 'attribute_not_exists(pk)' }
          : { ConditionExpression: 'round = :before', ExpressionAttributeValues: { ':before': round - 1 } }
      await documents.send(new PutCommand({ TableName, Item: row, ...condition }))
      await documents.send(
        new UpdateCommand({
          TableName,
          Key: { pk, sk: 'PROGRESS' },
          UpdateExpression: 'SET round = :round',
          ConditionExpression: 'attribute_not_exists(round) OR round < :round',
          ExpressionAttributeValues: { ':round': round },
        }),
      )
    })
}
