/** Bugs of views on DynamoDB: on what condition a row is put, and what becomes of what a batch left over. */
import { BatchWriteCommand } from '@aws-sdk/lib-dynamodb'
import { E, unavailable, type ViewStore } from '@everfold/core'
import { dynamoViewStore } from '@everfold/runtime-lambda/view-store'
import { rush } from '../../../../runtime-memory/test/simulation/mutants/bar-simulation.ts'
import type { Equivalent, Mutant } from '../../../../runtime-memory/test/simulation/mutants/mutant.ts'
import type { LambdaParts } from '../../../src/simulate/on-lambda.ts'
import { barOnLambda } from './bar-on-lambda.ts'
import { type AnyCommand, isNamed, over, type Tamper, withInput } from './tampered.ts'

const unconditional =
  (command: string): Tamper =>
  (asked, send) => {
    const { ConditionExpression: _, ...input } = asked.input
    return send(isNamed(asked, command) ? withInput(asked, withoutNames(input)) : asked)
  }

/** A put has names and values for its condition alone. */
const withoutNames = (input: AnyCommand['input']): AnyCommand['input'] => {
  if (input['UpdateExpression'] !== undefined) return input
  const { ExpressionAttributeNames: _, ExpressionAttributeValues: __, ...rest } = input
  return rest
}

const inconsistent: Tamper = (command, send) =>
  isNamed(command, 'GetCommand')
    ? send(withInput(command, { ...command.input, ConsistentRead: false }))
    : send(command)

/** Progress is written with the time at which it was made, as a batch, of which something may be left over. */
const batching =
  (ends: 'when all is written' | 'after one call'): LambdaParts['viewStore'] =>
  (options) => {
    const { client, table, clock } = options
    const put = async (items: ReadonlyArray<object>): Promise<void> => {
      let pending = items.map((item) => ({ PutRequest: { Item: { ...item } } }))
      while (pending.length > 0) {
        const command = new BatchWriteCommand({ RequestItems: { [table]: pending } })
        const { UnprocessedItems: left = {} } = await client.send(command)
        if (ends === 'after one call') return
        pending = (left[table] ?? []) as typeof pending
      }
    }
    const advance: ViewStore['advance'] =
      ({ projection, generation }, stream, commit) =>
      async () => {
        const pk = `${projection}#${generation}@${stream}`
        try {
          await put([
            { pk: 'times', sk: stream, timeMs: clock.nowMs() },
            { pk, sk: 'progress', commit },
          ])
          return E.right(undefined)
        } catch (cause) {
          return E.left(unavailable('the views', cause))
        }
      }
    return { ...dynamoViewStore(options), advance }
  }

export const projecting: ReadonlyArray<Mutant> = [
  {
    name: '15 a row is put without condition (SDK)',
    bug: 'A row is put whatever it was made of meanwhile, so that a late put goes back over a newer row.',
    breaks: ['S6', 'E7'],
    options: barOnLambda(
      { viewStore: over(unconditional('PutCommand'), dynamoViewStore) },
      { workload: rush },
    ),
    budget: 100,
    level: 'sdk',
  },
  {
    name: '22c UnprocessedItems are ignored (SDK)',
    bug: 'A batch write that succeeded is taken to have written all of its items.',
    breaks: ['S5', 'E2'],
    options: barOnLambda({ viewStore: batching('after one call') }),
    budget: 100,
    level: 'sdk',
  },
]

export const harmless: ReadonlyArray<Equivalent> = [
  {
    name: '15b progress is written without condition (SDK)',
    bug: 'The progress of a view goes back where a late write of it lands.',
    options: barOnLambda({ viewStore: over(unconditional('UpdateCommand'), dynamoViewStore) }),
    reason:
      'What comes again is in the rows already, which say so themselves, and what is behind comes from the log.',
  },
  {
    name: '15c rows and progress are read from any replica (SDK)',
    bug: 'A projector reads what was there some writes ago.',
    options: barOnLambda({ viewStore: over(inconsistent, dynamoViewStore) }, { workload: rush }),
    reason:
      'A row is put on the condition of the numbers it was read with, and progress that is too low is made up for.',
  },
  {
    name: 'progress by batches (SDK)',
    bug: 'None: the mutant that ignores UnprocessedItems, without its bug.',
    options: barOnLambda({ viewStore: batching('when all is written') }),
    reason: 'It writes again what was left over.',
  },
]
