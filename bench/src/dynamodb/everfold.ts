/**
 * Everfold: `execute` over `dynamoEventStore`, with the real codecs and no cache of heads.
 *
 * A stream's past is made by its commands through `execute`, in memory, so that it holds the snapshots that it would
 * hold; its commits are then put into DynamoDB, many at a time.
 */
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb'
import {
  type Clock,
  type Commit,
  defaultOptions,
  E,
  type EventStore,
  execute,
  load,
  streamName,
} from '@everfold/core'
import { dynamoEventStore } from '@everfold/runtime-lambda/event-store'
import { memoryEventStore, virtualKernel } from '@everfold/runtime-memory'
import { answered, arrive, orders, requestFor, requestOf } from '../everfold-order.ts'
import { begunAtMs } from '../order-domain.ts'
import { inBulk } from './bulk.ts'
import { nextOf, orderNameOf, pastOf, type StoreContender } from './contender.ts'
import { createTable, type Dynamo } from './dynamo.ts'

/** Time stands still, but for those who wait. */
export const kernel = virtualKernel({ mode: 'immediate', startMs: begunAtMs })

export interface EverfoldTable {
  readonly table: string
  readonly store: EventStore
}

export const eventsOn = async (dynamo: Dynamo, name: string): Promise<EverfoldTable> => {
  const table = await createTable(dynamo, name, [
    ['pk', 'S'],
    ['sk', 'N'],
  ])
  return { table, store: storeOf(dynamo, table, kernel) }
}

export const storeOf = ({ documents: client }: Dynamo, table: string, clock: Clock): EventStore =>
  dynamoEventStore({ client, table, clock })

export const putCommits = (dynamo: Dynamo, table: string, commits: ReadonlyArray<Commit>): Promise<void> =>
  inBulk(dynamo, table, async (client) => {
    const store = dynamoEventStore({ client: DynamoDBDocumentClient.from(client), table, clock: kernel })
    for (const commit of commits) right(await store.append(commit)())
  })

export const right = <A>(answer: E.Either<unknown, A>): A => {
  if (E.isLeft(answer)) throw new Error(JSON.stringify(answer.left))
  return answer.right
}

/** The commits of an order's past, made by its commands in memory. */
export const commitsOf = async (stream: number, streamLength: number): Promise<ReadonlyArray<Commit>> => {
  const store = memoryEventStore(kernel)
  const run = execute(orders, { store, clock: kernel })
  for (const [position, event] of pastOf(stream, streamLength).entries()) {
    const request = { ...requestOf(stream, position, event), orderId: orderNameOf(stream) }
    const { stream: name, member } = arrive(request, kernel.nowMs())
    answered(await run(name, [member])())
  }
  return store.log
}

export const everfold: StoreContender = {
  name: 'everfold',
  stride: 1,
  promise: { requests: 2, readUnits: 1, writeUnits: 1.3 },
  open: async (dynamo) => {
    const { table, store } = await eventsOn(dynamo, 'everfold')
    const run = execute(orders, { store, clock: kernel })
    return {
      seed: async (stream, streamLength) => putCommits(dynamo, table, await commitsOf(stream, streamLength)),
      command: async (stream, streamLength) => {
        const { stream: name, member } = arrive(requestFor(nextOf(stream, streamLength)), kernel.nowMs())
        answered(await run(name, [member])())
      },
      inspect: async (stream) => {
        const name = streamName('order', orderNameOf(stream))
        const { version, state } = right(await load(orders, store, name, defaultOptions.snapshotEvery))
        return { version, order: state }
      },
    }
  },
}
