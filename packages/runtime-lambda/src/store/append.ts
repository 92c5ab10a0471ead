/**
 * Putting commits: one PutItem for a lone commit without markers, one transaction for anything else.
 *
 * A condition that fails brings back the item that holds the place. The SDK repeats a put whose response was lost, and
 * then meets its own item there (aws/aws-sdk-java#2667), so the same commit in the place means that it is stored. Every
 * other error leaves the outcome unknown.
 */
import type { AttributeValue, TransactionCanceledException } from '@aws-sdk/client-dynamodb'
import { type DynamoDBDocumentClient, PutCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb'
import {
  type AppendFailure,
  type CommandId,
  type Commit,
  E,
  type Position,
  type StreamName,
  type TogetherFailure,
} from '@everfold/core'
import { DYNAMODB } from '../limits.ts'
import { errorName, isTransient, type Patience, patiently } from '../patience.ts'
import { type CommitItem, itemBytes } from './commit-item.ts'
import { type Marker, markersOf } from './marker.ts'

/** A commit ready to be put. */
export interface Put {
  readonly commit: Commit
  readonly item: CommitItem
}

export interface Table extends Patience {
  readonly client: DynamoDBDocumentClient
  readonly table: string
}

const DONE = E.right(undefined)

/** The markers of its answers are put with the commit, so a commit that has some is a transaction. */
export const write = async (table: Table, put: Put): Promise<E.Either<AppendFailure, void>> => {
  const { commit, item } = put
  if (commit.answers.some(({ marked }) => marked === true)) {
    const written = await writeTogether(table, [put], [])
    return E.isLeft(written) ? E.left(alone(commit, written.left)) : written
  }
  const outcome = await patiently(table, () => table.client.send(new PutCommand(placed(table, item))))
  if (E.isRight(outcome)) return DONE
  const error = outcome.left
  if (isRefusedForSize(error)) {
    const sizeBytes = itemBytes(item)
    return E.left({ _tag: 'TooLarge', stream: commit.stream, sizeBytes, limitBytes: DYNAMODB.itemBytes })
  }
  if (errorName(error) !== 'ConditionalCheckFailedException')
    return E.left({ _tag: 'OutcomeUnknown', cause: error })
  return isOwn(item, (error as { readonly Item?: Stored }).Item) ? DONE : E.left(conflict(commit.stream))
}

/** A lone commit with more markers than a transaction has room for is too large: its group can be cut. */
const alone = ({ stream }: Commit, failure: TogetherFailure): AppendFailure => {
  if (failure._tag === 'StreamTwice') return conflict(stream)
  if (failure._tag !== 'TooMany') return failure
  return { _tag: 'TooLarge', stream, sizeBytes: failure.actions, limitBytes: failure.limitActions }
}

type Action =
  | { readonly _tag: 'Place'; readonly put: Put }
  | { readonly _tag: 'Mark'; readonly stream: StreamName; readonly id: CommandId; readonly item: Marker }
  | { readonly _tag: 'Unmoved'; readonly position: Position }

/** All or none, iff each of `unmoved` is still its stream's newest commit. */
export const writeTogether = async (
  table: Table,
  puts: ReadonlyArray<Put>,
  unmoved: ReadonlyArray<Position>,
): Promise<E.Either<TogetherFailure, void>> => {
  const actions = actionsOf(table, puts, unmoved)
  const refused = refusal(puts, unmoved, actions)
  if (refused !== undefined) return E.left(refused)
  if (puts.length === 0 && unmoved.length === 0) return DONE
  const input = { TransactItems: actions.map((action) => writeOf(table, action)) }
  const outcome = await patiently(
    table,
    () => table.client.send(new TransactWriteCommand(input)),
    (error) => isTransient(error) || isOthersTraffic(error),
  )
  if (E.isRight(outcome)) return DONE
  const tooLarge = isRefusedForSize(outcome.left) ? sizeOf(puts, actions) : undefined
  return tooLarge === undefined ? explained(outcome.left, actions, puts) : E.left(tooLarge)
}

const actionsOf = (
  { clock }: Table,
  puts: ReadonlyArray<Put>,
  unmoved: ReadonlyArray<Position>,
): ReadonlyArray<Action> => [
  ...puts.map((put): Action => ({ _tag: 'Place', put })),
  ...puts.flatMap(({ commit }) =>
    markersOf(commit, clock.nowMs()).map(
      ({ id, item }): Action => ({ _tag: 'Mark', stream: commit.stream, id, item }),
    ),
  ),
  ...unmoved.map((position): Action => ({ _tag: 'Unmoved', position })),
]

/** What DynamoDB would refuse as invalid, told by name before it is asked. */
const refusal = (
  puts: ReadonlyArray<Put>,
  unmoved: ReadonlyArray<Position>,
  actions: ReadonlyArray<Action>,
): TogetherFailure | undefined => {
  const streams = [...puts.map(({ commit }) => commit.stream), ...unmoved.map(({ stream }) => stream)]
  const twice = streams.find((stream, at) => streams.indexOf(stream) !== at)
  if (twice !== undefined) return { _tag: 'StreamTwice', stream: twice }
  const limitActions = DYNAMODB.transactionActions
  if (actions.length > limitActions) return { _tag: 'TooMany', actions: actions.length, limitActions }
  const tooLarge = sizeOf(puts, actions)
  return tooLarge !== undefined && tooLarge.sizeBytes > tooLarge.limitBytes ? tooLarge : undefined
}

type TooLarge = Extract<AppendFailure, { readonly _tag: 'TooLarge' }>

/** All items, markers included, in the name of the largest commit. */
const sizeOf = (puts: ReadonlyArray<Put>, actions: ReadonlyArray<Action>): TooLarge | undefined => {
  let sizeBytes = 0
  for (const action of actions) {
    if (action._tag === 'Place') sizeBytes += itemBytes(action.put.item)
    if (action._tag === 'Mark') sizeBytes += itemBytes(action.item)
  }
  const sizes = puts.map(({ item }) => itemBytes(item))
  const largest = puts[sizes.indexOf(Math.max(...sizes))]
  if (largest === undefined) return undefined
  return { _tag: 'TooLarge', stream: largest.commit.stream, sizeBytes, limitBytes: DYNAMODB.transactionBytes }
}

/** Refused before anything was stored, because DynamoDB counts more bytes than we do. */
const isRefusedForSize = (error: unknown): boolean =>
  errorName(error) === 'ValidationException' && /\bsize\b/i.test((error as Error).message)

const writeOf = (table: Table, action: Action) => {
  switch (action._tag) {
    case 'Place':
      return { Put: placed(table, action.put.item) }
    case 'Mark':
      return { Put: placed(table, action.item) }
    case 'Unmoved': {
      const { stream, commit } = action.position
      // Numbers have no gap, so a stream has moved iff the next place is taken.
      return {
        ConditionCheck: { TableName: table.table, Key: { pk: stream, sk: commit + 1 }, ...FREE },
      }
    }
  }
}

const FREE = {
  ConditionExpression: 'attribute_not_exists(pk)',
  ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
} as const

const placed = ({ table }: Table, item: object) => ({ TableName: table, Item: { ...item }, ...FREE })

/** Why a transaction was canceled, by the reasons of its actions. */
const explained = (
  error: unknown,
  actions: ReadonlyArray<Action>,
  puts: ReadonlyArray<Put>,
): E.Either<TogetherFailure, void> => {
  const reasons = reasonsOf(error)
  const failed = actions.flatMap((action, at) => {
    const { Code: code, Item: found } = reasons[at] ?? {}
    return code === 'ConditionalCheckFailed' ? [{ action, found }] : []
  })
  const own = failed.filter(({ action, found }) => action._tag === 'Place' && isOwn(action.put.item, found))
  if (puts.length > 0 && own.length === puts.length) return DONE
  for (const { action } of failed)
    if (action._tag === 'Place') return E.left(conflict(action.put.commit.stream))
  for (const { action, found } of failed) {
    if (action._tag === 'Unmoved') return E.left(conflict(action.position.stream))
    if (action._tag !== 'Mark' || found?.['n']?.N === undefined) continue
    const { stream, id } = action
    return E.left({ _tag: 'Marked', stream, commandId: id, commit: Number(found['n'].N) })
  }
  return E.left({ _tag: 'OutcomeUnknown', cause: error })
}

const reasonsOf = (error: unknown): NonNullable<TransactionCanceledException['CancellationReasons']> =>
  (error as Partial<TransactionCanceledException>).CancellationReasons ?? []

const PASSING: ReadonlySet<string> = new Set([
  'None',
  'TransactionConflict',
  'ProvisionedThroughputExceeded',
  'ThrottlingError',
])

/** Canceled for nothing but what others do at the same time: the SDK does not repeat it. */
const isOthersTraffic = (error: unknown): boolean => {
  const reasons = reasonsOf(error)
  return reasons.length > 0 && reasons.every(({ Code: code }) => PASSING.has(code ?? ''))
}

type Stored = Readonly<Record<string, AttributeValue>>

/** Whether the place holds this very commit: the same answers and version. */
const isOwn = (item: CommitItem, found: Stored | undefined): boolean =>
  found !== undefined &&
  found['v']?.N === String(item.v) &&
  found['ax']?.S === item.ax &&
  (item.a === undefined || Buffer.from(item.a).equals(Buffer.from(found['a']?.S ?? found['a']?.B ?? '')))

const conflict = (stream: StreamName) => ({ _tag: 'Conflict', stream }) as const
