/** Whether an item meets a condition: the placeholders are bound once, and what can never hold is refused first. */
import { type AttributeValue, compareValues, contentOf, type Item, isEqual, typeOf } from './attribute.ts'
import type { Comparator, Condition, Operand, Test } from './condition.ts'
import { type Path, valueAt } from './document-path.ts'
import type { Bindings } from './expression.ts'
import { valueBytes } from './item-size.ts'
import { invalid } from './refusal.ts'

/** Tells of an item, or of none, whether it meets the condition. */
export type Check = (item: Item | undefined) => boolean

type Read = (item: Item | undefined) => AttributeValue | undefined

/** An operand with its placeholders bound. */
interface Bound {
  readonly read: Read
  /** Known where it is a value of the request. */
  readonly value?: AttributeValue
  readonly path?: Path
}

export const checkOf = (condition: Condition, bindings: Bindings): Check => {
  switch (condition._tag) {
    case 'And': {
      const [left, right] = [checkOf(condition.left, bindings), checkOf(condition.right, bindings)]
      return (item) => left(item) && right(item)
    }
    case 'Or': {
      const [left, right] = [checkOf(condition.left, bindings), checkOf(condition.right, bindings)]
      return (item) => left(item) || right(item)
    }
    case 'Not': {
      const check = checkOf(condition.condition, bindings)
      return (item) => !check(item)
    }
    case 'Compare':
      return comparing(condition.by, [bound(condition.left, bindings), bound(condition.right, bindings)])
    case 'Between': {
      const { operand, low, high } = condition
      return between(bound(operand, bindings), bound(low, bindings), bound(high, bindings))
    }
    case 'In': {
      const operand = bound(condition.operand, bindings)
      const among = condition.among.map((one) => bound(one, bindings))
      return (item) => {
        const value = operand.read(item)
        return value !== undefined && among.some((one) => isEqual(value, one.read(item)))
      }
    }
    case 'Test':
      return testing(
        condition.test,
        condition.operands.map((operand) => bound(operand, bindings)),
      )
  }
}

const bound = (operand: Operand, bindings: Bindings): Bound => {
  switch (operand._tag) {
    case 'Path': {
      const path = bindings.path(operand.path)
      return { path, read: (item) => valueAt(item, path) }
    }
    case 'Value': {
      const value = bindings.value(operand.placeholder)
      return { value, read: () => value }
    }
    case 'Size': {
      const of = bound(operand.of, bindings)
      if (of.value !== undefined && !('S' in of.value) && sizeOf(of.value) === undefined)
        throw wrongType('size', of.value)
      return { read: (item) => sizeOf(of.read(item)) }
    }
  }
}

const wrongType = (what: string, value: AttributeValue): Error =>
  invalid(
    `Incorrect operand type for operator or function; operator or function: ${what}, operand type: ${typeOf(value)}`,
  )

/** Of a text and a binary their bytes, of a set, a list or a map its elements; nothing else has a size. */
const sizeOf = (value: AttributeValue | undefined): AttributeValue | undefined => {
  if (value === undefined) return undefined
  const content = contentOf(value)
  switch (typeOf(value)) {
    case 'S':
    case 'B':
      return { N: String(valueBytes(value)) }
    case 'M':
      return { N: String(Object.keys(content as Item).length) }
    case 'L':
    case 'SS':
    case 'NS':
    case 'BS':
      return { N: String((content as ReadonlyArray<unknown>).length) }
    default:
      return undefined
  }
}

const isOrdered = (value: AttributeValue): boolean => 'S' in value || 'N' in value || 'B' in value

const demandDistinct = (what: string, operands: ReadonlyArray<Bound>): void => {
  const [one, other] = operands
  if (one?.path !== undefined && JSON.stringify(one.path) === JSON.stringify(other?.path))
    throw invalid(`The first operand must be distinct from the remaining operands for this operator: ${what}`)
}

