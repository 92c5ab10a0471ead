/**
 * What calls of DynamoDB cost, as DynamoDB itself says: requests and capacity units.
 *
 * A write whose condition fails is charged too, but its answer does not say how much; it is counted on its own.
 */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'

export interface Consumed {
  /** Those that the SDK sent again by itself included. */
  readonly requests: number
  readonly readUnits: number
  readonly writeUnits: number
  /** Writes whose condition failed: their units are in no figure. */
  readonly refused: number
}

export interface Meter {
  /** What was consumed since the meter was made, or read last. */
  read(this: void): Consumed
}

const NOTHING: Consumed = { requests: 0, readUnits: 0, writeUnits: 0, refused: 0 }

/** From now on every call of this client is counted, whichever document client is made of it. */
export const meter = ({ middlewareStack }: Pick<DynamoDBClient, 'middlewareStack'>): Meter => {
  let total = NOTHING
  middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        try {
          const answer = await next({ ...args, input: { ...args.input, ReturnConsumedCapacity: 'TOTAL' } })
          total = sum(total, ofAnswer(commandName, answer.output as Answered))
          return answer
        } catch (error) {
          total = sum(total, ofError(error))
          throw error
        }
      },
    { step: 'initialize', name: 'meter' },
  )
  return {
    read: () => {
      const consumed = total
      total = NOTHING
      return consumed
    },
  }
}

const sum = (one: Consumed, other: Consumed): Consumed => ({
  requests: one.requests + other.requests,
  readUnits: one.readUnits + other.readUnits,
  writeUnits: one.writeUnits + other.writeUnits,
  refused: one.refused + other.refused,
})

interface Units {
  readonly CapacityUnits?: number
}

interface Answered {
  readonly $metadata?: { readonly attempts?: number }
  readonly ConsumedCapacity?: Units | ReadonlyArray<Units>
}

const READING = /^(Get|BatchGet|Query|Scan|TransactGet)/

const ofAnswer = (command: string, { $metadata, ConsumedCapacity = [] }: Answered): Consumed => {
  const units = [ConsumedCapacity].flat().reduce((all, { CapacityUnits: one = 0 }) => all + one, 0)
  const requests = $metadata?.attempts ?? 1
  return READING.test(command)
    ? { ...NOTHING, requests, readUnits: units }
    : { ...NOTHING, requests, writeUnits: units }
}

const ofError = (error: unknown): Consumed => {
  const { name, $metadata } = error as Answered & { readonly name?: string }
  const isRefused = name === 'ConditionalCheckFailedException' || name === 'TransactionCanceledException'
  return { ...NOTHING, requests: $metadata?.attempts ?? 1, refused: isRefused ? 1 : 0 }
}
