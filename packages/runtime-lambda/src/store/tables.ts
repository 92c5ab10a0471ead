/**
 * The tables: `events` holds the log and its stream of new images, `views` the rows of all views, and `keys`, where
 * personal data is sealed, the encrypted keys of its subjects.
 *
 * All are on demand. Creating them again is nothing: what exists is compared with what is needed, and a table of
 * another shape is an error that says the difference. What a table has beyond its shape is its operator's business.
 */
import {
  CreateTableCommand,
  DescribeContinuousBackupsCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type DynamoDBClient,
  type TableDescription,
  UpdateContinuousBackupsCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb'
import { E, type Fault, type TE, unavailable } from '@everfold/core'
import { errorName, isTransient, type Patience, patiently, patientlyOr } from '../patience.ts'
import {
  definition,
  differencesOf,
  EVENTS_TABLE,
  KEYS_TABLE,
  type TableShape,
  ttlDifference,
  VIEWS_TABLE,
} from './table-shape.ts'

export { EVENTS_TABLE, KEYS_TABLE, type TableShape, VIEWS_TABLE } from './table-shape.ts'

export interface TableNames {
  readonly events: string
  readonly views: string
  /** Only where personal data is sealed. */
  readonly keys?: string
}

export interface TablesOptions extends Patience {
  readonly client: DynamoDBClient
  readonly names: TableNames
  /**
   * Protection from deletion, and point-in-time recovery, which the table of keys must not have: unless said otherwise.
   * DynamoDB Local has no point-in-time recovery and refuses to be asked for it.
   */
  readonly guarded?: boolean
}

export interface OtherShape {
  readonly _tag: 'OtherShape'
  readonly table: string
  /** What is missing or otherwise, in words. */
  readonly differences: ReadonlyArray<string>
}

export interface TableReport {
  readonly table: string
  /** As DynamoDB names it; a table or an index that is being made is not yet ACTIVE. */
  readonly status: 'ABSENT' | 'ACTIVE' | (string & {})
  readonly differences: ReadonlyArray<string>
}

/** Makes what is missing, and resolves when all tables can be used. */
export const createTables =
  (options: TablesOptions): TE.TaskEither<Fault | OtherShape, void> =>
  async () => {
    const made = await Promise.all(tablesOf(options).map((one) => create(options, one)))
    return made.find(E.isLeft) ?? E.right(undefined)
  }

/** What is there, beside what is needed. */
export const describeTables =
  (options: TablesOptions): TE.TaskEither<Fault, ReadonlyArray<TableReport>> =>
  async () => {
    const reports: Array<TableReport> = []
    for (const one of tablesOf(options)) {
      const report = await reportOf(options, one)
      if (E.isLeft(report)) return report
      reports.push(report.right)
    }
    return E.right(reports)
  }

interface Named {
  readonly table: string
  readonly shape: TableShape
}

const tablesOf = ({ names }: TablesOptions): ReadonlyArray<Named> => [
  { table: names.events, shape: EVENTS_TABLE },
  { table: names.views, shape: VIEWS_TABLE },
  ...(names.keys === undefined ? [] : [{ table: names.keys, shape: KEYS_TABLE }]),
]

const isGuarded = ({ guarded = true }: TablesOptions): boolean => guarded

const create = async (options: TablesOptions, one: Named): Promise<E.Either<Fault | OtherShape, void>> => {
  const { client } = options
  const found = await description(options, one.table)
  if (E.isLeft(found)) return found
  if (found.right === undefined) {
    const input = definition(one.table, one.shape, isGuarded(options))
    const created = await patiently(options, () => client.send(new CreateTableCommand(input)))
    // In use: somebody else has made it meanwhile.
    if (E.isLeft(created) && errorName(created.left) !== 'ResourceInUseException')
      return E.left(unavailable(`creating the table ${one.table}`, created.left))
  }
  const ready = await whenReady(options, one.table)
  if (E.isLeft(ready)) return ready
  const differences = differencesOf(one.shape, ready.right, isGuarded(options))
  if (differences.length > 0) return E.left({ _tag: 'OtherShape', table: one.table, differences })
  const expiring = await expire(options, one)
  return E.isLeft(expiring) || !isGuarded(options) || !one.shape.recoverable
    ? expiring
    : recoverable(options, one.table)
}

/** Undefined where there is no such table. */
const description = async (
  options: TablesOptions,
  table: string,
): Promise<E.Either<Fault, TableDescription | undefined>> => {
  const input = { TableName: table }
  const found = await patiently(options, () => options.client.send(new DescribeTableCommand(input)))
  if (E.isRight(found)) return E.right(found.right.Table)
  return errorName(found.left) === 'ResourceNotFoundException'
    ? E.right(undefined)
    : E.left(unavailable(`the table ${table}`, found.left))
}

const POLL_MS = 500
/** DynamoDB takes seconds for an empty table; the index of a full one can take longer. */
const READY_WITHIN_MS = 5 * 60_000

const whenReady = async (
  options: TablesOptions,
  table: string,
): Promise<E.Either<Fault, TableDescription>> => {
  const { clock } = options
  const untilMs = clock.nowMs() + READY_WITHIN_MS
  for (;;) {
    const found = await description(options, table)
    if (E.isLeft(found)) return found
    if (found.right !== undefined && statusOf(found.right) === 'ACTIVE') return E.right(found.right)
    if (clock.nowMs() > untilMs)
      return E.left(unavailable(`the table ${table}, which does not become active`))
    await clock.sleep(POLL_MS)
  }
}

const statusOf = ({ TableStatus, GlobalSecondaryIndexes = [] }: TableDescription): string =>
  [TableStatus, ...GlobalSecondaryIndexes.map(({ IndexStatus }) => IndexStatus)].find(
    (status) => status !== 'ACTIVE',
  ) ?? 'ACTIVE'

/** The attribute of the table's time to live, where it has one. */
const ttlOf = async (options: TablesOptions, table: string): Promise<E.Either<Fault, string | undefined>> => {
  const found = await patientlyOr(options, `the time to live of ${table}`, () =>
    options.client.send(new DescribeTimeToLiveCommand({ TableName: table })),
  )
  if (E.isLeft(found)) return found
  const { TimeToLiveStatus: status, AttributeName: name } = found.right.TimeToLiveDescription ?? {}
  return E.right(status === 'ENABLED' || status === 'ENABLING' ? name : undefined)
}

const expire = async (
  options: TablesOptions,
  { table, shape }: Named,
): Promise<E.Either<Fault | OtherShape, void>> => {
  if (shape.ttl === undefined) return E.right(undefined)
  const before = await ttlOf(options, table)
  if (E.isLeft(before)) return before
  if (before.right === shape.ttl) return E.right(undefined)
  if (before.right !== undefined)
    return E.left({ _tag: 'OtherShape', table, differences: [ttlDifference(shape.ttl, before.right)] })
  const input = {
    TableName: table,
    TimeToLiveSpecification: { AttributeName: shape.ttl, Enabled: true },
  }
  const enabled = await patiently(options, () => options.client.send(new UpdateTimeToLiveCommand(input)))
  if (E.isRight(enabled)) return E.right(undefined)
  // Whoever made the table at the same time may have been faster.
  const after = await ttlOf(options, table)
  return E.isRight(after) && after.right === shape.ttl
    ? E.right(undefined)
    : E.left(unavailable(`the time to live of ${table}`, enabled.left))
}

const isRecoverable = async (options: TablesOptions, table: string): Promise<E.Either<Fault, boolean>> => {
  const found = await patientlyOr(options, `the backups of ${table}`, () =>
    options.client.send(new DescribeContinuousBackupsCommand({ TableName: table })),
  )
  if (E.isLeft(found)) return found
  const { PointInTimeRecoveryDescription: recovery } = found.right.ContinuousBackupsDescription ?? {}
  return E.right(recovery?.PointInTimeRecoveryStatus === 'ENABLED')
}

const recoverable = async (options: TablesOptions, table: string): Promise<E.Either<Fault, void>> => {
  const before = await isRecoverable(options, table)
  if (E.isLeft(before)) return before
  if (before.right) return E.right(undefined)
  const input = {
    TableName: table,
    PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
  }
  const enabled = await patiently(
    options,
    () => options.client.send(new UpdateContinuousBackupsCommand(input)),
    // A table that was made a moment ago has no backups yet.
    (error) => isTransient(error) || errorName(error) === 'ContinuousBackupsUnavailableException',
  )
  return E.isLeft(enabled)
    ? E.left(unavailable(`the point-in-time recovery of ${table}`, enabled.left))
    : E.right(undefined)
}

const reportOf = async (
  options: TablesOptions,
  { table, shape }: Named,
): Promise<E.Either<Fault, TableReport>> => {
  const found = await description(options, table)
  if (E.isLeft(found)) return found
  if (found.right === undefined) return E.right({ table, status: 'ABSENT', differences: [] })
  const differences = [...differencesOf(shape, found.right, isGuarded(options))]
  if (shape.ttl !== undefined) {
    const ttl = await ttlOf(options, table)
    if (E.isLeft(ttl)) return ttl
    if (ttl.right !== shape.ttl) differences.push(ttlDifference(shape.ttl, ttl.right))
  }
  if (isGuarded(options)) {
    const covered = await isRecoverable(options, table)
    if (E.isLeft(covered)) return covered
    if (shape.recoverable && !covered.right) differences.push('there is no point-in-time recovery')
    if (!shape.recoverable && covered.right)
      differences.push('it has point-in-time recovery, which brings back what is destroyed')
  }
  return E.right({ table, status: statusOf(found.right), differences })
}
