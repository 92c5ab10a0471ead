/**
 * Attribute values as DynamoDB's JSON has them, binary values as base64; and how they are equal and ordered.
 *
 * Every value in a table is in its normal form: see `attribute-check.ts`.
 */
import { compareNumbers } from './decimal.ts'

export type AttributeValue =
  | { readonly S: string }
  | { readonly N: string }
  | { readonly B: string }
  | { readonly SS: ReadonlyArray<string> }
  | { readonly NS: ReadonlyArray<string> }
  | { readonly BS: ReadonlyArray<string> }
  | { readonly M: Item }
  | { readonly L: ReadonlyArray<AttributeValue> }
  | { readonly BOOL: boolean }
  | { readonly NULL: true }

export interface Item {
  readonly [name: string]: AttributeValue
}

export type AttributeType = 'S' | 'N' | 'B' | 'SS' | 'NS' | 'BS' | 'M' | 'L' | 'BOOL' | 'NULL'

export const typeOf = (value: AttributeValue): AttributeType => Object.keys(value)[0] as AttributeType

/** What is inside of its type. */
export const contentOf = (value: AttributeValue): unknown => Object.values(value)[0]

/** The attribute of an item; names such as `__proto__` are names like any other. */
export const attributeOf = (item: Item | undefined, name: string): AttributeValue | undefined =>
  item !== undefined && Object.hasOwn(item, name) ? item[name] : undefined

/** Equal for equal values: sets have no order, and the attributes of a map have none. */
export const isEqual = (one: AttributeValue | undefined, other: AttributeValue | undefined): boolean => {
  if (one === other) return true
  if (one === undefined || other === undefined) return false
  const type = typeOf(one)
  if (type !== typeOf(other)) return false
  const [left, right] = [contentOf(one), contentOf(other)]
  if (type === 'M') return isEqualItem(left as Item, right as Item)
  if (!Array.isArray(left) || !Array.isArray(right)) return left === right
  if (left.length !== right.length) return false
  return type === 'L'
    ? left.every((value: AttributeValue, at) => isEqual(value, right[at] as AttributeValue))
    : left.every((value) => right.includes(value))
}

export const isEqualItem = (one: Item | undefined, other: Item | undefined): boolean => {
  if (one === other) return true
  if (one === undefined || other === undefined) return false
  const names = Object.keys(one)
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => isEqual(attributeOf(one, name), attributeOf(other, name)))
  )
}

/** The order of two texts, numbers or binaries; undefined for what has no order. */
export const compareValues = (one: AttributeValue, other: AttributeValue): number | undefined => {
  if ('S' in one && 'S' in other) return compareTexts(one.S, other.S)
  if ('N' in one && 'N' in other) return compareNumbers(one.N, other.N)
  if ('B' in one && 'B' in other) return Buffer.compare(bytesOf(one.B), bytesOf(other.B))
  return undefined
}

const bytesOf = (base64: string): Buffer => Buffer.from(base64, 'base64')

/** By their bytes in UTF-8, in which a pair of surrogates comes after every other character. */
const compareTexts = (one: string, other: string): number => {
  const length = Math.min(one.length, other.length)
  for (let at = 0; at < length; at += 1) {
    const [left, right] = [one.charCodeAt(at), other.charCodeAt(at)]
    if (left !== right) return rank(left) - rank(right)
  }
  return one.length - other.length
}

const rank = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit)
