/** What DynamoDB takes for an attribute value, in its normal form; everything else is refused. */
import { DYNAMODB } from '../../limits.ts'
import { type AttributeValue, contentOf, type Item, typeOf } from './attribute.ts'
import { normalNumber } from './decimal.ts'
import { invalid, Refusal } from './refusal.ts'

export const normalItem = (item: Item): Item => normalMap(item, 0)

export const normalValue = (value: AttributeValue): AttributeValue => normalAt(value, 0)

const normalMap = (item: Item, depth: number): Item =>
  Object.fromEntries(Object.entries(item).map(([name, value]) => [name, normalAt(value, depth)]))

const normalAt = (value: AttributeValue, depth: number): AttributeValue => {
  const types = Object.keys(value)
  if (types.length !== 1)
    throw invalid(
      types.length === 0
        ? 'Supplied AttributeValue is empty, must contain exactly one of the supported datatypes'
        : 'Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes',
    )
  if (depth > DYNAMODB.nestingLevels) throw invalid('Nesting Levels have exceeded supported limits')
  return normalOf(value, depth)
}

const normalOf = (value: AttributeValue, depth: number): AttributeValue => {
  switch (typeOf(value)) {
    case 'S':
    case 'BOOL':
      return value
    case 'B':
      return { B: Buffer.from(text(contentOf(value)), 'base64').toString('base64') }
    case 'N':
      return { N: normalNumber(text(contentOf(value))) }
    case 'NULL':
      if (contentOf(value) !== true) throw invalid('Null attribute value types must have the value of true')
      return value
    case 'SS':
      return { SS: set(contentOf(value), (one) => one) }
    case 'NS':
      return { NS: set(contentOf(value), normalNumber) }
    case 'BS':
      return { BS: set(contentOf(value), (one) => Buffer.from(one, 'base64').toString('base64')) }
    case 'L':
      return { L: (contentOf(value) as ReadonlyArray<AttributeValue>).map((one) => normalAt(one, depth + 1)) }
    case 'M':
      return { M: normalMap(contentOf(value) as Item, depth + 1) }
    default:
      throw new Refusal('SerializationException', `Unexpected field of an attribute value: ${typeOf(value)}`)
  }
}

const text = (content: unknown): string => {
  if (typeof content === 'string') return content
  throw new Refusal('SerializationException', 'NUMBER_VALUE cannot be converted to String')
}

const set = (content: unknown, normal: (one: string) => string): ReadonlyArray<string> => {
  const members = (content as ReadonlyArray<unknown>).map((one) => normal(text(one)))
  if (members.length === 0) throw invalid('An string set may not be empty')
  if (new Set(members).size !== members.length) throw invalid('Input collection contains duplicates')
  return members
}
