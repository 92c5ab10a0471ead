/**
 * Counts what the calls of a DynamoDB client come to: requests, each of the SDK's own retries among them, and the
 * capacity that DynamoDB says it took.
 *
 * It is a middleware of the SDK, so that whoever uses the client is counted alike, and nothing that is measured knows of it.
 * What it cannot see: a put whose condition fails takes its capacity too, but the error does not say how much; and
 * DynamoDB Local charges a transaction too little, so transactions are counted apart and their capacity is a lower bound.
 */
import type { ConsumedCapacity, DynamoDBClient } from '@aws-sdk/client-dynamodb'

export interface Bill {
  readonly requests: number
  /** Those of the requests that ask for a write, also where it is refused. */
  readonly writes: number
  readonly readUnits: number
  readonly writeUnits: number
  readonly transactions: number
}

export interface Meter {
  /** What came together since the meter was made, or read last. */
  readonly read: () => Bill
  /** What `work` comes to, as long as nothing else uses the client meanwhile. */
  readonly bill: (work: () => Promise<unknown>) => Promise<Bill>
}

const READS: ReadonlySet<string> = new Set([
  'GetItemCommand',
  'BatchGetItemCommand',
  'QueryCommand',
  'ScanCommand',
  'TransactGetItemsCommand',
])
const WRITES: ReadonlySet<string> = new Set([
  'PutItemCommand',
  'UpdateItemCommand',
  'DeleteItemCommand',
  'BatchWriteItemCommand',
  'TransactWriteItemsCommand',
])

type Counted = { -readonly [Figure in keyof Bill]: Bill[Figure] }

const nothing = (): Counted => ({ requests: 0, writes: 0, readUnits: 0, writeUnits: 0, transactions: 0 })

/** Names every command of the SDK as the service does, also those of the document client. */
const named = (commandName = ''): string =>
  commandName
    .replace(/^(Get|Put|Update|Delete)Command$/, '$1ItemCommand')
    .replace(/^Batch(Get|Write)Command$/, 'Batch$1ItemCommand')
    .replace(/^Transact(Get|Write)Command$/, 'Transact$1ItemsCommand')

export const meter = (client: DynamoDBClient): Meter => {
  let counted = nothing()
  const take = (name: string, output: unknown) => {
    const { ConsumedCapacity: capacity } = output as {
      readonly ConsumedCapacity?: ConsumedCapacity | ReadonlyArray<ConsumedCapacity>
    }
    const units = [capacity ?? []].flat().reduce((sum, { CapacityUnits: more = 0 }) => sum + more, 0)
    if (READS.has(name)) counted.readUnits += units
    else counted.writeUnits += units
    if (name.startsWith('Transact')) counted.transactions += 1
  }
  client.middlewareStack.add(
    (next, context) => async (call) => {
      const name = named(context.commandName)
      if (!READS.has(name) && !WRITES.has(name)) return next(call)
      const answer = await next({ ...call, input: { ...call.input, ReturnConsumedCapacity: 'TOTAL' } })
      take(name, answer.output)
      return answer
    },
    { step: 'initialize', priority: 'high', name: 'meterCapacity' },
  )
  // Below the SDK's retries, so that each of them counts.
  client.middlewareStack.add(
    (next, context) => async (call) => {
      counted.requests += 1
      if (WRITES.has(named(context.commandName))) counted.writes += 1
      return next(call)
    },
    { step: 'finalizeRequest', priority: 'low', name: 'meterRequests' },
  )
  const read = () => {
    const bill = counted
    counted = nothing()
    return bill
  }
  return {
    read,
    bill: async (work) => {
      read()
      await work()
      return read()
    },
  }
}