const comparing = (by: Comparator, operands: readonly [Bound, Bound]): Check => {
  const [left, right] = operands
  demandDistinct(by, operands)
  if (by === '=') return (item) => left.read(item) !== undefined && isEqual(left.read(item), right.read(item))
  if (by === '<>') return (item) => !isEqual(left.read(item), right.read(item))
  for (const { value } of operands) if (value !== undefined && !isOrdered(value)) throw wrongType(by, value)
  return (item) => {
    const [one, other] = [left.read(item), right.read(item)]
    const order = one === undefined || other === undefined ? undefined : compareValues(one, other)
    return order !== undefined && holds(by, order)
  }
}

const holds = (by: Exclude<Comparator, '=' | '<>'>, order: number): boolean => {
  switch (by) {
    case '<':
      return order < 0
    case '<=':
      return order <= 0
    case '>':
      return order > 0
    case '>=':
      return order >= 0
  }
}

const between = (operand: Bound, low: Bound, high: Bound): Check => {
  for (const { value } of [low, high])
    if (value !== undefined && !isOrdered(value)) throw wrongType('BETWEEN', value)
  if (low.value !== undefined && high.value !== undefined) {
    const order = compareValues(low.value, high.value)
    if (order === undefined)
      throw invalid('The BETWEEN operator requires same data type for lower and upper bounds')
    if (order > 0)
      throw invalid('The BETWEEN operator requires upper bound to be greater than or equal to lower bound')
  }
  const above = comparing('>=', [operand, low])
  const below = comparing('<=', [operand, high])
  return (item) => above(item) && below(item)
}

const TYPES: ReadonlySet<string> = new Set(['S', 'N', 'B', 'SS', 'NS', 'BS', 'M', 'L', 'BOOL', 'NULL'])

const testing = (test: Test, [first, second]: ReadonlyArray<Bound>): Check => {
  const read = first?.read ?? (() => undefined)
  const other = second?.read ?? (() => undefined)
  switch (test) {
    case 'attribute_exists':
      return (item) => read(item) !== undefined
    case 'attribute_not_exists':
      return (item) => read(item) === undefined
    case 'attribute_type': {
      const type = second?.value
      if (type === undefined || !('S' in type)) throw invalid(`Incorrect operand type for attribute_type`)
      if (!TYPES.has(type.S)) throw invalid(`Invalid attribute type name found; type: ${type.S}`)
      return (item) => {
        const value = read(item)
        return value !== undefined && typeOf(value) === type.S
      }
    }
    case 'begins_with':
      for (const value of [first?.value, second?.value])
        if (value !== undefined && !('S' in value) && !('B' in value)) throw wrongType(test, value)
      demandDistinct(
        test,
        [first, second].flatMap((one) => one ?? []),
      )
      return (item) => beginsWith(read(item), other(item))
    case 'contains':
      demandDistinct(
        test,
        [first, second].flatMap((one) => one ?? []),
      )
      return (item) => containsValue(read(item), other(item))
  }
}

const beginsWith = (value: AttributeValue | undefined, prefix: AttributeValue | undefined): boolean => {
  if (value === undefined || prefix === undefined) return false
  if ('S' in value && 'S' in prefix) return value.S.startsWith(prefix.S)
  if (!('B' in value) || !('B' in prefix)) return false
  const [bytes, start] = [Buffer.from(value.B, 'base64'), Buffer.from(prefix.B, 'base64')]
  return bytes.subarray(0, start.length).equals(start)
}

const containsValue = (within: AttributeValue | undefined, value: AttributeValue | undefined): boolean => {
  if (within === undefined || value === undefined) return false
  if ('L' in within) return within.L.some((one) => isEqual(one, value))
  if ('SS' in within) return 'S' in value && within.SS.includes(value.S)
  if ('NS' in within) return 'N' in value && within.NS.includes(value.N)
  if ('BS' in within) return 'B' in value && within.BS.includes(value.B)
  if ('S' in within) return 'S' in value && within.S.includes(value.S)
  if (!('B' in within) || !('B' in value)) return false
  return Buffer.from(within.B, 'base64').includes(Buffer.from(value.B, 'base64'))
}
