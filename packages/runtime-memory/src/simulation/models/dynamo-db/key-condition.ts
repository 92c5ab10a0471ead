/** The condition of a query: a partition key, and what the sort key has to be. */
import { type AttributeValue, contentOf, type Item, typeOf } from './attribute.ts'
import { type Condition, keyConditionOf, type Operand } from './condition.ts'
import { type Check, checkOf } from './condition-check.ts'
import type { Bindings } from './expression.ts'
import { invalid } from './refusal.ts'
import type { KeyAttribute, KeySchema } from './table.ts'

export interface KeyCondition {
  readonly partition: AttributeValue
  readonly isWithin: Check
}

export const boundKeyCondition = (
  expression: string | undefined,
  { partition, sort }: KeySchema,
  bindings: Bindings,
): KeyCondition => {
  if (expression === undefined)
    throw invalid(
      'Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.',
    )
  const parts = partsOf(keyConditionOf(expression)).map((condition) => ({
    condition,
    name: keyIn(condition, bindings),
  }))
  const ofPartition = parts.filter(({ name }) => name === partition.name)
  const ofSort = parts.filter(({ name }) => sort !== undefined && name === sort.name)
  const [only] = ofPartition
  if (only === undefined) throw invalid(`Query condition missed key schema element: ${partition.name}`)
  if (ofPartition.length + ofSort.length < parts.length) throw invalid('Query key condition not supported')
  if (ofPartition.length > 1 || ofSort.length > 1)
    throw invalid('KeyConditionExpressions must only contain one condition per key')
  if (only.condition._tag !== 'Compare' || only.condition.by !== '=')
    throw invalid('Query key condition not supported')
  const value = valueIn(only.condition.left, only.condition.right, bindings)
  demandType(partition, value)
  const [second] = ofSort
  if (sort === undefined || second === undefined) return { partition: value, isWithin: () => true }
  for (const operand of operandsOf(second.condition))
    if (operand._tag === 'Value') demandType(sort, bindings.value(operand.placeholder))
  const isWithin = checkOf(second.condition, bindings)
  return { partition: value, isWithin: (item: Item | undefined) => isWithin(item) }
}

const partsOf = (condition: Condition): ReadonlyArray<Condition> =>
  condition._tag === 'And' ? [...partsOf(condition.left), ...partsOf(condition.right)] : [condition]

const operandsOf = (condition: Condition): ReadonlyArray<Operand> => {
  switch (condition._tag) {
    case 'Compare':
      if (condition.by === '<>') throw invalid('Unsupported operator on KeyCondition: operator: <>')
      return [condition.left, condition.right]
    case 'Between':
      return [condition.operand, condition.low, condition.high]
    case 'Test':
      if (condition.test === 'begins_with') return condition.operands
      throw invalid(`Unsupported operator on KeyCondition: operator: ${condition.test}`)
    default:
      throw invalid(`Invalid operator used in KeyConditionExpression: ${condition._tag.toUpperCase()}`)
  }
}

/** The attribute that a part is about. */
const keyIn = (condition: Condition, bindings: Bindings): string => {
  const paths = operandsOf(condition).flatMap((operand) =>
    operand._tag === 'Path' ? [bindings.path(operand.path)] : [],
  )
  const [path, ...more] = paths
  const [name, ...deeper] = path ?? []
  if (typeof name !== 'string' || more.length > 0)
    throw invalid('Invalid condition in KeyConditionExpression: only one key attribute per condition')
  if (deeper.length > 0)
    throw invalid('Key condition expressions cannot have conditions on nested attributes')
  return name
}

const valueIn = (left: Operand, right: Operand, bindings: Bindings): AttributeValue => {
  const value = left._tag === 'Value' ? left : right
  if (value._tag !== 'Value') throw invalid('Invalid condition in KeyConditionExpression')
  return bindings.value(value.placeholder)
}

const demandType = ({ name, type }: KeyAttribute, value: AttributeValue): void => {
  if (typeOf(value) !== type)
    throw invalid(
      'One or more parameter values were invalid: Condition parameter type does not match schema type',
    )
  if (contentOf(value) === '')
    throw invalid(
      `One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: ${name}`,
    )
}
