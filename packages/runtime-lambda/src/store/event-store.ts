/**
 * The event store on DynamoDB: one immutable item per commit, put on the condition that its place is free.
 *
 * A load is one backward query, strongly consistent; an append is one PutItem, or one transaction where it leaves
 * markers or several streams are appended together.
 */

import {
  type DynamoDBDocumentClient,
  GetCommand,
  QueryCommand,
  type QueryCommandInput,
  ScanCommand,
} from '@aws-sdk/lib-dynamodb'
import {
  type AppendFailure,
  type Commit,
  E,
  type EventStore,
  type Fault,
  type Page,
  type Scanned,
  type StreamName,
  type Unreadable,
} from '@everfold/core'
import { inParallel } from '../parallel.ts'
import { type Patience, patientlyOr } from '../patience.ts'
import { type Put, write, writeTogether } from './append.ts'
import type { ClaimCheck } from './claim-check.ts'
import { commitOf, itemOf } from './commit-item.ts'
import { checkedIn, redeemed, type StoredItem } from './large-item.ts'
import { isMarker, markerKey } from './marker.ts'

export interface DynamoEventStoreOptions extends Patience {
  readonly client: DynamoDBDocumentClient
  /** The table of commits. */
  readonly table: string
  /** Where the parts of commits above 400 KB go; without it such a commit is refused as too large. */
  readonly claimCheck?: ClaimCheck
}

export const dynamoEventStore = (options: DynamoEventStoreOptions): EventStore => ({
  readBackward:
    (stream, { before, limit }) =>
    () =>
      page(options, {
        KeyConditionExpression: before === undefined ? 'pk = :pk' : 'pk = :pk AND sk < :before',
        ExpressionAttributeValues: { ':pk': stream, ...(before === undefined ? {} : { ':before': before }) },
        ScanIndexForward: false,
        Limit: limit,
      }),
  readForward:
    (stream, { after, limit }) =>
    () =>
      page(options, {
        KeyConditionExpression: 'pk = :pk AND sk > :after',
        ExpressionAttributeValues: { ':pk': stream, ':after': after },
        Limit: limit,
      }),
  marker: (stream, id) => async () => {
    const { client, table } = options
    const key = { TableName: table, Key: markerKey(stream, id), ConsistentRead: true }
    const found = await patientlyOr(options, WHAT, () => client.send(new GetCommand(key)))
    return E.isLeft(found) ? found : E.right(found.right.Item?.['n'] as number | undefined)
  },
  append: (commit) => async () => {
    const put = await prepared(options, commit)
    return E.isLeft(put) ? put : write(options, put.right)
  },
  appendTogether:
    (commits, unmoved = []) =>
    async () => {
      const puts: Array<Put> = []
      for (const commit of commits) {
        const put = await prepared(options, commit)
        if (E.isLeft(put)) return put
        puts.push(put.right)
      }
      return writeTogether(options, puts, unmoved)
    },
  scan: (part) => () => scanned(options, part),
})

const WHAT = 'the event store'

/** An empty page with more behind it is legal on DynamoDB; it is not passed on. */
const page = async (
  options: DynamoEventStoreOptions,
  query: Omit<QueryCommandInput, 'TableName' | 'ConsistentRead'>,
): Promise<E.Either<Fault, Page>> => {
  const { client, table } = options
  let from: QueryCommandInput['ExclusiveStartKey']
  for (;;) {
    const input = { ...query, TableName: table, ConsistentRead: true, ExclusiveStartKey: from }
    const found = await patientlyOr(options, WHAT, () => client.send(new QueryCommand(input)))
    if (E.isLeft(found)) return found
    const { Items: items = [], LastEvaluatedKey: last } = found.right
    from = last
    if (items.length === 0 && last !== undefined) continue
    const backward = query.ScanIndexForward === false
    const wanted = backward ? upToSnapshot(items) : items
    const commits = await commitsOf(options, wanted)
    if (E.isLeft(commits)) return commits
    const atEnd = last === undefined && wanted.length === items.length
    return E.right({
      commits: commits.right,
      done: atEnd || (backward && commits.right.at(-1)?.number === 1),
    })
  }
}

