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
  type StreamName,
} from '@everfold/core'
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
    const commits = await commitsOf(options, items)
    if (E.isLeft(commits)) return commits
    const atFirst = query.ScanIndexForward === false && commits.right.at(-1)?.number === 1
    return E.right({ commits: commits.right, done: last === undefined || atFirst })
  }
}

const commitsOf = async (
  { claimCheck }: DynamoEventStoreOptions,
  items: ReadonlyArray<StoredItem>,
): Promise<E.Either<Fault, ReadonlyArray<Commit>>> => {
  const commits: Array<Commit> = []
  for (const item of items) {
    const commit = await readCommit(item, claimCheck)
    if (E.isLeft(commit)) return commit
    commits.push(commit.right)
  }
  return E.right(commits)
}

/** The commit of an item as it was read, its claim checks redeemed. */
const readCommit = async (
  item: StoredItem,
  claimCheck: ClaimCheck | undefined,
): Promise<E.Either<Fault, Commit>> => {
  const whole = item['ax'] === undefined && item['sx'] === undefined
  const stored = whole ? E.right(item) : await redeemed(item, claimCheck)
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
): Promise<E.Either<Fault, { readonly commits: ReadonlyArray<Commit>; readonly cursor?: string }>> => {
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
  const commits = await commitsOf(
    options,
    items.filter((item) => !isMarker(item)),
  )
  if (E.isLeft(commits)) return commits
  return E.right({
    commits: commits.right,
    ...(last === undefined ? {} : { cursor: JSON.stringify(last) }),
  })
}
