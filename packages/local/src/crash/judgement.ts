/** What a replay has left behind, held against its own log: the only thing that says what happened. */
import { isDeepStrictEqual } from 'node:util'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb'
import { localClient, type Published } from '@everfold/aws-local'
import {
  type Commit,
  E,
  eventId,
  generationOf,
  project,
  type Row,
  type RowKey,
  streamParts,
  type ViewStore,
} from '@everfold/core'
import { Shop } from '@everfold/ecommerce'
import { memoryEventStore, memoryViewStore, virtualKernel } from '@everfold/runtime-memory'
import { openCloud, type Services } from '../cloud.ts'
import { logOf } from '../log.ts'
import { tablesOf } from '../tables.ts'

export interface Judged {
  readonly commits: number
  readonly events: number
  /** Rows of views, tombstones included. */
  readonly rows: number
  /** Different events on the bus. */
  readonly published: number
  /** Messages beyond the first of their event: a bus delivers at least once, and so does a relay that was killed. */
  readonly redelivered: number
}

export const judge = async (services: Services, published: ReadonlyArray<Published>): Promise<Judged> => {
  const { store, views } = await openCloud(services)
  const log: Array<Commit> = []
  for await (const commit of logOf(store)) log.push(commit)
  log.sort((one, other) => one.number - other.number)
  judgeStore(log)
  const rows = await judgeViews(services, views, log)
  return { commits: log.length, rows, ...judgeBus(log, published) }
}

/** Numbers without a gap, and no command answered twice. */
const judgeStore = (log: ReadonlyArray<Commit>): void => {
  const heads = new Map<string, number>()
  const answered = new Set<string>()
  for (const { stream, number, answers } of log) {
    const next = (heads.get(stream) ?? 0) + 1
    if (number !== next) throw new Error(`${stream} has number ${number} instead of ${next}`)
    heads.set(stream, next)
    for (const { id } of answers) {
      const answer = `${stream} ${id}`
      if (answered.has(answer)) throw new Error(`answered twice: ${answer}`)
      answered.add(answer)
    }
  }
}

/** Every row is what the log folds to, and there is no other. */
const judgeViews = async (
  services: Services,
  views: ViewStore,
  log: ReadonlyArray<Commit>,
): Promise<number> => {
  const kernel = virtualKernel({ mode: 'immediate' })
  const store = memoryEventStore(kernel)
  const expected = memoryViewStore(kernel)
  let items = 0
  let rows = 0
  for (const projection of Shop.service().projections) {
    const keys = new Map<string, RowKey>()
    const recording: ViewStore = {
      ...expected,
      put: (generation, row, sources) => {
        keys.set(JSON.stringify([row.pk, row.sk]), { pk: row.pk, sk: row.sk })
        return expected.put(generation, row, sources)
      },
    }
    const take = project(projection, { store, clock: kernel, views: recording })
    const streams = new Set<string>()
    for (const commit of log) {
      must(await take(commit)())
      if (projection.sources.some(({ aggregate }) => aggregate.name === streamParts(commit.stream).category))
        streams.add(commit.stream)
    }
    const generation = generationOf(projection)
    for (const key of keys.values()) {
      const found: Row | undefined = must(await views.get(generation, key)())
      const folded = must(await expected.get(generation, key)())
      if (!isDeepStrictEqual(found, folded))
        throw new Error(
          `the row ${key.pk} ${key.sk} is ${JSON.stringify(found)}, not ${JSON.stringify(folded)}`,
        )
    }
    rows += keys.size
    items += keys.size + streams.size
  }
  const there = await countOf(services)
  if (there !== items) throw new Error(`the views have ${there} items instead of ${items}`)
  return rows
}

const countOf = async (services: Services): Promise<number> => {
  const client = DynamoDBDocumentClient.from(new DynamoDBClient(localClient(services.dynamoDb)))
  let count = 0
  let from: Record<string, unknown> | undefined
  do {
    const input = { TableName: tablesOf(services).views, Select: 'COUNT' as const }
    const page = await client.send(
      new ScanCommand(from === undefined ? input : { ...input, ExclusiveStartKey: from }),
    )
    count += page.Count ?? 0
    from = page.LastEvaluatedKey
  } while (from !== undefined)
  return count
}

/** Every event of the log is on the bus as it is in the log, and nothing else is. */
const judgeBus = (
  log: ReadonlyArray<Commit>,
  published: ReadonlyArray<Published>,
): Pick<Judged, 'events' | 'published' | 'redelivered'> => {
  const expected = new Map<string, unknown>()
  for (const { stream, number, answers } of log)
    for (const [index, event] of answers.flatMap(({ events }) => events).entries())
      expected.set(eventId(stream, number, index), event)
  const seen = new Set<string>()
  for (const { event } of published) {
    const { id, event: told } = event.detail as { readonly id: string; readonly event: unknown }
    if (!isDeepStrictEqual(told, expected.get(id))) throw new Error(`published, and not in the log so: ${id}`)
    seen.add(id)
  }
  const missing = [...expected.keys()].filter((id) => !seen.has(id))
  if (missing.length > 0) throw new Error(`never published: ${missing.join(', ')}`)
  return { events: expected.size, published: seen.size, redelivered: published.length - seen.size }
}

const must = <A>(outcome: E.Either<unknown, A>): A => {
  if (E.isRight(outcome)) return outcome.right
  throw new Error(JSON.stringify(outcome.left))
}