/**
 * The newest items, without those behind a snapshot that cost more than the query did: whoever can begin at the snapshot
 * needs none of them, so that none of their objects is read, or can fail the read; and who cannot reads on from there.
 */
const upToSnapshot = (items: ReadonlyArray<StoredItem>): ReadonlyArray<StoredItem> => {
  const snapshot = items.findIndex(({ s, sx }) => s !== undefined || sx !== undefined)
  const costly = items.findIndex((item, at) => snapshot >= 0 && at > snapshot && isClaimed(item))
  return costly < 0 ? items : items.slice(0, costly)
}

const isClaimed = ({ ax, sx }: StoredItem): boolean => ax !== undefined || sx !== undefined

const commitsOf = async (
  { claimCheck }: DynamoEventStoreOptions,
  items: ReadonlyArray<StoredItem>,
): Promise<E.Either<Fault, ReadonlyArray<Commit>>> => {
  const read: Array<E.Either<Fault, Commit>> = []
  await inParallel(items.entries(), REDEEMED, async ([at, item]) => {
    const commit = await readCommit(item, claimCheck)
    read[at] = commit
    return E.isRight(commit)
  })
  const commits: Array<Commit> = []
  for (const commit of read) {
    if (E.isLeft(commit)) return commit
    commits.push(commit.right)
  }
  return E.right(commits)
}

/** How many claim checks are redeemed at once. */
const REDEEMED = 8

/** The commit of an item as it was read, its claim checks redeemed. */
const readCommit = async (
  item: StoredItem,
  claimCheck: ClaimCheck | undefined,
): Promise<E.Either<Fault, Commit>> => {
  const stored = isClaimed(item) ? await redeemed(item, claimCheck) : E.right(item)
  if (E.isLeft(stored)) return stored
  const commit = commitOf(stored.right)
  if (E.isRight(commit)) return commit
  const { pk, sk } = item
  return E.left({
    _tag: 'Undecodable',
    stream: String(pk) as StreamName,
    commit: Number(sk),
    errors: commit.left,
  })
}

/** Nothing is put where the claim check fails, and the same commit may be appended again. */
const prepared = async (
  { claimCheck }: DynamoEventStoreOptions,
  commit: Commit,
): Promise<E.Either<AppendFailure, Put>> => {
  const item = await checkedIn(itemOf(commit), claimCheck)
  if (E.isRight(item)) return E.right({ commit, item: item.right })
  return E.left(item.left._tag === 'TooLarge' ? item.left : { _tag: 'OutcomeUnknown', cause: item.left })
}

type Scan = Parameters<EventStore['scan']>[0]

const scanned = async (
  options: DynamoEventStoreOptions,
  { segment, segments, cursor }: Scan,
): Promise<E.Either<Fault, Scanned>> => {
  const { client, table } = options
  const input = {
    TableName: table,
    ConsistentRead: true,
    Segment: segment,
    TotalSegments: segments,
    ...(cursor === undefined ? {} : { ExclusiveStartKey: JSON.parse(cursor) as Record<string, unknown> }),
  }
  const found = await patientlyOr(options, WHAT, () => client.send(new ScanCommand(input)))
  if (E.isLeft(found)) return found
  const { Items: items = [], LastEvaluatedKey: last } = found.right
  const commits: Array<Commit> = []
  const unreadable: Array<Unreadable> = []
  for (const item of items) {
    if (isMarker(item)) continue
    const commit = await readCommit(item, options.claimCheck)
    if (E.isRight(commit)) commits.push(commit.right)
    else
      unreadable.push({
        stream: String(item['pk']) as StreamName,
        commit: Number(item['sk']),
        fault: commit.left,
      })
  }
  return E.right({
    commits,
    unreadable,
    ...(last === undefined ? {} : { cursor: JSON.stringify(last) }),
  })
}
