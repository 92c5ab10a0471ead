/** PutItem, UpdateItem and DeleteItem. */
import type { At, Stepped } from '../model.ts'
import type { Item } from './attribute.ts'
import { consumed, unitsOfWrites } from './capacity.ts'
import { conflict, ofStream, throttled } from './deviation.ts'
import { invalid, Refusal } from './refusal.ts'
import { type DynamoDb, written } from './state.ts'
import { type Prepared, prepared, type WriteInput } from './write-action.ts'

export interface SingleWriteInput extends WriteInput {
  readonly ReturnValues?: string
  readonly ReturnConsumedCapacity?: string
}

const RETURNS: Readonly<Record<'Put' | 'Update' | 'Delete', ReadonlySet<string>>> = {
  Put: new Set(['NONE', 'ALL_OLD']),
  Delete: new Set(['NONE', 'ALL_OLD']),
  Update: new Set(['NONE', 'ALL_OLD', 'UPDATED_OLD', 'ALL_NEW', 'UPDATED_NEW']),
}

export const writeOne = (
  state: DynamoDb,
  kind: 'Put' | 'Update' | 'Delete',
  input: SingleWriteInput,
  { nowMs, deviation }: At,
): Stepped<DynamoDb, object> => {
  const { ReturnValues: returns = 'NONE' } = input
  if (!RETURNS[kind].has(returns)) throw invalid('Return values set to invalid value')
  const write = prepared(state, kind, input)
  if (deviation === 'throttled') throw throttled(input.TableName, 'Write')
  if (deviation === 'conflict') throw conflict()
  if (!write.meets) throw conditionFailed(write.before, input)
  const change = write.change()
  const after = written(state, [change], { nowMs, ...ofStream(deviation) })
  const shown = returned(returns, write, change.after)
  const isShown = shown !== undefined && (Object.keys(shown).length > 0 || returns.startsWith('ALL_'))
  return {
    state: after,
    answer: {
      ...(isShown ? { Attributes: shown } : {}),
      ...consumed(input, unitsOfWrites(state, [change])),
    },
  }
}

const conditionFailed = (before: Item | undefined, input: WriteInput): Refusal =>
  new Refusal(
    'ConditionalCheckFailedException',
    'The conditional request failed',
    input.ReturnValuesOnConditionCheckFailure === 'ALL_OLD' && before !== undefined ? { Item: before } : {},
  )

const returned = (
  returns: string,
  { before, touched }: Prepared,
  after: Item | undefined,
): Item | undefined => {
  switch (returns) {
    case 'ALL_OLD':
      return before
    case 'ALL_NEW':
      return after
    case 'UPDATED_OLD':
      return before === undefined ? undefined : touched(before)
    case 'UPDATED_NEW':
      return after === undefined ? undefined : touched(after)
    default:
      return undefined
  }
}
